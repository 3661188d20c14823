"""Tables of the tags that a team puts on answers."""

import uuid

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Base, TenantRow
from app.foundation.tokens import new_id

TAG_NAME_LIMIT = 40
MAX_TAGS = 50  # of a survey: enough to sort comments by, and no way to number people


class Tag(TenantRow, Base):
    """A word that a team sorts the answers of a survey by. `folded` is its name as it is compared:
    without upper case, so that a name stands once in a survey."""

    __tablename__ = "tags"
    __table_args__ = (
        CheckConstraint(f"char_length(name) BETWEEN 1 AND {TAG_NAME_LIMIT}", name="name_length"),
        ForeignKeyConstraint(
            ["workspace_id", "survey_id"],
            ["surveys.workspace_id", "surveys.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("workspace_id", "survey_id", "folded"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    survey_id: Mapped[uuid.UUID] = mapped_column()
    name: Mapped[str] = mapped_column(Text)
    folded: Mapped[str] = mapped_column(Text)


class ResponseTag(TenantRow, Base):
    """That an answer has a tag of its survey. The row goes with either."""

    __tablename__ = "response_tags"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "response_id"],
            ["responses.workspace_id", "responses.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["workspace_id", "tag_id"], ["tags.workspace_id", "tags.id"], ondelete="CASCADE"
        ),
        # The answers of a tag, for the list that shows them alone.
        Index(None, "workspace_id", "tag_id", "response_id"),
    )

    response_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    tag_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
