"""The JSON shape of the combinations of two selectors."""

from pydantic import Field

from app.reporting.figure_shapes import FiguresOut, HiddenOut, figures_out
from app.reporting.metrics import Cross, Figures

KEYS = Field(description="The values, in the order of `pair`", examples=[["pro", "east"]])


class CellOut(FiguresOut):
    """The figures of one combination of values."""

    keys: list[str] = KEYS
    suppressed: bool = Field(False, examples=[False])


class HiddenCellOut(HiddenOut):
    """A combination that is hidden to protect respondents, or that nobody has."""

    keys: list[str] = KEYS


def cells_out(cross: Cross) -> list[CellOut | HiddenCellOut]:
    """Every combination, row by row."""
    return [
        _cell_out([row, column], cross.cells[row, column])
        for row in cross.rows
        for column in cross.columns
    ]


def _cell_out(keys: list[str], figures: Figures | None) -> CellOut | HiddenCellOut:
    if figures is None:
        return HiddenCellOut(keys=keys, suppressed=True)
    return CellOut(keys=keys, suppressed=False, **figures_out(figures).model_dump())
