"""Keep views of the dashboard under a name."""

revision = "f2c81d4e7a60"
down_revision = "e7b40c95d2a8"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
