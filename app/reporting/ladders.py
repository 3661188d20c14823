"""How the months of one selector's values are published: pure arithmetic, decided once.

Each value has a ladder of blocks of whole months; a block holds at least the group minimum and is
never changed. Blocks of different values may differ, so that a value with few answers is shown by
longer blocks instead of hiding its siblings; whether that is safe is decided here.

Known to everybody are the totals of every month and all blocks published so far. A total less the
blocks inside its months leaves the *rest*: answers known by label and time, though nobody published
them. Likewise, where all answers of some months lie in blocks, the blocks that reach beyond these
months less their total leave the *overhang*. A block is published only where every rest and every
overhang that could be computed is none or at least the minimum. Looked at are runs of consecutive
months, since sums of several runs are nearly always larger (see docs/decisions/0008). Where they
are not, and because it tells something too that no size is below none, `certainty` has the last
word.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import chain

from app.reporting.certainty import Block, Sizes, tells_small_groups


class Ladders:
    """The blocks of one selector's values, grown month by month.

    `start` is the first month that answers are still known of; earlier ones stay as they are. Of a
    block that reaches back before it nobody knows any more what lies in which month, so new blocks
    keep clear of it. Through `paired_through` pairs with other labels are published as well.
    """

    def __init__(
        self,
        sizes: Sizes,
        minimum: int,
        blocks: Iterable[Block] = (),
        start: int = 0,
        paired_through: int | None = None,
    ) -> None:
        self._sizes = sizes
        self._minimum = minimum
        self.blocks: list[Block] = sorted(blocks)
        self.start = _clear_of(self.blocks, start)
        self.paired_through = paired_through
        self._totals: dict[int, int] = defaultdict(int)
        for months in sizes.values():
            for month, size in months.items():
                self._totals[month] += size

    def close(self, month: int) -> list[Block]:
        """Publish what may be published now that `month` is over; returns the new blocks.

        Values with many answers come first. One that cannot be shown with all its waiting months
        is tried with the latest of them only; the others then stay hidden for good.
        """
        new: list[Block] = []
        while found := self._next(month):
            self.blocks.append(found)
            new.append(found)
        return new

    def _next(self, month: int) -> Block | None:
        for value in sorted(self._sizes, key=lambda value: (-self._until(value, month), value)):
            for block in self._candidates(value, month):
                if self._is_safe(block):
                    return block
        return None

    def _until(self, value: str, month: int) -> int:
        """All answers of a value so far: the smallest one is always the first to give way."""
        return sum(size for at, size in self._sizes[value].items() if at <= month)

    def _candidates(self, value: str, month: int) -> Iterable[Block]:
        waiting = max((block.last + 1 for block in self.blocks if block.value == value), default=0)
        for first in range(max(waiting, self.start), month + 1):
            block = Block(value, first, month)
            if self.size(block) < self._minimum:
                return
            if self._sizes[value].get(first):
                yield block

    def size(self, block: Block, first: int | None = None, last: int | None = None) -> int:
        """The answers in a block, or in the part of it from `first` to `last`."""
        since = block.first if first is None else max(first, block.first)
        until = block.last if last is None else min(last, block.last)
        months = self._sizes.get(block.value, {})
        return sum(months.get(month, 0) for month in range(since, until + 1))

    def _is_safe(self, block: Block) -> bool:
        linked = self._linked(block)
        start = min(found.first for found in linked)
        rests = (self._rest(linked, first, block.last) for first in range(start, block.first + 1))
        overhangs = (
            self._overhang(linked, first, last)
            for first in range(start, block.last + 1)
            for last in range(max(first, block.first), block.last + 1)
        )
        return all(map(self._is_enough, chain(rests, overhangs))) and not tells_small_groups(
            self._sizes, linked, self._minimum, (start, block.last), self.paired_through
        )

    def bears_pairs(self, first: int, last: int) -> bool:
        """Whether pairs may be published for the months `first` to `last`: what they tell of
        values that nobody had may not make a small size certain."""
        while crossing := [at.first for at in self.blocks if at.first < first <= at.last]:
            first = min(crossing)
        inside = [block for block in self.blocks if block.first >= first]
        return not tells_small_groups(self._sizes, inside, self._minimum, (first, last), last)

    def _linked(self, block: Block) -> list[Block]:
        """The blocks back to where none crosses from one month to the next: what lies before
        adds nothing to what can be computed."""
        start, linked = block.first, [block]
        for found in sorted(self.blocks, key=lambda found: -found.last):
            if found.last >= start:
                linked.append(found)
                start = min(start, found.first)
        return linked

    def _is_enough(self, size: int) -> bool:
        return size == 0 or size >= self._minimum

    def _rest(self, blocks: Sequence[Block], first: int, last: int) -> int:
        """The totals of the months less the blocks inside; months without any are left aside."""
        inside = [block for block in blocks if block.lies_in(first, last)]
        months = {month for block in inside for month in range(block.first, block.last + 1)}
        return sum(self._totals[month] for month in months) - sum(map(self.size, inside))

    def _overhang(self, blocks: Sequence[Block], first: int, last: int) -> int:
        """What blocks hold outside of those months whose answers all lie in blocks."""
        full = [month for month in range(first, last + 1) if self._is_covered(blocks, month)]
        met = [block for block in blocks if any(block.meets(month, month) for month in full)]
        held = sum(self.size(block, month, month) for block in met for month in full)
        return sum(map(self.size, met)) - held

    def _is_covered(self, blocks: Sequence[Block], month: int) -> bool:
        covered = sum(
            self.size(block, month, month) for block in blocks if block.meets(month, month)
        )
        return 0 < covered == self._totals[month]


def _clear_of(blocks: Sequence[Block], start: int) -> int:
    """The first month from `start` on at which no block goes on from the month before."""
    while crossing := [block.last for block in blocks if block.first < start <= block.last]:
        start = max(crossing) + 1
    return start
