"""Give a workspace its name, logo and colour on the form."""

revision = "c25d7f0b3a18"
down_revision = "b1c64e2a9f07"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass


def downgrade() -> None:
    pass
