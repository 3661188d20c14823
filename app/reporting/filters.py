"""The one filter object: what the page, the API, lists and exports are asked for.

It is read from a query string in one place and written back into links in one place, so that an
address shared between people, or between a page and a program, means the same figures.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Annotated, Any
from urllib.parse import urlencode

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from app.foundation.errors import Invalid, InvalidParam
from app.foundation.paging import MAX_PAGE_SIZE, PAGE_SIZE
from app.foundation.translation import mark
from app.reporting.buckets import Compare, Interval, Period, settled_months
from app.reporting.searching import Search, Term
from app.responses.models import Standing
from app.scoring import Category
from app.surveys.inputs import Day
from app.surveys.models import Channel
from app.surveys.schemas import RESERVED_VALUES, Questionnaire

SEGMENT_PREFIX = "segment."
LANGUAGE = "language"
CHANNEL = "channel"
MAX_LABELS = 2
MOST_SURVEYS = 12  # shown together
# Wide enough for every survey, and no reckoning with months leaves the calendar.
FIRST_YEAR, LAST_YEAR = 1900, 2199


class Against(StrEnum):
    """What each of several surveys is compared with."""

    REST = "rest"
    PREVIOUS = "previous"


def _in_range(day: date | None) -> date | None:
    if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        raise PydanticCustomError("day_range", mark("Give a day from 1900 to 2199."))
    return day


_WorkspaceDay = Annotated[Day, AfterValidator(_in_range)]


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """Which answers a report is about, and how it splits them. Days are workspace dates.

    `segments` maps dimension keys to value keys (`other` and `none` included), `group_by` holds
    selectors to split by (`segment.KEY`, `language`, `channel`), `pair` two to split by together
    (or none). `compare` says with which period
    figures are compared. `category`, `search` and `term` narrow lists only: a score of promoters
    alone says nothing.
    """

    survey_id: uuid.UUID
    since: date | None = None
    until: date | None = None
    segments: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None
    channel: Channel | None = None
    category: Category | None = None
    search: str | None = None
    term: str | None = None
    tag: uuid.UUID | None = None
    is_starred: bool = False
    interval: Interval | None = None
    group_by: tuple[str, ...] = ()
    pair: tuple[str, ...] = ()
    compare: Compare = Compare.PREVIOUS

    @property
    def period(self) -> Period:
        return Period(self.since, self.until)

    @property
    def labels(self) -> dict[str, str]:
        """What makes this a subgroup: selector (`segment.KEY`, `language`, `channel`) → value."""
        labels = {SEGMENT_PREFIX + key: value for key, value in self.segments.items()}
        if self.language is not None:
            labels[LANGUAGE] = self.language
        if self.channel is not None:
            labels[CHANNEL] = self.channel.value
        return labels

    @property
    def is_subgroup(self) -> bool:
        return bool(self.labels)

    @property
    def has_marks(self) -> bool:
        """Whether only answers are asked for that somebody has marked."""
        return self.tag is not None or self.is_starred

    def on_whole_months(self, today: date) -> "ReportFilter | None":
        """What a list can answer: a subgroup's whole, settled months; None where there are none."""
        if not self.is_subgroup:
            return self
        months = settled_months(self.period, today)
        return replace(self, since=months.since, until=months.until) if months else None

    def for_lists(self) -> "ReportFilter":
        """The same answers, without what only figures have: a split, a series, a comparison."""
        return replace(self, interval=None, group_by=(), pair=(), compare=Compare.PREVIOUS)

    def with_label(self, selector: str, value: str) -> "ReportFilter":
        """The same filter narrowed to one value of a dimension, language or channel."""
        if selector == LANGUAGE:
            return replace(self, language=value)
        if selector == CHANNEL:
            return replace(self, channel=Channel(value))
        key = selector.removeprefix(SEGMENT_PREFIX)
        return replace(self, segments={**self.segments, key: value})

    def to_query(self) -> str:
        """The query string that `read_filter` reads back, without what the survey's path says."""
        pairs: list[tuple[str, str]] = []
        for name, value in (("since", self.since), ("until", self.until)):
            if value is not None:
                pairs.append((name, value.isoformat()))
        pairs += [(SEGMENT_PREFIX + key, value) for key, value in self.segments.items()]
        for name, text in (
            (LANGUAGE, self.language),
            (CHANNEL, self.channel),
            ("category", self.category),
            ("search", self.search),
            ("term", self.term),
            ("tag", self.tag),
            ("starred", "true" if self.is_starred else None),
            ("interval", self.interval),
        ):
            if text is not None:
                pairs.append((name, str(text)))
        pairs += [("group_by", name.removeprefix(SEGMENT_PREFIX)) for name in self.group_by]
        if self.pair:
            pairs.append(("pair", ",".join(self.pair)))
        if self.compare is not Compare.PREVIOUS:
            pairs.append(("compare", self.compare.value))
        return urlencode(pairs)

    def link_to(self, address: str) -> str:
        """The address with this filter as its query, if there is anything to say."""
        query = self.to_query()
        return f"{address}{'&' if '?' in address else '?'}{query}" if query else address


