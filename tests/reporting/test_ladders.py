"""Blocks of months of one selector: none too small, none twice, nothing left over."""

from hypothesis import given
from hypothesis import strategies as st

from app.reporting.certainty import Block
from app.reporting.ladders import Ladders

VALUES = ("free", "pro", "team", "none")
MONTHS = range(6)
SIZES = st.dictionaries(
    st.sampled_from(VALUES),
    st.dictionaries(st.sampled_from(MONTHS), st.one_of(st.integers(1, 7), st.integers(1, 60))),
)
MINIMUMS = st.integers(3, 8)


def closed(sizes: dict[str, dict[int, int]], minimum: int) -> Ladders:
    ladders = Ladders(sizes, minimum)
    for month in MONTHS:
        ladders.close(month)
    return ladders


def test_a_value_with_few_answers_is_shown_by_longer_blocks() -> None:
    ladders = closed({"free": dict.fromkeys(MONTHS, 20), "pro": dict.fromkeys(MONTHS, 3)}, 5)
    assert [block for block in ladders.blocks if block.value == "pro"] == [
        Block("pro", 0, 1),
        Block("pro", 2, 3),
        Block("pro", 4, 5),
    ]


@given(SIZES, MINIMUMS)
def test_every_block_holds_the_minimum(sizes: dict[str, dict[int, int]], minimum: int) -> None:
    ladders = closed(sizes, minimum)
    assert all(ladders.size(block) >= minimum for block in ladders.blocks)


@given(SIZES, MINIMUMS)
def test_blocks_of_a_value_never_overlap(sizes: dict[str, dict[int, int]], minimum: int) -> None:
    met = [
        (block.value, month)
        for block in closed(sizes, minimum).blocks
        for month in range(block.first, block.last + 1)
    ]
    assert len(met) == len(set(met))


@given(SIZES, MINIMUMS)
def test_totals_less_the_blocks_inside_leave_none_or_enough(
    sizes: dict[str, dict[int, int]], minimum: int
) -> None:
    ladders = closed(sizes, minimum)
    for first in MONTHS:
        for last in range(first, len(MONTHS)):
            inside = [block for block in ladders.blocks if block.lies_in(first, last)]
            months = {at for block in inside for at in range(block.first, block.last + 1)}
            total = sum(size for by in sizes.values() for at, size in by.items() if at in months)
            rest = total - sum(map(ladders.size, inside))
            assert rest == 0 or rest >= minimum


@given(SIZES, MINIMUMS)
def test_month_by_month_is_the_same_as_at_once(
    sizes: dict[str, dict[int, int]], minimum: int
) -> None:
    blocks: list[Block] = []
    for month in MONTHS:
        so_far = {
            value: {at: size for at, size in by.items() if at <= month}
            for value, by in sizes.items()
        }
        blocks += Ladders(so_far, minimum, blocks).close(month)
    assert sorted(blocks) == sorted(closed(sizes, minimum).blocks)
