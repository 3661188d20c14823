"""What may be shown. Every figure and every row passes through here, whoever asks for it.

- Everybody's answers are live, by day, from the first one on.
- Subgroups (a segment value, language, channel or a combination) are shown for whole, ended months
  and from the group minimum on; a period may not cut a bucket of months, so that the figures of a
  range and of a part of it differ by none or by at least the minimum.
- A hidden subgroup must not be what is left when its visible siblings are taken from their total:
  then the next smallest sibling is hidden as well, in every direction that adds up.
- A row shows its day, or its labels with its bucket of months, never both.

There is no way around this for anybody, owners included. Not covered yet is what follows from
several tables of different periods taken together, beyond the periods of one subgroup, and what
somebody learns who leaves an answer out, or adds some, and sees which subgroup's figures move.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from app.reporting.buckets import (
    Interval,
    Period,
    interval_start,
    is_union_of_buckets,
    month_end,
    shortened,
)
from app.reporting.counts import EVERYBODY, Cell, Cube
from app.scoring import Distribution

FITTED_CELLS = 500  # with more subgroups than that, trying several windows would take too long

Line = tuple[Cell, str]
"""Siblings that add up to a total: what they share, and the selector in which they differ."""


class Publication:
    """Decides which subgroups of `cube` may be shown for the whole months of a period.

    `minimum` is the survey's group minimum. The decision about a subgroup depends on the counts
    of its own selectors and coarser ones alone, so that every report decides alike.
    """

    def __init__(self, cube: Cube, minimum: int, months: Period) -> None:
        self._cube = cube
        self._minimum = minimum
        self._months = months
        self._inside = {month for month in cube.sizes if month in months}
        self._sizes = _sizes_within(cube, self._inside)
        self._hidden: set[Cell] = set()
        self._blank: set[Line] = set()
        for table in _tables(self._sizes):
            self._decide(table)

    def shows(self, cell: Cell) -> bool:
        """True where the figures of a subgroup may leave the server."""
        if cell in self._sizes:
            return cell not in self._hidden
        # That nobody answered is said only where it does not point at those who did.
        return all(
            self.shows(cell - {pair}) and (cell - {pair}, pair[0]) not in self._blank
            for pair in cell
        )

    @property
    def hides_nothing(self) -> bool:
        return not self._hidden

    @property
    def answers_shown(self) -> int:
        """The sizes of all subgroups that may be shown, added up: what a window is worth."""
        return sum(size for cell, size in self._sizes.items() if cell not in self._hidden)

    def figures(self, cell: Cell) -> Distribution | None:
        """The counts of a subgroup; None where they are hidden."""
        return self._cube.within(cell, self._months) if self.shows(cell) else None

    def _decide(self, table: Sequence[Cell]) -> None:
        self._hidden.update(cell for cell in table if not self._stands_alone(cell))
        lines = _lines(table)
        while any(self._cover(members) for members in lines.values()):
            pass
        self._blank.update(line for line, members in lines.items() if not self._is_safe(members))

    def _stands_alone(self, cell: Cell) -> bool:
        """Whether a subgroup may be shown as far as its siblings do not matter."""
        if any(cell - {pair} in self._hidden for pair in cell):
            return False
        if self._sizes[cell] < self._minimum:
            return False
        return is_union_of_buckets(self._cube.ladder_of(cell, self._minimum), self._inside)

    def _cover(self, members: Sequence[Cell]) -> bool:
        """Hide the smallest visible sibling where the hidden ones could be computed."""
        visible = [cell for cell in members if cell not in self._hidden]
        if not visible or self._is_safe(members):
            return False
        self._hidden.add(min(visible, key=lambda cell: (self._sizes[cell], sorted(cell))))
        return True

    def _is_safe(self, members: Sequence[Cell]) -> bool:
        """Whether what is hidden is nothing, or several subgroups of enough answers together."""
        hidden = [self._sizes[cell] for cell in members if cell in self._hidden]
        return not hidden or (len(hidden) > 1 and sum(hidden) >= self._minimum)


def _sizes_within(cube: Cube, months: Iterable[date]) -> dict[Cell, int]:
    sizes: Counter[Cell] = Counter()
    for month in months:
        sizes.update(cube.sizes[month])
    return {cell: size for cell, size in sizes.items() if size and cell != EVERYBODY}


def _tables(cells: Iterable[Cell]) -> list[list[Cell]]:
    """Subgroups by the selectors they name, coarse tables first, in a fixed order."""
    tables: dict[tuple[str, ...], list[Cell]] = defaultdict(list)
    for cell in sorted(cells, key=sorted):
        tables[tuple(sorted(selector for selector, _value in cell))].append(cell)
    return [tables[names] for names in sorted(tables, key=lambda names: (len(names), names))]


def _lines(table: Sequence[Cell]) -> dict[Line, list[Cell]]:
    lines: dict[Line, list[Cell]] = defaultdict(list)
    for cell in table:
        for pair in sorted(cell):
            lines[cell - {pair}, pair[0]].append(cell)
    return lines


def fitting_months(cubes: Sequence[Cube], minimum: int, months: Period) -> Period:
    """The part of `months` in which the most can be shown.

    A period that cuts the bucket of one small subgroup hides it, and a larger sibling with it.
    Giving up a month or two at either end, at most a quarter of the period, often shows both.
    """
    if sum(len(cube.totals) for cube in cubes) > FITTED_CELLS:
        return months
    best, most = months, -1
    for candidate in shortened(months):
        published = [Publication(cube, minimum, candidate) for cube in cubes]
        shown = sum(publication.answers_shown for publication in published)
        if shown > most:
            best, most = candidate, shown
        if candidate == months and all(publication.hides_nothing for publication in published):
            break
    return best


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a series: its period, and its counts or None where they are hidden."""

    period: Period
    counts: Distribution | None


