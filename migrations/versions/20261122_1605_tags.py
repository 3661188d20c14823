"""Tags and stars on answers."""

revision = "c2b6f1e38c42"
down_revision = "c1a5e0d27b31"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
