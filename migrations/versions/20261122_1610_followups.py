"""Goals, benchmarks, annotations, actions and indicators."""

revision = "c3c702f49d53"
down_revision = "c2b6f1e38c42"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