class FilterQuery(BaseModel):
    """The parameters that every report takes. `segment.KEY=VALUE` narrows to a segment value."""

    # Extras are let through here and refused in `read_filter`, which knows the survey: their
    # names, `segment.KEY`, are the customer's own.
    model_config = ConfigDict(extra="allow")

    since: Annotated[
        _WorkspaceDay, Field(description="First workspace day", examples=["2026-01-01"])
    ] = None
    until: Annotated[
        _WorkspaceDay, Field(description="Last workspace day", examples=["2026-03-31"])
    ] = None
    language: Annotated[str | None, Field(description="Language of the answer (BCP 47)")] = None
    channel: Annotated[Channel | None, Field(description="How the answer came in")] = None

    @field_validator("until")
    @classmethod
    def _in_order(cls, until: date | None, info: ValidationInfo) -> date | None:
        since = info.data.get("since")
        if since is not None and until is not None and until < since:
            raise PydanticCustomError("day_order", mark("The last day lies before the first."))
        return until


Pair = Annotated[
    str | None,
    Field(
        max_length=200,
        description="Two of them together, with a comma between: figures for each combination of "
        "their values",
        examples=["plan,region"],
    ),
]


def _each_once(survey_ids: list[uuid.UUID]) -> list[uuid.UUID]:
    if len(set(survey_ids)) < len(survey_ids):
        raise PydanticCustomError("twice", mark("Give each survey once."))
    return survey_ids


EachOnce = Annotated[list[uuid.UUID], AfterValidator(_each_once)]
SurveyIds = Annotated[
    EachOnce,
    Field(
        min_length=1,
        max_length=MOST_SURVEYS,
        description="One survey, or several, whose answers are then counted together",
        json_schema_extra={"uniqueItems": True},
    ),
]


class MetricsQuery(FilterQuery):
    """The parameters of figures."""

    survey_id: SurveyIds
    against: Annotated[
        Against | None,
        Field(
            description="With several surveys, what each is compared with: the rest of them (the "
            "default), or the one before"
        ),
    ] = None
    group_by: Annotated[
        str | None,
        Field(description="Split by a dimension key, `language` or `channel`", examples=["plan"]),
    ] = None
    pair: Pair = None
    interval: Annotated[Interval | None, Field(description="Adds `series`")] = None
    compare: Annotated[
        Compare,
        Field(
            description="With which period `change` compares: the one of the same length before, "
            "the same days a year before, or none"
        ),
    ] = Compare.PREVIOUS

    @field_validator("against")
    @classmethod
    def _several(cls, against: Against | None, info: ValidationInfo) -> Against | None:
        if against is not None and len(info.data.get("survey_id", ())) == 1:
            raise PydanticCustomError("several", mark("Give several surveys to compare them."))
        return against


class ExportQuery(FilterQuery):
    """The parameters of a file of answers."""

    category: Annotated[Category | None, Field(description="Only this group of scores")] = None
    search: Search | None = None
    term: Term | None = None
    tag: Annotated[
        uuid.UUID | None,
        Field(description="Only answers with this tag; never with segments, language or channel"),
    ] = None
    starred: Annotated[
        bool,
        Field(description="Only starred answers; never with segments, language or channel"),
    ] = False


class ListQuery(ExportQuery):
    """The parameters of a list of answers."""

    standing: Annotated[
        Standing | None,
        Field(description="Only counted, held or excluded answers; a subgroup lists counted ones"),
    ] = None
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE_SIZE, description="How many at most")] = PAGE_SIZE
    cursor: Annotated[
        str | None, Field(max_length=500, description="`meta.next_cursor` of the page before")
    ] = None


