"""Rates from a CSV file, as people export them: every row read, every fault named by its line."""

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.followups.inputs import MAX_INDICATORS, IndicatorInput
from app.followups.models import IndicatorMetric
from app.followups.rates import AMOUNTS, COUNTS, Rate, RateRules
from app.followups.typed import Typed
from app.foundation.errors import Invalid, InvalidParam
from app.foundation.translation import mark

DELIMITERS = ",;\t"
ENCODINGS = ("utf-8-sig", "cp932", "cp1252")
NEEDED = ("metric", "month")
COLUMNS = (*NEEDED, "dimension", "value", "percent", "base", *COUNTS, *AMOUNTS)
METRICS = {
    "churn": IndicatorMetric.CHURN,
    "churn rate": IndicatorMetric.CHURN,
    "解約率": IndicatorMetric.CHURN,
    "retention": IndicatorMetric.RETENTION,
    "retention rate": IndicatorMetric.RETENTION,
    "継続率": IndicatorMetric.RETENTION,
    "nrr": IndicatorMetric.NRR,
}
BAD_METRIC = mark("Write churn, retention or nrr.")
HALF_SEGMENT = mark("Name both, the dimension and the value, or neither.")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one cell, or (without a `column`) with the file."""

    line: int
    column: str
    problem: InvalidParam


@dataclass(frozen=True, slots=True)
class IndicatorFile:
    """The text of a file, the rates that it holds, and what is wrong with it, by lines."""

    text: str
    given: Sequence[IndicatorInput]
    rates: Sequence[Rate]
    faults: Sequence[Fault]


def decode_file(content: bytes) -> str:
    """The text of a file in UTF-8 or UTF-16, or else as Excel saves CSV in Japan or in the West;
    Invalid for what is no text."""
    wide = content[:2] in (b"\xff\xfe", b"\xfe\xff")
    for encoding in ("utf-16",) if wide else ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeError:
            continue
    raise _unreadable()


def _unreadable() -> Invalid:
    reason = mark("This file cannot be read as text. Save it as CSV in UTF-8.")
    return Invalid(
        mark("See which inputs were refused."), invalid_params=[InvalidParam("file", reason)]
    )


def read_indicators(text: str, rules: RateRules) -> IndicatorFile:
    """All rates of a CSV text with a header, and every fault of its rows."""
    text = text.replace("\x00", "").strip("\ufeff\r\n ")
    lines = text.splitlines()
    delimiter = max(DELIMITERS, key=(lines[0] if lines else "").count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        rows = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    except csv.Error:
        reason = mark("The quotation marks of this line are wrong.")
        return IndicatorFile(text, (), (), [Fault(reader.line_num, "", InvalidParam("", reason))])
    header = [name.strip().casefold() for name in rows[0][1]] if rows else []
    faults = _header_faults(header, len(rows) - 1)
    if faults:
        return IndicatorFile(text, (), (), faults)
    return _read_rows(text, header, rows[1:], rules)


def _header_faults(header: Sequence[str], rows: int) -> list[Fault]:
    missing = [name for name in NEEDED if name not in header]
    unknown = [name for name in header if name and name not in COLUMNS]
    faults = [
        Fault(1, name, InvalidParam(name, mark("This column is missing."))) for name in missing
    ]
    reason = mark("There is no such column here.")
    faults += [Fault(1, name, InvalidParam(name, reason)) for name in unknown]
    if not faults and not 0 < rows <= MAX_INDICATORS:
        reason = mark("Bring 1 to %(limit)s rows below the header.")
        faults.append(Fault(1, "", InvalidParam("", reason, {"limit": MAX_INDICATORS})))
    return faults


def _read_rows(
    text: str,
    header: Sequence[str],
    rows: Sequence[tuple[int, Sequence[str]]],
    rules: RateRules,
) -> IndicatorFile:
    given: list[IndicatorInput] = []
    line_of: list[int] = []
    faults: list[Fault] = []
    for line, cells in rows:
        one = _read_row(dict(zip(header, cells, strict=False)), line, faults)
        if one is not None:
            given.append(one)
            line_of.append(line)
    rates, problems = rules.check(given, path="")
    for problem in problems:
        at, _dot, column = problem.name.partition(".")
        faults.append(Fault(line_of[int(at)], _column(column), problem))
    return IndicatorFile(text, given, rates, sorted(faults, key=lambda fault: fault.line))


def _column(name: str) -> str:
    return "value" if name.startswith("segments") else name


def _read_row(row: Mapping[str, str], line: int, faults: list[Fault]) -> IndicatorInput | None:
    typed = Typed(row)
    metric = METRICS.get(" ".join(typed["metric"].split()).casefold())
    if metric is None:
        typed.problems.append(InvalidParam("metric", BAD_METRIC))
    key, value = typed["dimension"].strip(), typed["value"].strip()
    if bool(key) != bool(value):
        typed.problems.append(InvalidParam("value", HALF_SEGMENT))
    given = read_rate(typed) | {"metric": metric, "segments": {key: value} if key else {}}
    if typed.problems:
        faults += [Fault(line, problem.name, problem) for problem in typed.problems]
        return None
    return IndicatorInput.model_construct(**given)


def read_rate(typed: Typed) -> dict[str, Any]:
    """Month and figures of a rate by the names of `IndicatorInput`; problems are with `typed`."""
    return {
        "month": typed.month("month"),
        "percent": typed.number("percent"),
        "base": typed.number("base"),
        **{name: typed.whole(name) for name in COUNTS},
        **{name: typed.number(name) for name in AMOUNTS},
    }
