"""The table of what is published about subgroups: what is not a row here cannot be shown."""

import uuid
from datetime import date

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Base, TenantRow
from app.foundation.tokens import new_id


class PublishedFigure(TenantRow, Base):
    """The counts of a subgroup in a block of whole months, published once and never changed.

    `labels` maps one or two selectors (`segment.KEY`, `language`, `channel`) to values, `width`
    says which. The months run from `first_month` to `last_month`, both first days of months and
    inclusive. `scores` are the counts of scores 0 to 10, null where only the three groups may be
    told.
    """

    __tablename__ = "published_figures"
    __table_args__ = (
        CheckConstraint("first_month <= last_month", name="months"),
        CheckConstraint("width IN (1, 2)", name="width"),
        ForeignKeyConstraint(
            ["workspace_id", "edition_id"],
            ["editions.workspace_id", "editions.id"],
            ondelete="CASCADE",
        ),
        ForeignKeyConstraint(
            ["workspace_id", "survey_id"],
            ["surveys.workspace_id", "surveys.id"],
            ondelete="CASCADE",
        ),
        Index(None, "workspace_id", "survey_id", "width", "first_month"),
        Index(None, "workspace_id", "edition_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    edition_id: Mapped[uuid.UUID] = mapped_column()
    survey_id: Mapped[uuid.UUID] = mapped_column()
    first_month: Mapped[date] = mapped_column()
    last_month: Mapped[date] = mapped_column()
    width: Mapped[int] = mapped_column(SmallInteger)
    labels: Mapped[dict[str, str]] = mapped_column()
    promoters: Mapped[int] = mapped_column()
    passives: Mapped[int] = mapped_column()
    detractors: Mapped[int] = mapped_column()
    scores: Mapped[list[int] | None] = mapped_column()
