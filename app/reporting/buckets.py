"""Time as reports cut it: periods of days, whole months, and buckets of months.

Figures of subgroups exist by whole calendar months only, and months with few answers are merged
with the months after them. All of that is decided here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

DAY = timedelta(days=1)


class Interval(StrEnum):
    """How long the points of a series are. Weeks begin on Monday, as in ISO 8601."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


@dataclass(frozen=True, slots=True)
class Period:
    """Calendar days of the workspace from `since` to `until`, both inclusive; None is open."""

    since: date | None
    until: date | None

    def __contains__(self, day: date) -> bool:
        after_start = self.since is None or day >= self.since
        return after_start and (self.until is None or day <= self.until)

    def before(self) -> "Period | None":
        """The period of the same length just before; None where this one has an open end."""
        if self.since is None or self.until is None:
            return None
        if _is_months(self.since, self.until):
            months = months_between(self.since, self.until)
            return Period(add_months(self.since, -months), self.since - DAY)
        return Period(self.since - (self.until - self.since) - DAY, self.since - DAY)


def _is_months(since: date, until: date) -> bool:
    return since.day == 1 and (until + DAY).day == 1


def months_between(since: date, until: date) -> int:
    """How many calendar months the days from `since` to `until` touch."""
    return (until.year - since.year) * 12 + until.month - since.month + 1


def month_of(day: date) -> date:
    """The first day of the month of `day`."""
    return day.replace(day=1)


def add_months(day: date, months: int) -> date:
    """The first day of the month that lies `months` after (before, if negative) that of `day`."""
    index = day.year * 12 + day.month - 1 + months
    return date(index // 12, index % 12 + 1, 1)


def month_end(day: date) -> date:
    """The last day of the month of `day`."""
    return add_months(day, 1) - DAY


def is_on_month_bounds(period: Period) -> bool:
    """True where neither end of the period cuts a month."""
    starts = period.since is None or period.since.day == 1
    return starts and (period.until is None or (period.until + DAY).day == 1)


def whole_months(period: Period, today: date) -> Period | None:
    """The whole calendar months inside `period` that had ended before `today`; None if none.

    The month that is still open is left out: its figures would change day by day, and what
    changes from one day to the next is a single answer. The end is never open.
    """
    last_complete = month_of(today) - DAY
    until = last_complete
    if period.until is not None and period.until < last_complete:
        until = period.until if (period.until + DAY).day == 1 else month_of(period.until) - DAY
    since = period.since
    if since is not None and since.day != 1:
        since = add_months(since, 1)
    return None if since is not None and since > until else Period(since, until)


def shortened(months: Period) -> Iterator[Period]:
    """`months`, a period of whole months with an end, then its shorter parts, the longest first.

    Up to three months are given up, and never more than a quarter; none where the start is open.
    """
    yield months
    if months.since is None or months.until is None:
        return
    most = min(3, months_between(months.since, months.until) // 4)
    for lost in range(1, most + 1):
        for at_the_end in range(lost + 1):
            since = add_months(months.since, lost - at_the_end)
            yield Period(since, add_months(months.until, 1 - at_the_end) - DAY)


def ladder(counts: Mapping[date, int], minimum: int) -> tuple[tuple[date, ...], ...]:
    """Buckets of months with at least `minimum` answers each, oldest first.

    `counts` maps first days of months to answers; months without any are in no bucket. A month
    too small on its own is merged with those after it; what is left at the end joins the last
    bucket. Only a ladder of a single bucket can hold less than `minimum`.
    """
    buckets: list[tuple[date, ...]] = []
    months: list[date] = []
    for month in sorted(month for month, count in counts.items() if count):
        months.append(month)
        if sum(counts[month] for month in months) >= minimum:
            buckets.append(tuple(months))
            months = []
    if months:
        joined = buckets.pop() if buckets else ()
        buckets.append((*joined, *months))
    return tuple(buckets)


def is_union_of_buckets(buckets: Iterable[Sequence[date]], months: Set[date]) -> bool:
    """True where `months` cut no bucket, so that what lies outside is made of whole ones too."""
    return all(months.isdisjoint(bucket) or months >= set(bucket) for bucket in buckets)


def interval_start(day: date, interval: Interval) -> date:
    """The first day of the interval that holds `day`."""
    match interval:
        case Interval.DAY:
            return day
        case Interval.WEEK:
            return day - timedelta(days=day.weekday())
        case Interval.MONTH:
            return month_of(day)
        case Interval.QUARTER:
            return date(day.year, day.month - (day.month - 1) % 3, 1)


def interval_end(start: date, interval: Interval) -> date:
    """The last day of the interval that begins on `start`."""
    match interval:
        case Interval.DAY:
            return start
        case Interval.WEEK:
            return start + 6 * DAY
        case Interval.MONTH:
            return month_end(start)
        case Interval.QUARTER:
            return add_months(start, 3) - DAY


def split(first: date, last: date, interval: Interval) -> list[Period]:
    """The consecutive intervals that cover the days from `first` to `last`, cut at both ends."""
    periods = []
    start = interval_start(first, interval)
    while start <= last:
        end = interval_end(start, interval)
        periods.append(Period(max(start, first), min(end, last)))
        start = end + DAY
    return periods
