"""Reads somebody else's CSV file row by row, whatever wrote it, in constant memory.

The file is looked at once from beginning to end (its hash, its encoding) and then read again.
"""

import csv
import hashlib
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from app.foundation.errors import HonneError
from app.responses.file_encodings import Decode, EncodingSurvey, decoder

DELIMITERS = ",;\t|"
MAX_LINE_BYTES = 1024 * 1024
SAMPLE_ROWS = 30
_BYTE_ORDER_MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}

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


@dataclass(frozen=True, slots=True)
class Row:
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
        with self.path.open("rb") as file:
            yield from _rows(file, self, progress)


def open_csv(path: Path, wanted: CsvFormat) -> CsvFile:
    """Look at a file: hash, encoding, delimiter and header. Raises UnreadableFile."""
    try:
        with path.open("rb") as file:
            return _look_at(path, file, wanted)
    except OSError as error:
        raise UnreadableFile(f"{path} cannot be opened: {error.strerror}.") from error


def _look_at(path: Path, file: BinaryIO, wanted: CsvFormat) -> CsvFile:
    encoding, file_hash = _survey(file, wanted.encoding)
    size = file.tell()
    file.seek(0)
    start = [line for line, _place in zip(_lines(file, encoding), range(400), strict=False)]
    start = start[wanted.skip_rows :]
    delimiter = wanted.delimiter or _sniff_delimiter(start)
    header = tuple(
        tuple(cell.strip() for cell in row)
        for row, _place in zip(
            csv.reader(start, delimiter=delimiter), range(wanted.header_rows), strict=False
        )
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


def _lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    """The lines with their ends (LF, CRLF or CR), without a byte order mark."""
    lines = _wide_lines(file, encoding) if _is_wide(encoding) else _narrow_lines(file, encoding)
    for number, line in enumerate(lines, start=1):
        if len(line) > MAX_LINE_BYTES:
            raise UnreadableFile(f"Line {number} is longer than 1 MiB. Is this a CSV file?")
        yield line.removeprefix("\ufeff") if number == 1 else line


def _narrow_lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    decode = decoder(encoding)
    # Latin-1 maps every byte to one character and back: it only finds the line ends here.
    raw = io.TextIOWrapper(file, encoding="latin-1", newline="")
    try:
        number = 0
        while line := raw.readline(MAX_LINE_BYTES + 1):
            number += 1
            yield _decoded(decode, line.encode("latin-1"), encoding, number)
    finally:
        raw.detach()


def _decoded(decode: Decode, line: bytes, encoding: str, number: int) -> str:
    try:
        return decode(line)
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"Line {number} cannot be read as {encoding}; name another one with --encoding."
        ) from error


def _wide_lines(file: BinaryIO, encoding: str) -> Iterator[str]:
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    try:
        while line := text.readline(MAX_LINE_BYTES + 1):
            yield line
    except UnicodeError as error:
        raise UnreadableFile(
            f"The file cannot be read as {encoding}; name another one with --encoding."
        ) from error
    finally:
        text.detach()


def _is_wide(encoding: str) -> bool:
    return encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32", "utf16", "utf32"))


def _sniff_delimiter(lines: Sequence[str]) -> str:
    """The delimiter that cuts most rows into as many cells as the header; the comma in doubt."""
    return max(DELIMITERS, key=lambda delimiter: _fit(lines, delimiter))


def _fit(lines: Sequence[str], delimiter: str) -> tuple[float, int]:
    rows = [
        row
        for row, _place in zip(
            csv.reader(lines, delimiter=delimiter), range(SAMPLE_ROWS), strict=False
        )
        if row
    ]
    if not rows or len(rows[0]) < 2:
        return (0.0, 0)
    return (sum(len(row) == len(rows[0]) for row in rows) / len(rows), len(rows[0]))


def _rows(file: BinaryIO, source: CsvFile, progress: Progress | None) -> Iterator[Row]:
    lines = _counted(file, _lines(file, source.encoding), progress)
    for _line in range(source.skip_rows):
        next(lines, "")
    reader = csv.reader(lines, delimiter=source.delimiter, strict=True)
    position = 0
    while True:
        begins = source.skip_rows + reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield _broken_row(begins, source.skip_rows + reader.line_num, error)
            cells = []
        position += 1
        if cells and position > source.header_rows:
            yield Row(begins, cells)


def _counted(file: BinaryIO, lines: Iterator[str], progress: Progress | None) -> Iterator[str]:
    for line in lines:
        if progress:
            progress(file.tell())
        yield line


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
