"""Thank each group in its own words, and keep addresses that respondents leave."""

revision = "d3e81a6c4b29"
down_revision = "c25d7f0b3a18"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
