"""The figures of a dashboard as a workbook: numbers as numbers, days as days, text as text."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from tempfile import TemporaryFile
from typing import IO

from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from app.foundation.translation import gettext, mark
from app.reporting.dashboard import Dashboard
from app.reporting.export_figures import FIGURE_COLUMNS, figure_values
from app.reporting.export_screen import (
    CHANGE_COLUMNS,
    DIFFERENCE_COLUMNS,
    MARK_COLUMNS,
    MOVED_COLUMNS,
    SHARE_COLUMNS,
    FilterValues,
    Line,
    mark_lines,
    moved_lines,
    pair_lines,
    segment_lines,
    summary_lines,
    theme_lines,
    trend_lines,
)
from app.reporting.export_several import VERSUS_COLUMNS, survey_lines
from app.reporting.export_tables import Value
from app.reporting.exporting import harmless
from app.reporting.labels import CATEGORY_NAMES, name_of_months, name_of_selector, name_of_value
from app.reporting.listing import ListedResponse
from app.reporting.several import SeveralBoard
from app.surveys.schemas import Questionnaire

XLSX_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
# Rows are written one after the other and not kept; nothing that looks like a formula, a number or
# an address is made into one.
OPTIONS = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_numbers": False,
    "strings_to_urls": False,
}
POINTS, WHOLE, SHARE, DAY = '+0.0;"\u2212"0.0;0', "#,##0", '0.0"%"', "yyyy-mm-dd"
FORMATS = {
    **dict.fromkeys(("nps", "nps_low", "nps_high"), POINTS),
    **dict.fromkeys((*CHANGE_COLUMNS, *DIFFERENCE_COLUMNS, *VERSUS_COLUMNS), POINTS),
    **dict.fromkeys(MOVED_COLUMNS[1:], POINTS),
    **dict.fromkeys(SHARE_COLUMNS[1:], SHARE),
}
HEADS = {
    "response_count": mark("Answers"),
    "nps": mark("NPS"),
    "nps_low": mark("Interval from"),
    "nps_high": mark("Interval to"),
    "promoter_count": mark("Promoters"),
    "passive_count": mark("Passives"),
    "detractor_count": mark("Detractors"),
    "change": mark("Change"),
    "change_low": mark("Change from"),
    "change_high": mark("Change to"),
    "change_verdict": mark("Change in words"),
    "difference": mark("Against the others"),
    "difference_low": mark("Against the others from"),
    "difference_high": mark("Against the others to"),
    "difference_verdict": mark("Against the others in words"),
    "versus": mark("Difference"),
    "versus_low": mark("Difference from"),
    "versus_high": mark("Difference to"),
    "versus_verdict": mark("Difference in words"),
    "comments": mark("Comments"),
    "share": mark("Share"),
    "share_low": mark("Share from"),
    "share_high": mark("Share to"),
    "before_count": mark("Answers before"),
    "moved": mark("Moved the score by"),
    "moved_by_mix": mark("by who answered"),
    "moved_by_rate": mark("by how they scored"),
}
VERDICTS = {
    "clearly_higher": mark("clearly higher"),
    "clearly_lower": mark("clearly lower"),
    "no_clear_change": mark("no clear change"),
}
KINDS = {"event": mark("Event"), "action": mark("Improvement action")}
DEFINITIONS = (
    (
        mark("NPS"),
        mark("Share of promoters less share of detractors, from −100 to 100. Nothing is rounded."),
    ),
    (mark("Promoters"), mark("Scores 9 and 10")),
    (mark("Passives"), mark("Scores 7 and 8; they count in the total only")),
    (mark("Detractors"), mark("Scores 0 to 6")),
    (
        mark("Interval"),
        mark(
            "Adjusted Wald interval of 95 per cent, in points: where the score of all customers "
            "probably lies, if those who answered were picked by chance."
        ),
    ),
    (
        mark("Change in words"),
        mark("Called higher or lower only where chance hardly explains the difference."),
    ),
    (
        mark("Segments"),
        mark(
            "Whole months that are over, and at least as many answers as the group minimum. "
            "Hidden rows carry no numbers, to protect respondents."
        ),
    ),
)
TITLES = {
    "about": mark("About"),
    "summary": mark("Summary"),
    "surveys": mark("Surveys"),
    "scores": mark("Scores"),
    "trend": mark("Trend"),
    "marks": mark("Events and actions"),
    "moved": mark("What moved the score"),
    "segments": mark("Segments"),
    "pair": mark("Two dimensions together"),
    "themes": mark("Themes"),
    "comments": mark("Comments"),
}
THEMES = {
    "theme_promoters": mark("Promoters"),
    "theme_detractors": mark("Detractors"),
    "theme_new": mark("New"),
}


@dataclass(frozen=True, slots=True)
class Screen:
    """What is to be written: a dashboard, what was asked for, and comments where allowed; of
    several surveys, what they have in common."""

    questionnaire: Questionnaire
    board: Dashboard | SeveralBoard
    asked: FilterValues
    comments: Sequence[ListedResponse] = ()


def write_workbook(screen: Screen) -> IO[bytes]:
    """The workbook, on the disk and without a name there, from its beginning on. Blocks."""
    file = TemporaryFile()  # noqa: SIM115 (whoever sends it closes it)
    try:
        with Workbook(file, OPTIONS) as book:
            _Writer(book, screen).write()
        file.seek(0)
    except BaseException as error:
        file.close()
        if isinstance(error, FileCreateError):
            raise error.args[0] from None  # what the disk said
        raise
    return file


@dataclass(frozen=True, slots=True)
class _Table:
    """A sheet of figures: what stands before them, the lines, and columns that follow."""

    title: str
    heads: tuple[str, ...]
    names: Callable[[Line], tuple[str, ...]]
    lines: Sequence[Line]
    more: tuple[str, ...] = ()

    def columns(self) -> tuple[str, ...]:
        return (*FIGURE_COLUMNS, *self.more)


class _Writer:
    """Writes the sheets in order; each is written from top to bottom."""

    def __init__(self, book: Workbook, screen: Screen) -> None:
        self.book, self.screen = book, screen
        self.head = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        self.text = book.add_format({"text_wrap": True, "valign": "top"})
        self.day = book.add_format({"num_format": DAY, "align": "left"})
        kinds = {WHOLE, *FORMATS.values()}
        self.points = book.add_format({"num_format": POINTS, "align": "left"})
        self.numbers = {kind: book.add_format({"num_format": kind}) for kind in kinds}

    def write(self) -> None:
        self._about()
        board = self.screen.board
        self._figures(_Table("summary", ("",), _when, summary_lines(board), CHANGE_COLUMNS))
        if isinstance(board, SeveralBoard):
            surveys = survey_lines(board)
            of_survey = (gettext("Survey"),)
            self._figures(_Table("surveys", of_survey, _names, surveys, VERSUS_COLUMNS))
        self._scores()
        self._figures(_Table("trend", (), _nothing, trend_lines(board)))
        if isinstance(board, SeveralBoard):
            self._segments(segment_lines(board))
        else:
            self._rest(board)

    def _rest(self, board: Dashboard) -> None:
        """What only the dashboard of one survey has, in the order of the page."""
        self._marks(mark_lines(board))
        if moved := moved_lines(board):
            self._figures(_Table("moved", self._of_segment(), self._which, moved, MOVED_COLUMNS))
        self._segments(segment_lines(board))
        if board.pair is not None:
            self._figures(_Table("pair", board.pair.names, _names, pair_lines(board)))
        heads = (gettext("Said by"), gettext("Theme"))
        self._figures(_Table("themes", heads, _theme, theme_lines(board), SHARE_COLUMNS))
        self._comments(board)

    def _segments(self, lines: Sequence[Line]) -> None:
        more = (*CHANGE_COLUMNS, *DIFFERENCE_COLUMNS, "share")
        self._figures(_Table("segments", self._of_segment(), self._which, lines, more))

    def _of_segment(self) -> tuple[str, str]:
        return gettext("Segment dimension"), gettext("Value")

    def _sheet(self, title: str, heads: Sequence[str], widths: Sequence[int]) -> Worksheet:
        sheet = self.book.add_worksheet(gettext(TITLES[title]))
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        self._texts(sheet, 0, heads, self.head)
        if heads:
            sheet.freeze_panes(1, 0)
        return sheet

    def _texts(self, sheet: Worksheet, row: int, texts: Iterable[str], looks: Format) -> None:
        for column, text in enumerate(texts):
            sheet.write_string(row, column, str(harmless(text)), looks)

    def _about(self) -> None:
        sheet = self._sheet("about", (), (28, 90))
        minimum = str(self.screen.questionnaire.min_group_size)
        meanings = [(gettext(name), gettext(meaning)) for name, meaning in DEFINITIONS]
        known = [*self.screen.asked, (gettext("Group minimum"), minimum), *meanings]
        for row, (name, value) in enumerate(known):
            self._texts(sheet, row, (name,), self.head)
            if isinstance(value, str):
                sheet.write_string(row, 1, str(harmless(value)), self.text)
            else:
                sheet.write_number(row, 1, value, self.points)

    def _figures(self, table: _Table) -> None:
        days = (gettext("From"), gettext("To"))
        heads = (*table.heads, *days, *map(_head, table.columns()))
        sheet = self._sheet(table.title, heads, [22] * len(table.heads) + [12, 12])
        for row, line in enumerate(table.lines, 1):
            names = table.names(line)
            self._texts(sheet, row, names, self.text)
            self._days(sheet, row, len(names), line)
            if line.is_hidden:
                hidden = gettext("Hidden to protect respondents")
                sheet.write_string(row, len(names) + 2, hidden, self.text)
            else:
                self._numbers(sheet, row, len(names) + 2, table.columns(), line)

    def _days(self, sheet: Worksheet, row: int, column: int, line: Line) -> None:
        period = line.period
        for at, day in enumerate((period.since, period.until) if period else ()):
            if day is not None:
                sheet.write_datetime(row, column + at, day, self.day)

    def _numbers(
        self, sheet: Worksheet, row: int, first: int, columns: Sequence[str], line: Line
    ) -> None:
        values: dict[str, Value] = {**figure_values(line.figures), **line.more}
        for at, name in enumerate(columns, first):
            value = values.get(name)
            if isinstance(value, str):
                sheet.write_string(row, at, gettext(VERDICTS[value]), self.text)
            elif value is not None:
                sheet.write_number(row, at, value, self.numbers[FORMATS.get(name, WHOLE)])

    def _scores(self) -> None:
        heads = (gettext("Score"), gettext("Answers"), gettext("Share"))
        sheet = self._sheet("scores", heads, (10, 12, 12))
        figures = self.screen.board.metrics.figures
        scores = figures.scores if figures else None
        total = sum(scores or ())
        for score, count in enumerate(scores or ()):
            sheet.write_number(score + 1, 0, score)
            sheet.write_number(score + 1, 1, count, self.numbers[WHOLE])
            if total:
                sheet.write_number(score + 1, 2, 100 * count / total, self.numbers[SHARE])

    def _marks(self, lines: Sequence[Line]) -> None:
        if not lines:
            return
        heads = (gettext("Number"), gettext("Kind"), gettext("Date"), gettext("Title"))
        sheet = self._sheet("marks", heads, (10, 12, 12, 60))
        for row, line in enumerate(lines, 1):
            number, kind, day, title = (line.more[name] for name in MARK_COLUMNS)
            sheet.write_number(row, 0, number)
            sheet.write_datetime(row, 2, date.fromisoformat(str(day)), self.day)
            for column, text in ((1, gettext(KINDS[str(kind)])), (3, str(title))):
                sheet.write_string(row, column, str(harmless(text)), self.text)

    def _comments(self, board: Dashboard) -> None:
        labels = list(board.listed.labels)
        survey = self.screen.questionnaire
        names = [name_of_selector(survey, selector) for selector in labels]
        when = gettext("Months") if labels else gettext("Day")
        heads = (when, gettext("Score"), gettext("Group"), gettext("Comment"), *names)
        sheet = self._sheet("comments", heads, (16, 8, 18, 90, *[18] * len(labels)))
        for row, answer in enumerate(self.screen.comments, 1):
            self._comment(sheet, row, answer)

    def _comment(self, sheet: Worksheet, row: int, answer: ListedResponse) -> None:
        if answer.answered_on is not None:
            sheet.write_datetime(row, 0, answer.answered_on, self.day)
        elif answer.months is not None:
            sheet.write_string(row, 0, name_of_months(answer.months), self.text)
        if answer.score is not None:
            sheet.write_number(row, 1, answer.score)
        values = [
            name_of_value(self.screen.questionnaire, name, value)
            for name, value in answer.labels.items()
        ]
        texts = (gettext(CATEGORY_NAMES[answer.category]), answer.comment or "", *values)
        for at, text in enumerate(texts, 2):
            sheet.write_string(row, at, str(harmless(text)), self.text)

    def _which(self, line: Line) -> tuple[str, ...]:
        survey = self.screen.questionnaire
        return (name_of_selector(survey, line.selectors[0]), *line.names)


def _head(column: str) -> str:
    if column.startswith("score_"):
        return gettext("Score %(score)s") % {"score": column.removeprefix("score_")}
    return gettext(HEADS[column])


def _nothing(_line: Line) -> tuple[str, ...]:
    return ()


def _names(line: Line) -> tuple[str, ...]:
    return line.names


def _when(line: Line) -> tuple[str, ...]:
    return (gettext("Compared with") if line.table == "compared" else gettext("This period"),)


def _theme(line: Line) -> tuple[str, ...]:
    return (gettext(THEMES[line.table]), *line.names)
