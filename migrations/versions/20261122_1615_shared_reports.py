"""Read-only links to a report, and whether a survey's steps are still shown to its managers."""

import sqlalchemy as sa
from alembic import op

revision = "c4d813a5ae64"
down_revision = "c3c702f49d53"
branch_labels = None
depends_on = None

OWN_ROWS = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"


def upgrade() -> None:
    op.create_table(
        "shared_reports",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("with_comments", sa.Boolean(), nullable=False),
        sa.Column("token_hash", sa.LargeBinary(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=False),
        sa.Column("openings", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "survey_id"],
            ["surveys.workspace_id", "surveys.id"],
            ondelete="CASCADE",
        ),
        sa.UniqueConstraint("workspace_id", "token_hash"),
        sa.CheckConstraint("openings >= 0", name="openings"),
    )
    op.create_index(None, "shared_reports", ["workspace_id", "survey_id", "created_at"])
    op.execute("ALTER TABLE shared_reports ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE shared_reports FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_workspace ON shared_reports USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON shared_reports TO honne_runtime")
    # Surveys that have answers already are run by people who know the steps.
    op.add_column(
        "surveys",
        sa.Column("shows_steps", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.alter_column("surveys", "shows_steps", server_default=None)


def downgrade() -> None:
    op.drop_column("surveys", "shows_steps")
    op.drop_table("shared_reports")
