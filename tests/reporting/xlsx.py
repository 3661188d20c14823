"""Reads a workbook as it is defined (ECMA-376), as far as ours go, without the library that wrote
it."""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from xml.etree.ElementTree import Element, fromstring
from zipfile import ZipFile

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
FIRST_DAY = date(1899, 12, 30)
Value = str | float | date | None


@dataclass(frozen=True, slots=True)
class Book:
    """Rows of values by the names of the sheets, and every element that a cell may not have."""

    sheets: dict[str, list[list[Value]]]
    formulas: int

    def records(self, sheet: str) -> list[dict[str, Value]]:
        """The rows below the head, by its texts."""
        head, *rows = self.sheets[sheet]
        return [dict(zip(map(str, head), row, strict=True)) for row in rows]


def read_book(content: bytes) -> Book:
    with ZipFile(io.BytesIO(content)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    names = [
        sheet.get("name", "") for sheet in _part(parts, "xl/workbook.xml").iter(f"{MAIN}sheet")
    ]
    days = _styles_of_days(_part(parts, "xl/styles.xml"))
    sheets = [_part(parts, f"xl/worksheets/sheet{at}.xml") for at in range(1, len(names) + 1)]
    return Book(
        {name: list(_rows(sheet, days)) for name, sheet in zip(names, sheets, strict=True)},
        sum(len(list(sheet.iter(f"{MAIN}f"))) for sheet in sheets),
    )


def _part(parts: dict[str, bytes], name: str) -> Element:
    return fromstring(parts[name])  # noqa: S314 (what we have written ourselves)


def _styles_of_days(styles: Element) -> set[int]:
    formats = {
        one.get("numFmtId"): one.get("formatCode", "") for one in styles.iter(f"{MAIN}numFmt")
    }
    cells = styles.find(f"{MAIN}cellXfs")
    assert cells is not None
    return {at for at, one in enumerate(cells) if "yyyy" in formats.get(one.get("numFmtId"), "")}


def _rows(sheet: Element, days: set[int]) -> Iterator[list[Value]]:
    rows = [
        {_column(cell.get("r", "")): _value(cell, days) for cell in row.iter(f"{MAIN}c")}
        for row in sheet.iter(f"{MAIN}row")
    ]
    width = max((max(row, default=-1) + 1 for row in rows), default=0)
    return ([row.get(at) for at in range(width)] for row in rows)


def _column(place: str) -> int:
    letters = re.match("[A-Z]+", place)
    assert letters is not None
    number = 0
    for letter in letters[0]:
        number = number * 26 + ord(letter) - 64
    return number - 1


def _value(cell: Element, days: set[int]) -> Value:
    if cell.get("t") == "inlineStr":
        return "".join(text.text or "" for text in cell.iter(f"{MAIN}t"))
    found = cell.find(f"{MAIN}v")
    if found is None or found.text is None:
        return None
    number = float(found.text)
    is_day = int(cell.get("s", "0")) in days
    return FIRST_DAY + timedelta(days=number) if is_day else number