def publish_series(
    cube: Cube, cell: Cell, minimum: int, months: Period, interval: Interval = Interval.MONTH
) -> list[Point]:
    """The course of a subgroup that may be shown for `months`, in its own buckets.

    Each point has at least `minimum` answers or is hidden. With quarters, buckets that end in the
    same quarter are one point. Days and weeks are not given for subgroups.
    """
    points = []
    for bucket in _merged(cube.ladder_of(cell, minimum), interval):
        if bucket[0] in months:
            period = Period(bucket[0], month_end(bucket[-1]))
            points.append(Point(period, Publication(cube, minimum, period).figures(cell)))
    return _cover_alone(points)


def _merged(buckets: Sequence[Sequence[date]], interval: Interval) -> list[list[date]]:
    merged: dict[date, list[date]] = defaultdict(list)
    for bucket in buckets:
        merged[interval_start(bucket[-1], interval)] += bucket
    return list(merged.values())


def _cover_alone(points: list[Point]) -> list[Point]:
    """A single hidden point would be the total less the others: hide the smallest of them too."""
    if sum(point.counts is None for point in points) != 1:
        return points
    sizes = [(point.counts.total, at) for at, point in enumerate(points) if point.counts]
    if sizes:
        at = min(sizes)[1]
        points[at] = Point(points[at].period, None)
    return points


@dataclass(frozen=True, slots=True)
class RowScope:
    """Which rows may be listed, and what is shown with them.

    Without `labels` a row shows its day. With labels it shows these and the bucket of months, one
    of `buckets`, that holds it. `is_suppressed` says that nothing may be listed.
    """

    labels: Mapping[str, str]
    buckets: tuple[Period, ...] = ()
    is_suppressed: bool = False


def publish_rows(
    cube: Cube | None, labels: Mapping[str, str], minimum: int, months: Period | None
) -> RowScope:
    """The scope of a list: every day for everybody, visible buckets for a subgroup."""
    if not labels:
        return RowScope(labels)
    cell = frozenset(labels.items())
    if cube is None or months is None or not Publication(cube, minimum, months).shows(cell):
        return RowScope(labels, is_suppressed=True)
    points = publish_series(cube, cell, minimum, months)
    buckets = tuple(point.period for point in points if point.counts)
    return RowScope(labels, buckets, is_suppressed=not buckets)
