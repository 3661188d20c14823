"""The trend as the dashboard draws it: its interval, its points, and what stands beside them."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import attrgetter
from typing import Any

from app.followups.models import AnnotationKind
from app.foundation.translation import gettext
from app.foundation.web.rendering import format_nps
from app.reporting.buckets import Interval, number_of
from app.reporting.filters import ReportFilter
from app.reporting.labels import name_of_point
from app.reporting.metrics import Figures, Metrics, SeriesPoint
from app.scoring import FEW_ANSWERS, Nps, Verdict, compare

MAX_POINTS = 53
MOST_POINTS = 120  # where somebody chose the interval
DAYS_OF_DAYS = 31
DAYS_OF_WEEKS = 190
FINEST_OF_SUBGROUPS = (Interval.MONTH, Interval.QUARTER)
NARROWEST = 220  # pixels that the points of a chart have on a phone


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a day and may have moved the score; `href` leads to it."""

    day: date
    title: str
    href: str | None = None
    kind: AnnotationKind = AnnotationKind.EVENT


@dataclass(frozen=True, slots=True)
class Landmarks:
    """What a trend is seen against: scores in points, and what happened."""

    goal: float | None = None
    benchmark: float | None = None
    events: Sequence[Event] = ()


@dataclass(frozen=True, slots=True)
class Marker:
    """An event in the list below the chart: its number, from 1, and the index of its point."""

    number: int
    point: int
    event: Event

    @property
    def title(self) -> str:
        return self.event.title

    @property
    def href(self) -> str | None:
        return self.event.href


@dataclass(frozen=True, slots=True)
class Flag:
    """The numbers of one point's events above it, in a row where no other flag is in the way.

    `width` is in pixels, `row` counts from 0 at the top.
    """

    point: int
    text: str
    width: int
    row: int


@dataclass(frozen=True, slots=True)
class Trend:
    """The points of the chart, the oldest first; `text` says what they tell.

    `choices` are the intervals that it could be by, `is_cut` says that earlier points are left out.
    """

    interval: Interval
    choices: tuple[Interval, ...]
    is_cut: bool
    points: tuple[dict[str, Any], ...]
    text: str
    goal: float | None
    benchmark: float | None
    markers: tuple[Marker, ...]
    flags: tuple[Flag, ...]


def trend_of(metrics: Metrics, landmarks: Landmarks = Landmarks()) -> Trend:
    """The trend of a series, with a number for each event that lies in it."""
    interval = metrics.filter.interval or Interval.MONTH
    series = metrics.series[-MOST_POINTS:]
    markers = _markers(series, landmarks.events)
    return Trend(
        interval=interval,
        choices=possible_intervals(metrics),
        is_cut=len(metrics.series) > len(series),
        points=tuple(point_of(point, interval) for point in series),
        text=text_of(series, interval),
        goal=landmarks.goal,
        benchmark=landmarks.benchmark,
        markers=tuple(markers),
        flags=tuple(_flags(markers, len(series))),
    )


def usual_interval(asked: ReportFilter) -> Interval:
    """What a trend is by where nobody chose: about as many points as a chart can show."""
    if asked.is_subgroup or asked.since is None or asked.until is None:
        return Interval.MONTH
    days = (asked.until - asked.since).days + 1
    if days <= DAYS_OF_DAYS:
        return Interval.DAY
    return Interval.WEEK if days <= DAYS_OF_WEEKS else Interval.MONTH


def chosen_interval(asked: ReportFilter, metrics: Metrics) -> Interval:
    """What the trend is by: as asked where that is possible, else as usual, but not too fine."""
    if asked.interval in possible_intervals(metrics):
        return asked.interval
    is_long = len(metrics.series) > MAX_POINTS
    return Interval.QUARTER if is_long else metrics.filter.interval or Interval.MONTH


def possible_intervals(metrics: Metrics) -> tuple[Interval, ...]:
    """The intervals by which the series has several points, and not too many for a chart."""
    if not metrics.series:
        return ()
    first, last = metrics.series[0].period.since, metrics.series[-1].period.until
    assert first is not None
    assert last is not None
    allowed = FINEST_OF_SUBGROUPS if metrics.filter.is_subgroup else tuple(Interval)
    return tuple(
        interval for interval in allowed if 1 < number_of(interval, first, last) <= MOST_POINTS
    )


