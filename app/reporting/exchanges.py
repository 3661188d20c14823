"""The last word on what is published: whatever is small could as well be of another size.

Nobody can know the size of a small group for certain as long as some other survey, with a
different size of that group, would have been published with exactly the same figures. Here such a
survey is looked for: one answer has other labels, or two answers have exchanged some of theirs.
Where none is found for some group of one to k − 1 answers, by up to three labels and any run of
months, the figure that was to be added is not published. See docs/decisions/0008.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, permutations, product

Values = tuple[str, ...]
Row = tuple[int, Values]
"""A month and one value for each selector."""

Labels = tuple[tuple[int, str], ...]
"""Selectors, by their place, and values; in the order of the selectors."""

WIDEST_GROUP = 3  # labels
UNMET = ""  # a value that nobody has had so far; never empty itself


@dataclass(frozen=True, slots=True)
class Shown:
    """What a figure is of: labels and a run of months (inclusive)."""

    labels: Labels
    first: int
    last: int

    def holds(self, row: Row) -> bool:
        return self.first <= row[0] <= self.last and _has(row[1], self.labels)


@dataclass(frozen=True, slots=True)
class _Move:
    """The rows that one or two answers leave, and those that they go to instead."""

    left: tuple[Row, ...]
    taken: tuple[Row, ...]

    def changes(self, group: Shown) -> bool:
        return sum(map(group.holds, self.left)) != sum(map(group.holds, self.taken))

    def changes_all(self, group: Shown) -> bool:
        """Whether it changes the group, of one month, in all runs of months that hold this one."""
        before = [at for at, values in self.left if _has(values, group.labels)]
        after = [at for at, values in self.taken if _has(values, group.labels)]
        return len(before) != len(after) and {*before, *after} == {group.first}


@dataclass(slots=True)
class _Members:
    """The answers of one group in one month."""

    size: int = 0
    rows: list[Row] = field(default_factory=list)


Accept = Callable[[_Move, Shown], bool]


class Exchanges:
    """The figures published in some months, and a way to change each small group in secret.

    `sizes` are the answers of just these months, `shown` what is published of them, and `values`
    what each selector has had so far. Rows are compared with one another, so there should be
    hundreds of them rather than thousands.
    """

    def __init__(
        self,
        sizes: Mapping[Row, int],
        values: Sequence[Iterable[str]],
        minimum: int,
        shown: Iterable[Shown],
    ) -> None:
        self._minimum = minimum
        self._rows = sorted(sizes)
        self._all_rows = set(self._rows)
        self._rows_of: dict[int, list[Row]] = defaultdict(list)
        for row in self._rows:
            self._rows_of[row[0]].append(row)
        self._values = [sorted(found) if len(set(found)) > 1 else [UNMET] for found in values]
        self._varying = [
            at for at in range(len(values)) if len({row[1][at] for row in self._rows}) > 1
        ]
        self._groups = self._small_groups(sizes)
        self._figure_of: dict[Labels, dict[int, int]] = defaultdict(dict)
        self._pair_of: dict[tuple[int, int, str, int, str], int] = {}
        self._known: dict[Row, list[_Move]] = defaultdict(list)
        self._found: dict[tuple[Shown, Accept], _Move] = {}
        self._uses: dict[_Move, list[tuple[Shown, Accept]]] = defaultdict(list)
        self._unproved = set(self._groups)
        for figure in shown:
            self._add(figure)

    def admits(self, figure: Shown) -> bool:
        """Publish the figure, if every small group may still be of another size then."""
        self._add(figure)
        for labels in sorted(self._unproved):
            if not self._may_differ(labels):
                self._remove(figure)
                return False
            self._unproved.discard(labels)
        return True

    def _add(self, figure: Shown) -> None:
        for month in range(figure.first, figure.last + 1):
            self._figure_of[figure.labels][month] = figure.first
            for key in _pair_keys(month, figure.labels):
                self._pair_of[key] = figure.first
        for move in [move for move in self._uses if move.changes(figure)]:
            for group, accept in self._uses.pop(move):
                del self._found[group, accept]
                self._unproved.add(group.labels)
            self._known[move.left[0]].remove(move)

    def _remove(self, figure: Shown) -> None:
        for month in range(figure.first, figure.last + 1):
            del self._figure_of[figure.labels][month]
            for key in _pair_keys(month, figure.labels):
                del self._pair_of[key]

    def _small_groups(self, sizes: Mapping[Row, int]) -> dict[Labels, dict[int, _Members]]:
        """All groups that are small in some month. A selector that has one value here narrows
        nothing down, so it makes no group together with others."""
        fixed = [(at,) for at in range(len(self._values)) if at not in self._varying]
        groups: dict[Labels, dict[int, _Members]] = defaultdict(lambda: defaultdict(_Members))
        for row in self._rows:
            for places in [*_subsets(self._varying, WIDEST_GROUP), *fixed]:
                held = groups[tuple((at, row[1][at]) for at in places)][row[0]]
                held.size += sizes[row]
                held.rows.append(row)
        return {
            labels: months
            for labels, months in groups.items()
            if any(held.size < self._minimum for held in months.values())
        }

    def _may_differ(self, labels: Labels) -> bool:
        months = self._groups[labels]
        sure = [month for month, held in months.items() if self._is_sure(labels, month, held)]
        if len(self._rows_of) == 1:
            return bool(sure)
        return all(
            self._is_found(Shown(labels, first, last), _Move.changes)
            for first, last in self._small_runs(months)
            if not any(first <= month <= last for month in sure)
        )

    def _is_sure(self, labels: Labels, month: int, held: _Members) -> bool:
        """Whether this month alone lets every run of months around it differ."""
        group = Shown(labels, month, month)
        return held.size < self._minimum and self._is_found(group, _Move.changes_all)

    def _small_runs(self, months: Mapping[int, _Members]) -> Iterator[tuple[int, int]]:
        for first in range(self._rows[0][0], self._rows[-1][0] + 1):
            size = 0
            for last in range(first, self._rows[-1][0] + 1):
                size += months[last].size if last in months else 0
                if size >= self._minimum:
                    break
                if size:
                    yield first, last

    def _is_found(self, group: Shown, accept: Accept) -> bool:
        """Look for a move that changes the group and no published figure."""
        if (group, accept) in self._found:
            return True
        months = self._groups[group.labels]
        rows = [
            row
            for month, held in months.items()
            if group.first <= month <= group.last
            for row in held.rows
        ]
        known = (move for row in rows for move in self._known[row])
        found = next((move for move in known if accept(move, group)), None)
        if found is None:
            moves = (move for row in rows for move in self._moves(row, group, accept))
            found = next((move for move in moves if accept(move, group)), None)
            if found is None:
                return False
            self._known[found.left[0]].append(found)
        self._found[group, accept] = found
        self._uses[found].append((group, accept))
        return True

    def _moves(self, row: Row, group: Shown, accept: Accept) -> Iterator[_Move]:
        """What could happen to an answer of the group and would change no published figure:
        another value, or an exchange with somebody else, of the same month first."""
        places = [at for at, _value in group.labels]
        partners = self._rows_of[row[0]]
        for at in places:
            yield from self._to_other_values(row, at)
        for partner in partners:
            yield from self._within_month(row, partner, places)
        for partner in self._rows:
            if partner[0] != row[0]:
                yield from self._across_months(row, partner, places)
        if len(places) > 1 and accept is _Move.changes:
            months = [at for at in self._rows_of if not group.first <= at <= group.last]
            for month, partner in product(months, partners):
                yield from self._there_and_back(row, partner, places, month)

    def _to_other_values(self, row: Row, at: int) -> Iterator[_Move]:
        month, values = row
        if self._single(month, at, values[at]) is not None:
            return
        for other in self._values[at]:
            move = _Move((row,), ((month, _replaced(values, (at,), {at: other})),))
            if other != values[at] and self._is_secret(move):
                yield move

    def _within_month(self, row: Row, partner: Row, places: Sequence[int]) -> Iterator[_Move]:
        """Exchanges change the group only where its labels are not exchanged all together."""
        differing = [at for at in places if partner[1][at] != row[1][at]]
        if len(differing) > 1:
            exchanged = self._bound(row, partner, differing[0])
            if not exchanged.issuperset(differing):
                yield _exchange(row, partner, exchanged)

    def _across_months(self, row: Row, partner: Row, places: Sequence[int]) -> Iterator[_Move]:
        for at in places:
            if partner[1][at] != row[1][at] and all(
                self._single(row[0], at, value) == self._single(partner[0], at, value)
                for value in (row[1][at], partner[1][at])
            ):
                move = _exchange(row, partner, self._bound(row, partner, at))
                if self._is_secret(move):
                    yield move

    def _there_and_back(
        self, row: Row, partner: Row, places: Sequence[int], month: int
    ) -> Iterator[_Move]:
        """An exchange, and in another month just the opposite one."""
        differing = [at for at in places if partner[1][at] != row[1][at]]
        if len(differing) < 2:
            return
        exchanged = self._bound(row, partner, differing[0], month)
        there = _exchange(row, partner, exchanged)
        back = [(month, values) for _month, values in there.taken]
        if not exchanged.issuperset(differing) and self._all_rows.issuperset(back):
            taken = [(month, values) for _month, values in there.left]
            yield _Move((*there.left, *back), (*there.taken, *taken))

    def _bound(self, row: Row, partner: Row, place: int, opposite: int | None = None) -> set[int]:
        """The labels that must be exchanged along with one, as pairs of them are published; not
        where the opposite is done in another month of the same figures."""
        (month, values), (other_month, others) = row, partner
        waiting = [at for at in self._varying if values[at] != others[at] and at != place]
        bound, reached = {place}, [place]
        figure_of = self._pair_of.get
        while reached and waiting:
            one = reached.pop()
            mine, theirs = values[one], others[one]
            for other in waiting:
                keys = (
                    (month, one, mine, other, values[other]),
                    (month, one, theirs, other, values[other]),
                    (other_month, one, theirs, other, others[other]),
                    (other_month, one, mine, other, others[other]),
                )
                for key in keys:
                    there = None if opposite is None else figure_of((opposite, *key[1:]))
                    if figure_of(key) != there:
                        bound.add(other)
                        reached.append(other)
                        break
            waiting = [at for at in waiting if at not in bound]
        return bound

    def _single(self, month: int, at: int, value: str) -> int | None:
        labels = ((at, value),)
        return self._figure_of[labels].get(month) if labels in self._figure_of else None

    def _is_secret(self, move: _Move) -> bool:
        return self._figures(move.left) == self._figures(move.taken)

    def _figures(self, rows: Iterable[Row]) -> list[tuple[Labels, int]]:
        """The published figures that hold these rows."""
        found: list[tuple[Labels, int]] = []
        for month, values in rows:
            for labels in _labels_of(values):
                first = self._figure_of[labels].get(month) if labels in self._figure_of else None
                if first is not None:
                    found.append((labels, first))
        return sorted(found)


def _exchange(row: Row, partner: Row, places: Iterable[int]) -> _Move:
    taken = row[0], _replaced(row[1], places, partner[1])
    return _Move((row, partner), (taken, (partner[0], _replaced(partner[1], places, row[1]))))


def _subsets(places: Sequence[int], widest: int) -> Iterator[tuple[int, ...]]:
    for width in range(1, min(widest, len(places)) + 1):
        yield from combinations(places, width)


def _labels_of(values: Values) -> Iterator[Labels]:
    """By one and by two labels, as figures are."""
    labels = list(enumerate(values))
    for at, label in enumerate(labels):
        yield (label,)
        for other in labels[at + 1 :]:
            yield label, other


def _pair_keys(month: int, labels: Labels) -> Iterator[tuple[int, int, str, int, str]]:
    """Both ways round."""
    for one, other in permutations(labels, 2):
        yield month, *one, *other


def _has(values: Values, labels: Labels) -> bool:
    return all(values[at] == value for at, value in labels)


def _replaced(values: Values, chosen: Iterable[int], others: Mapping[int, str] | Values) -> Values:
    changed = list(values)
    for at in chosen:
        changed[at] = others[at]
    return tuple(changed)
