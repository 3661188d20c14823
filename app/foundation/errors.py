"""Errors that mean something to whoever caused them.

Each carries its HTTP status and a stable machine code; the edge turns it into an RFC 9457 problem
for the API and into a page that says what to do next for people. Raise them from anywhere.
`title` and `detail` are English message ids, translated where they are shown.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from app.foundation.translation import gettext, mark


@dataclass(frozen=True, slots=True)
class InvalidParam:
    """One refused input: its path as the caller wrote it, and why in a sentence (an English
    message id, its `%(name)s` filled from `values`)."""

    name: str
    reason: str
    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, language: str | None = None) -> str:
        """`reason` in the reader's language, or in `language`."""
        reason = gettext(self.reason, language)
        return reason % self.values if self.values else reason


class HonneError(Exception):
    """Base of all expected errors. `detail` says what to do."""

    status = 500
    code = "internal_error"
    title = mark("Something went wrong on our side")

    def __init__(
        self,
        detail: str = "",
        *,
        invalid_params: Sequence[InvalidParam] = (),
        headers: dict[str, str] | None = None,
        values: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail
        self.invalid_params = tuple(invalid_params)
        self.headers = headers or {}
        self.values = values or {}

    def text(self, language: str | None = None) -> str:
        """`detail` in the reader's language (or `language`), its `%(name)s` filled in."""
        return gettext(self.detail, language) % self.values if self.detail else ""


class BadRequest(HonneError):
    status, code, title = 400, "bad_request", mark("The request could not be read")


class Unauthorized(HonneError):
    status, code, title = 401, "unauthorized", mark("Please sign in")


class Forbidden(HonneError):
    status, code, title = 403, "forbidden", mark("You may not do this")


class NotFound(HonneError):
    status, code, title = 404, "not_found", mark("Nothing was found at this address")


class MethodNotAllowed(HonneError):
    status, code, title = 405, "method_not_allowed", mark("This address does not take that method")


class RequestTimeout(HonneError):
    status, code, title = 408, "request_timeout", mark("The request took too long to arrive")


class Conflict(HonneError):
    status, code, title = 409, "conflict", mark("This does not fit the present state")


class Gone(HonneError):
    status, code, title = 410, "gone", mark("This is no longer available")


class PayloadTooLarge(HonneError):
    status, code, title = 413, "payload_too_large", mark("Too much was sent at once")


class AnswerTooLong(PayloadTooLarge):
    """What a respondent wrote."""

    title = mark("Your answer is too long")


class UnsupportedMediaType(HonneError):
    status, code, title = 415, "unsupported_media_type", mark("This content type is not read here")


class Invalid(HonneError):
    status, code, title = 422, "invalid", mark("Some of the input cannot be accepted")


class TooManyRequests(HonneError):
    status, code, title = 429, "too_many_requests", mark("Too many requests")


class Unavailable(HonneError):
    status, code, title = 503, "unavailable", mark("Honne cannot answer right now")


ERRORS_BY_STATUS: dict[int, type[HonneError]] = {
    error.status: error
    for error in (
        BadRequest,
        Unauthorized,
        Forbidden,
        NotFound,
        MethodNotAllowed,
        RequestTimeout,
        Conflict,
        Gone,
        PayloadTooLarge,
        UnsupportedMediaType,
        Invalid,
        TooManyRequests,
        Unavailable,
    )
}


class StartupError(Exception):
    """Something the operator must mend; shown as one line, exit code 2."""


def unwritable(data_dir: Path, error: OSError) -> StartupError:
    """The data directory cannot be used."""
    return StartupError(
        f"The data directory {data_dir} cannot be written to ({error.strerror}); "
        "set HONNE_DATA_DIR to one that can."
    )


def sqlstate_of(error: BaseException) -> str:
    """Postgres's code for an error that SQLAlchemy raised, or its driver; empty where Postgres has
    said nothing, as of a lost connection."""
    return getattr(getattr(error, "orig", error), "sqlstate", None) or ""
