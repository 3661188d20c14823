"""Let an answer refer to its version, survey and workspace at once."""

from alembic import op

revision = "c5e924b6bf75"
down_revision = "c4d813a5ae64"
branch_labels = None
depends_on = None

VERSION = "fk_responses_workspace_id_survey_id_version_id"
UNIQUE = "uq_survey_versions_workspace_id_survey_id_id"


def upgrade() -> None:
    op.create_unique_constraint(UNIQUE, "survey_versions", ["workspace_id", "survey_id", "id"])
    op.create_foreign_key(
        VERSION,
        "responses",
        "survey_versions",
        ["workspace_id", "survey_id", "version_id"],
        ["workspace_id", "survey_id", "id"],
        ondelete="CASCADE",
    )
    op.drop_constraint("fk_responses_workspace_id_version_id", "responses")
    op.drop_constraint("fk_responses_workspace_id_survey_id", "responses")
    op.drop_constraint("fk_responses_workspace_id", "responses")


def downgrade() -> None:
    for columns, table, referred, on_delete in (
        (["workspace_id"], "workspaces", ["id"], "CASCADE"),
        (["workspace_id", "survey_id"], "surveys", ["workspace_id", "id"], "CASCADE"),
        (["workspace_id", "version_id"], "survey_versions", ["workspace_id", "id"], None),
    ):
        name = f"fk_responses_{'_'.join(columns)}"
        op.create_foreign_key(name, "responses", table, columns, referred, ondelete=on_delete)
    op.drop_constraint(VERSION, "responses")
    op.drop_constraint(UNIQUE, "survey_versions")