def text_of(series: Sequence[SeriesPoint], interval: Interval) -> str:
    """What the points are by and, of months and quarters, whether the score has changed from the
    first to the last that have answers enough to say so."""
    if interval is Interval.DAY:
        return gettext("NPS by day.")
    if interval is Interval.WEEK:
        return gettext("NPS by week, each named by its first day.")
    scored = list(_scored(series, interval))
    if len(scored) == 1:
        name, _figures, nps = scored[0]
        return gettext("The NPS of %(period)s is %(nps)s.") % {
            "period": name, "nps": format_nps(nps.value),
        }  # fmt: skip
    telling = [found for found in scored if not found[2].has_few_answers]
    if len(telling) > 1:
        return _compared(telling[0], telling[-1])
    if interval is Interval.QUARTER:
        text = gettext("NPS by quarter. Quarters can be compared once two have %(count)s answers.")
    else:
        text = gettext("NPS by month. Months can be compared once two have %(count)s answers.")
    return text % {"count": FEW_ANSWERS}


Scored = tuple[str, Figures, Nps]


def _scored(series: Sequence[SeriesPoint], interval: Interval) -> Iterator[Scored]:
    """The points with a score, by name."""
    for point in series:
        if point.figures is not None and point.figures.nps is not None:
            yield name_of_point(point.period, interval), point.figures, point.figures.nps


def _compared(first: Scored, last: Scored) -> str:
    found = compare(last[1].counts, first[1].counts)
    assert found is not None  # both have answers
    text = {
        Verdict.CLEARLY_HIGHER: gettext(
            "The NPS of %(last_period)s (%(last)s) is clearly higher than that of "
            "%(first_period)s (%(first)s)."
        ),
        Verdict.CLEARLY_LOWER: gettext(
            "The NPS of %(last_period)s (%(last)s) is clearly lower than that of "
            "%(first_period)s (%(first)s)."
        ),
        Verdict.NO_CLEAR_CHANGE: gettext(
            "The NPS shows no clear change from %(first_period)s (%(first)s) to "
            "%(last_period)s (%(last)s)."
        ),
    }[found.verdict]
    return text % {
        "first_period": first[0], "first": format_nps(first[2].value),
        "last_period": last[0], "last": format_nps(last[2].value),
    }  # fmt: skip


def point_of(point: SeriesPoint, interval: Interval) -> dict[str, Any]:
    """A point as the chart takes it."""
    label = name_of_point(point.period, interval)
    if point.figures is None:
        return {"label": label, "suppressed": True}
    nps, range_ = point.figures.nps, point.figures.interval
    if nps is None or range_ is None:
        return {"label": label, "n": 0}
    return {
        "label": label,
        "nps": nps.value,
        "low": range_.low,
        "high": range_.high,
        "n": nps.total,
        "few": nps.has_few_answers,
    }


def _markers(series: Sequence[SeriesPoint], events: Iterable[Event]) -> list[Marker]:
    placed = [
        (event, at)
        for event in sorted(events, key=lambda event: event.day)
        if (at := _point_of(series, event.day)) is not None
    ]
    return [Marker(number, at, event) for number, (event, at) in enumerate(placed, 1)]


def _point_of(series: Sequence[SeriesPoint], day: date) -> int | None:
    return next((at for at, point in enumerate(series) if day in point.period), None)


def _flags(markers: Sequence[Marker], points: int) -> Iterator[Flag]:
    """A flag for each point with events: in the first row whose last one ends far enough left."""
    ends: list[float] = []
    for at, group in groupby(markers, key=attrgetter("point")):
        numbers = [marker.number for marker in group]
        text = str(numbers[0]) if len(numbers) == 1 else f"{numbers[0]}–{numbers[-1]}"
        width = max(20, 8 + 7 * len(text))
        middle = NARROWEST * (at + 0.5) / points
        left, right = middle - width / 2, middle + width / 2 + 2
        row = next((row for row, end in enumerate(ends) if end <= left), len(ends))
        ends[row : row + 1] = [right]
        yield Flag(at, text, width, row)
