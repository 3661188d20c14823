"""Read-only links to a report."""

revision = "c4d813a5ae64"
down_revision = "c3c702f49d53"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
