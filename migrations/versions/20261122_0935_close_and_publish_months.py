"""Ended months are closed, and what may be shown of subgroups is published once.

Nothing is closed here: the first look at a survey's subgroups closes the months that have ended.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "8b52d9e4c0f7"
down_revision = "3f0a6c1d7b21"
branch_labels = None
depends_on = None

OWN_ROWS = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
CHANNELS = "'link', 'qr', 'email', 'embed', 'api', 'import'"
# What is closed or published stays as it is: there is no right to change it.
VERBS = {
    "editions": "SELECT, INSERT, UPDATE, DELETE",
    "closed_counts": "SELECT, INSERT, DELETE",
    "published_figures": "SELECT, INSERT, DELETE",
}


def upgrade() -> None:
    op.add_column(
        "responses",
        sa.Column("is_late_change", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    create_editions()
    create_closed_counts()
    create_published_figures()
    for table, verbs in VERBS.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_workspace ON {table} USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})"
        )
        op.execute(f"GRANT {verbs} ON {table} TO honne_runtime")


def create_editions() -> None:
    op.create_table(
        "editions",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("import_id", sa.Uuid(), nullable=True),
        sa.Column("closed_through", sa.Date(), nullable=True),
        sa.Column("published_through", sa.Date(), nullable=True),
        sa.Column("paired_through", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["workspace_id", "import_id"],
            ["imports.workspace_id", "imports.id"],
            name=op.f("fk_editions_workspace_id_import_id"),
        ),
        survey_key("editions"),
        workspace_key("editions"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_editions")),
        sa.UniqueConstraint(
            "workspace_id",
            "survey_id",
            "import_id",
            name=op.f("uq_editions_workspace_id_survey_id_import_id"),
            postgresql_nulls_not_distinct=True,
        ),
    )


def create_closed_counts() -> None:
    op.create_table(
        "closed_counts",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("segment_set_id", sa.Uuid(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        *(sa.Column(f"score_{score}", sa.Integer(), nullable=False) for score in range(11)),
        sa.CheckConstraint(f"channel IN ({CHANNELS})", name=op.f("ck_closed_counts_channel")),
        edition_key("closed_counts"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "segment_set_id"],
            ["segment_sets.workspace_id", "segment_sets.id"],
            name=op.f("fk_closed_counts_workspace_id_segment_set_id"),
        ),
        workspace_key("closed_counts"),
        sa.PrimaryKeyConstraint(
            "workspace_id",
            "edition_id",
            "month",
            "segment_set_id",
            "language",
            "channel",
            name=op.f("pk_closed_counts"),
        ),
    )


def create_published_figures() -> None:
    op.create_table(
        "published_figures",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("edition_id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("first_month", sa.Date(), nullable=False),
        sa.Column("last_month", sa.Date(), nullable=False),
        sa.Column("width", sa.SmallInteger(), nullable=False),
        sa.Column("labels", postgresql.JSONB(), nullable=False),
        sa.Column("promoters", sa.Integer(), nullable=False),
        sa.Column("passives", sa.Integer(), nullable=False),
        sa.Column("detractors", sa.Integer(), nullable=False),
        sa.Column("scores", postgresql.JSONB(), nullable=True),
        sa.CheckConstraint("first_month <= last_month", name=op.f("ck_published_figures_months")),
        sa.CheckConstraint("width IN (1, 2)", name=op.f("ck_published_figures_width")),
        edition_key("published_figures"),
        survey_key("published_figures"),
        workspace_key("published_figures"),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_published_figures")),
    )
    for columns in (
        ["workspace_id", "survey_id", "width", "first_month"],
        ["workspace_id", "edition_id"],
    ):
        op.create_index(
            op.f(f"ix_published_figures_{'_'.join(columns)}"), "published_figures", columns
        )


def survey_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id", "survey_id"],
        ["surveys.workspace_id", "surveys.id"],
        name=op.f(f"fk_{table}_workspace_id_survey_id"),
        ondelete="CASCADE",
    )


def edition_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id", "edition_id"],
        ["editions.workspace_id", "editions.id"],
        name=op.f(f"fk_{table}_workspace_id_edition_id"),
        ondelete="CASCADE",
    )


def workspace_key(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id"],
        ["workspaces.id"],
        name=op.f(f"fk_{table}_workspace_id"),
        ondelete="CASCADE",
    )


def downgrade() -> None:
    for table in ("published_figures", "closed_counts", "editions"):
        op.drop_table(table)
    op.drop_column("responses", "is_late_change")
