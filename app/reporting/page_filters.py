"""The filters of a page as a form: presets of periods, and choices for each selector."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, model_validator

from app.foundation.translation import gettext, mark
from app.reporting.buckets import Compare, Interval, add_months, interval_start
from app.reporting.filters import (
    CHANNEL,
    LANGUAGE,
    SEGMENT_PREFIX,
    Against,
    EachOnce,
    FilterQuery,
    Pair,
    ReportFilter,
    read_filter,
    selectors,
)
from app.reporting.labels import CATEGORY_NAMES, name_of_selector, name_of_value
from app.reporting.searching import Search, Term
from app.reporting.segment_tables import Sort
from app.responses.marking import MOST_AT_ONCE
from app.responses.models import HoldReason, Standing
from app.scoring import Category
from app.surveys.models import Channel
from app.surveys.schemas import NONE, OTHER, Questionnaire


class Preset(StrEnum):
    """A period that moves with the calendar, or the days given beside it."""

    MONTH = "30d"
    QUARTER_YEAR = "90d"
    YEAR = "12m"
    THIS_QUARTER = "quarter"
    ALL = "all"
    DAYS = "days"


PRESET_NAMES = {
    Preset.MONTH: mark("Last 30 days"),
    Preset.QUARTER_YEAR: mark("Last 90 days"),
    Preset.YEAR: mark("Last 12 months"),
    Preset.THIS_QUARTER: mark("This quarter"),
    Preset.ALL: mark("All time"),
    Preset.DAYS: mark("Other days"),
}
PRESETS_WITHOUT_DAYS = frozenset(Preset) - {Preset.DAYS}
TYPED_DAYS = ("since", "until")
COMPARE_NAMES = {
    Compare.PREVIOUS: mark("Period before"),
    Compare.YEAR: mark("Year before"),
    Compare.NONE: mark("Nothing"),
}
AGAINST_NAMES = {
    Against.REST: mark("The others"),
    Against.PREVIOUS: mark("The one before"),
}
STANDING_NAMES = {
    Standing.COUNTED: mark("Counted"),
    Standing.HELD: mark("Held for review"),
    Standing.EXCLUDED: mark("Excluded"),
}

HOLD_NAMES = {
    HoldReason.TOO_FAST: mark("Sent within a second"),
    HoldReason.TRAP: mark("A hidden field was filled in"),
    HoldReason.FLOOD: mark("Very many from one network"),
}
HOLD_MEANINGS = {
    HoldReason.TOO_FAST: mark(
        "The form was sent less than a second after it was opened. Programs that check the links "
        "in mails do that; people hardly can."
    ),
    HoldReason.TRAP: mark(
        "The form has a field that people neither see nor hear. Programs that fill in everything "
        "give themselves away by it."
    ),
    HoldReason.FLOOD: mark(
        "More answers came from one network than a large office gives at once. Which network it "
        "was is not known here. If you asked very many people in one place, count them."
    ),
}


def _tick(value: object) -> object:
    return value == "yes" if value in ("yes", "") else value


class PageQuery(FilterQuery):
    """The parameters of a page; an empty one, as forms send them, is none, and days beside another
    period are what was typed before it was chosen."""

    LISTS: ClassVar[frozenset[str]] = frozenset()  # what may be given several times

    period: Preset | None = None
    lang: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: value for name, value in given.items() if value != ""}
        if found.get("period", Preset.DAYS) in PRESETS_WITHOUT_DAYS:
            found = {name: value for name, value in found.items() if name not in TYPED_DAYS}
        return found


class DashboardQuery(PageQuery):
    """The parameters of the dashboard; `category` narrows its comments, `sort` orders the rows of
    its segment tables."""

    compare: Compare = Compare.PREVIOUS
    category: Category | None = None
    interval: Interval | None = None
    pair: Pair = None
    sort: Sort | None = None


class SeveralQuery(PageQuery):
    """The parameters of the page of several surveys, which says so where they are too many."""

    LISTS: ClassVar[frozenset[str]] = frozenset({"survey"})

    survey: EachOnce = Field(default_factory=list)
    compare: Compare = Compare.PREVIOUS
    against: Against = Against.REST
    interval: Interval | None = None
    sort: Sort | None = None


class ListPageQuery(PageQuery):
    """The parameters of the list of answers as a page."""

    category: Category | None = None
    search: Search | None = None
    term: Term | None = None
    tag: uuid.UUID | None = None
    starred: bool = False
    standing: Standing | None = None
    commented: Annotated[bool, BeforeValidator(_tick)] = False
    cursor: Annotated[str | None, Field(max_length=500)] = None
    marked: Annotated[int | None, Field(ge=0, le=MOST_AT_ONCE)] = None  # just now


def read_page_filter(
    query: PageQuery, questionnaire: Questionnaire, today: date, default: Preset
) -> tuple[ReportFilter, Preset]:
    """The filter of a page, and which preset its period is.

    Any number of labels passes: the page keeps the choices and says that they are too many.
    """
    asked = read_filter(query, questionnaire, len(selectors(questionnaire)))
    return in_period(query, asked, today, default)


def in_period(
    query: PageQuery, asked: ReportFilter, today: date, default: Preset
) -> tuple[ReportFilter, Preset]:
    """The filter with the days of the preset that is asked for, and which preset that is."""
    days_only = query.period is None and (query.since or query.until)
    if query.period is Preset.DAYS or days_only:
        return asked, Preset.DAYS
    preset = query.period or default
    since = _since(preset, today)
    return replace(asked, since=since, until=today if since else None), preset


def _since(preset: Preset, today: date) -> date | None:
    match preset:
        case Preset.MONTH:
            return today - timedelta(days=29)
        case Preset.QUARTER_YEAR:
            return today - timedelta(days=89)
        case Preset.YEAR:
            return add_months(today, -11)
        case Preset.THIS_QUARTER:
            return interval_start(today, Interval.QUARTER)
        case _:
            return None


@dataclass(frozen=True, slots=True)
class Choice:
    """A select of the filter form; `options` are (value, text), the first one meaning any."""

    name: str
    label: str
    options: tuple[tuple[str, str], ...]
    value: str


def choices(questionnaire: Questionnaire, asked: ReportFilter) -> list[Choice]:
    """A select for each dimension, then for language and channel where there are several."""
    offered = {
        SEGMENT_PREFIX + dimension.key: [*(v.key for v in dimension.values), OTHER, NONE]
        for dimension in questionnaire.dimensions
    }
    if len(questionnaire.languages) > 1:
        offered[LANGUAGE] = list(questionnaire.languages)
    offered[CHANNEL] = [channel.value for channel in Channel]
    return [
        Choice(
            name=selector,
            label=name_of_selector(questionnaire, selector),
            options=_options(questionnaire, selector, values),
            value=asked.labels.get(selector, ""),
        )
        for selector, values in offered.items()
    ]


def _options(
    questionnaire: Questionnaire, selector: str, values: list[str]
) -> tuple[tuple[str, str], ...]:
    named = ((value, name_of_value(questionnaire, selector, value)) for value in values)
    return (("", gettext("All")), *named)


def preset_options() -> list[tuple[str, str]]:
    """The periods to choose from, in the reader's language."""
    return [(preset.value, gettext(name)) for preset, name in PRESET_NAMES.items()]


