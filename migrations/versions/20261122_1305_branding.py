"""Give a workspace its name, logo and colour on the form."""

import sqlalchemy as sa
from alembic import op

revision = "c25d7f0b3a18"
down_revision = "b1c64e2a9f07"
branch_labels = None
depends_on = None

OWN_ROWS = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "brands",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("accent", sa.Text(), nullable=True),
        sa.Column("logo", sa.LargeBinary(), nullable=True),
        sa.Column("logo_type", sa.Text(), nullable=True),
        sa.Column("logo_hash", sa.Text(), nullable=True),
        sa.Column("logo_width", sa.Integer(), nullable=True),
        sa.Column("logo_height", sa.Integer(), nullable=True),
        sa.Column("logo_ground", sa.Text(), nullable=True),
        sa.CheckConstraint("accent ~ '^#[0-9a-f]{6}$'", name=op.f("ck_brands_accent")),
        sa.CheckConstraint("octet_length(logo) <= 20000", name=op.f("ck_brands_logo_size")),
        sa.CheckConstraint(
            "logo_type IN ('image/png', 'image/webp')", name=op.f("ck_brands_logo_type")
        ),
        sa.CheckConstraint(
            "logo_ground IN ('any', 'light', 'dark')", name=op.f("ck_brands_logo_ground")
        ),
        sa.CheckConstraint(
            "num_nulls(logo, logo_type, logo_hash, logo_width, logo_height, logo_ground) IN (0, 6)",
            name=op.f("ck_brands_logo_whole"),
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_brands_workspace_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_brands")),
    )
    op.execute("ALTER TABLE brands ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE brands FORCE ROW LEVEL SECURITY")
    op.execute(f"CREATE POLICY own_workspace ON brands USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON brands TO honne_runtime")


def downgrade() -> None:
    op.drop_table("brands")
