"""The table of two dimensions together: a figure for each combination that is published."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.reporting.labels import name_of_selector, name_of_value
from app.reporting.metrics import Figures, Metrics
from app.reporting.segment_tables import part_of_months, reach
from app.surveys.schemas import RESERVED_VALUES, Questionnaire

STEPS = 4  # of colour in each direction from 0
POINTS_A_STEP = 20


@dataclass(frozen=True, slots=True)
class PairCell:
    """A combination; `figures` is None where it is hidden or nobody has it.

    `step` is a colour from -4 to 4 that goes with the NPS, `months` as in a segment table, `href`
    leads to the answers.
    """

    value: str
    name: str
    figures: Figures | None
    months: str
    step: int
    href: str


@dataclass(frozen=True, slots=True)
class PairRow:
    value: str
    name: str
    cells: tuple[PairCell, ...]


@dataclass(frozen=True, slots=True)
class PairTable:
    """The first selector's values are rows, the second's columns."""

    selectors: tuple[str, str]
    names: tuple[str, str]
    columns: tuple[str, ...]
    rows: tuple[PairRow, ...]

    @property
    def _cells(self) -> list[PairCell]:
        return [cell for row in self.rows for cell in row.cells]

    @property
    def is_any_shown(self) -> bool:
        return any(cell.figures for cell in self._cells)

    @property
    def is_any_hidden(self) -> bool:
        return any(cell.figures is None for cell in self._cells)

    @property
    def is_any_partial(self) -> bool:
        return any(cell.months for cell in self._cells)


def pair_table(questionnaire: Questionnaire, metrics: Metrics, list_href: str) -> PairTable | None:
    """The pair that the filter asks for; None without one, or where it is about a subgroup."""
    cross, pair = metrics.cross, metrics.filter.pair
    if cross is None or metrics.groups_period is None:
        return None
    first, second = pair
    rows = _told(
        cross.rows, [[cross.cells[row, col] for col in cross.columns] for row in cross.rows]
    )
    columns = _told(
        cross.columns, [[cross.cells[row, col] for row in cross.rows] for col in cross.columns]
    )
    most = max(map(reach, cross.cells.values()), default=0)
    months = metrics.groups_period
    narrowed = replace(metrics.filter.for_lists(), since=months.since, until=months.until)

    def cell(row: str, column: str) -> PairCell:
        figures = cross.cells[row, column]
        return PairCell(
            value=column,
            name=name_of_value(questionnaire, second, column),
            figures=figures,
            months=part_of_months(reach(figures), most),
            step=_step(figures),
            href=narrowed.with_label(first, row).with_label(second, column).link_to(list_href),
        )

    return PairTable(
        selectors=(first, second),
        names=(name_of_selector(questionnaire, first), name_of_selector(questionnaire, second)),
        columns=tuple(name_of_value(questionnaire, second, column) for column in columns),
        rows=tuple(
            PairRow(
                row,
                name_of_value(questionnaire, first, row),
                tuple(cell(row, column) for column in columns),
            )
            for row in rows
        ),
    )


def _told(values: Sequence[str], lines: Sequence[Sequence[Figures | None]]) -> list[str]:
    """Declared values always; others only where something of them is shown."""
    return [
        value
        for value, line in zip(values, lines, strict=True)
        if value not in RESERVED_VALUES or any(line)
    ]


def _step(figures: Figures | None) -> int:
    nps = figures.nps if figures else None
    return max(-STEPS, min(STEPS, round(nps.value / POINTS_A_STEP))) if nps else 0
