"""The web origins whose pages may show a survey's form in a frame; at first none may."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "a3d50be71f94"
down_revision = "f1a97c3e6d08"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "surveys", sa.Column("embed_origins", JSONB(), nullable=False, server_default="[]")
    )
    # Only the rows of before needed it: the product always says which.
    op.alter_column("surveys", "embed_origins", server_default=None)


def downgrade() -> None:
    op.drop_column("surveys", "embed_origins")
