"""The trend as the dashboard draws it: its interval, its points, and what stands beside them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from app.foundation.translation import gettext
from app.reporting.buckets import Interval
from app.reporting.filters import ReportFilter
from app.reporting.labels import name_of_point
from app.reporting.metrics import Metrics, SeriesPoint

MAX_POINTS = 53
DAYS_OF_DAYS = 31
DAYS_OF_WEEKS = 190


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened on a day and may have moved the score; `href` leads to it."""

    day: date
    title: str
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Marker:
    """An event beside the trend: its number, counted from 1, and the index of its point."""

    number: int
    point: int
    title: str
    href: str | None


@dataclass(frozen=True, slots=True)
class Trend:
    """The points of the chart, the oldest first; `text` says what they are by, where it must."""

    interval: Interval
    points: tuple[dict[str, Any], ...]
    text: str | None
    markers: tuple[Marker, ...] = ()


def trend_of(metrics: Metrics, events: Iterable[Event] = ()) -> Trend:
    """The trend of a series, with a number for each event that lies in it."""
    interval = metrics.filter.interval or Interval.MONTH
    series = metrics.series[-MAX_POINTS:]
    return Trend(
        interval=interval,
        points=tuple(_point(point, interval) for point in series),
        text=_text(interval),
        markers=tuple(_markers(series, events)),
    )


def usual_interval(asked: ReportFilter) -> Interval:
    """What a trend is by where nobody chose: about as many points as a chart can show."""
    if asked.is_subgroup or asked.since is None or asked.until is None:
        return Interval.MONTH
    days = (asked.until - asked.since).days + 1
    if days <= DAYS_OF_DAYS:
        return Interval.DAY
    return Interval.WEEK if days <= DAYS_OF_WEEKS else Interval.MONTH


def _text(interval: Interval) -> str | None:
    """What the trend is by, where its points are single days; None leaves the text to the chart."""
    if interval is Interval.DAY:
        return gettext("NPS by day")
    if interval is Interval.WEEK:
        return gettext("NPS by week, each named by its first day")
    return None


def _point(point: SeriesPoint, interval: Interval) -> dict[str, Any]:
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
    }


def _markers(series: Sequence[SeriesPoint], events: Iterable[Event]) -> Iterable[Marker]:
    placed = [
        (event, at)
        for event in sorted(events, key=lambda event: event.day)
        for at, point in enumerate(series)
        if event.day in point.period
    ]
    for number, (event, at) in enumerate(placed, 1):
        yield Marker(number, at, event.title, event.href)
