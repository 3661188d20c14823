import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scoring import AnswerCounts, GroupCounts, decompose_change, nps_of
from tests.scoring.strategies import some_or_no_answers

PERIODS = st.dictionaries(st.sampled_from("abcdef"), some_or_no_answers, min_size=1)


def _score(period: dict[str, GroupCounts]) -> float | None:
    whole = GroupCounts(
        sum(counts.promoters for counts in period.values()),
        sum(counts.passives for counts in period.values()),
        sum(counts.detractors for counts in period.values()),
    )
    score = nps_of(whole)
    return score.value if score else None


@given(PERIODS, PERIODS)
def test_contributions_add_up_to_the_change(
    before: dict[str, GroupCounts], after: dict[str, GroupCounts]
) -> None:
    first, second = _score(before), _score(after)
    contributions = decompose_change(before, after)
    if first is None or second is None:
        assert contributions is None
        return
    assert contributions is not None
    total = sum(contribution.total for contribution in contributions.values())
    assert total == pytest.approx(second - first, abs=1e-9)


def test_only_who_answered_changed() -> None:
    happy, unhappy = GroupCounts(10, 0, 0), GroupCounts(0, 0, 10)
    moved = decompose_change(
        {"pro": happy, "free": GroupCounts(0, 0, 30)},
        {"pro": GroupCounts(30, 0, 0), "free": unhappy},
    )
    assert moved is not None
    assert [contribution.rate for contribution in moved.values()] == [0, 0]
    assert [contribution.mix for contribution in moved.values()] == [50, 50]


def test_only_how_they_scored_changed() -> None:
    before: dict[str, AnswerCounts] = {"pro": GroupCounts(5, 0, 5), "free": GroupCounts(5, 5, 0)}
    after: dict[str, AnswerCounts] = {"pro": GroupCounts(10, 0, 0), "free": GroupCounts(5, 5, 0)}
    moved = decompose_change(before, after)
    assert moved is not None
    assert (moved["pro"].mix, moved["pro"].rate) == (0, 50)
    assert moved["free"].total == 0


def test_a_new_segment_is_mix_alone() -> None:
    moved = decompose_change(
        {"pro": GroupCounts(4, 4, 2)}, {"pro": GroupCounts(4, 4, 2), "free": GroupCounts(0, 0, 10)}
    )
    assert moved is not None
    assert moved["free"].rate == 0
    assert moved["free"].mix + moved["pro"].mix == pytest.approx(-60)
    # An empty segment moves nothing and is not named.
    assert decompose_change(
        {"pro": GroupCounts(1, 0, 0), "none": GroupCounts(0, 0, 0)}, {"pro": GroupCounts(1, 0, 0)}
    ) == {"pro": moved["free"].__class__(0, 0)}


def test_an_empty_period_has_no_change() -> None:
    assert decompose_change({}, {"pro": GroupCounts(1, 0, 0)}) is None
    assert decompose_change({"pro": GroupCounts(0, 0, 0)}, {"pro": GroupCounts(1, 0, 0)}) is None
