"""Keep the terms that comments use, so that themes are counted and not read anew each time."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "a9e3570bd1c4"
down_revision = "e7b40c95d2a8"
branch_labels = None
depends_on = None

OWN_ROWS = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "comment_terms",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("comment_hash", sa.BigInteger(), nullable=False),
        sa.Column("keys", ARRAY(sa.Text()), nullable=False),
        sa.Column("written", ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "response_id"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "response_id"],
            ["responses.workspace_id", "responses.id"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
        sa.CheckConstraint("cardinality(keys) = cardinality(written)", name="written"),
    )
    # The statistics of a column hold copies of what stands in it.
    for column in ("comment_hash", "keys", "written"):
        op.execute(f"ALTER TABLE comment_terms ALTER COLUMN {column} SET STATISTICS 0")
    op.execute("ALTER TABLE comment_terms ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE comment_terms FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_workspace ON comment_terms USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON comment_terms TO honne_runtime")


def downgrade() -> None:
    op.drop_table("comment_terms")
