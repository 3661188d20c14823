"""Tags and stars on answers; and by which rules the terms of a comment were found."""

import sqlalchemy as sa
from alembic import op

revision = "c2b6f1e38c42"
down_revision = "c1a5e0d27b31"
branch_labels = None
depends_on = None

OWN_ROWS = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"


def upgrade() -> None:
    op.add_column(
        "responses",
        sa.Column("is_starred", sa.Boolean(), server_default=sa.text("false"), nullable=False),
    )
    op.create_index(
        "ix_responses_starred",
        "responses",
        ["workspace_id", "survey_id", sa.text("answered_on DESC"), "id"],
        postgresql_where=sa.text("is_starred"),
    )
    op.create_table(
        "tags",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("survey_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "id"),
        sa.UniqueConstraint("workspace_id", "survey_id", "folded"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "survey_id"],
            ["surveys.workspace_id", "surveys.id"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
        sa.CheckConstraint("char_length(name) BETWEEN 1 AND 40", name="name_length"),
    )
    op.create_table(
        "response_tags",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("response_id", sa.Uuid(), nullable=False),
        sa.Column("tag_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "response_id", "tag_id"),
        sa.ForeignKeyConstraint(
            ["workspace_id", "response_id"],
            ["responses.workspace_id", "responses.id"],
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["workspace_id", "tag_id"], ["tags.workspace_id", "tags.id"], ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], ondelete="CASCADE"),
    )
    op.create_index(
        "ix_response_tags_workspace_id_tag_id_response_id",
        "response_tags",
        ["workspace_id", "tag_id", "response_id"],
    )
    for table in ("tags", "response_tags"):
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(
            f"CREATE POLICY own_workspace ON {table} USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO honne_runtime")
    # What was found so far was found by rules without a number, and is found anew.
    op.add_column(
        "comment_terms", sa.Column("rules", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.alter_column("comment_terms", "rules", server_default=None)


def downgrade() -> None:
    op.drop_column("comment_terms", "rules")
    op.drop_table("response_tags")
    op.drop_table("tags")
    op.drop_index("ix_responses_starred", "responses")
    op.drop_column("responses", "is_starred")
