"""Keep what a score is seen beside: events, actions, goals, benchmarks, other metrics."""

revision = "b84f2e61c9d7"
down_revision = "a9e3570bd1c4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
