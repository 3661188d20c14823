"""How much of real surveys stays visible, against what would have to be hidden anyway.

A cell is a label, or a combination of two, over the whole period; only cells with answers count.
It is visible by the share of its answers that lie in published blocks of months.

Compared are the *naive* rule, which hides nothing but figures below the minimum k (by month, or
of the whole period) and can be undone by subtraction, the same decisions with all months taken as
one, and a *bound* from linear programming: the fractional relaxation of complementary suppression
in the table of the whole period. Of each cell i of s_i answers the part 0 ≤ y_i ≤ 1 is hidden:

    minimise    Σ s_i · y_i                    (for the share of cells: Σ y_i)
    subject to  y_i = 1                        for every cell of fewer than k answers
                Σ y_i ≥ 1 over the other cells of every line whose small cells have together
                                               1 to k − 1 answers

A line is a selector's values, whose sum is the total, or for pairs all combinations of one label
with the values of another selector, whose sum is the label's own figure. The second condition is
the tight form of “every line leaves a rest of at least k” (Σ s_i · y_i ≥ k) and “no hidden cell is
alone in its line” (Σ y_i ≥ 2): both follow from it, and whoever hides whole cells has to keep it.

The bound counts neither the losses through blocks of months, which all have rests of their own,
nor circles of hidden pairs, nor groups that lie in slightly larger ones. Nobody need reach it, but
no rule that publishes the table of the whole period can hide less. One that publishes blocks of
months may still show a part of a cell that is hidden here.
"""

import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, groupby
from typing import Any

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import lil_array

from app.reporting.counts import add
from app.reporting.decisions import Answers, Decided, Decisions
from app.reporting.pairs import Label
from app.scoring import Distribution
from bench.figures import Figure
from bench.sample_surveys import SampleSurvey, sample_folder, sample_surveys

MINIMUM = 5
# Blocks of pairs have at most six months: so many months later nothing is waiting any more.
SETTLED_AFTER = 6

Cell = frozenset[Label]
Sizes = Mapping[Cell, int]


@dataclass(frozen=True, slots=True)
class Share:
    """Visible parts, 0 to 1: of cells, of cells wholly visible, and of answers in cells."""

    cells: float
    whole_cells: float
    answers: float


@dataclass(frozen=True, slots=True)
class Visibility:
    """What is visible of the labels (`width` 1) or pairs of labels (2) of a data set.

    `cells` and `answers` are how many there are, over all its surveys.
    """

    name: str
    width: int
    cells: int
    answers: int
    ours: Share
    in_one_block: Share
    naive_by_month: Share
    naive: Share
    bound: Share

    @property
    def of(self) -> str:
        return "labels" if self.width == 1 else "pairs"


def measure_visibility(_scale: float) -> Iterator[Figure]:
    """Per cent of cells and of answers that are visible, against the bound; nothing where the
    sample data is absent, and the reason on stderr."""
    folder = sample_folder()
    if not (folder / "README.md").exists():
        print(f"visibility: skipped, no sample data in {folder}", file=sys.stderr)
        return
    for row in measure(sample_surveys(folder)):
        name = f"visibility.{row.name}.{row.of}"
        yield Figure(f"{name}.cells", 100 * row.ours.cells, "%", 100 * row.bound.cells)
        yield Figure(f"{name}.answers", 100 * row.ours.answers, "%", 100 * row.bound.answers)


def measure(surveys: Iterable[SampleSurvey]) -> list[Visibility]:
    """Those of the data sets, the labels and then the pairs of each; surveys of one data set have
    to follow each other."""
    return [
        _measure(name, tables)
        for name, of_name in groupby(surveys, key=lambda survey: survey.name)
        for tables in zip(*map(_tables, of_name), strict=True)
        if any(table.sizes for table in tables)
    ]


def _tables(survey: SampleSurvey) -> tuple["_Table", "_Table"]:
    """Those of labels and of pairs."""
    published = _decided(survey)
    in_one_block = _decided(replace(survey, answers=_in_one_month(survey.answers)))
    of_labels, of_pairs = (_Table(survey, width, published, in_one_block) for width in (1, 2))
    return of_labels, of_pairs


def _measure(name: str, tables: Sequence["_Table"]) -> Visibility:
    return Visibility(
        name,
        tables[0].width,
        sum(len(table.sizes) for table in tables),
        sum(sum(table.sizes.values()) for table in tables),
        _share(tables, [table.published for table in tables]),
        _share(tables, [table.published_in_one_block for table in tables]),
        _share(tables, [table.naive_by_month for table in tables]),
        _share(tables, [_of_minimum(table.sizes) for table in tables]),
        _bound(tables),
    )


