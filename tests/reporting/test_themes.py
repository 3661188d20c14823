from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reporting.themes import MIN_COMMENTS, TermUse, compare_groups, find_new
from app.scoring import GroupCounts

COMMENTS = GroupCounts(500, 200, 300)


def _use(key: str, promoters: int, passives: int, detractors: int) -> TermUse:
    return TermUse(key, key.upper(), GroupCounts(promoters, passives, detractors))


def _keys(themes: Iterable[object]) -> list[str]:
    return [theme.key for theme in themes]  # type: ignore[attr-defined]


FILLERS = [_use(f"word{number}", 30, 10, 20) for number in range(30)]


def test_each_group_has_its_own() -> None:
    uses = [_use("welcome", 80, 10, 4), _use("price", 9, 10, 70), *FILLERS]
    found = compare_groups(uses, COMMENTS, 10)
    assert _keys(found.promoters) == ["welcome"]
    assert _keys(found.detractors) == ["price"]
    [theme] = found.detractors
    assert (theme.label, theme.comments) == ("PRICE", 70)
    assert theme.share.value == pytest.approx(70 / 300)
    assert theme.nps.value == pytest.approx(100 * (9 - 70) / 89)
    assert theme.interval.low < theme.nps.value < theme.interval.high


def test_what_few_say_is_no_theme() -> None:
    few = MIN_COMMENTS - 1
    assert not compare_groups([_use("rare", 0, 0, few), *FILLERS], COMMENTS, 10).detractors
    # So large a difference, and yet not more than chance among so many terms.
    assert not compare_groups([_use("rare", 0, 0, MIN_COMMENTS), *FILLERS], COMMENTS, 10).detractors


def test_a_phrase_stands_for_its_words() -> None:
    uses = [_use("slow", 5, 5, 80), _use("support", 8, 8, 75), _use("slow support", 4, 4, 70)]
    assert _keys(compare_groups([*uses, *FILLERS], COMMENTS, 10).detractors) == ["slow support"]
    uses = [_use("slow", 5, 5, 80), _use("support", 8, 8, 75), _use("slow support", 1, 1, 40)]
    assert set(_keys(compare_groups([*uses, *FILLERS], COMMENTS, 10).detractors)) == {
        "slow", "support", "slow support",
    }  # fmt: skip


def test_the_clearest_come_first() -> None:
    uses = [_use("price", 9, 10, 70), _use("queue", 5, 0, 90), *FILLERS]
    assert _keys(compare_groups(uses, COMMENTS, 10).detractors) == ["queue", "price"]
    assert _keys(compare_groups(uses, COMMENTS, 1).detractors) == ["queue"]


def test_what_is_new() -> None:
    now = [_use("outage", 1, 4, 30), *FILLERS]
    before = [_use("outage", 1, 0, 1), *FILLERS]
    assert _keys(find_new(now, before, 1_000, 10)) == ["outage"]
    assert _keys(find_new(before, now, 1_000, 10)) == []
    assert _keys(find_new(now, [], 1_000, 10)) == []  # without a before, all of it would be


@given(
    st.lists(
        st.builds(_use, st.text("abc ", min_size=1), *(st.integers(0, 50) for _ in range(3))),
        unique_by=lambda use: use.key,
    )
)
def test_any_terms_can_be_compared(uses: list[TermUse]) -> None:
    found = compare_groups(uses, GroupCounts(50, 50, 50), 5)
    assert len(found.promoters) <= 5
    assert set(_keys(found.promoters)).isdisjoint(_keys(found.detractors))
    for theme in (*found.promoters, *found.detractors):
        assert theme.comments <= 50
        assert theme.share.low <= theme.share.value <= theme.share.high
