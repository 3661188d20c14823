"""The segment tables of the dashboard: the values of each dimension side by side."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from app.foundation.translation import gettext
from app.reporting.buckets import number_of_months
from app.reporting.contrasts import Contrast, contrasts
from app.reporting.filters import SEGMENT_PREFIX
from app.reporting.labels import name_of_selector, name_of_value
from app.reporting.metrics import Figures, Group, Metrics
from app.scoring import Comparison, Verdict
from app.surveys.schemas import RESERVED_VALUES, Questionnaire


class Sort(StrEnum):
    """The order of the rows of a segment table; those with a minus run from high to low."""

    NAME = "name"
    NAME_DOWN = "-name"
    ANSWERS = "n"
    ANSWERS_DOWN = "-n"
    NPS = "nps"
    NPS_DOWN = "-nps"
    DIFFERENCE = "difference"
    DIFFERENCE_DOWN = "-difference"
    CHANGE = "change"
    CHANGE_DOWN = "-change"

    @property
    def is_down(self) -> bool:
        return self.value.startswith("-")

    @property
    def column(self) -> str:
        return self.value.removeprefix("-")


@dataclass(frozen=True, slots=True)
class TableRow:
    """A value of a split, by its key, in the segment table; `figures` is None where it is hidden.

    `percent` is its share of the answers shown, `difference` that from the other values shown,
    `change` that since before, both with p-values corrected for the number of rows. `months` says
    of how many months the figures are where other values have more. `href` leads to the answers.
    """

    value: str
    name: str
    months: str
    figures: Figures | None
    percent: float | None
    difference: Comparison | None
    change: Comparison | None
    href: str


@dataclass(frozen=True, slots=True)
class SegmentTable:
    """The values of one dimension side by side."""

    selector: str
    name: str
    rows: tuple[TableRow, ...]

    @property
    def is_any_hidden(self) -> bool:
        return any(row.figures is None for row in self.rows)

    @property
    def is_any_partial(self) -> bool:
        return any(row.months for row in self.rows)

    @property
    def shown(self) -> int:
        """How many rows have figures."""
        return sum(row.figures is not None for row in self.rows)

    @property
    def clearly_higher(self) -> tuple[str, ...]:
        """The names of those that score clearly higher than the others shown."""
        return self._told(Verdict.CLEARLY_HIGHER)

    @property
    def clearly_lower(self) -> tuple[str, ...]:
        return self._told(Verdict.CLEARLY_LOWER)

    def _told(self, verdict: Verdict) -> tuple[str, ...]:
        return tuple(
            row.name for row in self.rows if row.difference and row.difference.verdict is verdict
        )


def segment_tables(
    questionnaire: Questionnaire, metrics: Metrics, list_href: str, sort: Sort | None = None
) -> list[SegmentTable]:
    """A table for each dimension of the split; `list_href` is the address of the answers.

    Without `sort` the values are in the order of their declaration.
    """
    if metrics.groups_period is None:
        return []
    tables: list[SegmentTable] = []
    for selector, found in metrics.groups.items():
        rows = _rows(questionnaire, metrics, selector, told_groups(found), list_href)
        # Somebody who is asked in one language through one link learns nothing from a table of it.
        if selector.startswith(SEGMENT_PREFIX) or len(rows) > 1:
            name = name_of_selector(questionnaire, selector)
            tables.append(SegmentTable(selector, name, tuple(_sorted(rows, sort))))
    return tables


def told_groups(groups: Iterable[Group]) -> list[Group]:
    """Without what is hidden of the values that nobody declares: whether anybody fell outside of
    the declared ones is not told."""
    return [group for group in groups if group.figures or group.value not in RESERVED_VALUES]


def _rows(
    questionnaire: Questionnaire,
    metrics: Metrics,
    selector: str,
    groups: Sequence[Group],
    list_href: str,
) -> list[TableRow]:
    narrowed = metrics.filter.for_lists()
    if metrics.groups_period is not None:
        months = metrics.groups_period
        narrowed = replace(narrowed, since=months.since, until=months.until)
    most = max((reach(group.figures) for group in groups), default=0)

    def row(group: Group, contrast: Contrast) -> TableRow:
        return TableRow(
            value=group.value,
            name=name_of_value(questionnaire, selector, group.value),
            months=part_of_months(reach(group.figures), most),
            figures=group.figures,
            percent=contrast.percent,
            difference=contrast.difference,
            change=group.change,
            href=narrowed.with_label(selector, group.value).link_to(list_href),
        )

    return list(map(row, groups, contrasts(groups)))


def reach(figures: Figures | None) -> int:
    """How many months a subgroup's figures are of."""
    runs = figures.covered if figures else None
    return sum(number_of_months(run) for run in runs or ())


def part_of_months(count: int, most: int) -> str:
    """Of how many months a figure is, where others have more; otherwise nothing."""
    if not 0 < count < most:
        return ""
    return gettext("%(count)s of %(all)s months") % {"count": count, "all": most}


_KEYS: dict[str, Callable[[TableRow], str | float | None]] = {
    Sort.NAME: lambda row: row.name.casefold(),
    Sort.ANSWERS: lambda row: row.figures.counts.total if row.figures else None,
    Sort.NPS: lambda row: row.figures.nps.value if row.figures and row.figures.nps else None,
    Sort.DIFFERENCE: lambda row: row.difference.difference if row.difference else None,
    Sort.CHANGE: lambda row: row.change.difference if row.change else None,
}


def _sorted(rows: Sequence[TableRow], sort: Sort | None) -> list[TableRow]:
    """Hidden rows stand last, and before them those without what is sorted by."""
    if sort is None:
        return list(rows)
    key = _KEYS[sort.column]
    known = [row for row in rows if row.figures and key(row) is not None]
    known.sort(key=key, reverse=sort.is_down)  # type: ignore[arg-type]
    unknown = [row for row in rows if row.figures and key(row) is None]
    return [*known, *unknown, *(row for row in rows if row.figures is None)]
