"""The figures of a dashboard as rows: what is on the screen, and nothing else.

They come from the very `Dashboard` that the page draws, so that a file can neither differ from the
page nor show what the page hides.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from app.reporting.buckets import Period
from app.reporting.dashboard import Dashboard
from app.reporting.export_figures import FIGURE_COLUMNS, figure_values
from app.reporting.export_tables import Record, Value, csv_cell
from app.reporting.exporting import BYTE_ORDER_MARK, csv_lines
from app.reporting.filters import SEGMENT_PREFIX
from app.reporting.metrics import Figures, Metrics
from app.reporting.movement import Mover
from app.reporting.segment_tables import SegmentTable, TableRow
from app.reporting.theme_counts import TracedTheme
from app.reporting.trend import Marker, Trend
from app.scoring import Comparison

CHANGE_COLUMNS = ("change", "change_low", "change_high", "change_verdict")
DIFFERENCE_COLUMNS = (
    "difference", "difference_low", "difference_high", "difference_verdict",
)  # fmt: skip
SHARE_COLUMNS = ("comments", "share", "share_low", "share_high")
MOVED_COLUMNS = ("before_count", "moved", "moved_by_mix", "moved_by_rate")
MARK_COLUMNS = ("number", "kind", "date", "title")
SPLIT_COLUMNS = ("split_by", "second_split_by")
VALUE_COLUMNS = ("value", "second_value")
# What was asked for by its names; numbers are numbers, as everywhere in a file.
FilterValues = Sequence[tuple[str, str | float]]
COLUMNS = (
    "table", "split_by", "value", "second_split_by", "second_value", "since", "until", "suppressed",
    *FIGURE_COLUMNS, *CHANGE_COLUMNS, *DIFFERENCE_COLUMNS, *SHARE_COLUMNS, *MOVED_COLUMNS,
    *MARK_COLUMNS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of figures, None where they are hidden.

    `selectors` and `values`, at most two of each, say of whom it is, `names` are the values as
    readers know them. `more` is what else is known, by column; without `figures`, all that may be
    told.
    """

    table: str
    selectors: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    period: Period | None = None
    figures: Figures | None = None
    more: Mapping[str, Value] = field(default_factory=dict)

    @property
    def is_hidden(self) -> bool:
        return self.figures is None and not self.more


class Board(Protocol):
    """What the page of one survey and that of several have in common."""

    @property
    def metrics(self) -> Metrics: ...
    @property
    def trend(self) -> Trend: ...
    @property
    def tables(self) -> Sequence[SegmentTable]: ...


def summary_lines(board: Board) -> list[Line]:
    """The headline, and what it is compared with, if anything."""
    metrics = board.metrics
    more = compared_values("change", metrics.change)
    now = Line("summary", period=metrics.period, figures=metrics.figures, more=more)
    if metrics.compared is None or metrics.change is None:
        return [now]
    return [now, Line("compared", period=metrics.compared, figures=metrics.before)]


def has_answers(board: Board) -> bool:
    """Whether the page shows figures, and not why there are none."""
    return board.metrics.figures is not None and board.metrics.figures.counts.total > 0


def trend_lines(board: Board) -> list[Line]:
    """The points of the trend, the oldest first."""
    shown = len(board.trend.points) if has_answers(board) else 0
    points = board.metrics.series[-shown:] if shown else ()
    return [Line("trend", period=point.period, figures=point.figures) for point in points]


def mark_lines(board: Dashboard) -> list[Line]:
    """The numbered events and actions on the trend, the oldest first; `kind` as the API has it."""
    if not has_answers(board) or len(board.trend.points) < 2:
        return []
    return [
        Line("mark", more=dict(zip(MARK_COLUMNS, _mark(marker), strict=True)))
        for marker in board.trend.markers
    ]


def _mark(marker: Marker) -> tuple[Value, ...]:
    event = marker.event
    return marker.number, event.kind.value, event.day.isoformat(), event.title


def segment_lines(board: Board) -> list[Line]:
    """The rows of the segment tables."""
    if not has_answers(board):
        return []
    return [
        Line(
            "segment", (table.selector,), (row.value,), (row.name,),
            board.metrics.groups_period, row.figures,
            _beside(row),
        )
        for table in board.tables
        for row in table.rows
    ]  # fmt: skip


