"""Counts as values: by day for everybody, by month and label for subgroups."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import combinations

from app.reporting.buckets import Period, ladder
from app.responses.models import Standing
from app.scoring import Distribution

Cell = frozenset[tuple[str, str]]
"""A subgroup: pairs of selector and value. The empty one is everybody."""

EVERYBODY: Cell = frozenset()


@dataclass(frozen=True, slots=True)
class DailyTotals:
    """Answers to a survey by day and standing, not split in any way."""

    days: Mapping[tuple[date, Standing], Distribution]

    def within(self, period: Period, standing: Standing = Standing.COUNTED) -> Distribution:
        """All answers of that standing in the period."""
        return add(
            counts
            for (day, found), counts in self.days.items()
            if found is standing and day in period
        )

    def range_of(self, period: Period) -> tuple[date, date] | None:
        """The first and last day with counted answers in the period; None without any."""
        days = [
            day
            for (day, standing), counts in self.days.items()
            if standing is Standing.COUNTED and counts.total and day in period
        ]
        return (min(days), max(days)) if days else None


@dataclass(frozen=True)
class Cube:
    """Counted answers by month and by the value of each of `selectors`.

    `rows` maps (first day of the month, one value per selector) to counts; months that are still
    open are not in it.
    """

    selectors: tuple[str, ...]
    rows: Mapping[tuple[date, tuple[str, ...]], Distribution]
    _ladders: dict[tuple[Cell, int], tuple[tuple[date, ...], ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @cached_property
    def totals(self) -> Mapping[Cell, Mapping[date, int]]:
        """Answers by month of every subgroup that ever had any, coarse ones included."""
        totals: dict[Cell, Mapping[date, int]] = {}
        sizes = [(month, values, counts.total) for (month, values), counts in self.rows.items()]
        for width in range(len(self.selectors) + 1):
            for places in combinations(range(len(self.selectors)), width):
                names = [self.selectors[at] for at in places]
                table: dict[tuple[str, ...], Counter[date]] = defaultdict(Counter)
                for month, values, size in sizes:
                    table[tuple([values[at] for at in places])][month] += size
                for chosen, months in table.items():
                    totals[frozenset(zip(names, chosen, strict=True))] = months
        return totals

    @cached_property
    def sizes(self) -> Mapping[date, Mapping[Cell, int]]:
        """The same, month by month."""
        sizes: dict[date, dict[Cell, int]] = defaultdict(dict)
        for cell, months in self.totals.items():
            for month, size in months.items():
                sizes[month][cell] = size
        return sizes

    def ladder_of(self, cell: Cell, minimum: int) -> tuple[tuple[date, ...], ...]:
        """The buckets of months of a subgroup, see `buckets.ladder`."""
        key = cell, minimum
        if key not in self._ladders:
            self._ladders[key] = ladder(self.totals.get(cell, {}), minimum)
        return self._ladders[key]

    def within(self, cell: Cell, period: Period) -> Distribution:
        """The counts of a subgroup in the months of the period."""
        wanted = [(self.selectors.index(selector), value) for selector, value in cell]
        return add(
            counts
            for (month, values), counts in self.rows.items()
            if all(values[at] == value for at, value in wanted) and month in period
        )


def add(parts: Iterable[Distribution]) -> Distribution:
    """All answers of the parts together; none where there are no parts."""
    columns = list(zip(*(part.counts for part in parts), strict=True))
    return Distribution(tuple(map(sum, columns))) if columns else Distribution.empty()
