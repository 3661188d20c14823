"""Keep views of a dashboard that a workspace has saved."""

revision = "c1a5e0d27b31"
down_revision = "a9e3570bd1c4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
