"""The signed ticket of a form: made when the page is shown, given back when it is sent.

It carries the submission key, so that a double click or a retry is one answer, the wording version
that was read, so that the answer keeps it, the segment values of the link, so that nobody edits
them on the page, and when the form was opened, so that what is sent at once can be held. It holds
nothing about a person.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

from pydantic_core import from_json, to_json

from app.foundation import clock
from app.foundation.tokens import derive, new_id

LIFE = timedelta(hours=24)
MAX_LENGTH = 4_000
_SALT = "form-ticket 4"  # another number for other content, so that no older ticket is misread


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to answer one survey, in one wording, by one link, once.

    `opened_at` is kept to the millisecond, and stays when the page is shown again.
    """

    slug: str
    survey_id: UUID
    version_id: UUID
    labels: Mapping[str, str]
    submission_key: UUID = field(default_factory=new_id)
    opened_at: datetime = field(default_factory=clock.now)


def sign_ticket(secret_key: str, ticket: Ticket) -> str:
    """The text that stands for `ticket` on the page, good for 24 hours from now."""
    content = [
        ticket.slug,
        dict(ticket.labels),
        int(clock.now().timestamp()),
        int(ticket.opened_at.timestamp() * 1_000),
        ticket.survey_id,
        ticket.version_id,
        ticket.submission_key,
    ]
    body = urlsafe_b64encode(to_json(content))
    return (body + b"." + _mac(_key(secret_key), body)).decode()


def read_ticket(
    secret_key: str, signed: str, slug: str, survey_id: UUID, life: timedelta | None = LIFE
) -> Ticket | None:
    """The ticket, or None where it is forged, older than `life` or of another link or survey."""
    if not 0 < len(signed) <= MAX_LENGTH:
        return None
    body, _dot, mac = signed.encode(errors="replace").rpartition(b".")
    if not _is_ours(_key(secret_key), body, mac):
        return None
    found_slug, labels, signed_s, opened_ms, *ids = from_json(
        urlsafe_b64decode(body), cache_strings="none"
    )
    if life and clock.now().timestamp() - signed_s > life.total_seconds():
        return None
    found_survey_id, version_id, submission_key = _read_id(ids[0]), _read_id(ids[1]), UUID(ids[2])
    opened_at = datetime.fromtimestamp(opened_ms / 1_000, UTC)
    ticket = Ticket(found_slug, found_survey_id, version_id, labels, submission_key, opened_at)
    return ticket if (ticket.slug, ticket.survey_id) == (slug, survey_id) else None


# Of surveys and versions, which come again and again.
_read_id = lru_cache(1_024)(UUID)


@lru_cache(64)
def _key(secret_key: str) -> bytes:
    return derive(secret_key, _SALT).encode()


def _is_ours(key: bytes, body: bytes, mac: bytes) -> bool:
    """Also of pages that were open when a release that signed by HMAC was replaced."""
    return hmac.compare_digest(mac, _mac(key, body)) or hmac.compare_digest(
        mac, _base64(hmac.digest(key, body, "sha256"))
    )


def _mac(key: bytes, body: bytes) -> bytes:
    """A keyed BLAKE2b (RFC 7693): a MAC in one call."""
    return _base64(blake2b(body, key=key, digest_size=32).digest())


def _base64(mac: bytes) -> bytes:
    return urlsafe_b64encode(mac).rstrip(b"=")
