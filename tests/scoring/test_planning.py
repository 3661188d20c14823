import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scoring import VARIANCE_WHEN_UNKNOWN, GroupCounts, answers_needed, nps_of

margins = st.floats(0.5, 100)
variances = st.floats(0, 1)


@pytest.mark.parametrize(("margin", "needed"), [(10, 289), (5, 1153), (3, 3202), (1, 28811)])
def test_answers_for_a_margin_while_nothing_is_known(margin: float, needed: int) -> None:
    # By hand: 0.75 * (195.9964 / 10)^2 = 288.1, and so on.
    assert VARIANCE_WHEN_UNKNOWN == 0.75
    assert answers_needed(margin) == needed


def test_a_known_variance_and_another_confidence() -> None:
    score = nps_of(GroupCounts(45, 35, 20))
    assert score is not None
    # 0.5875 * 19.59964^2 = 225.7 and 0.5875 * 16.44854^2 = 158.95
    assert answers_needed(10, score.variance) == 226
    assert answers_needed(10, score.variance, confidence=0.90) == 159


def test_at_least_one_answer_is_needed() -> None:
    assert answers_needed(10, variance=0) == 1


@pytest.mark.parametrize("margin", [0, -5, 100.5, math.nan])
def test_a_margin_is_above_0_and_at_most_100(margin: float) -> None:
    with pytest.raises(ValueError, match="a margin is"):
        answers_needed(margin)


@pytest.mark.parametrize("variance", [-0.1, 1.1, math.nan])
def test_a_variance_is_between_0_and_1(variance: float) -> None:
    with pytest.raises(ValueError, match="the variance"):
        answers_needed(10, variance)


def test_a_confidence_is_between_0_and_1() -> None:
    with pytest.raises(ValueError, match="a confidence"):
        answers_needed(10, confidence=95)


@given(margins, st.floats(0.01, 1))
def test_the_answers_reach_the_margin_and_one_fewer_would_not(
    margin: float, variance: float
) -> None:
    needed = answers_needed(margin, variance)
    reached = 195.9963984540054 * math.sqrt(variance / needed)
    assert reached <= margin * (1 + 1e-9)
    if needed > 1:
        missed = 195.9963984540054 * math.sqrt(variance / (needed - 1))
        assert missed > margin * (1 - 1e-9)


@given(margins, margins, variances)
def test_a_wider_margin_needs_no_more_answers(first: float, second: float, variance: float) -> None:
    narrow, wide = sorted((first, second))
    assert answers_needed(wide, variance) <= answers_needed(narrow, variance)
