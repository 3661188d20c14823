"""The planner's statistics hold samples of a column, and would keep deleted comments among them.

Nothing is planned by the words of a comment, so none are sampled any more, and those that were go.
"""

from alembic import op

revision = "e4a90d37c6b5"
down_revision = "c7e19b5a2d84"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE responses ALTER COLUMN comment SET STATISTICS 0")
    # ANALYZE leaves old samples of a column alone once it takes no new ones.
    op.execute("ALTER TABLE responses ALTER COLUMN comment TYPE text")
