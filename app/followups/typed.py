"""What was typed into a form, read as days, months and numbers; every problem is kept."""

import re
import unicodedata
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from app.foundation.errors import InvalidParam
from app.foundation.translation import mark
from app.surveys.rules import refuse
from app.surveys.wording import MISSING

BAD_DAY = mark("Write a date such as 2026-04-30.")
BAD_MONTH = mark("Write a month such as 2026-05.")
BAD_NUMBER = mark("Write a number such as 2.5, with a point and without separators.")
BAD_WHOLE = mark("Write a whole number.")
_NUMBER = re.compile(r"[+-]?[0-9]{1,15}(\.[0-9]{1,10})?")
# As people and spreadsheets write it; a day of the month is the first or left out.
_MONTH = re.compile(r"(20[0-9]{2})[-/.年]([0-9]{1,2})(?:月|[-/.](?:0?1)|月0?1日)?")


@dataclass(slots=True)
class Typed:
    """The controls of a form (or cells of a row) by name. Reading one that is wrong adds to
    `problems` and gives None, as an empty one does."""

    values: Mapping[str, str]
    problems: list[InvalidParam] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")

    def day(self, name: str, *, needed: bool = False) -> date | None:
        text = self._plain(name, needed)
        try:
            return date.fromisoformat(text) if text else None
        except ValueError:
            self._refuse(name, BAD_DAY)
            return None

    def month(self, name: str) -> date | None:
        text = self._plain(name, needed=True)
        found = _MONTH.fullmatch(text)
        if found and 1 <= int(found[2]) <= 12:
            return date(int(found[1]), int(found[2]), 1)
        if text:
            self._refuse(name, BAD_MONTH)
        return None

    def id(self, name: str, reason: str) -> uuid.UUID | None:
        try:
            return uuid.UUID(self[name]) if self[name] else None
        except ValueError:
            self._refuse(name, reason)
            return None

    def number(self, name: str) -> float | None:
        text = self._number(name, BAD_NUMBER)
        return float(text) if text else None

    def whole(self, name: str, *, needed: bool = False) -> int | None:
        text = self._number(name, BAD_WHOLE, needed)
        if "." in text:
            self._refuse(name, BAD_WHOLE)
            return None
        return int(text) if text else None

    def refuse(self) -> None:
        """Invalid where anything that was read was wrong."""
        refuse(self.problems)

    def _number(self, name: str, reason: str, needed: bool = False) -> str:
        text = self._plain(name, needed).replace("−", "-").removesuffix("%").strip()
        if text and not _NUMBER.fullmatch(text):
            self._refuse(name, reason)
            return ""
        return text

    def _plain(self, name: str, needed: bool) -> str:
        # Full-width digits, as Japanese keyboards write them, become plain ones.
        text = unicodedata.normalize("NFKC", self[name]).strip()
        if needed and not text:
            self._refuse(name, MISSING)
        return text

    def _refuse(self, name: str, reason: str) -> None:
        self.problems.append(InvalidParam(name, reason))
