"""Tables of what members note beside the score."""

import enum
import uuid
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.accounts.models import one_of
from app.foundation.database import Base, TenantRow, UtcMoment
from app.foundation.tokens import new_id

TITLE_LIMIT = 120
NOTE_LIMIT = 2_000
LINK_LIMIT = 2_000
MAX_PERCENT = 1_000


class AnnotationKind(enum.StrEnum):
    """Something that happened, or something done to improve the score."""

    EVENT = "event"
    ACTION = "action"


class IndicatorMetric(enum.StrEnum):
    """Rates that are shown beside NPS; `app.scoring.rates` defines them."""

    CHURN = "churn"
    RETENTION = "retention"
    NRR = "nrr"


def _survey_key() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(
        ["workspace_id", "survey_id"], ["surveys.workspace_id", "surveys.id"], ondelete="CASCADE"
    )


class Annotation(TenantRow, Base):
    """A business event or an improvement action, of one survey or (without `survey_id`) of all.

    `begins_on` is the day of the event, or the day on which the action begins. Only actions have a
    `hypothesis`, an owner, a day they are due and a day they were done. `owner_id` is a user who
    may have left the workspace since.
    """

    __tablename__ = "annotations"
    __table_args__ = (
        one_of("kind", AnnotationKind, "kind"),
        CheckConstraint(f"char_length(title) BETWEEN 1 AND {TITLE_LIMIT}", name="title"),
        CheckConstraint(
            "kind = 'action' OR (hypothesis = '' AND num_nonnulls(owner_id, due_on, done_on) = 0)",
            name="event",
        ),
        CheckConstraint("due_on >= begins_on", name="due_after_begin"),
        CheckConstraint("done_on >= begins_on", name="done_after_begin"),
        _survey_key(),
        Index(None, "workspace_id", "begins_on", "id"),
        Index(None, "workspace_id", "survey_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    survey_id: Mapped[uuid.UUID | None] = mapped_column()
    kind: Mapped[AnnotationKind] = mapped_column(Text)
    title: Mapped[str] = mapped_column(Text)
    begins_on: Mapped[date] = mapped_column()
    note: Mapped[str] = mapped_column(Text, default="")
    link: Mapped[str] = mapped_column(Text, default="")
    hypothesis: Mapped[str] = mapped_column(Text, default="")
    owner_id: Mapped[uuid.UUID | None] = mapped_column()
    due_on: Mapped[date | None] = mapped_column()
    done_on: Mapped[date | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UtcMoment)

    @property
    def marked_on(self) -> date:
        """The day at which it stands on the trend: for an action that is done, that day."""
        return self.done_on or self.begins_on


class SurveyGoal(TenantRow, Base):
    """The NPS that a survey's owners want to reach, in whole points, and by when."""

    __tablename__ = "survey_goals"
    __table_args__ = (
        CheckConstraint("nps BETWEEN -100 AND 100", name="nps"),
        _survey_key(),
    )

    survey_id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    nps: Mapped[int] = mapped_column(SmallInteger)
    reach_by: Mapped[date | None] = mapped_column()


class Benchmark(TenantRow, Base):
    """NPS figures of others, as the workspace found them; for one survey or for all.

    Points from -100 to 100; at least one of the four figures is known, and quartiles rise.
    """

    __tablename__ = "benchmarks"
    __table_args__ = (
        CheckConstraint(f"char_length(name) BETWEEN 1 AND {TITLE_LIMIT}", name="name"),
        CheckConstraint("source <> ''", name="source"),
        CheckConstraint(
            "num_nonnulls(average, lower_quartile, median, upper_quartile) > 0", name="figure"
        ),
        CheckConstraint(
            "least(average, lower_quartile, median, upper_quartile) >= -100 AND "
            "greatest(average, lower_quartile, median, upper_quartile) <= 100",
            name="points",
        ),
        CheckConstraint(
            "lower_quartile <= median AND median <= upper_quartile "
            "AND lower_quartile <= upper_quartile",
            name="rising",
        ),
        _survey_key(),
        Index(None, "workspace_id", "as_of", "id"),
        Index(None, "workspace_id", "survey_id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    survey_id: Mapped[uuid.UUID | None] = mapped_column()
    name: Mapped[str] = mapped_column(Text)
    average: Mapped[float | None] = mapped_column()
    lower_quartile: Mapped[float | None] = mapped_column()
    median: Mapped[float | None] = mapped_column()
    upper_quartile: Mapped[float | None] = mapped_column()
    source: Mapped[str] = mapped_column(Text)
    as_of: Mapped[date] = mapped_column()


class Indicator(TenantRow, Base):
    """One rate of one month, of all customers or of those with one segment value.

    `month` is its first day, `percent` the rate in per cent. `base` is what the rate is a share of
    (customers, or recurring revenue, at the start of the month) where it is known. For all
    customers `segment_key` and `segment_value` are empty.
    """

    __tablename__ = "indicators"
    __table_args__ = (
        one_of("metric", IndicatorMetric, "metric"),
        CheckConstraint(
            f"percent BETWEEN 0 AND {MAX_PERCENT} AND (metric = 'nrr' OR percent <= 100)",
            name="percent",
        ),
        # NaN is greater than every number.
        CheckConstraint("base > 0 AND base < 'Infinity'", name="base"),
        CheckConstraint("EXTRACT(day FROM month) = 1", name="month"),
        CheckConstraint("(segment_key = '') = (segment_value = '')", name="segment"),
        UniqueConstraint("workspace_id", "metric", "month", "segment_key", "segment_value"),
        Index(None, "workspace_id", "month", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    metric: Mapped[IndicatorMetric] = mapped_column(Text)
    month: Mapped[date] = mapped_column()
    segment_key: Mapped[str] = mapped_column(Text, default="")
    segment_value: Mapped[str] = mapped_column(Text, default="")
    percent: Mapped[float] = mapped_column()
    base: Mapped[float | None] = mapped_column()
