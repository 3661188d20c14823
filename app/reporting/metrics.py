"""The figures of a filter: one function for the page and the API."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property

from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation import clock
from app.foundation.errors import InvalidParam
from app.foundation.translation import mark
from app.reporting.buckets import (
    DAY,
    Interval,
    Period,
    interval_start,
    month_number,
    runs_of,
    settled_months,
    split,
)
from app.reporting.counts import DailyTotals, add
from app.reporting.filters import CHANNEL, LANGUAGE, SEGMENT_PREFIX, ReportFilter, refused
from app.reporting.publication import Figure, Published, load_published
from app.reporting.queries import load_daily_totals
from app.responses.models import Standing
from app.scoring import (
    AnswerCounts,
    Comparison,
    Distribution,
    Nps,
    compare,
    compare_many,
    interval_of,
    nps_of,
)
from app.scoring import Interval as Range
from app.surveys.models import Channel
from app.surveys.schemas import RESERVED_VALUES, Questionnaire

RECENT = timedelta(days=90)
MAX_SERIES_DAYS = 4_000  # of a series by day: eleven years


@dataclass(frozen=True)
class Figures:
    """The counts of some answers that may be shown, and what follows from them: once, since a page
    names it many times.

    For a subgroup `covered` are the runs of months that these answers are of; None for everybody.
    """

    counts: AnswerCounts
    covered: tuple[Period, ...] | None = None

    @property
    def scores(self) -> tuple[int, ...] | None:
        """The counts of scores 0 to 10; None where only the three groups may be told."""
        return self.counts.counts if isinstance(self.counts, Distribution) else None

    @cached_property
    def nps(self) -> Nps | None:
        """The score; None without answers."""
        return nps_of(self.counts)

    @cached_property
    def interval(self) -> Range | None:
        """The 95 % interval of the score in points; None without answers."""
        return interval_of(self.counts)


@dataclass(frozen=True, slots=True)
class Group:
    """One value of a split: its figures (None where hidden), those of the period that they are
    compared with (None where hidden, or where there is none), and the change between both."""

    value: str
    figures: Figures | None
    change: Comparison | None
    before: Figures | None = None


@dataclass(frozen=True, slots=True)
class Cross:
    """The values of two selectors, and the figures of each combination, None where hidden."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Mapping[tuple[str, str], Figures | None]


@dataclass(frozen=True, slots=True)
class SeriesPoint:
    """One stretch of time: its figures, None where hidden."""

    period: Period
    figures: Figures | None


@dataclass(frozen=True, slots=True)
class Metrics:
    """What a filter gives. `figures` is None where a subgroup is hidden.

    `period` is the window that `figures` are about: as asked for everybody, whole months for a
    subgroup, None where it holds no whole month; `groups_period` is that of `groups`, which maps
    selectors to their values in order, and `groups_compared` the one that their change is since:
    `whole` and `whole_before` are all answers of these two, split or not, with the months that
    they are of. `cross` has the pair of the filter in the months of `groups`. `held` and `excluded`
    count answers left out of the figures and are None for subgroups. `change` compares with
    `before`, the figures of the period `compared`; `recent`, where the end is open and so nothing
    lies before, compares the last 90 days with the 90 before or with those a year before.
    `is_month_cut`: the period holds a part of a month past its retention, whose answers are known
    for the whole month only and therefore are missing from `figures`.
    """

    filter: ReportFilter
    as_of: datetime
    period: Period | None
    figures: Figures | None
    held: int | None
    excluded: int | None
    change: Comparison | None
    recent: Comparison | None
    groups_period: Period | None
    groups: Mapping[str, tuple[Group, ...]]
    series: tuple[SeriesPoint, ...]
    is_month_cut: bool = False
    compared: Period | None = None
    before: Figures | None = None
    groups_compared: Period | None = None
    whole: Figures | None = None
    whole_before: Figures | None = None
    cross: Cross | None = None


async def measure(
    session: AsyncSession, questionnaire: Questionnaire, asked: ReportFilter
) -> Metrics:
    """All figures of a filter.

    Invalid for a series of a subgroup by days or weeks, and for one of too many days.
    """
    if asked.is_subgroup and asked.interval in (Interval.DAY, Interval.WEEK):
        raise refused(
            InvalidParam("interval", mark("Subgroups are shown by whole months or quarters only."))
        )
    return report_on(questionnaire, asked, await look_up(session, questionnaire, asked))


