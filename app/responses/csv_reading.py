"""Reads somebody else's CSV file row by row, whatever wrote it, in constant memory.

The file is looked at once from beginning to end (its hash, its encoding) and then read again.
"""

import csv
import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import BinaryIO, NamedTuple, TextIO

from app.foundation.errors import HonneError
from app.responses.file_encodings import MIXED, EncodingSurvey, decoder

DELIMITERS = ",;\t|"
MAX_LINE_BYTES = 1024 * 1024
SAMPLE_ROWS = 30
SAMPLE_LINES = 400
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}
# What reads ASCII as ASCII, among what is found out.
_PLAIN = frozenset({"utf-8", "cp1252", MIXED})

Progress = Callable[[int], None]


class UnreadableFile(HonneError):
    """The file as a whole cannot be read; `detail` says where and what to do."""

    status, code, title = 422, "unreadable_file", "The file cannot be read"

    def __init__(self, detail: str) -> None:
        super().__init__("%(reason)s", values={"reason": detail})


@dataclass(frozen=True, slots=True)
class CsvFormat:
    """How to read a file; what is None is found out.

    `skip_rows` lines stand before the header, which takes `header_rows` rows.
    """

    encoding: str | None = None
    delimiter: str | None = None
    skip_rows: int = 0
    header_rows: int = 1


