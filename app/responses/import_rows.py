"""What a row of somebody's file says: its score, comment, day and segment values, or what is wrong.

Cells are text, so a score may be written "9" or "9.0" here and nowhere else.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from app.foundation import clock
from app.foundation.errors import Invalid
from app.responses.csv_reading import CsvFile, Row
from app.responses.inputs import EARLIEST_DAY
from app.responses.models import COMMENT_MAX_LENGTH
from app.responses.texts import TextRefused, TooLong, clean_comment
from app.surveys.inputs import ValueInput
from app.surveys.models import MAX_VALUES
from app.surveys.rules import find_value_problems
from app.surveys.schemas import NONE, OTHER, Dimension, Questionnaire

_Meaning = TypeVar("_Meaning")
_SCORE = re.compile(r"\+?([0-9]{1,2})(?:\.0+)?")
_MISSING = frozenset({"", "na", "n/a", "#n/a", "nan", "null"})
_NO_COMMENT = frozenset({"", "NA", "NaN", "NULL", "#N/A"})
# Cells remembered with what they mean: a column of scores, days or values has few that differ.
CELLS_KEPT = 10_000


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """Which columns mean what.

    `segments` maps dimension key to column. `date_formats` (as strptime takes them) are tried in
    order, ISO 8601 where there is none. `answered_on` is the day of rows without a date of their
    own; without a date column it defaults to the workspace's today.
    """

    score_column: str
    comment_column: str | None = None
    date_column: str | None = None
    date_formats: tuple[str, ...] = ()
    segments: Mapping[str, str] = field(default_factory=dict)
    language: str | None = None
    answered_on: date | None = None
    declares_values: bool = False
    skips_bad_rows: bool = False
    is_again: bool = False


class ImportedAnswer(NamedTuple):
    """What a good row says. `values` has one for each of the dimensions `keys`: declared ones,
    `other` for undeclared ones, and the empty text for none."""

    score: int
    comment: str | None
    answered_on: date
    keys: tuple[str, ...]
    values: tuple[str, ...]

    @property
    def labels(self) -> dict[str, str]:
        return {key: value for key, value in zip(self.keys, self.values, strict=True) if value}


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row that cannot be imported: the line it begins in (from 1) and why."""

    line: int
    reason: str


class _Bad(Exception):
    """The reason why a cell cannot be accepted."""


class RowReader:
    """Reads the rows of one file into answers to one survey; raises Invalid for a plan that fits
    neither, and UnreadableFile for columns that are not there.

    With `plan.declares_values` it gathers undeclared values in `declared`, by dimension.
    """

    def __init__(self, questionnaire: Questionnaire, plan: ImportPlan, source: CsvFile) -> None:
        self.language = _language(questionnaire, plan)
        self._zone = ZoneInfo(questionnaire.time_zone)
        self._today = clock.today(questionnaire.time_zone)
        self._default_day = plan.answered_on or (None if plan.date_column else self._today)
        self._formats = _checked_formats(plan)
        self._score = source.find_column(plan.score_column)
        self._comment = _find(source, plan.comment_column)
        self._date = _find(source, plan.date_column)
        self._width = source.width
        self._scores: dict[str, int | None] = {}
        self._days: dict[str, date] = {}
        self._values = [
            _ValueColumn(_dimension(questionnaire, key), source.find_column(column), plan)
            for key, column in plan.segments.items()
        ]
        self._keys = tuple(column.key for column in self._values)
        if self._default_day and not EARLIEST_DAY <= self._default_day <= self._today:
            raise Invalid(
                "The day given with --answered-on must be from %(first)s to today.",
                values={"first": EARLIEST_DAY},
            )

    @property
    def declared(self) -> Mapping[str, Sequence[ValueInput]]:
        """Values met so far that the survey does not declare yet, in the order of the file."""
        return {column.key: column.new_values for column in self._values if column.new_values}

    def read(self, row: Row) -> ImportedAnswer | BadRow | None:
        """The row's answer; None where it has no score."""
        try:
            return self._answer(row)
        except _Bad as bad:
            return BadRow(row.line, str(bad))

    def _answer(self, row: Row) -> ImportedAnswer | None:
        if row.problem:
            raise _Bad(row.problem)
        cells = _fitted(row.cells, self._width)
        score = self._read_score(cells[self._score])
        if score is None:
            return None
        comment = None if self._comment is None else _read_comment(cells[self._comment])
        day = self._read_day("" if self._date is None else cells[self._date])
        # Last, since a value is declared only for an answer that is stored.
        values = tuple([column.read(cells) for column in self._values])
        return ImportedAnswer(score, comment, day, self._keys, values)

    def _read_score(self, cell: str) -> int | None:
        try:
            return self._scores[cell]
        except KeyError:
            return _keep(self._scores, cell, _read_score(cell))

    def _read_day(self, cell: str) -> date:
        try:
            return self._days[cell]
        except KeyError:
            return _keep(self._days, cell, self._find_day(cell))

    def _find_day(self, cell: str) -> date:
        if _is_missing(cell):
            if self._default_day is None:
                raise _Bad("there is no date; --answered-on gives rows without one a day")
            return self._default_day
        day = self._parse_day(cell.strip())
        if day > self._today:
            raise _Bad(f"the date {_shown(cell)} lies in the future")
        if day < EARLIEST_DAY:
            raise _Bad(f"the date {_shown(cell)} was read as {day}; check the date format")
        return day

    def _parse_day(self, text: str) -> date:
        for moment in _moments(text, self._formats):
            return (moment.astimezone(self._zone) if moment.tzinfo else moment).date()
        wanted = " or ".join(self._formats) or "an ISO date such as 2026-04-30"
        raise _Bad(f"the date {_shown(text)} is not {wanted}")


