"""Why an answer is held, for as long as it is; and the held answers of a survey, quickly found."""

import sqlalchemy as sa
from alembic import op

revision = "f1a97c3e6d08"
down_revision = "e4d08f36a91c"
branch_labels = None
depends_on = None

REASON = (
    "hold_reason IS NULL OR (standing = 'held' AND hold_reason IN ('too_fast', 'trap', 'flood'))"
)


def upgrade() -> None:
    # The policy and the grants of the table cover its new column.
    op.add_column("responses", sa.Column("hold_reason", sa.Text(), nullable=True))
    op.create_check_constraint(op.f("ck_responses_hold_reason"), "responses", REASON)
    op.create_index(
        "ix_responses_held",
        "responses",
        ["workspace_id", "survey_id"],
        postgresql_where=sa.text("standing = 'held'"),
    )


def downgrade() -> None:
    op.drop_index("ix_responses_held", "responses")
    op.drop_constraint(op.f("ck_responses_hold_reason"), "responses")
    op.drop_column("responses", "hold_reason")
