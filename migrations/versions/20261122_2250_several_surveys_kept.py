"""Keep views of several surveys together, and links that show them, too."""

import sqlalchemy as sa
from alembic import op

revision = "c6fa35d07e86"
down_revision = "c5e924b6bf75"
branch_labels = None
depends_on = None

TABLES = ("saved_views", "shared_reports")
NAME_ONCE = "ix_saved_views_workspace_id_name"
# Without a survey a row is of several, which its query names: they have no page to open first, and
# no comments to show.
CHECKS = (
    ("saved_views", "default", "survey_id IS NOT NULL OR NOT is_default"),
    ("shared_reports", "comments", "survey_id IS NOT NULL OR NOT with_comments"),
)


def upgrade() -> None:
    for table in TABLES:
        op.alter_column(table, "survey_id", existing_type=sa.Uuid(), nullable=True)
    for table, name, condition in CHECKS:
        op.create_check_constraint(op.f(f"ck_{table}_{name}"), table, condition)
    op.create_index(
        NAME_ONCE,
        "saved_views",
        ["workspace_id", "name"],
        unique=True,
        postgresql_where=sa.text("survey_id IS NULL"),
    )


def downgrade() -> None:
    op.drop_index(NAME_ONCE, "saved_views")
    for table, name, _condition in CHECKS:
        op.drop_constraint(op.f(f"ck_{table}_{name}"), table)
    for table in TABLES:
        # What is of several surveys has no place in the schema before.
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        op.execute(f"DELETE FROM {table} WHERE survey_id IS NULL")  # noqa: S608
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.alter_column(table, "survey_id", existing_type=sa.Uuid(), nullable=False)
