"""The figures of a dashboard as rows: what is on the screen, and nothing else.

They come from the very `Dashboard` that the page draws, so that a file can neither differ from the
page nor show what the page hides.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from app.reporting.buckets import Period
from app.reporting.dashboard import Dashboard
from app.reporting.export_figures import FIGURE_COLUMNS, figure_values
from app.reporting.export_tables import Record, Value, csv_cell
from app.reporting.exporting import BYTE_ORDER_MARK, csv_lines
from app.reporting.filters import SEGMENT_PREFIX
from app.reporting.metrics import Figures
from app.reporting.theme_counts import TracedTheme
from app.scoring import Comparison

CHANGE_COLUMNS = ("change", "change_low", "change_high", "verdict")
SHARE_COLUMNS = ("comments", "share", "share_low", "share_high")
COLUMNS = (
    "table", "split_by", "value", "since", "until", "suppressed",
    *FIGURE_COLUMNS, *CHANGE_COLUMNS, *SHARE_COLUMNS,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One line of figures, None where they are hidden; `name` is `value` as readers know it.

    `share` is what stands under `SHARE_COLUMNS`: a number of comments, and in per cent what share
    of all that is, with the ends of its interval.
    """

    table: str
    selector: str = ""
    value: str = ""
    name: str = ""
    period: Period | None = None
    figures: Figures | None = None
    change: Comparison | None = None
    share: tuple[Value, ...] = (None,) * len(SHARE_COLUMNS)

    @property
    def is_hidden(self) -> bool:
        return self.figures is None


def summary_lines(board: Dashboard) -> list[Line]:
    """The headline, and what it is compared with, if anything."""
    metrics = board.metrics
    now = Line("summary", period=metrics.period, figures=metrics.figures, change=metrics.change)
    if metrics.compared is None or metrics.change is None:
        return [now]
    return [now, Line("compared", period=metrics.compared, figures=metrics.before)]


def _has_answers(board: Dashboard) -> bool:
    """Whether the page shows figures, and not why there are none."""
    return board.metrics.figures is not None and board.metrics.figures.counts.total > 0


def trend_lines(board: Dashboard) -> list[Line]:
    """The points of the trend, the oldest first."""
    shown = len(board.trend.points) if _has_answers(board) else 0
    points = board.metrics.series[-shown:] if shown else ()
    return [Line("trend", period=point.period, figures=point.figures) for point in points]


def segment_lines(board: Dashboard) -> list[Line]:
    """The rows of the segment tables."""
    if not _has_answers(board):
        return []
    return [
        Line(
            "segment",
            table.selector,
            row.value,
            row.name,
            board.metrics.groups_period,
            row.figures,
            row.change,
        )
        for table in board.tables
        for row in table.rows
    ]


def theme_lines(board: Dashboard) -> list[Line]:
    """The themes; their answers are the comments that mention them."""
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
    return Line(
        f"theme_{kind}",
        value=theme.label,
        name=theme.label,
        period=period,
        figures=Figures(theme.nps.counts),
        share=(theme.comments, 100 * share.value, 100 * share.low, 100 * share.high),
    )


def all_lines(board: Dashboard) -> Iterator[Line]:
    """Everything, in the order of the page."""
    yield from summary_lines(board)
    yield from trend_lines(board)
    yield from segment_lines(board)
    yield from theme_lines(board)


def as_record(line: Line) -> Record:
    """The line under `COLUMNS`."""
    return {
        "table": line.table,
        "split_by": line.selector.removeprefix(SEGMENT_PREFIX),
        "value": line.value,
        "since": _day(line.period.since if line.period else None),
        "until": _day(line.period.until if line.period else None),
        "suppressed": line.is_hidden,
        **figure_values(line.figures),
        **dict(zip(CHANGE_COLUMNS, change_values(line.change), strict=True)),
        **dict(zip(SHARE_COLUMNS, line.share, strict=True)),
    }


def change_values(change: Comparison | None) -> tuple[Value, ...]:
    """What stands under `CHANGE_COLUMNS`: points, and the verdict as the API names it."""
    if change is None:
        return (None,) * len(CHANGE_COLUMNS)
    low, high = change.interval.low, change.interval.high
    return (change.difference, low, high, change.verdict.value)


def screen_csv(board: Dashboard, filter_words: Sequence[tuple[str, str]]) -> str:
    """One table with a line for each figure; the filter stands in lines of its own, `filter`."""
    rows: list[list[str | float]] = [list(COLUMNS)]
    blanks = [""] * (len(COLUMNS) - 3)
    rows += [["filter", name, value, *blanks] for name, value in filter_words]
    for line in all_lines(board):
        record = as_record(line)
        rows.append([csv_cell(record[column]) for column in COLUMNS])
    return BYTE_ORDER_MARK + csv_lines(rows)


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
