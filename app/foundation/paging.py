"""Long lists, a page at a time by keyset: the cursor names the last row seen, never a count."""

import base64
import binascii
import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from app.foundation.errors import Invalid, InvalidParam
from app.foundation.translation import mark

PAGE_SIZE = 50
MAX_PAGE_SIZE = 200

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """Some rows in order, and the cursor of the page after them (None on the last page)."""

    rows: Sequence[Row]
    next_cursor: str | None


def encode_cursor(*parts: str) -> str:
    """An opaque cursor that holds `parts`."""
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def decode_cursor(cursor: str, length: int) -> list[str]:
    """The `length` parts of a cursor; Invalid for anything `encode_cursor` did not make."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (UnicodeError, binascii.Error, ValueError, RecursionError):
        raise refused_cursor() from None
    if not isinstance(parts, list) or len(parts) != length:
        raise refused_cursor()
    if not all(isinstance(part, str) for part in parts):
        raise refused_cursor()
    return parts


def moment_in_cursor(text: str) -> datetime:
    """A part that was a moment in UTC; Invalid for anything else."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise refused_cursor() from None
    if moment.utcoffset() != timedelta():
        raise refused_cursor()
    return moment


def id_in_cursor(text: str) -> uuid.UUID:
    """A part that was a row's id; Invalid for anything else."""
    try:
        return uuid.UUID(text)
    except ValueError:
        raise refused_cursor() from None


def refused_cursor() -> Invalid:
    """The error for a cursor whose parts do not read as what they should be."""
    reason = mark("This cursor is not one that we gave out; start again without it.")
    return Invalid(
        mark("See which inputs were refused."), invalid_params=[InvalidParam("cursor", reason)]
    )
