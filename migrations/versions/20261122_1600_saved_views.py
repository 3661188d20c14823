"""Keep views of a dashboard that a workspace has saved."""

import sqlalchemy as sa
from alembic import op

revision = "c1a5e0d27b31"
down_revision = "a9e3570bd1c4"
branch_labels = None
depends_on = None

OWN_ROWS = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "saved_views",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("is_default", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "survey_id"],
            ["surveys.workspace_id", "surveys.id"],
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("workspace_id", "survey_id", "name"),
    )
    op.create_index(
        None,
        "saved_views",
        ["workspace_id", "survey_id"],
        unique=True,
        postgresql_where=sa.text("is_default"),
    )
    op.execute("ALTER TABLE saved_views ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE saved_views FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_workspace ON saved_views USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON saved_views TO honne_runtime")


def downgrade() -> None:
    op.drop_table("saved_views")
