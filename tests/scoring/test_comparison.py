import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.scoring import (
    Comparison,
    Distribution,
    GroupCounts,
    Verdict,
    benjamini_hochberg,
    compare,
    compare_many,
    nps_of,
)
from tests.scoring.strategies import confidences, some_answers, swapped

NO_ANSWERS = GroupCounts(0, 0, 0)
p_values = st.lists(st.floats(0, 1), max_size=30)


def comparison_of(
    answers: GroupCounts, reference: GroupCounts, confidence: float = 0.95
) -> Comparison:
    comparison = compare(answers, reference, confidence)
    assert comparison is not None
    return comparison


def test_a_worked_case_by_hand() -> None:
    comparison = comparison_of(GroupCounts(45, 35, 20), GroupCounts(40, 35, 25))
    # Adjusted: 25/103 with 66.5 of 103 outside the passives, and 15/103 likewise.
    spread = 66.5 / 103
    error = math.sqrt((spread - (25 / 103) ** 2 + spread - (15 / 103) ** 2) / 103)
    assert comparison.difference == 10
    assert comparison.z == pytest.approx((10 / 103) / error)
    assert comparison.p_value == pytest.approx(0.3706, abs=5e-5)
    assert comparison.corrected_p_value == comparison.p_value
    assert comparison.interval.low == pytest.approx(-11.54, abs=5e-3)
    assert comparison.interval.high == pytest.approx(30.96, abs=5e-3)
    assert comparison.verdict is Verdict.NO_CLEAR_CHANGE


def test_a_large_difference_is_clear_in_both_directions() -> None:
    good, bad = GroupCounts(60, 30, 10), GroupCounts(20, 30, 50)
    assert comparison_of(good, bad).verdict is Verdict.CLEARLY_HIGHER
    assert comparison_of(bad, good).verdict is Verdict.CLEARLY_LOWER


def test_the_verdict_is_at_the_confidence_asked_for() -> None:
    answers, reference = GroupCounts(60, 20, 20), GroupCounts(48, 22, 30)
    comparison = comparison_of(answers, reference)
    assert 0.01 < comparison.p_value < 0.10
    assert comparison_of(answers, reference, 0.90).verdict is Verdict.CLEARLY_HIGHER
    assert comparison_of(answers, reference, 0.99).verdict is Verdict.NO_CLEAR_CHANGE


def test_nothing_to_compare_with_is_no_comparison() -> None:
    some = GroupCounts(1, 1, 1)
    assert compare(some, NO_ANSWERS) is None
    assert compare(NO_ANSWERS, some) is None
    assert compare(Distribution.empty(), some) is None


def test_one_promoter_is_not_clearly_lower_than_a_thousand_with_the_same_score() -> None:
    comparison = comparison_of(GroupCounts(1, 0, 0), GroupCounts(1000, 0, 0))
    assert comparison.p_value < 0.05
    assert comparison.difference == 0
    assert comparison.verdict is Verdict.NO_CLEAR_CHANGE


def test_the_higher_of_two_shown_scores_is_never_called_clearly_lower() -> None:
    comparison = comparison_of(GroupCounts(1, 0, 0), GroupCounts(995, 5, 0))
    assert comparison.p_value < 0.05
    assert comparison.z < 0 < comparison.difference
    assert comparison.verdict is Verdict.NO_CLEAR_CHANGE


def test_the_interval_is_widened_to_hold_the_difference_shown() -> None:
    comparison = comparison_of(GroupCounts(3, 0, 0), GroupCounts(0, 0, 3))
    assert comparison.difference == comparison.interval.high == 200
    assert comparison.interval.low == pytest.approx(20, abs=0.02)


