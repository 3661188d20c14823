"""A workspace that its owner deleted is marked, until the last of its rows is gone."""

import sqlalchemy as sa
from alembic import op

revision = "e4d08f36a91c"
down_revision = "e4a90d37c6b5"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("workspaces", sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("workspaces", "deleted_at")
