"""Whole months, ladders and periods at their edges."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reporting.buckets import (
    Interval,
    Period,
    interval_start,
    is_union_of_buckets,
    ladder,
    split,
    whole_months,
)

JANUARY, FEBRUARY, MARCH, APRIL = (date(2026, month, 1) for month in range(1, 5))
DAYS = st.dates(date(2023, 12, 1), date(2026, 9, 30))
PERIODS = st.tuples(DAYS, DAYS).map(lambda days: Period(*sorted(days)))
COUNTS = st.dictionaries(
    st.integers(0, 30).map(lambda at: date(2024 + at // 12, at % 12 + 1, 1)),
    st.integers(0, 12),
)


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


def test_small_months_join_the_months_after_and_the_rest_joins_the_last_bucket() -> None:
    counts = {JANUARY: 2, FEBRUARY: 3, MARCH: 5, APRIL: 4}
    assert ladder(counts, 5) == ((JANUARY, FEBRUARY), (MARCH, APRIL))
    assert ladder({JANUARY: 2}, 5) == ((JANUARY,),)
    assert ladder({JANUARY: 0}, 5) == ()


@given(COUNTS, st.integers(3, 8))
def test_a_ladder_holds_every_answer_once_and_no_small_bucket(
    counts: dict[date, int], minimum: int
) -> None:
    buckets = ladder(counts, minimum)
    months = [month for bucket in buckets for month in bucket]
    assert months == sorted(month for month, count in counts.items() if count)
    if sum(counts.values()) >= minimum:
        assert all(sum(counts[month] for month in bucket) >= minimum for bucket in buckets)


@given(COUNTS, st.integers(3, 8), PERIODS, PERIODS)
def test_two_periods_that_cut_no_bucket_differ_by_none_or_by_enough(
    counts: dict[date, int], minimum: int, one: Period, other: Period
) -> None:
    buckets = ladder(counts, minimum)
    if sum(counts.values()) < minimum:
        return
    in_one, in_other = ({month for month in counts if month in period} for period in (one, other))
    if is_union_of_buckets(buckets, in_one) and is_union_of_buckets(buckets, in_other):
        apart = sum(n for month, n in counts.items() if (month in one) and (month not in other))
        assert apart == 0 or apart >= minimum


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
