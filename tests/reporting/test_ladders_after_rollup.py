"""Blocks that are decided when earlier months are known no more are as safe as any."""

from hypothesis import example, given
from hypothesis import strategies as st

from app.reporting.certainty import Block
from app.reporting.ladders import Ladders

MINIMUM = 5
MONTHS = 10
SIZES = st.dictionaries(
    st.sampled_from("abc"),
    st.lists(st.integers(0, 7), min_size=MONTHS, max_size=MONTHS),
    min_size=1,
)


@given(SIZES, st.integers(1, MONTHS))
@example({"b": [0, 0, 0, 1, 5, *[0] * 5], "c": [0, 0, 0, 1, 5, *[0] * 5]}, 2)
def test_no_few_answers_follow_from_totals_and_blocks(
    given_sizes: dict[str, list[int]], kept: int
) -> None:
    """`kept` months are known at a time, as with a retention of that length."""
    sizes = {value: dict(enumerate(counts)) for value, counts in given_sizes.items()}
    blocks: list[Block] = []
    for month in range(MONTHS):
        start = max(0, month - kept + 1)
        known = {
            value: {at: size for at, size in months.items() if start <= at <= month}
            for value, months in sizes.items()
        }
        blocks += Ladders(known, MINIMUM, blocks, start).close(month)
    for first in range(MONTHS):
        for last in range(first, MONTHS):
            rest = _rest(sizes, blocks, first, last)
            assert rest == 0 or rest >= MINIMUM, (blocks, first, last)
            overhang = _overhang(sizes, blocks, first, last)
            assert overhang == 0 or overhang >= MINIMUM, (blocks, first, last)
    for block in blocks:
        assert _size(sizes, block) >= MINIMUM


def _rest(sizes: dict[str, dict[int, int]], blocks: list[Block], first: int, last: int) -> int:
    inside = [block for block in blocks if block.lies_in(first, last)]
    months = {month for block in inside for month in range(block.first, block.last + 1)}
    totals = sum(size for counts in sizes.values() for at, size in counts.items() if at in months)
    return totals - sum(_size(sizes, block) for block in inside)


def _overhang(sizes: dict[str, dict[int, int]], blocks: list[Block], first: int, last: int) -> int:
    """What blocks hold outside of those months of the run whose answers all lie in blocks."""
    full = [
        month
        for month in range(first, last + 1)
        if 0
        < sum(counts[month] for counts in sizes.values())
        == sum(sizes[block.value][month] for block in blocks if block.meets(month, month))
    ]
    met = [block for block in blocks if any(block.meets(month, month) for month in full)]
    held = sum(counts[month] for counts in sizes.values() for month in full)
    return sum(_size(sizes, block) for block in met) - held


def _size(sizes: dict[str, dict[int, int]], block: Block) -> int:
    return sum(sizes[block.value][month] for month in range(block.first, block.last + 1))


def test_new_blocks_keep_clear_of_one_that_is_known_in_part() -> None:
    sizes = {"a": {3: 5, 4: 5, 5: 5}, "b": {3: 1, 5: 5}, "c": {3: 1, 4: 1, 5: 5}}
    ladders = Ladders(sizes, MINIMUM, [Block("a", 1, 4)], start=3)
    assert ladders.start == 5
    assert set(ladders.close(5)) == {Block(value, 5, 5) for value in "abc"}
