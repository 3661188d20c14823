"""Whether the totals of months and published blocks give away the size of a small group.

The answers of a value in a month are an unknown number, never below none. Totals and blocks fix
sums of them. What can still vary are circles: one answer more here, one less of another value in
the same month, one more in that one's block, and so on; a value that is not published in a month
is in no block and may vary freely with the other such values. So the sum of a value over some
months is certain where no circle changes it. This is the network form of the audit of tables with
suppressed cells (Gusfield, "A Graph Theoretic Approach to Statistical Data Security", 1988).
"""

from collections import defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass

Sizes = Mapping[str, Mapping[int, int]]
"""Answers by value and by month, months numbered consecutively."""

NOBODY = ""  # some further value that nobody had
FREE = "free"


@dataclass(frozen=True, slots=True, order=True)
class Block:
    """The months `first` to `last` (inclusive) of one value, published together."""

    value: str
    first: int
    last: int

    def lies_in(self, first: int, last: int) -> bool:
        return first <= self.first and self.last <= last

    def meets(self, first: int, last: int) -> bool:
        return self.first <= last and first <= self.last


Arcs = dict[Hashable, list[tuple[Hashable, int]]]
"""Where an answer can be moved from each node, and by how much that changes the sum looked at."""


def tells_small_groups(
    sizes: Sizes,
    blocks: Sequence[Block],
    minimum: int,
    months: tuple[int, int],
    paired_through: int | None = None,
) -> bool:
    """Whether 1 to `minimum` − 1 answers of a value in a run of `months` (first and last) follow
    from the totals and the blocks. No block may cross into or out of these months.

    Through `paired_through` pairs with other labels are published, which may tell that nobody had
    a value in a month; so all such values are taken as known to be none there.
    """
    first, last = months
    totals = {month: sum(at.get(month, 0) for at in sizes.values()) for month in _run(first, last)}
    return any(
        _is_certain(_Table(sizes, blocks, months, paired_through), value, run)
        for value, counts in sizes.items()
        for run in _small_runs(counts, totals, minimum, first, last)
    )


def _run(first: int, last: int) -> range:
    return range(first, last + 1)


def _small_runs(
    months: Mapping[int, int], totals: Mapping[int, int], minimum: int, first: int, last: int
) -> Iterator[tuple[int, int]]:
    """Those that are not all answers of their months: these are told apart by time alone."""
    for since in _run(first, last):
        size = total = 0
        for until in _run(since, last):
            size, total = size + months.get(until, 0), total + totals[until]
            if size >= minimum:
                break
            if months.get(since) and months.get(until) and size < total:
                yield since, until


@dataclass(frozen=True, slots=True)
class _Table:
    """What is known of the answers by value and month."""

    sizes: Sizes
    blocks: Sequence[Block]
    months: tuple[int, int]
    paired_through: int | None

    @property
    def values(self) -> tuple[str, ...]:
        return (*self.sizes, NOBODY)

    def is_free_beside_another(self, value: str, month: int) -> bool:
        """Whether an answer of the month could as well be of another value: the usual case."""
        in_blocks = {block.value for block in self.blocks if block.meets(month, month)}
        return (
            bool(self.sizes[value].get(month))
            and value not in in_blocks
            and any(
                other != value and other not in in_blocks and self.may_be_some(other, month)
                for other in self.values
            )
        )

    def may_be_some(self, value: str, month: int) -> bool:
        if self.sizes.get(value, {}).get(month):
            return True
        return self.paired_through is None or month > self.paired_through


def _is_certain(table: _Table, value: str, run: tuple[int, int]) -> bool:
    if any(table.is_free_beside_another(value, month) for month in _run(*run)):
        return False
    arcs = _arcs(table, value, run)
    entries = [node for node in arcs if isinstance(node, tuple) and node[0] == "run"]
    return all(_is_balanced(arcs, entry) for entry in entries)


def _arcs(table: _Table, value: str, run: tuple[int, int]) -> Arcs:
    """Months and blocks as nodes. The cells of the run end in nodes of their own, from where an
    answer can go on to the rest of its block: that changes the sum."""
    block_of = {
        (block.value, month): block
        for block in table.blocks
        for month in _run(block.first, block.last)
    }
    arcs: Arcs = defaultdict(list)
    for other in table.values:
        for month in _run(*table.months):
            if not table.may_be_some(other, month):
                continue
            group: Hashable = block_of.get((other, month), FREE)
            if other == value and run[0] <= month <= run[1]:
                inside = ("run", group)
                if not (isinstance(group, Block) and group.lies_in(*run)):
                    arcs[inside].append((group, 1))
                    arcs[group].append((inside, -1))
                group = inside
            arcs[month].append((group, 0))
            if table.sizes.get(other, {}).get(month):
                arcs[group].append((month, 0))
    return arcs


def _is_balanced(arcs: Arcs, start: Hashable) -> bool:
    """Whether every way from `start` back to it leaves the sum as it is."""
    returning = _reached(_reversed(arcs), start)
    changes: dict[Hashable, int] = {start: 0}
    waiting = [start]
    while waiting:
        at = waiting.pop()
        for to, change in arcs[at]:
            if to not in returning:
                continue
            if to not in changes:
                changes[to] = changes[at] + change
                waiting.append(to)
            elif changes[to] != changes[at] + change:
                return False
    return True


def _reached(arcs: Arcs, start: Hashable) -> set[Hashable]:
    reached, waiting = {start}, [start]
    while waiting:
        for to, _change in arcs.get(waiting.pop(), ()):
            if to not in reached:
                reached.add(to)
                waiting.append(to)
    return reached


def _reversed(arcs: Arcs) -> Arcs:
    turned: Arcs = defaultdict(list)
    for at, ways in arcs.items():
        for to, change in ways:
            turned[to].append((at, change))
    return turned