def _beside(row: TableRow) -> dict[str, Value]:
    if row.figures is None:
        return {}
    change = compared_values("change", row.change)
    difference = compared_values("difference", row.difference)
    return {**change, **difference, "share": row.percent}


def pair_lines(board: Dashboard) -> list[Line]:
    """The cells of the table of two dimensions, row by row."""
    if board.pair is None or not has_answers(board):
        return []
    return [
        Line(
            "pair", board.pair.selectors, (row.value, cell.value), (row.name, cell.name),
            board.metrics.groups_period, cell.figures,
        )
        for row in board.pair.rows
        for cell in row.cells
    ]  # fmt: skip


def moved_lines(board: Dashboard) -> list[Line]:
    """Which values moved the score, by every dimension that tells."""
    if not has_answers(board):
        return []
    return [
        _moved(board, moved.selector, name, mover)
        for moved in board.moved
        for name, mover in moved.rows
    ]


def _moved(board: Dashboard, selector: str, name: str, mover: Mover) -> Line:
    more = (mover.before.total, mover.total, mover.mix, mover.rate)
    # A table of its own for all others: whatever they were called might be the key of a value.
    table, values = ("moved_others", ()) if mover.value is None else ("moved", (mover.value,))
    return Line(
        table, (selector,), values, (name,),
        board.metrics.groups_period, None,
        {"response_count": mover.counts.total, **dict(zip(MOVED_COLUMNS, more, strict=True))},
    )  # fmt: skip


def theme_lines(board: Dashboard) -> list[Line]:
    """The themes, each with the score of those who mention it."""
    themes = board.themes
    kinds = (
        ("promoters", themes.promoters, None),
        ("detractors", themes.detractors, None),
        ("new", themes.new, themes.recent),
    )
    return [_theme(kind, found, period) for kind, several, period in kinds for found in several]


def _theme(kind: str, traced: TracedTheme, period: Period | None) -> Line:
    theme = traced.theme
    share = theme.share
    more = (theme.comments, 100 * share.value, 100 * share.low, 100 * share.high)
    interval = theme.interval
    scored = {"nps": theme.nps.value, "nps_low": interval.low, "nps_high": interval.high}
    return Line(
        f"theme_{kind}", (), (theme.label,), (theme.label,), period, None,
        {**scored, **dict(zip(SHARE_COLUMNS, more, strict=True))},
    )  # fmt: skip


def all_lines(board: Dashboard) -> Iterator[Line]:
    """Everything, in the order of the page."""
    yield from summary_lines(board)
    yield from trend_lines(board)
    yield from mark_lines(board)
    yield from moved_lines(board)
    yield from segment_lines(board)
    yield from pair_lines(board)
    yield from theme_lines(board)


def as_record(line: Line) -> Record:
    """The line under `COLUMNS`."""
    return {
        **dict.fromkeys(COLUMNS),
        "table": line.table,
        **dict(zip(SPLIT_COLUMNS, (_key(name) for name in line.selectors), strict=False)),
        **dict(zip(VALUE_COLUMNS, line.values, strict=False)),
        "since": _day(line.period.since if line.period else None),
        "until": _day(line.period.until if line.period else None),
        "suppressed": line.is_hidden,
        **figure_values(line.figures),
        **line.more,
    }


def _key(selector: str) -> str:
    return selector.removeprefix(SEGMENT_PREFIX)


def compared_values(name: str, comparison: Comparison | None) -> dict[str, Value]:
    """A comparison in points, with the verdict as the API names it."""
    if comparison is None:
        return {}
    low, high = comparison.interval.low, comparison.interval.high
    return {
        name: comparison.difference,
        f"{name}_low": low,
        f"{name}_high": high,
        f"{name}_verdict": comparison.verdict.value,
    }


def screen_csv(board: Dashboard, asked: FilterValues) -> str:
    """One table with a line for each figure; the filter stands in lines of its own, `filter`."""
    return written_csv(COLUMNS, map(as_record, all_lines(board)), asked)


def written_csv(columns: Sequence[str], records: Iterable[Record], asked: FilterValues) -> str:
    """The records below the filter; the first three columns are `table`, `split_by`, `value`."""
    blanks = [""] * (len(columns) - 3)
    rows: list[list[str | float]] = [list(columns)]
    rows += [["filter", name, value, *blanks] for name, value in asked]
    rows += [[csv_cell(record[column]) for column in columns] for record in records]
    return BYTE_ORDER_MARK + csv_lines(rows)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
