"""Which combinations of two labels are published for a block of months: pure arithmetic.

Known to everybody are the total and the figures of single labels published for the same months. A
combination below the minimum is hidden, and then whatever else is needed so that no line of the
table (a row or a column) leaves a rest of one to k − 1 answers, no small combination follows from
the others, and nobody who is in one published group but not in a slightly larger one stands out.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations

Label = tuple[str, str]
"""A selector and a value."""

Pair = tuple[Label, Label]

Combinations = Mapping[tuple[str, ...], int]
"""Answers by one value for each of the selectors."""


@dataclass(slots=True)
class _Table:
    """The cells of two selectors.

    `hidden` are those that have answers and are not shown, `secret` those of them that must not
    follow from the others either. `loose` do not follow, and never will: more is only ever hidden.
    """

    cells: dict[Pair, int]
    hidden: set[Pair] = field(default_factory=set)
    secret: set[Pair] = field(default_factory=set)
    loose: set[Pair] = field(default_factory=set)
    lines: dict[Label, list[Pair]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        for pair in sorted(self.cells):
            for label in pair:
                self.lines[label].append(pair)

    def keep_secret(self, pair: Pair) -> None:
        self.hidden.add(pair)
        self.secret.add(pair)

    def hidden_of(self, label: Label) -> list[Pair]:
        return [pair for pair in self.lines[label] if pair in self.hidden]

    def shown_beside(self, labels: Iterable[Label]) -> list[Pair]:
        """What is still shown in the lines of these labels, the smallest first."""
        shown = {pair for label in labels for pair in self.lines[label]} - self.hidden
        return sorted(shown, key=lambda pair: (self.cells[pair], pair))


class PairTables:
    """Decides which pairs of one block of months are shown.

    `answers` are those of the block, `known` the labels whose own figures are published for just
    these months: only their combinations can be shown. `parts` gives the same for shorter runs of
    months inside the block.
    """

    def __init__(
        self,
        selectors: Sequence[str],
        answers: Combinations,
        known: Mapping[Label, int],
        minimum: int,
        parts: Sequence[Mapping[Label, int]] = (),
    ) -> None:
        self._minimum = minimum
        self._known = known
        self._parts = parts
        self._members = _members(selectors, answers)
        self._tables = [
            _Table(_cells(answers, one, other, selectors))
            for one, other in combinations(range(len(selectors)), 2)
        ]
        for table in self._tables:
            self._hide_small(table)
        while any([*map(self._cover, self._tables), self._hide_slightly_smaller()]):
            pass

    @property
    def shown(self) -> dict[Pair, int]:
        """The pairs that are shown, with their answers."""
        return {
            pair: size
            for table in self._tables
            for pair, size in table.cells.items()
            if pair not in table.hidden
        }

    @property
    def share(self) -> float:
        """The part that is shown, 0 to 1, of the answers in pairs of known labels."""
        possible = sum(
            size
            for table in self._tables
            for pair, size in table.cells.items()
            if self._known.keys() >= set(pair)
        )
        return sum(self.shown.values()) / possible if possible else 0.0

    def _hide_small(self, table: _Table) -> None:
        for pair, size in table.cells.items():
            if size < self._minimum:
                table.keep_secret(pair)
            elif not self._known.keys() >= set(pair):
                table.hidden.add(pair)

    def _cover(self, table: _Table) -> bool:
        """Hide one more where a line leaves a small rest, or a small pair could be computed."""
        for label in sorted(table.lines.keys() & self._known.keys()):
            hidden = table.hidden_of(label)
            rest = sum(table.cells[pair] for pair in hidden)
            if 0 < rest < self._minimum and (more := table.shown_beside([label])):
                table.hidden.add(more[0])
                return True
            told = [pair for pair in hidden if self._is_told(table, pair)]
            if 0 < rest - sum(table.cells[pair] for pair in told) < self._minimum:
                doubtless = max(told, key=lambda pair: (table.cells[pair], pair), default=None)
                if doubtless is not None and doubtless not in table.secret:
                    table.keep_secret(doubtless)
                    return True
        for pair in sorted(table.secret):
            if self._is_told(table, pair):
                more = table.shown_beside(pair) or table.shown_beside(table.lines)
                if more:
                    table.hidden.add(more[0])
                    return True
        return any(self._cover_part(table, part) for part in self._parts)

    def _is_told(self, table: _Table, pair: Pair) -> bool:
        if pair not in table.loose and not _is_determined(table, self._known, pair):
            table.loose.add(pair)
        return pair not in table.loose

    def _cover_part(self, table: _Table, part: Mapping[Label, int]) -> bool:
        """A pair that holds all answers of one of its labels is known for shorter runs of months
        too, and so is what it leaves of the other label."""
        for label in sorted(part.keys() & table.lines.keys()):
            inside = [
                (pair, part[other])
                for pair in table.lines[label]
                if pair not in table.hidden
                for other in set(pair) - {label}
                if other in part and table.cells[pair] == self._known[other]
            ]
            rest = part[label] - sum(size for _pair, size in inside)
            if inside and 0 < rest < self._minimum:
                table.keep_secret(min(inside, key=lambda found: (found[1], found[0]))[0])
                return True
        return False

    def _hide_slightly_smaller(self) -> bool:
        """Hide a pair that lies in another published group and holds nearly all of it."""
        groups: list[tuple[int, tuple[Label, ...]]] = [
            (size, (label,)) for label, size in self._known.items()
        ]
        groups += [(size, pair) for pair, size in self.shown.items()]
        having = {group: self._having(group) for _size, group in groups}
        groups.sort()
        for at, (size, group) in enumerate(groups):
            inside = having[group]
            for larger, around in groups[at + 1 :]:
                if larger - size >= self._minimum:
                    break
                if larger > size and inside & having[around] == inside:
                    hidden = group if len(group) == 2 else around
                    if len(hidden) == 2:
                        self._table_of(hidden).keep_secret((hidden[0], hidden[1]))
                        return True
        return False

    def _having(self, labels: Iterable[Label]) -> int:
        """The combinations that have all these labels, as the bits of a number."""
        found = -1
        for label in labels:
            found &= self._members[label]
        return found

    def _table_of(self, pair: Iterable[Label]) -> _Table:
        wanted = tuple(pair)
        return next(table for table in self._tables if wanted in table.cells)


def _members(selectors: Sequence[str], answers: Combinations) -> dict[Label, int]:
    members: dict[Label, int] = defaultdict(int)
    for at, values in enumerate(sorted(answers)):
        for label in zip(selectors, values, strict=True):
            members[label] |= 1 << at
    return members


def _cells(
    answers: Combinations, one: int, other: int, selectors: Sequence[str]
) -> dict[Pair, int]:
    cells: Counter[Pair] = Counter()
    for values, size in answers.items():
        cells[(selectors[one], values[one]), (selectors[other], values[other])] += size
    return dict(cells)


def _is_determined(table: _Table, known: Collection[Label], pair: Pair) -> bool:
    """Whether a hidden pair follows from the known margins and what is shown.

    It does not where an answer could be moved around a circle of hidden pairs through this one:
    one more here, one less in the same column, one more in that one's row, and so on. A pair
    without answers may be the one that has more; each pair is never less than none. Lines whose
    margins are not known can make up for each other.
    """
    row, column = pair
    reached, waiting = {column}, [column]
    while waiting:
        at = waiting.pop()
        beside = [label for label in table.lines if label[0] == at[0]] if at not in known else []
        for label in [*_reachable(table, at, pair), *(set(beside) - set(known))]:
            if label == row:
                return False
            if label not in reached:
                reached.add(label)
                waiting.append(label)
    return True


def _reachable(table: _Table, label: Label, without: Pair) -> Iterator[Label]:
    """From a column to the rows where it can have one answer less; from a row to the columns
    where it can have one more."""
    if label[0] == without[1][0]:
        yield from (pair[0] for pair in table.hidden_of(label) if pair != without)
        return
    for column in table.lines:
        pair = (label, column)
        if column[0] != without[1][0] or pair == without:
            continue
        if pair in table.hidden or pair not in table.cells:
            yield column
