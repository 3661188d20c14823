import math
from collections.abc import Iterator

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.scoring import Distribution, GroupCounts, Interval, interval_of, nps_of
from app.scoring.intervals import critical_value
from tests.scoring.strategies import confidences, some_answers, swapped


def interval_for(counts: GroupCounts, confidence: float = 0.95) -> Interval:
    interval = interval_of(counts, confidence)
    assert interval is not None
    return interval


def test_the_worked_case() -> None:
    interval = interval_for(GroupCounts(45, 35, 20))
    assert interval.low == pytest.approx(9.48, abs=5e-3)
    assert interval.high == pytest.approx(39.06, abs=5e-3)
    assert interval.confidence == 0.95


def test_one_promoter_alone_has_a_very_wide_interval_that_holds_100() -> None:
    interval = interval_for(GroupCounts(1, 0, 0))
    # 25 - 1.96 * 37.5 by hand: 1.75 of 4 promoters, 0.75 of 4 detractors, variance 0.5625.
    assert interval.low == pytest.approx(25 - 1.959963984540054 * 37.5)
    assert interval.high == 100


def test_all_detractors_are_cut_at_minus_100() -> None:
    assert interval_for(GroupCounts(0, 0, 100)).low == -100


def test_no_answers_have_no_interval() -> None:
    assert interval_of(GroupCounts(0, 0, 0)) is None
    assert interval_of(Distribution.empty()) is None


def test_the_critical_value_is_the_one_of_the_tables() -> None:
    assert critical_value(0.95) == pytest.approx(1.959964, abs=5e-7)
    assert critical_value(0.90) == pytest.approx(1.644854, abs=5e-7)
    assert critical_value(0.99) == pytest.approx(2.575829, abs=5e-7)


@pytest.mark.parametrize("confidence", [0, 1, 95, -0.95, math.nan, math.inf])
def test_a_confidence_is_between_0_and_1(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        interval_of(GroupCounts(1, 1, 1), confidence)
    with pytest.raises(ValueError, match="between 0 and 1"):
        interval_of(GroupCounts(0, 0, 0), confidence)


@pytest.mark.parametrize(("low", "high"), [(1, 0), (math.nan, 0), (0, math.nan)])
def test_an_interval_runs_from_low_to_high(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="from low to high"):
        Interval(low, high, 0.95)


def test_the_ends_belong_to_the_interval() -> None:
    interval = Interval(-10, 20, 0.95)
    assert -10 in interval
    assert 20 in interval
    assert 20.1 not in interval
    assert interval.width == 30


@given(some_answers, confidences)
def test_it_contains_the_score_and_stays_within_100(counts: GroupCounts, confidence: float) -> None:
    score, interval = nps_of(counts), interval_for(counts, confidence)
    assert score is not None
    assert score.value in interval
    assert -100 <= interval.low <= interval.high <= 100


@given(some_answers, confidences)
def test_swapping_promoters_and_detractors_mirrors_it(
    counts: GroupCounts, confidence: float
) -> None:
    interval, mirrored = interval_for(counts, confidence), interval_for(swapped(counts), confidence)
    assert mirrored.low == pytest.approx(-interval.high)
    assert mirrored.high == pytest.approx(-interval.low)


@given(some_answers, st.integers(2, 1000))
def test_more_answers_with_the_same_shares_make_it_narrower(
    counts: GroupCounts, times: int
) -> None:
    more = GroupCounts(counts.promoters * times, counts.passives * times, counts.detractors * times)
    assert interval_for(more).width < interval_for(counts).width


@given(some_answers, confidences, confidences)
def test_more_confidence_never_makes_it_narrower(
    counts: GroupCounts, first: float, second: float
) -> None:
    assume(first < second)
    less, more = interval_for(counts, first), interval_for(counts, second)
    assert more.low <= less.low <= less.high <= more.high


def splits(total: int) -> Iterator[tuple[int, int, int]]:
    """Every way to put `total` answers into the three groups."""
    for promoters in range(total + 1):
        for passives in range(total - promoters + 1):
            yield promoters, passives, total - promoters - passives


def coverage(population: tuple[int, int, int], answers: int) -> float:
    """How often, exactly, the interval of a sample holds the score of the population."""
    size = sum(population)
    true_score = 100 * (population[0] - population[2]) / size
    return sum(
        math.factorial(answers)
        / math.prod(map(math.factorial, sample))
        * math.prod((part / size) ** count for part, count in zip(population, sample, strict=True))
        for sample in splits(answers)
        if true_score in interval_for(GroupCounts(*sample))
    )


def test_exact_enumeration_at_ten_answers_covers_as_promised() -> None:
    covered = [coverage(population, 10) for population in splits(20)]
    assert sum(covered) / len(covered) == pytest.approx(0.951, abs=2e-3)
    assert min(covered) > 0.87
