"""What of an edition's closed months is published: the rules put together, without a database.

Months are numbered consecutively (`month_number`). The same answers and the same figures published
before always lead to the same decision, and no decision changes an earlier one.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from app.reporting.certainty import Block
from app.reporting.counts import add as added
from app.reporting.ladders import Ladders
from app.reporting.pairs import Label, PairTables
from app.scoring import Distribution

Answers = Mapping[tuple[int, tuple[str, ...]], Distribution]
"""Answers by month and by one value for each selector."""

GUARDED_BELOW = 20  # answers; see `_is_alike`
# From which share of the answers in pairs of known labels on a block of pairs is closed, by its
# length in months: what is hidden then stays so, and a longer block hides less.
PAIRS_WORTH_SHOWING = (0.8, 0.65, 0.5, 0.5, 0.5)
MOST_COMBINATIONS = 3_000  # of a block of pairs: with more, most are of single people


@dataclass(frozen=True, slots=True)
class Decided:
    """A subgroup's figures that may be shown: its labels, months (inclusive) and counts.

    `is_guarded`: of the counts only the three groups may be told, not the single scores.
    """

    labels: frozenset[Label]
    first: int
    last: int
    counts: Distribution
    is_guarded: bool = False


@dataclass(slots=True)
class Decisions:
    """What is decided about one edition, month after month.

    `answers` are all that are still known of the edition, `earlier` what was published before,
    `paired_through` the last month of the last closed block of pairs.
    """

    selectors: tuple[str, ...]
    answers: Answers
    minimum: int
    earlier: Sequence[Decided] = ()
    paired_through: int | None = None
    new: list[Decided] = field(default_factory=list)
    _start: int = field(init=False)
    _ladders: dict[str, Ladders] = field(init=False)
    _by_label: dict[Label, dict[int, Distribution]] = field(init=False)
    _answered: dict[int, Distribution] = field(init=False)

    def __post_init__(self) -> None:
        self._start = min((month for month, _values in self.answers), default=0)
        by_month: dict[int, list[Distribution]] = defaultdict(list)
        for (month, _values), counts in self.answers.items():
            by_month[month].append(counts)
        self._answered = {month: added(parts) for month, parts in by_month.items()}
        self._by_label = _by_label(self.selectors, self.answers)
        self._ladders = {selector: self._ladder(selector) for selector in self.selectors}

    def close_all(self, first: int | None, last: int) -> None:
        """Close the months up to `last`; without a `first`, from the first with answers."""
        if self.answers:  # else no month is the first, and there are thousands since the year 0
            for month in range(max(first or 0, self._start), last + 1):
                self.close(month)

    def close(self, month: int) -> None:
        """Publish what may be published now that `month` is closed; adds to `new`."""
        for selector, ladders in self._ladders.items():
            blocks = ladders.close(month)
            guarded = self._guarded(ladders, blocks, selector)
            for block in blocks:
                self.new.append(self._of_block(selector, block, block in guarded))
        self._close_pairs(month)

    def _ladder(self, selector: str) -> Ladders:
        sizes = {
            value: {month: counts.total for month, counts in months.items()}
            for (found, value), months in self._by_label.items()
            if found == selector
        }
        blocks = [
            Block(value, figure.first, figure.last)
            for figure in self.earlier
            for found, value in figure.labels
            if found == selector and len(figure.labels) == 1
        ]
        return Ladders(sizes, self.minimum, blocks, self._start, self.paired_through)

    def _of_block(self, selector: str, block: Block, is_guarded: bool) -> Decided:
        label = selector, block.value
        counts = self._within(label, block.first, block.last)
        return Decided(frozenset([label]), block.first, block.last, counts, is_guarded)

    def _within(self, label: Label, first: int, last: int) -> Distribution:
        months = self._by_label.get(label, {})
        return added(counts for month, counts in months.items() if first <= month <= last)

    def _guarded(self, ladders: Ladders, new: Sequence[Block], selector: str) -> set[Block]:
        """The new blocks whose scores are withheld: those that are all alike, and others where
        the totals less all other scores would give these away."""
        kept = {
            Block(value, figure.first, figure.last)
            for figure in [*self.earlier, *self.new]
            if figure.is_guarded and len(figure.labels) == 1
            for found, value in figure.labels
            if found == selector
        }
        guarded = {block for block in new if is_alike(self._counts(selector, block))}
        for block in sorted(set(new) - guarded, key=lambda found: (ladders.size(found), found)):
            if not any(
                self._gives_away(ladders, selector, kept | guarded, first, block.last)
                for first in {found.first for found in ladders.blocks}
            ):
                break
            guarded.add(block)
        return guarded

    def _counts(self, selector: str, block: Block) -> Distribution:
        return self._within((selector, block.value), block.first, block.last)

    def _gives_away(
        self, ladders: Ladders, selector: str, guarded: set[Block], first: int, last: int
    ) -> bool:
        """Whether the months' totals less all scores told are those of people who are alike."""
        inside = {found for found in ladders.blocks if found.lies_in(first, last)}
        told = inside - guarded
        # A month of which nothing is told is given by its own total anyway.
        months = {month for found in told for month in range(found.first, found.last + 1)}
        if not any(found.meets(month, month) for found in guarded & inside for month in months):
            return False
        everybody = added(self._answered.get(month, Distribution.empty()) for month in months)
        return is_alike(everybody - added(self._counts(selector, found) for found in told))

    def _close_pairs(self, month: int) -> None:
        first = max(ladders.start for ladders in self._ladders.values())
        if self.paired_through is not None:
            first = max(first, self.paired_through + 1)
        if first > month:
            return
        answers = self._combinations(first, month)
        if len(answers) > MOST_COMBINATIONS:
            self._end_pairs(month)  # too many to be checked, and most of them single people
            return
        fit = [name for name, ladders in self._ladders.items() if ladders.bears_pairs(first, month)]
        tables = PairTables(
            self.selectors,
            answers,
            self._known(first, month, fit),
            self.minimum,
            [self._known(*run, fit) for run in _runs_within(first, month)],
        )
        worth = dict(enumerate(PAIRS_WORTH_SHOWING, start=1)).get(month - first + 1, 0.0)
        if tables.share < worth:
            return
        self._end_pairs(month)
        counts = self._counts_of_pairs(first, month)
        shown = set(tables.shown)
        guarded = _guarded_pairs(counts, shown)
        for pair in sorted(shown):
            self.new.append(Decided(frozenset(pair), first, month, counts[pair], pair in guarded))

    def _end_pairs(self, month: int) -> None:
        self.paired_through = month
        for ladders in self._ladders.values():
            ladders.paired_through = month

    def _combinations(self, first: int, last: int) -> dict[tuple[str, ...], int]:
        found: Counter[tuple[str, ...]] = Counter()
        for (month, values), counts in self.answers.items():
            if first <= month <= last:
                found[values] += counts.total
        return dict(found)

    def _known(self, first: int, last: int, fit: Collection[str]) -> dict[Label, int]:
        """Labels of the fit selectors whose figures cover just these months. Those in which nobody
        has the label count too, where anybody answered: that nobody has it is not known there."""
        answered = {month for month in self._answered if first <= month <= last}
        known: dict[Label, int] = {}
        for selector in fit:
            ladders = self._ladders[selector]
            covered: dict[str, set[int]] = defaultdict(set)
            for block in ladders.blocks:
                if block.lies_in(first, last):
                    covered[block.value].update(range(block.first, block.last + 1))
            for value, months in covered.items():
                if answered <= months:
                    known[selector, value] = self._within((selector, value), first, last).total
        return known

    def _counts_of_pairs(self, first: int, last: int) -> dict[tuple[Label, Label], Distribution]:
        parts: dict[tuple[Label, Label], list[Distribution]] = defaultdict(list)
        for (month, values), counts in self.answers.items():
            if first <= month <= last:
                labels = list(zip(self.selectors, values, strict=True))
                for at, label in enumerate(labels):
                    for other in labels[at + 1 :]:
                        parts[label, other].append(counts)
        return {pair: added(found) for pair, found in parts.items()}


