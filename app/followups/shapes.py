"""What the API says about events, actions, goals, benchmarks and rates."""

import uuid
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.followups.indicators import segment_of
from app.followups.inputs import ACTION, BENCHMARK, INDICATOR
from app.followups.models import AnnotationKind, Indicator, IndicatorMetric
from app.foundation.web.openapi import ListMeta
from app.scoring import Denominator

_ID = "0b9a4f0e-3a52-4f5e-9a67-6f1c5a1d2c3b"
_ANNOTATION: dict[str, Any] = {"id": _ID, **ACTION, "created_at": "2026-04-01T09:00:00Z"}
DENOMINATORS = {
    IndicatorMetric.CHURN: Denominator.CUSTOMERS_AT_START,
    IndicatorMetric.RETENTION: Denominator.CUSTOMERS_AT_START,
    IndicatorMetric.NRR: Denominator.STARTING_RECURRING_REVENUE,
}


def _shape(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(from_attributes=True, json_schema_extra={"examples": [example]})


class AnnotationShape(BaseModel):
    """A business event or an improvement action; `survey_id` is null for one of all surveys."""

    model_config = _shape(_ANNOTATION)

    id: uuid.UUID
    kind: AnnotationKind
    title: str
    begins_on: date
    survey_id: uuid.UUID | None
    note: str
    link: str
    hypothesis: str
    owner_id: uuid.UUID | None
    due_on: date | None
    done_on: date | None
    created_at: datetime


class AnnotationList(BaseModel):
    """Events and actions, those that begin last first."""

    data: list[AnnotationShape]
    meta: ListMeta


class GoalShape(BaseModel):
    """The NPS that a survey is to reach, in points."""

    model_config = _shape({"nps": 40, "reach_by": "2026-12-31"})

    nps: int
    reach_by: date | None


class BenchmarkShape(BaseModel):
    """NPS figures of others; `survey_id` is null for one of all surveys."""

    model_config = _shape({"id": _ID, **BENCHMARK})

    id: uuid.UUID
    name: str
    survey_id: uuid.UUID | None
    average: float | None
    lower_quartile: float | None
    median: float | None
    upper_quartile: float | None
    source: str
    as_of: date


class BenchmarkList(BaseModel):
    """Benchmarks, the latest figures first."""

    data: list[BenchmarkShape]
    meta: ListMeta


class IndicatorShape(BaseModel):
    """A rate of one month, in per cent of its `denominator`; `base` is how much that was, null
    where nobody has said it. `segments` is empty for all customers."""

    model_config = _shape({"id": _ID, **INDICATOR, "denominator": "customers_at_start"})

    id: uuid.UUID
    metric: IndicatorMetric
    month: str = Field(examples=["2026-05"])
    segments: dict[str, str]
    percent: float
    base: float | None
    denominator: Denominator

    @classmethod
    def of(cls, row: Indicator) -> "IndicatorShape":
        return cls(
            id=row.id,
            metric=IndicatorMetric(row.metric),
            month=f"{row.month:%Y-%m}",
            segments=segment_of(row),
            percent=row.percent,
            base=row.base,
            denominator=DENOMINATORS[IndicatorMetric(row.metric)],
        )


class StoredIndicators(BaseModel):
    """The rates as they are stored now, in the order given."""

    data: list[IndicatorShape]


class IndicatorList(BaseModel):
    """Rates, the latest months first."""

    data: list[IndicatorShape]
    meta: ListMeta
