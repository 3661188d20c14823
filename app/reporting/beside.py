"""Churn, retention and NRR beside the score: month by month, and by segment."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.followups.indicators import IndicatorFilter, load_indicators
from app.followups.models import Indicator, IndicatorMetric
from app.followups.rates import EVERYBODY
from app.foundation import clock
from app.foundation.web.rendering import format_month
from app.reporting.buckets import Interval, add_months, month_number, month_of, month_of_number
from app.reporting.filters import SEGMENT_PREFIX, ReportFilter
from app.reporting.labels import name_of_selector, name_of_value
from app.reporting.metrics import Figures, Metrics, measure
from app.reporting.trend import point_of, text_of
from app.surveys.schemas import RESERVED_VALUES, Questionnaire

STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500)
LINES = 4
FAR = 50  # per cent


@dataclass(frozen=True, slots=True)
class RatePoint:
    """A month of a chart; `percent` is None where nobody has entered a rate."""

    label: str
    percent: float | None
    base: float | None


@dataclass(frozen=True, slots=True)
class RateChart:
    """One rate over time, in per cent; the axis runs from `low` to `high` with lines at `ticks`."""

    metric: IndicatorMetric
    points: tuple[RatePoint, ...]
    low: float
    high: float
    ticks: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class LatestRate:
    """The last known rate of a segment, with its month."""

    month: date
    percent: float
    base: float | None


@dataclass(frozen=True, slots=True)
class BesideRow:
    """A segment value: its published figures (None where hidden) and its last known rates."""

    name: str
    figures: Figures | None
    rates: Mapping[IndicatorMetric, LatestRate]


@dataclass(frozen=True, slots=True)
class BesideTable:
    """The values of one dimension; `metrics` are the rates that any of them has."""

    name: str
    metrics: tuple[IndicatorMetric, ...]
    rows: tuple[BesideRow, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """The page: the score's figures, the points of its trend and what they tell, a chart for each
    rate of the same customers, and the segments."""

    metrics: Metrics
    points: tuple[dict[str, Any], ...]
    text: str
    charts: tuple[RateChart, ...]
    tables: tuple[BesideTable, ...]


async def put_beside(
    session: AsyncSession,
    questionnaire: Questionnaire,
    months: int,
    segment: tuple[str, str] | None = None,
) -> Beside:
    """The score and the rates of the last `months` months, of everybody or of one segment value.

    `segment` is a declared dimension and value. Rates of segments stand only beside figures of
    segments that are published, and of everybody beside those of everybody.
    """
    today = clock.today(questionnaire.time_zone)
    since = add_months(month_of(today), 1 - months)
    keys = [dimension.key for dimension in questionnaire.dimensions]
    asked = ReportFilter(
        questionnaire.survey_id,
        since=since,
        segments=dict([segment]) if segment else {},
        interval=Interval.MONTH,
        group_by=() if segment else tuple(SEGMENT_PREFIX + key for key in keys),
    )
    metrics = await measure(session, questionnaire, asked)
    wanted = IndicatorFilter(since=since, until=today, segment_keys=["", *keys])
    rates = await load_indicators(session, questionnaire.workspace_id, wanted)
    own = [row for row in rates if (row.segment_key, row.segment_value) == (segment or EVERYBODY)]
    shown = _months_of(own, metrics)
    return Beside(
        metrics=metrics,
        points=_points(metrics, shown),
        text=text_of(metrics.series, Interval.MONTH),
        charts=tuple(_charts(own, shown)),
        tables=tuple(_tables(questionnaire, metrics, rates)),
    )


def _months_of(rates: Sequence[Indicator], metrics: Metrics) -> list[date]:
    """All months from the first to the last of which anything is known."""
    known = [row.month for row in rates]
    for at in metrics.series:
        is_empty = at.figures is not None and not at.figures.counts.total
        if at.period.since and at.period.until and not is_empty:
            known += [month_of(at.period.since), month_of(at.period.until)]
    if not known:
        return []
    numbers = range(month_number(min(known)), month_number(max(known)) + 1)
    return [month_of_number(number) for number in numbers]


def _points(metrics: Metrics, months: Sequence[date]) -> tuple[dict[str, Any], ...]:
    """A point for each month, so that it stands above those of the rates; of a segment, whose
    blocks may be longer, a point for each block."""
    points = [(at.period.since, point_of(at, Interval.MONTH)) for at in metrics.series]
    if metrics.filter.is_subgroup:
        return tuple(point for _since, point in points)
    of_month = {month_of(since): point for since, point in points if since}
    return tuple(of_month.get(month, {"label": format_month(month), "n": 0}) for month in months)


def _charts(rates: Sequence[Indicator], months: Sequence[date]) -> Iterable[RateChart]:
    for metric in IndicatorMetric:
        of_month = {row.month: row for row in rates if row.metric == metric}
        if of_month:
            low, high, ticks = axis_of([row.percent for row in of_month.values()])
            yield RateChart(metric, tuple(_rates(of_month, months)), low, high, ticks)


def _rates(of_month: Mapping[date, Indicator], months: Sequence[date]) -> Iterable[RatePoint]:
    for month in months:
        row = of_month.get(month)
        label = format_month(month)
        yield RatePoint(label, row.percent, row.base) if row else RatePoint(label, None, None)


def axis_of(percents: Sequence[float]) -> tuple[float, float, tuple[float, ...]]:
    """The ends of an axis that holds all of the values, and its lines, in round steps.

    It begins at 0 unless all values are far above it, as rates of retention are.
    """
    least, most = min(percents), max(percents)
    start = 0.0 if least < FAR else least
    step = next((step for step in STEPS if (most - start) / step <= LINES - 1), STEPS[-1])
    first = math.floor(start / step)
    last = max(math.ceil(most / step), first + 1)
    ticks = tuple(float(step * at) for at in range(first, last + 1))
    return ticks[0], ticks[-1], ticks


def _tables(
    questionnaire: Questionnaire, metrics: Metrics, rates: Sequence[Indicator]
) -> Iterable[BesideTable]:
    """A table for each dimension that any rate is of."""
    for selector, groups in metrics.groups.items():
        key = selector.removeprefix(SEGMENT_PREFIX)
        latest = _latest(row for row in rates if row.segment_key == key)
        if latest:
            known = {metric for of_value in latest.values() for metric in of_value}
            # Whether anybody fell outside of the declared values is not told where it is hidden.
            yield BesideTable(
                name_of_selector(questionnaire, selector),
                tuple(metric for metric in IndicatorMetric if metric in known),
                tuple(
                    BesideRow(
                        name_of_value(questionnaire, selector, group.value),
                        group.figures,
                        latest.get(group.value, {}),
                    )
                    for group in groups
                    if group.figures or group.value not in RESERVED_VALUES
                ),
            )


def _latest(rates: Iterable[Indicator]) -> dict[str, dict[IndicatorMetric, LatestRate]]:
    """By segment value, the last month of each rate; `rates` come in the order of months."""
    latest: dict[str, dict[IndicatorMetric, LatestRate]] = {}
    for row in rates:
        found = LatestRate(row.month, row.percent, row.base)
        latest.setdefault(row.segment_value, {})[IndicatorMetric(row.metric)] = found
    return latest
