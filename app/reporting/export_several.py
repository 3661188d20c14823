"""What the page of several surveys shows, as rows: from the very board that the page draws."""

from collections.abc import Iterator, Sequence

from app.reporting.export_figures import FIGURE_COLUMNS
from app.reporting.export_screen import (
    CHANGE_COLUMNS,
    DIFFERENCE_COLUMNS,
    Line,
    as_record,
    compared_values,
    has_answers,
    segment_lines,
    summary_lines,
    trend_lines,
    written_csv,
)
from app.reporting.export_tables import Record
from app.reporting.segment_tables import TableRow
from app.reporting.several import SeveralBoard

VERSUS_COLUMNS = ("versus", "versus_low", "versus_high", "versus_verdict")
COLUMNS = (
    "table", "split_by", "value", "name", "since", "until", "suppressed",
    *FIGURE_COLUMNS, *CHANGE_COLUMNS, *VERSUS_COLUMNS, *DIFFERENCE_COLUMNS, "share",
)  # fmt: skip


def survey_lines(board: SeveralBoard) -> list[Line]:
    """Each survey by itself, the oldest first; `versus` is its difference from those it is held
    against. None where the page says of all that nobody answered."""
    if board.metrics.figures and not has_answers(board):
        return []
    return [_survey(board, row) for row in board.survey_table.rows]


def _survey(board: SeveralBoard, row: TableRow) -> Line:
    more = compared_values("versus", row.difference)
    period = board.metrics.period
    return Line("survey", (), (row.value,), (row.name,), period, row.figures, more)


def several_csv(board: SeveralBoard, filter_words: Sequence[tuple[str, str]]) -> str:
    """One table with a line for each figure; the filter stands in lines of its own, `filter`."""
    return written_csv(COLUMNS, map(_as_record, _all_lines(board)), filter_words)


def _all_lines(board: SeveralBoard) -> Iterator[Line]:
    """Everything, in the order of the page."""
    yield from summary_lines(board)
    yield from survey_lines(board)
    yield from trend_lines(board)
    yield from segment_lines(board)


def _as_record(line: Line) -> Record:
    return {**dict.fromkeys(VERSUS_COLUMNS), **as_record(line), "name": ",".join(line.names)}
