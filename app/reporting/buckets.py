"""Time as reports cut it: periods of days, whole months, intervals."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from app.responses.closing import settled_before

DAY = timedelta(days=1)


class Interval(StrEnum):
    """How long the points of a series are. Weeks begin on Monday, as in ISO 8601."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


class Compare(StrEnum):
    """Which period the figures of another one are compared with."""

    PREVIOUS = "previous"
    YEAR = "year"
    NONE = "none"


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

    def year_before(self) -> "Period | None":
        """The same days a year before, or the same whole months; None where this one has an open
        end or is longer than a year, since answers of both would be compared with themselves."""
        if self.since is None or self.until is None:
            return None
        if _is_months(self.since, self.until):
            earlier = Period(add_months(self.since, -12), add_months(self.until + DAY, -12) - DAY)
        else:
            earlier = Period(_a_year_before(self.since), _a_year_before(self.until))
        assert earlier.until is not None
        return earlier if earlier.until < self.since else None

    def compared(self, compare: Compare) -> "Period | None":
        """The period that this one is compared with; None where that is none."""
        match compare:
            case Compare.PREVIOUS:
                return self.before()
            case Compare.YEAR:
                return self.year_before()
            case Compare.NONE:
                return None


def _is_months(since: date, until: date) -> bool:
    return since.day == 1 and (until + DAY).day == 1


def _a_year_before(day: date) -> date:
    """The same day of the year before, for 29 February the 28th."""
    is_leap_day = (day.month, day.day) == (2, 29)
    return day.replace(year=day.year - 1, day=28 if is_leap_day else day.day)


def months_between(since: date, until: date) -> int:
    """How many calendar months the days from `since` to `until` touch."""
    return (until.year - since.year) * 12 + until.month - since.month + 1


def number_of_months(period: Period) -> int:
    """How many calendar months a period with both ends touches."""
    assert period.since is not None
    assert period.until is not None
    return months_between(period.since, period.until)


def month_of(day: date) -> date:
    """The first day of the month of `day`."""
    return day.replace(day=1)


def add_months(day: date, months: int) -> date:
    """The first day of the month that lies `months` after (before, if negative) that of `day`."""
    return month_of_number(month_number(day) + months)


def month_number(day: date) -> int:
    """The month of `day`, counted consecutively over all years."""
    return day.year * 12 + day.month - 1


def month_of_number(number: int) -> date:
    """The first day of the month with that number."""
    return date(number // 12, number % 12 + 1, 1)


def months_in(period: Period) -> range:
    """The numbers of the calendar months that a period with both ends touches."""
    assert period.since is not None
    assert period.until is not None
    return range(month_number(period.since), month_number(period.until) + 1)


def runs_of(months: Collection[int]) -> tuple[Period, ...]:
    """Months by number as periods, consecutive ones as one."""
    starts = sorted(month for month in months if month - 1 not in months)
    ends = sorted(month for month in months if month + 1 not in months)
    return tuple(
        Period(month_of_number(first), month_end(month_of_number(last)))
        for first, last in zip(starts, ends, strict=True)
    )


def month_end(day: date) -> date:
    """The last day of the month of `day`."""
    return add_months(day, 1) - DAY


def is_on_month_bounds(period: Period) -> bool:
    """True where neither end of the period cuts a month."""
    starts = period.since is None or period.since.day == 1
    return starts and (period.until is None or (period.until + DAY).day == 1)


def settled_months(period: Period, today: date) -> Period | None:
    """The whole months inside `period` that have settled, see `closing`; None where none has.

    The month that is still open is left out: its figures would change day by day, and what
    changes from one day to the next is a single answer.
    """
    return whole_months(period, settled_before(today))


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


def number_of(interval: Interval, first: date, last: date) -> int:
    """How many intervals `split` makes."""
    start, end = interval_start(first, interval), interval_start(last, interval)
    match interval:
        case Interval.DAY:
            return (end - start).days + 1
        case Interval.WEEK:
            return (end - start).days // 7 + 1
        case Interval.MONTH:
            return months_between(start, end)
        case Interval.QUARTER:
            return (months_between(start, end) + 2) // 3
