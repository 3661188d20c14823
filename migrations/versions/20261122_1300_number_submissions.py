"""Number what is sent under one submission key, so that what comes late changes nothing."""

import sqlalchemy as sa
from alembic import op

revision = "b1c64e2a9f07"
down_revision = "a3d50be71f94"
branch_labels = None
depends_on = None

SENT = 32_767


def upgrade() -> None:
    # The policy and the grants of the table cover its new column. All that is there was sent.
    op.add_column(
        "submission_keys",
        sa.Column("number", sa.SmallInteger(), nullable=False, server_default=str(SENT)),
    )
    op.alter_column("submission_keys", "number", server_default=None)
    op.create_check_constraint(op.f("ck_submission_keys_number"), "submission_keys", "number > 0")


def downgrade() -> None:
    op.drop_constraint(op.f("ck_submission_keys_number"), "submission_keys")
    op.drop_column("submission_keys", "number")