def compare_options() -> list[tuple[str, str]]:
    """What a period may be compared with, in the reader's language."""
    return [(compare.value, gettext(name)) for compare, name in COMPARE_NAMES.items()]


def against_options() -> list[tuple[str, str]]:
    """What each of several surveys may be compared with, in the reader's language."""
    return [(against.value, gettext(name)) for against, name in AGAINST_NAMES.items()]


def category_options() -> list[tuple[str, str]]:
    """The groups of scores to choose from, in the reader's language."""
    named = [(category.value, gettext(name)) for category, name in CATEGORY_NAMES.items()]
    return [("", gettext("All")), *named]


@dataclass(frozen=True, slots=True)
class HeldGroup:
    """Held answers to decide about together: those of one reason, or all where that is None."""

    reason: HoldReason | None
    name: str
    meaning: str
    number: int


def held_groups(held: Mapping[HoldReason | None, int]) -> list[HeldGroup]:
    """A group for each reason, in the reader's language; all come first where reasons differ."""
    groups = [
        HeldGroup(reason, gettext(HOLD_NAMES[reason]), gettext(HOLD_MEANINGS[reason]), number)
        for reason in HoldReason
        if (number := held.get(reason, 0))
    ]
    total = sum(held.values())
    if total and (len(groups) > 1 or None in held):
        groups.insert(0, HeldGroup(None, gettext("All held answers"), "", total))
    return groups


def standing_options() -> list[tuple[str, str]]:
    """Counted, held or excluded, in the reader's language."""
    named = [(standing.value, gettext(name)) for standing, name in STANDING_NAMES.items()]
    return [("", gettext("All")), *named]
