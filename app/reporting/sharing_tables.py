"""The table of links that show a report to whoever has them."""

import uuid
from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Base, TenantRow, UtcMoment
from app.foundation.tokens import new_id


class SharedReport(TenantRow, Base):
    """A read-only link to the dashboard of one survey under one filter; without a survey it is to
    the page of several surveys, which `query` names.

    `query` is the page's query string: a period that moves with the calendar moves here, too.
    Of the link's token only `token_hash` and its last characters (`hint`) are kept. It works
    through the workspace day `expires_on`. `openings` counts how often the report was shown;
    nothing is kept of who saw it, or when.
    """

    __tablename__ = "shared_reports"
    __table_args__ = (
        CheckConstraint("openings >= 0", name="openings"),
        CheckConstraint("survey_id IS NOT NULL OR NOT with_comments", name="comments"),
        ForeignKeyConstraint(
            ["workspace_id", "survey_id"],
            ["surveys.workspace_id", "surveys.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("workspace_id", "token_hash"),
        Index(None, "workspace_id", "survey_id", "created_at"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    survey_id: Mapped[uuid.UUID | None] = mapped_column()
    name: Mapped[str] = mapped_column(Text)
    query: Mapped[str] = mapped_column(Text)
    with_comments: Mapped[bool] = mapped_column(default=False)
    token_hash: Mapped[bytes] = mapped_column()
    hint: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(Text)
    expires_on: Mapped[date] = mapped_column()
    openings: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(UtcMoment)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcMoment)
