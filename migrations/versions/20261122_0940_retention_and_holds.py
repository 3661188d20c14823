"""What was deleted when, legal holds, and the monthly totals that outlive the retention."""

import sqlalchemy as sa
from alembic import op

revision = "c7e19b5a2d84"
down_revision = "8b52d9e4c0f7"
branch_labels = None
depends_on = None

OWN_ROWS = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"


def upgrade() -> None:
    op.add_column("surveys", sa.Column("held_since", sa.Date(), nullable=True))
    create_deletions()
    create_month_totals()
    for table in ("deletions", "month_totals"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_workspace ON {table} USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})"
        )
        # Nothing takes these numbers back; they leave with their survey, which cascades.
        op.execute(f"GRANT SELECT, INSERT, UPDATE ON {table} TO honne_runtime")


def create_deletions() -> None:
    op.create_table(
        "deletions",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("deleted_on", sa.Date(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("responses", sa.Integer(), nullable=False),
        sa.CheckConstraint("responses > 0", name=op.f("ck_deletions_responses")),
        sa.CheckConstraint(
            "reason IN ('retention', 'receipt', 'import_undone', 'api')",
            name=op.f("ck_deletions_reason"),
        ),
        *keys("deletions"),
        sa.PrimaryKeyConstraint(
            "workspace_id", "survey_id", "deleted_on", "reason", name=op.f("pk_deletions")
        ),
    )


def create_month_totals() -> None:
    op.create_table(
        "month_totals",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        *(sa.Column(f"score_{score}", sa.Integer(), nullable=False) for score in range(11)),
        sa.CheckConstraint("EXTRACT(day FROM month) = 1", name=op.f("ck_month_totals_month")),
        sa.CheckConstraint(
            "standing IN ('counted', 'held', 'excluded')", name=op.f("ck_month_totals_standing")
        ),
        *(
            sa.CheckConstraint(f"score_{score} >= 0", name=op.f(f"ck_month_totals_score_{score}"))
            for score in range(11)
        ),
        *keys("month_totals"),
        sa.PrimaryKeyConstraint(
            "workspace_id", "survey_id", "month", "standing", name=op.f("pk_month_totals")
        ),
    )


def keys(table: str) -> tuple[sa.ForeignKeyConstraint, sa.ForeignKeyConstraint]:
    return (
        sa.ForeignKeyConstraint(
            ["workspace_id", "survey_id"],
            ["surveys.workspace_id", "surveys.id"],
            name=op.f(f"fk_{table}_workspace_id_survey_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f(f"fk_{table}_workspace_id"),
            ondelete="CASCADE",
        ),
    )


def downgrade() -> None:
    for table in ("month_totals", "deletions"):
        op.drop_table(table)
    op.drop_column("surveys", "held_since")