@dataclass(frozen=True, slots=True)
class Known:
    """What the figures of a filter follow from: everybody's counts by day (None for a subgroup),
    and what is published of subgroups."""

    published: Published
    totals: DailyTotals | None


async def look_up(
    session: AsyncSession, questionnaire: Questionnaire, asked: ReportFilter
) -> Known:
    """Read what `report_on` needs."""
    today = clock.today(questionnaire.time_zone)
    published = await load_published(
        session, questionnaire, asked.labels, asked.group_by, today, asked.pair
    )
    if asked.is_subgroup:
        return Known(published, None)
    totals = await load_daily_totals(
        session, questionnaire.workspace_id, questionnaire.survey_id, _days_needed(asked, today)
    )
    return Known(published, totals)


def _days_needed(asked: ReportFilter, today: date) -> Period:
    """The period and what it is compared with, by days and by whole months."""
    months = settled_months(asked.period, today)
    before = [
        compared.since
        for period in (asked.period, months)
        if period and (compared := period.compared(asked.compare)) and compared.since
    ]
    return replace(asked.period, since=min(before)) if before else asked.period


def report_on(questionnaire: Questionnaire, asked: ReportFilter, known: Known) -> Metrics:
    """The figures that follow from what is known."""
    today = clock.today(questionnaire.time_zone)
    report = _Report(questionnaire, asked, known.published, settled_months(asked.period, today))
    if known.totals is None:
        return report.of_subgroup()
    return report.of_everybody(known.totals, today)


@dataclass(frozen=True, slots=True)
class _Report:
    """What is known while the figures of one filter are put together."""

    questionnaire: Questionnaire
    asked: ReportFilter
    published: Published
    months: Period | None

    def of_everybody(self, totals: DailyTotals, today: date) -> Metrics:
        period = self.asked.period
        before = period.compared(self.asked.compare)
        is_known = before is not None and not totals.is_month_cut(before)
        return Metrics(
            filter=self.asked,
            as_of=clock.now(),
            period=period,
            figures=Figures(totals.within(period)),
            held=totals.within(period, Standing.HELD).total,
            excluded=totals.within(period, Standing.EXCLUDED).total,
            change=_change(totals, period, before),
            recent=None if before or period.until else _recent_change(totals, self.asked, today),
            groups_period=self.months,
            groups=self._all_groups(),
            series=_series_of_everybody(totals, self.asked, today),
            is_month_cut=totals.is_month_cut(period),
            compared=before,
            before=Figures(totals.within(before)) if before and is_known else None,
            groups_compared=self._months_before(),
            whole=_whole_months(totals, self.months),
            whole_before=_whole_months(totals, self._months_before()),
            cross=self._cross(),
        )

    def of_subgroup(self) -> Metrics:
        labels = self.asked.labels
        now = _figures(self.published.figure(labels, self.months))
        before = _figures(self.published.figure(labels, self._months_before()))
        return Metrics(
            filter=self.asked,
            as_of=clock.now(),
            period=self.months,
            figures=now,
            held=None,
            excluded=None,
            change=compare(now.counts, before.counts) if now and before else None,
            recent=None,
            groups_period=self.months,
            groups=self._all_groups(),
            series=self._series() if now else (),
            compared=self._months_before(),
            before=before,
            groups_compared=self._months_before(),
            whole=now,
            whole_before=before,
        )

    def _series(self) -> tuple[SeriesPoint, ...]:
        if self.asked.interval is None:
            return ()
        points = self.published.series(self.asked.labels, self.months, self.asked.interval)
        return tuple(SeriesPoint(period, _figures(figure)) for period, figure in points)

    def _months_before(self) -> Period | None:
        return self.months.compared(self.asked.compare) if self.months else None

    def _all_groups(self) -> dict[str, tuple[Group, ...]]:
        return {selector: self._groups(selector) for selector in self.asked.group_by}

    def _groups(self, selector: str) -> tuple[Group, ...]:
        values = _values(self.questionnaire, self.asked, selector, self.published)
        labels = [{**self.asked.labels, selector: value} for value in values]
        now = [self.published.figure(found, self.months) for found in labels]
        before = [self.published.figure(found, self._months_before()) for found in labels]
        nothing = Distribution.empty()
        changes = compare_many(
            [
                (mine.counts if mine else nothing, then.counts if then else nothing)
                for mine, then in zip(now, before, strict=True)
            ]
        )
        return tuple(
            Group(value, _figures(figure), change, _figures(then))
            for value, figure, then, change in zip(values, now, before, changes, strict=True)
        )

    def _cross(self) -> Cross | None:
        if not self.asked.pair or self.asked.labels:
            return None  # nothing is published by more than two labels
        first, second = self.asked.pair
        rows, columns = (
            tuple(_values(self.questionnaire, self.asked, selector, self.published))
            for selector in self.asked.pair
        )
        cells = {
            (row, column): _figures(
                self.published.figure({first: row, second: column}, self.months)
            )
            for row in rows
            for column in columns
        }
        return Cross(rows, columns, cells)


