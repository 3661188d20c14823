"""Number what is sent under one submission key, so that what comes late changes nothing."""

revision = "b1c64e2a9f07"
down_revision = "a3d50be71f94"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
