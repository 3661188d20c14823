"""Counts as values: by day for everybody, by month and label for subgroups."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from itertools import combinations

from app.reporting.buckets import Period, ladder, month_end
from app.responses.models import Standing
from app.scoring import Distribution

Cell = frozenset[tuple[str, str]]
"""A subgroup: pairs of selector and value. The empty one is everybody."""

EVERYBODY: Cell = frozenset()


@dataclass(frozen=True, slots=True)
class DailyTotals:
    """Answers to a survey by day and standing, not split in any way.

    `months` holds those of months past their retention, by first day: no day of theirs is known
    any more, so they count in a period only where it holds the whole month.
    """

    days: Mapping[tuple[date, Standing], Distribution]
    months: Mapping[tuple[date, Standing], Distribution] = field(default_factory=dict)

    def within(self, period: Period, standing: Standing = Standing.COUNTED) -> Distribution:
        """All answers of that standing in the period."""
        return add(counts for _day, counts in self.parts(period, standing))

    def parts(
        self, period: Period, standing: Standing = Standing.COUNTED, by_month: bool = True
    ) -> list[tuple[date, Distribution]]:
        """The answers in the period day by day, those of a whole month on its first day; without
        `by_month` only what is known by day."""
        found = [(day, counts) for (day, of), counts in self.days.items() if of is standing]
        if by_month:
            found += [
                (month, counts)
                for (month, of), counts in self.months.items()
                if of is standing and month_end(month) in period
            ]
        return [(day, counts) for day, counts in found if day in period]

    def is_month_cut(self, period: Period) -> bool:
        """True where the period holds a part only of a month that is not known by day."""
        return any(
            (period.until is None or month <= period.until)
            and (period.since is None or month_end(month) >= period.since)
            and not (month in period and month_end(month) in period)
            for month, _standing in self.months
        )


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