def _runs_within(first: int, last: int) -> list[tuple[int, int]]:
    """Every run of consecutive months that is shorter than the whole."""
    months = range(first, last + 1)
    runs = [(since, until) for since in months for until in months if since <= until]
    return [run for run in runs if run != (first, last)]


def _by_label(selectors: Sequence[str], answers: Answers) -> dict[Label, dict[int, Distribution]]:
    parts: dict[Label, dict[int, list[Distribution]]] = defaultdict(lambda: defaultdict(list))
    for (month, values), counts in answers.items():
        for label in zip(selectors, values, strict=True):
            parts[label][month].append(counts)
    return {
        label: {month: added(found) for month, found in months.items()}
        for label, months in parts.items()
    }


def _guarded_pairs(
    counts: Mapping[tuple[Label, Label], Distribution], shown: set[tuple[Label, Label]]
) -> set[tuple[Label, Label]]:
    """As with single labels: in every line what is not told may not be of people all alike."""
    guarded = {pair for pair in shown if is_alike(counts[pair])}
    lines: dict[tuple[Label, str], list[tuple[Label, Label]]] = defaultdict(list)
    for pair in counts:
        for label, other in (pair, pair[::-1]):
            lines[label, other[0]].append(pair)
    changed = bool(guarded)
    while changed:
        changed = False
        for line in lines.values():
            untold = [pair for pair in line if pair in guarded or pair not in shown]
            told = [pair for pair in line if pair not in untold]
            if (
                told
                and guarded.intersection(line)
                and is_alike(added(counts[pair] for pair in untold))
            ):
                guarded.add(min(told, key=lambda pair: (counts[pair].total, pair)))
                changed = True
    return guarded


def is_alike(counts: Distribution) -> bool:
    """Fewer than 20 answers that are all of one group: to say which scores would say too much
    about each of them."""
    return 0 < counts.total < GUARDED_BELOW and counts.total in (
        counts.promoters,
        counts.passives,
        counts.detractors,
    )
