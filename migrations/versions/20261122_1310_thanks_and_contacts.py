"""Thank each group in its own words, and keep addresses that respondents leave."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "d3e81a6c4b29"
down_revision = "c25d7f0b3a18"
branch_labels = None
depends_on = None

OWN_ROWS = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"


def upgrade() -> None:
    for column in (
        sa.Column("thanks_urls", JSONB(), nullable=False, server_default="{}"),
        sa.Column("support", sa.Text(), nullable=False, server_default=""),
        sa.Column("asks_contact", sa.Boolean(), nullable=False, server_default=sa.false()),
    ):
        op.add_column("surveys", column)
        # Only the rows of before needed it: the product always says which.
        op.alter_column("surveys", column.name, server_default=None)
    op.create_table(
        "response_contacts",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "response_id"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "response_id"],
            ["responses.workspace_id", "responses.id"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
        sa.CheckConstraint("char_length(address) <= 254", name="address_length"),
    )
    # The statistics of a column hold copies of what stands in it.
    op.execute("ALTER TABLE response_contacts ALTER COLUMN address SET STATISTICS 0")
    op.execute("ALTER TABLE response_contacts ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE response_contacts FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY own_workspace ON response_contacts "
        f"USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON response_contacts TO honne_runtime")


def downgrade() -> None:
    op.drop_table("response_contacts")
    for name in ("asks_contact", "support", "thanks_urls"):
        op.drop_column("surveys", name)