class _Table:
    """The cells of one width of a survey with their answers, and what of them is shown how."""

    def __init__(
        self,
        survey: SampleSurvey,
        width: int,
        published: Sequence[Decided],
        in_one_block: Sequence[Decided],
    ) -> None:
        self.width = width
        by_month: dict[int, Counter[Cell]] = defaultdict(Counter)
        for (month, values), counts in survey.answers.items():
            labels = zip(survey.selectors, values, strict=True)
            for cell in combinations(labels, width):
                by_month[month][frozenset(cell)] += counts.total
        self.sizes: Sizes = _added(by_month.values())
        self.naive_by_month: Sizes = _added(map(_of_minimum, by_month.values()))
        self.published = self._sizes_of(published)
        self.published_in_one_block = self._sizes_of(in_one_block)

    def _sizes_of(self, figures: Iterable[Decided]) -> Sizes:
        return _added(
            {figure.labels: figure.counts.total}
            for figure in figures
            if len(figure.labels) == self.width
        )

    def lines(self) -> list[list[Cell]]:
        """Cells whose sum is known: all but one label together, with all values of one selector."""
        lines: dict[tuple[Cell, str], list[Cell]] = defaultdict(list)
        for cell in sorted(self.sizes, key=sorted):
            for label in cell:
                lines[cell - {label}, label[0]].append(cell)
        return list(lines.values())


def _decided(survey: SampleSurvey) -> list[Decided]:
    decisions = Decisions(survey.selectors, survey.answers, MINIMUM)
    decisions.close_all(None, max(month for month, _values in survey.answers) + SETTLED_AFTER)
    return decisions.new


def _in_one_month(answers: Answers) -> Answers:
    whole: dict[tuple[int, tuple[str, ...]], list[Distribution]] = defaultdict(list)
    for (_month, values), counts in answers.items():
        whole[0, values].append(counts)
    return {key: add(found) for key, found in whole.items()}


def _added(parts: Iterable[Sizes]) -> Sizes:
    sizes: Counter[Cell] = Counter()
    for part in parts:
        sizes.update(part)
    return sizes


def _of_minimum(sizes: Sizes) -> Sizes:
    return {cell: size for cell, size in sizes.items() if size >= MINIMUM}


def _share(tables: Sequence[_Table], shown: Sequence[Sizes]) -> Share:
    parts = [
        (visible.get(cell, 0), size)
        for table, visible in zip(tables, shown, strict=True)
        for cell, size in table.sizes.items()
    ]
    return Share(
        sum(visible / size for visible, size in parts) / len(parts),
        sum(visible == size for visible, size in parts) / len(parts),
        sum(visible for visible, _size in parts) / sum(size for _visible, size in parts),
    )


def _bound(tables: Sequence[_Table]) -> Share:
    cells = sum(len(table.sizes) for table in tables)
    answers = sum(sum(table.sizes.values()) for table in tables)
    hidden_cells = sum(_least_hidden(table, dict.fromkeys(table.sizes, 1)) for table in tables)
    hidden_answers = sum(_least_hidden(table, table.sizes) for table in tables)
    share = 1 - hidden_cells / cells
    return Share(share, share, 1 - hidden_answers / answers)


def _least_hidden(table: _Table, weights: Sizes) -> float:
    """The least weight of hidden cells, by the programme at the top of this file."""
    if not table.sizes:
        return 0.0
    cells = sorted(table.sizes, key=sorted)
    numbers = {cell: at for at, cell in enumerate(cells)}
    lines = list(_to_cover(table))
    conditions = lil_array((len(lines), len(cells)))
    for at, line in enumerate(lines):
        for cell in line:
            conditions[at, numbers[cell]] = -1
    found: Any = linprog(
        [weights[cell] for cell in cells],
        A_ub=conditions.tocsr() if lines else None,
        b_ub=-np.ones(len(lines)) if lines else None,
        bounds=[(1 if table.sizes[cell] < MINIMUM else 0, 1) for cell in cells],
        method="highs",
    )
    assert found.success, found.message
    return float(found.fun)


def _to_cover(table: _Table) -> Iterator[list[Cell]]:
    """The cells of at least the minimum, of each line that has to hide one of them."""
    for line in table.lines():
        small = sum(table.sizes[cell] for cell in line if table.sizes[cell] < MINIMUM)
        large = [cell for cell in line if table.sizes[cell] >= MINIMUM]
        if 0 < small < MINIMUM and large:
            yield large


def table_of(found: Iterable[Visibility]) -> str:
    """Per cent visible, as cells / answers; ours also with the cells that are wholly visible."""
    heads = "data set | cells of | cells | answers | published | wholly | in one block"
    lines = [f"| {heads} | naive by month | naive | bound |", f"|{'---|' * 10}"]
    for row in found:
        shares = " | ".join(
            [
                _percent(row.ours),
                f"{100 * row.ours.whole_cells:.1f}",
                _percent(row.in_one_block),
                _percent(row.naive_by_month),
                _percent(row.naive),
                _percent(row.bound),
            ]
        )
        lines.append(f"| {row.name} | {row.of} | {row.cells} | {row.answers} | {shares} |")
    return "\n".join(lines)


def _percent(share: Share) -> str:
    return f"{100 * share.cells:.1f} / {100 * share.answers:.1f}"


if __name__ == "__main__":
    print(table_of(measure(sample_surveys(sample_folder()))))
