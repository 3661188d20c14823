"""The audit log becomes a chain: each line is numbered and carries a hash over the one before."""

revision = "3f0a6c1d7b21"
down_revision = "da1da422cb10"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Filled in by what follows."""


def downgrade() -> None:
    """Filled in by what follows."""
