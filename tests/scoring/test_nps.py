import statistics

import pytest
from hypothesis import given

from app.scoring import FEW_ANSWERS, Distribution, GroupCounts, Nps, nps_of
from tests.scoring.strategies import distributions, some_answers, swapped


def score_of(promoters: int, passives: int, detractors: int) -> Nps:
    score = nps_of(GroupCounts(promoters, passives, detractors))
    assert score is not None
    return score


def test_the_worked_case() -> None:
    score = score_of(45, 35, 20)
    assert score.value == 25
    assert score.variance == pytest.approx(0.5875, abs=1e-12)
    assert score.standard_error == pytest.approx(7.665, abs=5e-4)
    assert (score.promoter_percent, score.passive_percent, score.detractor_percent) == (45, 35, 20)


def test_no_answers_have_no_score() -> None:
    assert nps_of(GroupCounts(0, 0, 0)) is None
    assert nps_of(Distribution.empty()) is None


def test_shares_are_not_rounded() -> None:
    score = score_of(1, 1, 1)
    assert score.promoter_percent == pytest.approx(100 / 3, abs=1e-12)
    assert score.value == 0


@pytest.mark.parametrize(("total", "few"), [(1, True), (29, True), (30, False), (31, False)])
def test_few_answers_are_fewer_than_thirty(total: int, few: bool) -> None:
    assert FEW_ANSWERS == 30
    assert score_of(total, 0, 0).has_few_answers is few


@pytest.mark.parametrize("counts", [(7, 0, 0), (0, 7, 0), (0, 0, 7), (10**9 + 7, 0, 0)])
def test_answers_in_one_group_do_not_spread(counts: tuple[int, int, int]) -> None:
    assert score_of(*counts).variance == 0
    assert score_of(*counts).standard_error == 0


def test_variance_is_that_of_the_answers_counted_as_one_nought_and_minus_one() -> None:
    answers = [1] * 7 + [0] * 4 + [-1] * 2
    assert score_of(7, 4, 2).variance == pytest.approx(statistics.pvariance(answers))


@given(some_answers)
def test_figures_stay_in_their_ranges(counts: GroupCounts) -> None:
    score = nps_of(counts)
    assert score is not None
    assert -100 <= score.value <= 100
    assert 0 <= score.variance <= 1
    assert 0 <= score.standard_error <= 100
    assert score.total == counts.total
    assert score.promoter_percent + score.passive_percent + score.detractor_percent == (
        pytest.approx(100)
    )
    assert score.promoter_percent - score.detractor_percent == pytest.approx(score.value)


@given(some_answers)
def test_swapping_promoters_and_detractors_only_changes_the_sign(counts: GroupCounts) -> None:
    score, mirrored = nps_of(counts), nps_of(swapped(counts))
    assert score is not None
    assert mirrored is not None
    assert mirrored.value == -score.value
    assert mirrored.standard_error == score.standard_error


@given(distributions)
def test_a_distribution_scores_as_its_groups(distribution: Distribution) -> None:
    groups = GroupCounts(distribution.promoters, distribution.passives, distribution.detractors)
    assert nps_of(distribution) == nps_of(groups)
