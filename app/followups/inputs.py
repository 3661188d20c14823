"""What may be noted beside the score, one shape for API and forms; `rules` says what is allowed."""

import uuid
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StrictFloat, StrictInt, WithJsonSchema
from pydantic_core import PydanticCustomError

from app.followups.models import (
    LINK_LIMIT,
    MAX_PERCENT,
    NOTE_LIMIT,
    TITLE_LIMIT,
    AnnotationKind,
    IndicatorMetric,
)
from app.surveys.inputs import Day, Input, input_config, iso_day, told

MAX_INDICATORS = 1_000
SOURCE_LIMIT = 300
MAX_AMOUNT = 1e15


def _month(value: object) -> date:
    """The first day of a month written as 2026-05."""
    text = value if isinstance(value, str) else ""
    try:
        return date.fromisoformat(f"{text}-01" if len(text) == 7 else "")
    except ValueError:
        raise PydanticCustomError("month", "Write a month such as 2026-05.") from None


Month = Annotated[
    date,
    BeforeValidator(_month),
    WithJsonSchema({"type": "string", "pattern": "^20[0-9]{2}-(0[1-9]|1[0-2])$"}),
]
NeededDay = Annotated[date, BeforeValidator(iso_day)]
Title = Annotated[str, told(minLength=1, maxLength=TITLE_LIMIT, pattern=r"\S")]
Note = Annotated[str, told(maxLength=NOTE_LIMIT)]
Link = Annotated[str, told(maxLength=LINK_LIMIT, pattern=r"^(https?://[A-Za-z0-9]\S*)?$")]
Points = Annotated[StrictInt | StrictFloat, told(minimum=-100, maximum=100)]
Amount = Annotated[StrictInt | StrictFloat, told(minimum=0, maximum=MAX_AMOUNT)]
Customers = Annotated[StrictInt, told(minimum=0, maximum=int(MAX_AMOUNT))]

ACTION: dict[str, Any] = {
    "kind": "action",
    "title": "Answer within a day",
    "begins_on": "2026-04-01",
    "survey_id": "4f0c6a43-6f64-4d3e-8f2e-3f0c3a4be0a1",
    "note": "A second person in support.",
    "link": "https://acme.example/projects/42",
    "hypothesis": "Detractors wait too long for an answer.",
    "owner_id": "7a4bb6d0-5d0c-4c8f-9f0e-1c2d3e4f5a6b",
    "due_on": "2026-05-31",
    "done_on": "2026-05-20",
}
BENCHMARK: dict[str, Any] = {
    "name": "Software for business",
    "survey_id": None,
    "average": 32,
    "lower_quartile": 10,
    "median": 30.5,
    "upper_quartile": 50,
    "source": "Industry study 2026, page 12",
    "as_of": "2026-01-31",
}
INDICATOR: dict[str, Any] = {
    "metric": "churn",
    "month": "2026-05",
    "segments": {"plan": "pro"},
    "percent": 2.5,
    "base": 400,
}
_EVERY = "The survey it belongs to; null for all surveys of the workspace."


class AnnotationInput(Input):
    """A business event or an improvement action.

    Only an action has a hypothesis, an owner (a member), a day it is due and a day it was done.
    """

    model_config = input_config(ACTION)

    kind: AnnotationKind
    title: Title
    begins_on: NeededDay = Field(description="The day of the event, or on which the action begins.")
    survey_id: uuid.UUID | None = Field(None, description=_EVERY)
    note: Note = ""
    link: Link = Field("", description="An address that begins with https:// or http://.")
    hypothesis: Note = ""
    owner_id: uuid.UUID | None = None
    due_on: Day = None
    done_on: Day = None


class AnnotationChanges(Input):
    """What to change; members left out stay. The kind never changes."""

    model_config = input_config({"done_on": "2026-05-20"})

    title: Title | None = None
    begins_on: Day = None
    survey_id: uuid.UUID | None = Field(None, description=_EVERY)
    note: Note | None = None
    link: Link | None = None
    hypothesis: Note | None = None
    owner_id: uuid.UUID | None = None
    due_on: Day = None
    done_on: Day = None


class GoalInput(Input):
    """The NPS that a survey is to reach, in whole points, and by when."""

    model_config = input_config({"nps": 40, "reach_by": "2026-12-31"})

    nps: Annotated[StrictInt, told(minimum=-100, maximum=100)]
    reach_by: Day = None


class BenchmarkInput(Input):
    """NPS figures of others, with where they come from; at least one of the four figures."""

    model_config = input_config(BENCHMARK)

    name: Title
    survey_id: uuid.UUID | None = Field(None, description=_EVERY)
    average: Points | None = None
    lower_quartile: Points | None = None
    median: Points | None = None
    upper_quartile: Points | None = None
    source: Annotated[str, told(minLength=1, maxLength=SOURCE_LIMIT, pattern=r"\S")]
    as_of: NeededDay = Field(description="The day that the figures are of.")


class IndicatorInput(Input):
    """A rate of one month: `percent`, or the counts or amounts that it follows from.

    Churn and retention are shares of the customers at the start of the month; NRR (net revenue
    retention) is a share of the recurring revenue at its start and may exceed 100. `base` says how
    many, or how much, that was. `segments` names one segment value, or nothing for all customers.
    """

    model_config = input_config(INDICATOR)

    metric: IndicatorMetric
    month: Month
    segments: Annotated[dict[str, str], told(maxProperties=1)] = Field(default_factory=dict)
    percent: Annotated[StrictInt | StrictFloat, told(minimum=0, maximum=MAX_PERCENT)] | None = None
    base: Amount | None = None
    customers_at_start: Customers | None = None
    customers_lost: Customers | None = None
    starting_revenue: Amount | None = None
    expansion: Amount | None = None
    contraction: Amount | None = None
    churned: Amount | None = None


class IndicatorsInput(Input):
    """Rates to store; one that is there already for metric, month and segment is replaced."""

    model_config = input_config({"indicators": [INDICATOR]})

    indicators: list[IndicatorInput] = Field(min_length=1, max_length=MAX_INDICATORS)
