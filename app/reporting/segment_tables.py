"""The segment tables of the dashboard: the values of each dimension side by side."""

from dataclasses import dataclass, replace

from app.foundation.translation import gettext
from app.reporting.buckets import number_of_months
from app.reporting.filters import SEGMENT_PREFIX
from app.reporting.labels import name_of_selector, name_of_value
from app.reporting.metrics import Figures, Group, Metrics
from app.scoring import Comparison
from app.surveys.schemas import RESERVED_VALUES, Questionnaire


@dataclass(frozen=True, slots=True)
class TableRow:
    """A value of a split in the segment table; `figures` is None where it is hidden.

    `months` says of how many months they are where other values have more.
    """

    name: str
    months: str
    figures: Figures | None
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


def segment_tables(
    questionnaire: Questionnaire, metrics: Metrics, list_href: str
) -> list[SegmentTable]:
    """A table for each dimension of the split; `list_href` is the address of the answers."""
    tables: list[SegmentTable] = []
    if metrics.groups_period is None:
        return tables
    for selector, found in metrics.groups.items():
        # Whether anybody fell outside of the declared values is not told where it is hidden.
        groups = [group for group in found if group.figures or group.value not in RESERVED_VALUES]
        most = max(map(_reach, groups), default=0)
        rows = [_row(questionnaire, metrics, selector, group, list_href, most) for group in groups]
        # Somebody who is asked in one language through one link learns nothing from a table of it.
        if selector.startswith(SEGMENT_PREFIX) or len(rows) > 1:
            name = name_of_selector(questionnaire, selector)
            tables.append(SegmentTable(selector, name, tuple(rows)))
    return tables


def _reach(group: Group) -> int:
    """How many months a group's figures are of."""
    runs = group.figures.covered if group.figures else None
    return sum(number_of_months(run) for run in runs or ())


def _row(
    questionnaire: Questionnaire,
    metrics: Metrics,
    selector: str,
    group: Group,
    list_href: str,
    most: int,
) -> TableRow:
    narrowed = metrics.filter.for_lists()
    if metrics.groups_period is not None:
        months = metrics.groups_period
        narrowed = replace(narrowed, since=months.since, until=months.until)
    return TableRow(
        name=name_of_value(questionnaire, selector, group.value),
        months=_part_of_months(_reach(group), most),
        figures=group.figures,
        change=group.change,
        href=narrowed.with_label(selector, group.value).link_to(list_href),
    )


def _part_of_months(reach: int, most: int) -> str:
    if not 0 < reach < most:
        return ""
    return gettext("%(count)s of %(all)s months") % {"count": reach, "all": most}
