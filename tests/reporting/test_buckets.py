"""Whole months and periods at their edges."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reporting.buckets import (
    Interval,
    Period,
    interval_start,
    month_end,
    month_number,
    month_of_number,
    number_of,
    settled_months,
    split,
    whole_months,
)

DAYS = st.dates(date(2023, 12, 1), date(2026, 9, 30))


@pytest.mark.parametrize(
    ("since", "until", "months"),
    [
        (None, None, (None, date(2026, 6, 30))),
        (date(2026, 2, 1), date(2026, 3, 31), (date(2026, 2, 1), date(2026, 3, 31))),
        (date(2026, 2, 2), date(2026, 3, 30), None),
        (date(2026, 1, 2), date(2026, 3, 30), (date(2026, 2, 1), date(2026, 2, 28))),
        (date(2026, 6, 1), date(2026, 7, 31), (date(2026, 6, 1), date(2026, 6, 30))),
        (date(2026, 7, 1), None, None),
        (None, date(2026, 1, 1), (None, date(2025, 12, 31))),
    ],
)
def test_whole_months_lie_inside_what_was_asked_and_have_ended(
    since: date | None, until: date | None, months: tuple[date | None, date] | None
) -> None:
    found = whole_months(Period(since, until), date(2026, 7, 10))
    assert found == (Period(*months) if months else None)


def test_a_month_has_ended_only_on_the_day_after_it() -> None:
    assert whole_months(Period(None, None), date(2026, 6, 30)) == Period(None, date(2026, 5, 31))
    assert whole_months(Period(None, None), date(2026, 7, 1)) == Period(None, date(2026, 6, 30))


@pytest.mark.parametrize(("day", "last"), [(2, date(2026, 5, 31)), (3, date(2026, 6, 30))])
def test_a_month_has_settled_two_days_after_its_end(day: int, last: date) -> None:
    assert settled_months(Period(None, None), date(2026, 7, day)) == Period(None, last)


@given(DAYS)
def test_months_are_numbered_one_after_the_other(day: date) -> None:
    number = month_number(day)
    assert month_of_number(number) == day.replace(day=1)
    assert month_number(month_end(day) + timedelta(days=1)) == number + 1


@given(DAYS, st.integers(0, 500), st.sampled_from(Interval))
def test_a_split_covers_every_day_once(first: date, length: int, interval: Interval) -> None:
    last = first + timedelta(days=length)
    periods = split(first, last, interval)
    assert periods[0].since == first
    assert periods[-1].until == last
    for before, after in pairwise(periods):
        assert before.until is not None
        assert after.since == before.until + timedelta(days=1)
        assert interval_start(after.since, interval) == after.since


def test_the_period_before_has_the_same_length() -> None:
    assert Period(date(2026, 3, 1), date(2026, 3, 31)).before() == Period(
        date(2026, 2, 1), date(2026, 2, 28)
    )
    assert Period(date(2026, 3, 2), date(2026, 3, 8)).before() == Period(
        date(2026, 2, 23), date(2026, 3, 1)
    )
    assert Period(None, date(2026, 3, 8)).before() is None


@given(DAYS, st.integers(0, 800), st.sampled_from(Interval))
def test_intervals_are_counted_as_they_are_split(
    first: date, days: int, interval: Interval
) -> None:
    last = first + timedelta(days)
    assert number_of(interval, first, last) == len(split(first, last, interval))