@pytest.mark.parametrize("confidence", [0, 1, 95, math.nan])
def test_a_confidence_is_between_0_and_1(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        compare(GroupCounts(1, 0, 0), NO_ANSWERS, confidence)


@given(some_answers, some_answers)
def test_figures_stay_in_their_ranges(answers: GroupCounts, reference: GroupCounts) -> None:
    comparison = comparison_of(answers, reference)
    mine, theirs = nps_of(answers), nps_of(reference)
    assert mine is not None
    assert theirs is not None
    assert comparison.difference == pytest.approx(mine.value - theirs.value)
    assert 0 <= comparison.p_value <= 1
    assert comparison.difference in comparison.interval
    assert -200 <= comparison.interval.low <= comparison.interval.high <= 200


@given(some_answers, some_answers)
def test_turning_a_comparison_round_turns_its_sign(
    answers: GroupCounts, reference: GroupCounts
) -> None:
    there, back = comparison_of(answers, reference), comparison_of(reference, answers)
    mirrored = comparison_of(swapped(answers), swapped(reference))
    for turned in (back, mirrored):
        assert turned.difference == pytest.approx(-there.difference)
        assert turned.z == pytest.approx(-there.z)
        assert turned.p_value == pytest.approx(there.p_value)
        assert turned.interval.low == pytest.approx(-there.interval.high)


@given(some_answers, some_answers, confidences)
def test_a_single_verdict_is_clear_when_the_interval_leaves_out_zero(
    answers: GroupCounts, reference: GroupCounts, confidence: float
) -> None:
    comparison = comparison_of(answers, reference, confidence)
    # On the border itself the two ways to compute it may round differently.
    assume(abs(comparison.p_value - (1 - confidence)) > 1e-9)
    clear = comparison.verdict is not Verdict.NO_CLEAR_CHANGE
    assert clear is (0 not in comparison.interval)


@given(some_answers)
def test_a_score_does_not_differ_from_itself(answers: GroupCounts) -> None:
    comparison = comparison_of(answers, answers)
    assert (comparison.difference, comparison.z, comparison.p_value) == (0, 0, 1)


def test_one_of_twenty_segments_is_not_clear_by_chance() -> None:
    same = (GroupCounts(40, 30, 30), GroupCounts(40, 30, 30))
    lucky = (GroupCounts(60, 20, 20), GroupCounts(45, 25, 30))
    assert comparison_of(*lucky).verdict is Verdict.CLEARLY_HIGHER
    comparisons = compare_many([same] * 19 + [lucky])
    assert comparisons[-1] is not None
    assert comparisons[-1].verdict is Verdict.NO_CLEAR_CHANGE
    assert comparisons[-1].p_value == comparison_of(*lucky).p_value
    assert comparisons[-1].corrected_p_value == pytest.approx(20 * comparisons[-1].p_value)


def test_a_real_difference_among_many_stays_clear() -> None:
    same = (GroupCounts(40, 30, 30), GroupCounts(40, 30, 30))
    real = (GroupCounts(20, 20, 60), GroupCounts(60, 20, 20))
    comparisons = compare_many([same, real] + [same] * 18)
    verdicts = [comparison.verdict for comparison in comparisons if comparison is not None]
    assert verdicts[1] is Verdict.CLEARLY_LOWER
    assert verdicts.count(Verdict.NO_CLEAR_CHANGE) == 19


def test_pairs_without_answers_keep_their_place_and_do_not_count() -> None:
    pair = (GroupCounts(60, 20, 20), GroupCounts(45, 25, 30))
    comparisons = compare_many([(NO_ANSWERS, pair[1]), pair, (pair[0], NO_ANSWERS)])
    assert comparisons == [None, comparison_of(*pair), None]


def test_many_comparisons_take_the_confidence_asked_for() -> None:
    pair = (GroupCounts(60, 20, 20), GroupCounts(45, 25, 30))
    assert compare_many([pair], 0.99) == [comparison_of(*pair, 0.99)]
    assert compare_many([]) == []


def test_benjamini_hochberg_on_a_case_by_hand() -> None:
    # 0.005*4/1, 0.01*4/2, 0.03*4/3, 0.04*4/4: the third may not exceed the fourth.
    corrected = benjamini_hochberg([0.03, 0.005, 0.04, 0.01])
    assert corrected == pytest.approx([0.04, 0.02, 0.04, 0.02])


@pytest.mark.parametrize("p_value", [-0.1, 1.1, math.nan])
def test_a_p_value_is_between_0_and_1(p_value: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        benjamini_hochberg([0.5, p_value])


@given(p_values)
def test_correction_never_lowers_a_p_value_nor_exceeds_bonferroni(values: list[float]) -> None:
    corrected = benjamini_hochberg(values)
    assert len(corrected) == len(values)
    for value, larger in zip(values, corrected, strict=True):
        assert value <= larger + 1e-15
        assert larger <= min(1, value * len(values)) + 1e-15


@given(p_values)
def test_correction_keeps_the_order(values: list[float]) -> None:
    pairs = sorted(zip(values, benjamini_hochberg(values), strict=True))
    corrected = [after for _, after in pairs]
    assert corrected == sorted(corrected)


@given(p_values, st.floats(0.001, 0.5))
def test_correction_calls_clear_what_the_step_up_rule_does(
    values: list[float], alpha: float
) -> None:
    ordered = sorted(values)
    limits = [alpha * rank / len(values) for rank in range(1, len(values) + 1)]
    assume(all(abs(value - limit) > 1e-12 for value, limit in zip(ordered, limits, strict=True)))
    passing = [rank for rank, value in enumerate(ordered, 1) if value < limits[rank - 1]]
    clear = sum(value < alpha for value in benjamini_hochberg(values))
    assert clear == max(passing, default=0)


@given(p_values, st.floats(0, 1), st.floats(0, 1))
def test_a_smaller_p_value_never_makes_another_one_larger(
    values: list[float], before: float, after: float
) -> None:
    assume(after <= before)
    with_larger = benjamini_hochberg([*values, before])
    with_smaller = benjamini_hochberg([*values, after])
    assert all(
        small <= large + 1e-15 for small, large in zip(with_smaller, with_larger, strict=True)
    )