class _ValueColumn:
    """One column of segment values and the dimension it is for."""

    def __init__(self, dimension: Dimension, place: int, plan: ImportPlan) -> None:
        self.key = dimension.key
        self.new_values: list[ValueInput] = []
        self._cells: dict[str, str] = {}
        self._place = place
        self._declares = plan.declares_values
        self._room = MAX_VALUES - len(dimension.values)
        self._keys = {value.key for value in dimension.values}
        # Keys go before labels: what is called like another value's key means that other value.
        self._known = {_folded(NONE): "", _folded(OTHER): OTHER}
        for name, key in [
            *((value.key, value.key) for value in dimension.values),
            *((label, value.key) for value in dimension.values for label in value.label.values()),
        ]:
            self._known.setdefault(_folded(name), key)

    def read(self, cells: Sequence[str]) -> str:
        """The declared value of the row, `other`, or nothing."""
        cell = cells[self._place]
        try:
            return self._cells[cell]
        except KeyError:
            return _keep(self._cells, cell, self._find(cell))

    def _find(self, cell: str) -> str:
        text = " ".join(cell.split())
        if _is_missing(text):
            return ""
        known = self._known.get(_folded(text))
        return (self._declare(text) if self._declares else OTHER) if known is None else known

    def _declare(self, label: str) -> str:
        value = ValueInput(key=_free_key(label, self._keys), label=label)
        if len(self.new_values) >= self._room or find_value_problems("", value):
            return OTHER
        self.new_values.append(value)
        self._keys.add(value.key)
        self._known[_folded(label)] = value.key
        return value.key


def _keep(cells: dict[str, _Meaning], cell: str, meaning: _Meaning) -> _Meaning:
    if len(cells) >= CELLS_KEPT:
        cells.clear()
    cells[cell] = meaning
    return meaning


def _find(source: CsvFile, column: str | None) -> int | None:
    return None if column is None else source.find_column(column)


def _language(questionnaire: Questionnaire, plan: ImportPlan) -> str:
    language = plan.language or questionnaire.default_language
    if language not in questionnaire.languages:
        raise Invalid(
            "The survey has no language %(language)s; it has %(languages)s.",
            values={"language": language, "languages": ", ".join(questionnaire.languages)},
        )
    return language


def _dimension(questionnaire: Questionnaire, key: str) -> Dimension:
    dimension = questionnaire.find_dimension(key)
    if dimension is None:
        known = ", ".join(found.key for found in questionnaire.dimensions) or "none"
        raise Invalid(
            "The survey has no segment dimension %(key)s; it has: %(known)s.",
            values={"key": key, "known": known},
        )
    return dimension


def _checked_formats(plan: ImportPlan) -> tuple[str, ...]:
    for date_format in plan.date_formats:
        try:
            datetime.strptime("", date_format)  # noqa: DTZ007
        except ValueError as error:
            if "does not match" not in str(error):
                raise Invalid(
                    "%(format)s is not a date format: %(reason)s.",
                    values={"format": date_format, "reason": str(error)},
                ) from error
    return plan.date_formats


def _fitted(cells: Sequence[str], width: int) -> Sequence[str]:
    """As many cells as the header has; only empty ones may be too many."""
    if len(cells) == width:
        return cells
    if len(cells) < width or any(cells[width:]):
        raise _Bad(f"as many cells as in the header, {width}, are expected, not {len(cells)}")
    return cells[:width]


def _read_score(cell: str) -> int | None:
    text = cell.strip()
    if _is_missing(text):
        return None
    match = _SCORE.fullmatch(text)
    if match is None or int(match[1]) > 10:
        raise _Bad(f"the score {_shown(cell)} is not a whole number from 0 to 10")
    return int(match[1])


def _read_comment(cell: str) -> str | None:
    if not cell or cell.strip() in _NO_COMMENT:
        return None
    try:
        return clean_comment(cell)
    except TooLong as error:
        raise _Bad(
            f"the comment has {error.length} characters, more than {COMMENT_MAX_LENGTH}"
        ) from error
    except TextRefused as error:
        raise _Bad("the comment contains a NUL character") from error


def _moments(text: str, formats: Sequence[str]) -> Iterable[datetime]:
    """`text` as each format that fits reads it."""
    for read in [datetime.fromisoformat] if not formats else []:
        try:
            yield read(text)
        except ValueError:
            continue
    for date_format in formats:
        try:
            yield datetime.strptime(text, date_format)  # noqa: DTZ007
        except ValueError:
            continue


def _free_key(label: str, taken: set[str]) -> str:
    """A key for `label` that no other value has: `United States` → `united-states`."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    is_latin = all(ord(character) < 0x250 for character in unicodedata.normalize("NFC", label))
    slug = "-".join(re.findall("[a-z0-9]+", plain)) if is_latin else ""
    base = slug or unicodedata.normalize("NFC", label)
    if base.casefold() in (OTHER, NONE):
        base += "-value"
    key, number = base, 2
    while key in taken:
        key, number = f"{base}-{number}", number + 1
    return key


def _is_missing(cell: str) -> bool:
    return cell.strip().casefold() in _MISSING


def _folded(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


def _shown(cell: str) -> str:
    """A cell for a message: short, and without what would disturb a terminal."""
    text = repr(cell.strip())
    return text if len(text) <= 60 else f"{text[:57]}…'"
