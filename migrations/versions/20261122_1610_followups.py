"""Goals, benchmarks, annotations, actions and indicators."""

import sqlalchemy as sa
from alembic import op

revision = "c3c702f49d53"
down_revision = "c2b6f1e38c42"
branch_labels = None
depends_on = None

OWN_ROWS = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
TABLES = ("annotations", "survey_goals", "benchmarks", "indicators")


def upgrade() -> None:
    _create_annotations()
    _create_goals()
    _create_benchmarks()
    _create_indicators()
    for table in TABLES:
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_workspace ON {table} USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO honne_runtime")


def _create_annotations() -> None:
    op.create_table(
        "annotations",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("hypothesis", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("done_on", sa.Date(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("kind IN ('event', 'action')", name="kind"),
        sa.CheckConstraint("char_length(title) BETWEEN 1 AND 120", name="title"),
        sa.CheckConstraint(
            "kind = 'action' OR (hypothesis = '' AND num_nonnulls(owner_id, due_on, done_on) = 0)",
            name="event",
        ),
        sa.CheckConstraint("due_on >= begins_on", name="due_after_begin"),
        sa.CheckConstraint("done_on >= begins_on", name="done_after_begin"),
        *_keys(),
    )
    op.create_index(
        op.f("ix_annotations_workspace_id_begins_on_id"),
        "annotations",
        ["workspace_id", "begins_on", "id"],
    )
    op.create_index(
        op.f("ix_annotations_workspace_id_survey_id"), "annotations", ["workspace_id", "survey_id"]
    )


def _create_goals() -> None:
    op.create_table(
        "survey_goals",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("nps", sa.SmallInteger(), nullable=False),
        sa.Column("reach_by", sa.Date(), nullable=True),
        sa.CheckConstraint("nps BETWEEN -100 AND 100", name="nps"),
        *_keys("survey_id"),
    )


def _create_benchmarks() -> None:
    op.create_table(
        "benchmarks",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("average", sa.Float(), nullable=True),
        sa.Column("lower_quartile", sa.Float(), nullable=True),
        sa.Column("median", sa.Float(), nullable=True),
        sa.Column("upper_quartile", sa.Float(), nullable=True),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("as_of", sa.Date(), nullable=False),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 120", name="name"),
        sa.CheckConstraint("source <> ''", name="source"),
        sa.CheckConstraint(
            "num_nonnulls(average, lower_quartile, median, upper_quartile) > 0", name="figure"
        ),
        sa.CheckConstraint(
            "least(average, lower_quartile, median, upper_quartile) >= -100 AND "
            "greatest(average, lower_quartile, median, upper_quartile) <= 100",
            name="points",
        ),
        sa.CheckConstraint(
            "lower_quartile <= median AND median <= upper_quartile "
            "AND lower_quartile <= upper_quartile",
            name="rising",
        ),
        *_keys(),
    )
    op.create_index(
        op.f("ix_benchmarks_workspace_id_as_of_id"), "benchmarks", ["workspace_id", "as_of", "id"]
    )
    op.create_index(
        op.f("ix_benchmarks_workspace_id_survey_id"), "benchmarks", ["workspace_id", "survey_id"]
    )


def _create_indicators() -> None:
    op.create_table(
        "indicators",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("metric", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("segment_key", sa.Text(), nullable=False),
        sa.Column("segment_value", sa.Text(), nullable=False),
        sa.Column("percent", sa.Float(), nullable=False),
        sa.Column("base", sa.Float(), nullable=True),
        sa.PrimaryKeyConstraint("workspace_id", "id"),
        sa.UniqueConstraint("workspace_id", "metric", "month", "segment_key", "segment_value"),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
        sa.CheckConstraint("metric IN ('churn', 'retention', 'nrr')", name="metric"),
        sa.CheckConstraint(
            "percent BETWEEN 0 AND 1000 AND (metric = 'nrr' OR percent <= 100)", name="percent"
        ),
        sa.CheckConstraint("base > 0 AND base < 'Infinity'", name="base"),
        sa.CheckConstraint("EXTRACT(day FROM month) = 1", name="month"),
        sa.CheckConstraint("(segment_key = '') = (segment_value = '')", name="segment"),
    )
    op.create_index(
        op.f("ix_indicators_workspace_id_month_id"), "indicators", ["workspace_id", "month", "id"]
    )


def _keys(own: str = "id") -> list[sa.Constraint]:
    return [
        sa.PrimaryKeyConstraint("workspace_id", own),
        sa.ForeignKeyConstraint(
            ["workspace_id", "survey_id"],
            ["surveys.workspace_id", "surveys.id"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
    ]


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table)
