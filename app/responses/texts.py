"""The text somebody writes: how long it may be and what becomes of it."""

from app.responses.models import COMMENT_MAX_LENGTH


class TextRefused(ValueError):
    """A text that cannot be stored."""


class TooLong(TextRefused):
    """More than 4,000 code points; `length` says how many."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length


class Unstorable(TextRefused):
    """A NUL, or half of a surrogate pair."""


def clean_comment(text: str) -> str | None:
    """`text` with CRLF as LF and otherwise unchanged; None where it is empty.

    Raises `TooLong` or `Unstorable`. Counted in code points, so that an emoji is not four.
    """
    cleaned = text.replace("\r\n", "\n")
    if len(cleaned) > COMMENT_MAX_LENGTH:
        raise TooLong(len(cleaned))
    if not is_storable(cleaned):
        raise Unstorable
    return cleaned or None


def is_storable(text: str) -> bool:
    """False where `text` holds a NUL or half of a surrogate pair: Postgres takes neither."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def showable(text: str) -> str:
    """`text` as it can be put on a page: what is no character is replaced by one that says so."""
    if text.isascii() and "\0" not in text:
        return text
    return text.replace("\0", "\ufffd").encode(errors="replace").decode()
