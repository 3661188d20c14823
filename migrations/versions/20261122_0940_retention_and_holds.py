"""What was deleted when, legal holds, and the monthly totals that outlive the retention."""

revision = "c7e19b5a2d84"
down_revision = "8b52d9e4c0f7"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled in by what follows."""


def downgrade() -> None:
    """Filled in by what follows."""
