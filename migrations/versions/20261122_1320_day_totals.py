"""Totals of days gone by, so that reports add up days; and an index in the order of the list."""

import sqlalchemy as sa
from alembic import op

revision = "e7b40c95d2a8"
down_revision = "d3e81a6c4b29"
branch_labels = None
depends_on = None

OWN_ROWS = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"


def upgrade() -> None:
    # Empty at first: a job adds up what there is.
    op.create_table(
        "day_totals",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("answered_on", sa.Date(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        *(sa.Column(f"score_{score}", sa.Integer(), nullable=False) for score in range(11)),
        sa.CheckConstraint(
            "standing IN ('counted', 'held', 'excluded')", name=op.f("ck_day_totals_standing")
        ),
        *(
            sa.CheckConstraint(f"score_{score} >= 0", name=op.f(f"ck_day_totals_score_{score}"))
            for score in range(11)
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "survey_id"],
            ["surveys.workspace_id", "surveys.id"],
            name=op.f("fk_day_totals_workspace_id_survey_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_day_totals_workspace_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "workspace_id", "survey_id", "answered_on", "standing", name=op.f("pk_day_totals")
        ),
    )
    op.execute("ALTER TABLE day_totals ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE day_totals FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_workspace ON day_totals USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON day_totals TO honne_runtime")
    # The latest day first, and within a day by id: a page of the list is the next few rows.
    op.create_index(
        "ix_responses_listed",
        "responses",
        ["workspace_id", "survey_id", sa.text("answered_on DESC"), "id"],
    )
    op.drop_index("ix_responses_workspace_id_survey_id_answered_on_id", "responses")


def downgrade() -> None:
    op.create_index(
        "ix_responses_workspace_id_survey_id_answered_on_id",
        "responses",
        ["workspace_id", "survey_id", "answered_on", "id"],
    )
    op.drop_index("ix_responses_listed", "responses")
    op.drop_table("day_totals")
