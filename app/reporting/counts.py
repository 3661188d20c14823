"""Counts as values: by day for everybody, by month and label for subgroups."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from itertools import combinations

from app.reporting.buckets import Period
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

    @cached_property
    def totals(self) -> Mapping[Cell, Mapping[date, int]]:
        """Answers by month of every subgroup that ever had any, coarse ones included."""
        totals: dict[Cell, Counter[date]] = defaultdict(Counter)
        for (month, values), counts in self.rows.items():
            pairs = list(zip(self.selectors, values, strict=True))
            for size in range(len(pairs) + 1):
                for chosen in combinations(pairs, size):
                    totals[frozenset(chosen)][month] += counts.total
        return totals

    def within(self, cell: Cell, period: Period) -> Distribution:
        """The counts of a subgroup in the months of the period."""
        return add(
            counts
            for (month, values), counts in self.rows.items()
            if month in period and cell <= set(zip(self.selectors, values, strict=True))
        )


def add(parts: Iterable[Distribution]) -> Distribution:
    """All answers of the parts together; none where there are no parts."""
    columns = list(zip(*(part.counts for part in parts), strict=True))
    return Distribution(tuple(map(sum, columns))) if columns else Distribution.empty()