class Row(NamedTuple):
    """One row of the file. `line` is where it begins, counted from 1; `problem` is set where its
    quotation marks are wrong, and then there are no cells."""

    line: int
    cells: Sequence[str]
    problem: str = ""


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A file that was looked at and can be read. `file_hash` is SHA-256, `size` in bytes."""

    path: Path
    size: int
    file_hash: bytes
    encoding: str
    delimiter: str
    header_rows: int
    skip_rows: int
    header: tuple[tuple[str, ...], ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """The column names: the first header row, in order."""
        return self.header[0]

    def find_column(self, name: str) -> int:
        """The place of the column called `name`, or of `#3`, the third.

        The first header row counts before the second and third, as some tools write them; upper
        and lower case differ only where they must. Raises UnreadableFile listing what there is.
        """
        if name.startswith("#") and name[1:].isdecimal() and 0 < int(name[1:]) <= self.width:
            return int(name[1:]) - 1
        for row in self.header:
            for wanted, names in ((name, row), (_folded(name), tuple(map(_folded, row)))):
                places = [place for place, found in enumerate(names) if found == wanted]
                if len(places) == 1:
                    return places[0]
                if places:
                    raise UnreadableFile(
                        f"The column name {name!r} stands over more than one column; "
                        f"say which: {', '.join(f'#{place + 1}' for place in places)}."
                    )
        raise UnreadableFile(f"There is no column {name!r}. {self._column_list()}")

    @property
    def width(self) -> int:
        return len(self.header[0])

    def _column_list(self) -> str:
        named = [
            name.strip()[:80] or f"#{place}" for place, name in enumerate(self.columns, start=1)
        ]
        shown = ", ".join(repr(name) for name in named[:60])
        more = f" and {len(named) - 60} more" if len(named) > 60 else ""
        return f"The columns are: {shown}{more}."

    def rows(self, progress: Progress | None = None) -> Iterator[Row]:
        """All rows below the header, empty lines left out; `progress` hears the bytes read.

        Raises UnreadableFile for what would swallow or garble the rows after it.
        """
        return _rows(self, progress)

    def is_unchanged(self) -> bool:
        """Whether the file is still the one that was looked at."""
        return _hash(self.path) == self.file_hash


def _hash(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def open_csv(path: Path, wanted: CsvFormat) -> CsvFile:
    """Look at a file: hash, encoding, delimiter and header. Raises UnreadableFile."""
    try:
        with path.open("rb") as file:
            encoding, file_hash = _survey(file, wanted.encoding)
            return _look_at(path, file.tell(), file_hash, encoding, wanted)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be opened: {error.strerror}.") from error


def _look_at(path: Path, size: int, file_hash: bytes, encoding: str, wanted: CsvFormat) -> CsvFile:
    lines = _lines(path, encoding)
    start = list(islice(lines, SAMPLE_LINES + wanted.skip_rows))[wanted.skip_rows :]
    delimiter = wanted.delimiter or _sniff_delimiter(start)
    header = tuple(
        tuple(cell.strip() for cell in row)
        for row in islice(csv.reader(start, delimiter=delimiter), wanted.header_rows)
    )
    if len(header) < wanted.header_rows or not any(header[0]):
        raise UnreadableFile(f"{path.name} has no header row; its columns must be named.")
    width = max(map(len, header))
    return CsvFile(
        path, size, file_hash, encoding, delimiter, wanted.header_rows, wanted.skip_rows,
        tuple(row + ("",) * (width - len(row)) for row in header),
    )  # fmt: skip


def _survey(file: BinaryIO, given: str | None) -> tuple[str, bytes]:
    """The encoding and the hash; reads to the end."""
    encoding = given or next(
        (name for mark, name in _BYTE_ORDER_MARKS.items() if _begins_with(file, mark)), None
    )
    survey, sha256 = EncodingSurvey(), hashlib.sha256()
    for number, line in enumerate(_byte_lines(file), start=1):
        sha256.update(line)
        if encoding is None:
            survey.look_at(line)
            if line.count(0) > len(line) // 4:
                raise UnreadableFile(f"Line {number} is not text. Is this a CSV file?")
    name = encoding or survey.name()
    try:
        decoder(name)
    except LookupError as error:
        raise UnreadableFile(f"There is no encoding called {name!r}.") from error
    return name, sha256.digest()


def _begins_with(file: BinaryIO, mark: bytes) -> bool:
    found = file.read(len(mark)) == mark
    file.seek(0)
    return found


def _byte_lines(file: BinaryIO) -> Iterator[bytes]:
    while line := file.readline(MAX_LINE_BYTES + 1):
        yield line


def _lines(path: Path, encoding: str, progress: Progress | None = None) -> Iterator[str]:
    """The lines with their ends (LF, CRLF or CR), without a byte order mark."""
    # Latin-1 maps every byte to one character and back: there it only finds the line ends.
    is_wide, is_plain = _is_wide(encoding), encoding in _PLAIN
    place = 0
    with path.open(encoding=encoding if is_wide else "latin-1", newline="") as file:
        for number in count(1):
            line = _read_line(file, encoding)
            if not line:
                return
            if len(line) > MAX_LINE_BYTES:
                raise UnreadableFile(f"Line {number} is longer than 1 MiB. Is this a CSV file?")
            place += 2 * len(line) if is_wide else len(line)
            if progress:
                progress(place)
            is_text = is_wide or (is_plain and line.isascii())
            text = line if is_text else _decoded(line, encoding, number)
            yield text.removeprefix("\ufeff") if number == 1 else text


def _read_line(file: TextIO, encoding: str) -> str:
    try:
        return file.readline(MAX_LINE_BYTES + 1)
    except UnicodeError as error:
        raise UnreadableFile(
            f"The file cannot be read as {encoding}; name another one with --encoding."
        ) from error


def _decoded(line: str, encoding: str, number: int) -> str:
    try:
        return decoder(encoding)(line.encode("latin-1"))
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"Line {number} cannot be read as {encoding}; name another one with --encoding."
        ) from error


def _is_wide(encoding: str) -> bool:
    return encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32", "utf16", "utf32"))


def _sniff_delimiter(lines: Sequence[str]) -> str:
    """The delimiter that cuts most rows into as many cells as the header; the comma in doubt."""
    return max(DELIMITERS, key=lambda delimiter: _fit(lines, delimiter))


def _fit(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    rows = [row for row in islice(csv.reader(lines, delimiter=delimiter), SAMPLE_ROWS) if row]
    if not rows or len(rows[0]) < 2:
        return (0.0, 0)
    return (sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0]))


def _rows(source: CsvFile, progress: Progress | None) -> Iterator[Row]:
    lines = _lines(source.path, source.encoding, progress)
    for _line in islice(lines, source.skip_rows):
        pass
    rows = _parsed(lines, source.delimiter, source.skip_rows)
    for row in islice(rows, source.header_rows, None):
        if row.cells or row.problem:
            yield row


def _parsed(lines: Iterator[str], delimiter: str, skipped: int) -> Iterator[Row]:
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        line = skipped + reader.line_num + 1
        try:
            yield Row(line, next(reader))
        except StopIteration:
            return
        except csv.Error as error:
            yield _broken_row(line, skipped + reader.line_num, error)


def _broken_row(first: int, last: int, error: csv.Error) -> Row:
    """A row with wrong quotation marks; fatal where it took other lines with it."""
    if last > first or "unexpected end" in str(error):
        raise UnreadableFile(
            f"The quotation mark opened in line {first} is not closed as it should be (read up to "
            f"line {last}); mend it in the file, since the rows after it cannot be told apart."
        ) from error
    return Row(first, (), "the quotation marks or line ends in this row are wrong")


def _folded(name: str) -> str:
    return " ".join(name.split()).casefold()
