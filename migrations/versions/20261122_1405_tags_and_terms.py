"""Tag and star comments, and keep the terms they use."""

revision = "a9e3570bd1c4"
down_revision = "f2c81d4e7a60"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
