"""The table of saved views."""

import uuid

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Base, TenantRow
from app.foundation.tokens import new_id


class SavedView(TenantRow, Base):
    """A filter of a survey's dashboard under a name, for everybody in the workspace; without a
    survey it is of the page of several surveys, which `query` names.

    `query` is the page's query string: a period that moves with the calendar moves here, too. Of a
    survey at most one view is the default, which opens where no filter is asked for; the page of
    several surveys asks then which ones to show.
    """

    __tablename__ = "saved_views"
    __table_args__ = (
        CheckConstraint("survey_id IS NOT NULL OR NOT is_default", name="default"),
        ForeignKeyConstraint(
            ["workspace_id", "survey_id"],
            ["surveys.workspace_id", "surveys.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("workspace_id", "survey_id", "name"),
        Index(
            None,
            "workspace_id",
            "name",
            unique=True,
            postgresql_where=text("survey_id IS NULL"),
        ),
        Index(
            None,
            "workspace_id",
            "survey_id",
            unique=True,
            postgresql_where=text("is_default"),
        ),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    survey_id: Mapped[uuid.UUID | None] = mapped_column()
    name: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(Text)
    is_default: Mapped[bool] = mapped_column(default=False)
