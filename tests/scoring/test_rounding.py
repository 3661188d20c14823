from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scoring import (
    Distribution,
    GroupCounts,
    WholeShares,
    interval_of,
    nps_of,
    whole_percents,
    whole_points,
    whole_shares,
)
from tests.scoring.strategies import distributions, some_answers

count_lists = st.lists(st.integers(0, 10**12), min_size=1, max_size=11).filter(any)


@pytest.mark.parametrize(
    ("points", "whole"),
    [
        (0.0, 0),
        (-0.0, 0),
        (-0.4, 0),
        (0.49999999999999994, 0),
        (0.5, 1),
        (-0.5, -1),
        (12.5, 13),
        (-12.5, -13),
        (13.5, 14),
        (9.479, 9),
        (39.064, 39),
        (99.5, 100),
        (-100.0, -100),
    ],
)
def test_halves_go_away_from_zero(points: float, whole: int) -> None:
    assert whole_points(points) == whole


def test_a_score_that_is_exactly_a_half_is_rounded_as_one() -> None:
    plus, minus = nps_of(GroupCounts(3, 3, 2)), nps_of(GroupCounts(2, 3, 3))
    assert plus is not None
    assert minus is not None
    assert (whole_points(plus.value), whole_points(minus.value)) == (13, -13)


@given(st.floats(-200, 200))
def test_rounding_moves_by_half_a_point_at_most(points: float) -> None:
    assert abs(Fraction(points) - whole_points(points)) <= Fraction(1, 2)
    assert whole_points(-points) == -whole_points(points)


@given(some_answers)
def test_a_rounded_interval_still_holds_the_rounded_score(counts: GroupCounts) -> None:
    score, interval = nps_of(counts), interval_of(counts)
    assert score is not None
    assert interval is not None
    assert whole_points(interval.low) <= whole_points(score.value) <= whole_points(interval.high)


@pytest.mark.parametrize(
    ("counts", "shares"),
    [
        ((45, 35, 20), (45, 35, 20)),
        ((1, 0, 0), (100, 0, 0)),
        ((1, 1, 1), (33, 33, 34)),
        ((2, 1, 0), (67, 33, 0)),
        ((1, 6, 1), (12, 75, 13)),
        ((4, 1, 1), (66, 17, 17)),
        ((999, 1, 0), (100, 0, 0)),
    ],
)
def test_shares_by_largest_remainder(
    counts: tuple[int, int, int], shares: tuple[int, int, int]
) -> None:
    assert whole_shares(GroupCounts(*counts)) == WholeShares(*shares)


def test_shares_have_names() -> None:
    shares = whole_shares(Distribution.from_scores([10, 9, 8, 0]))
    assert shares is not None
    assert (shares.promoters, shares.passives, shares.detractors) == (50, 25, 25)


def test_no_answers_have_no_shares() -> None:
    assert whole_shares(GroupCounts(0, 0, 0)) is None
    assert whole_percents([0, 0]) is None
    assert whole_percents([]) is None


def test_shares_of_what_is_not_a_count_are_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        whole_percents([3, -1])
    half: Any = 0.5
    with pytest.raises(TypeError, match="must be an int"):
        whole_percents([3, half])


@given(count_lists)
def test_whole_percents_add_up_to_100_and_stay_near(counts: list[int]) -> None:
    percents = whole_percents(counts)
    assert percents is not None
    assert sum(percents) == 100
    for count, percent in zip(counts, percents, strict=True):
        assert abs(percent - Fraction(100 * count, sum(counts))) < 1


@given(count_lists)
def test_a_larger_count_never_shows_a_smaller_percentage(counts: list[int]) -> None:
    percents = whole_percents(counts)
    assert percents is not None
    ordered = sorted(zip(counts, percents, strict=True))
    assert [percent for _, percent in ordered] == sorted(percents)


@given(distributions.filter(lambda distribution: distribution.total > 0))
def test_the_eleven_bars_add_up_to_100(distribution: Distribution) -> None:
    percents = whole_percents(distribution.counts)
    assert percents is not None
    assert sum(percents) == 100