def _whole_months(totals: DailyTotals, months: Period | None) -> Figures | None:
    """Everybody's answers in whole months, with those of the months that have any."""
    if months is None:
        return None
    met = {month_number(day) for day, counts in totals.parts(months) if counts.total}
    return Figures(totals.within(months), runs_of(met))


def _figures(found: Figure | None) -> "Figures | None":
    return Figures(found.counts, found.covered) if found else None


def _values(
    questionnaire: Questionnaire, asked: ReportFilter, selector: str, published: Published
) -> list[str]:
    """The values of a split in the order of their declaration, then what else is published."""
    if selector in asked.labels:
        return [asked.labels[selector]]
    met = published.values(selector)
    declared = _declared(questionnaire, selector, met)
    rest = sorted(met - set(declared) - set(RESERVED_VALUES))
    reserved = RESERVED_VALUES if selector.startswith(SEGMENT_PREFIX) else ()
    return [*declared, *rest, *reserved]


def _declared(questionnaire: Questionnaire, selector: str, met: set[str]) -> list[str]:
    """Declared segment values always; languages and channels only where anything is published."""
    if selector == LANGUAGE:
        return [language for language in questionnaire.languages if language in met]
    if selector == CHANNEL:
        return [channel.value for channel in Channel if channel.value in met]
    dimension = questionnaire.find_dimension(selector.removeprefix(SEGMENT_PREFIX))
    return [value.key for value in dimension.values] if dimension else []


def _recent_change(totals: DailyTotals, asked: ReportFilter, today: date) -> Comparison | None:
    recent = Period(today - RECENT + DAY, today)
    before = recent.compared(asked.compare)
    if before is None or before.since is None or before.since not in asked.period:
        return None
    return _change(totals, recent, before)


def _change(totals: DailyTotals, period: Period, before: Period | None) -> Comparison | None:
    """None where either period holds answers that are not known by day any more."""
    if before is None or totals.is_month_cut(period) or totals.is_month_cut(before):
        return None
    return compare(totals.within(period), totals.within(before))


def _series_of_everybody(
    totals: DailyTotals, asked: ReportFilter, today: date
) -> tuple[SeriesPoint, ...]:
    if asked.interval is None:
        return ()
    found = totals.parts(asked.period)
    days = [day for day, counts in found if counts.total]
    if not days:
        return ()
    first, last = asked.since or min(days), min(asked.until or today, max(today, *days))
    if asked.interval is Interval.DAY and (last - first).days >= MAX_SERIES_DAYS:
        reason = mark("That many days make too long a series; choose a longer interval.")
        raise refused(InvalidParam("interval", reason))
    parts: dict[date, list[Distribution]] = {}
    for day, counts in found:
        parts.setdefault(interval_start(day, asked.interval), []).append(counts)
    # A month past its retention is a point of months or quarters; days of it are none.
    return tuple(
        SeriesPoint(period, Figures(add(parts.get(_start(period, asked.interval), ()))))
        for period in split(first, last, asked.interval)
        if not totals.is_month_cut(period)
    )


def _start(period: Period, interval: Interval) -> date:
    assert period.since is not None
    return interval_start(period.since, interval)