def read_filter(
    query: FilterQuery, questionnaire: Questionnaire, most_labels: int = MAX_LABELS
) -> ReportFilter:
    """The filter that a query asks for, checked against what the survey declares.

    Invalid names every unknown parameter, undeclared segment and undeclared value, and all labels
    where they are more than `most_labels`.
    """
    extras: dict[str, Any] = dict(query.model_extra or {})
    segments, problems = _read_segments(extras, questionnaire)
    problems += _undeclared(query, questionnaire)
    group_by, wrong = _read_selectors("group_by", query, questionnaire)
    pair, wrong_pair = _read_selectors("pair", query, questionnaire)
    problems += wrong + wrong_pair
    if problems:
        raise refused(*problems)
    asked = ReportFilter(
        survey_id=questionnaire.survey_id,
        since=query.since,
        until=query.until,
        segments=segments,
        language=query.language,
        channel=query.channel,
        category=getattr(query, "category", None),
        search=getattr(query, "search", None) or None,
        term=getattr(query, "term", None) or None,
        tag=getattr(query, "tag", None),
        is_starred=getattr(query, "starred", False),
        interval=getattr(query, "interval", None),
        group_by=group_by,
        pair=pair,
        compare=getattr(query, "compare", Compare.PREVIOUS),
    )
    # More would single people out, and nothing is published by more than two.
    together = [*asked.labels, *asked.group_by]
    if len(set(together)) > most_labels or (asked.labels and len(asked.pair) + 1 > most_labels):
        reason = mark("Combine at most two of segments, language and channel.")
        names = [*together, *(["pair"] if asked.pair else [])]
        raise refused(*(InvalidParam(name, reason) for name in names))
    return asked


def selectors(questionnaire: Questionnaire) -> tuple[str, ...]:
    """Everything answers can be split by: the dimensions in order, then language and channel."""
    declared = [SEGMENT_PREFIX + dimension.key for dimension in questionnaire.dimensions]
    return (*declared, LANGUAGE, CHANNEL)


def refused(*problems: InvalidParam) -> Invalid:
    """The error for input of a report that cannot be accepted."""
    return Invalid(mark("See which inputs were refused."), invalid_params=problems)


def _read_segments(
    extras: Mapping[str, Any], questionnaire: Questionnaire
) -> tuple[dict[str, str], list[InvalidParam]]:
    segments: dict[str, str] = {}
    problems = []
    for name, value in extras.items():
        if not name.startswith(SEGMENT_PREFIX):
            problems.append(InvalidParam(name, mark("There is no such parameter.")))
            continue
        key = name.removeprefix(SEGMENT_PREFIX)
        reason = _reason_to_refuse(key, value, questionnaire)
        if reason:
            problems.append(InvalidParam(name, reason))
        else:
            segments[key] = value
    keys = [dimension.key for dimension in questionnaire.dimensions]
    return {key: segments[key] for key in keys if key in segments}, problems


def _reason_to_refuse(key: str, value: object, questionnaire: Questionnaire) -> str | None:
    dimension = questionnaire.find_dimension(key)
    if dimension is None:
        return mark("The survey declares no such segment dimension.")
    if not isinstance(value, str):
        return mark("Give this parameter once.")
    if value not in RESERVED_VALUES and dimension.find_value(value) is None:
        return mark("The segment dimension declares no such value.")
    return None


def _read_selectors(
    name: str, query: FilterQuery, questionnaire: Questionnaire
) -> tuple[tuple[str, ...], list[InvalidParam]]:
    """The selector of `group_by`, or both of `pair`."""
    given: str | None = getattr(query, name, None)
    if given is None:
        return (), []
    keys = given.split(",") if name == "pair" else [given]
    found = tuple(dict.fromkeys(filter(None, (_selector(key, questionnaire) for key in keys))))
    if len(found) < len(keys):
        return (), [InvalidParam(name, mark("The survey declares no such dimension."))]
    if name == "pair" and len(found) != MAX_LABELS:
        return (), [InvalidParam(name, mark("Give two dimensions with a comma between."))]
    return found, []


def _selector(key: str, questionnaire: Questionnaire) -> str | None:
    # A dimension that happens to be called `language` is what its survey means by the word.
    named = (SEGMENT_PREFIX + key, key)
    return next((selector for selector in named if selector in selectors(questionnaire)), None)


def _undeclared(query: FilterQuery, questionnaire: Questionnaire) -> list[InvalidParam]:
    if query.language is None or query.language in questionnaire.languages:
        return []
    return [InvalidParam(LANGUAGE, mark("The survey is not asked in this language."))]
