"""The signed ticket of a form: made when the page is shown, given back when it is sent.

It carries the submission key, so that a double click or a retry is one answer, the wording version
that was read, so that the answer keeps it, the segment values of the link, so that nobody edits
them on the page, and when the form was opened, so that what is sent at once can be held. It holds
nothing about a person.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from itsdangerous import BadData, TimestampSigner, URLSafeTimedSerializer

from app.foundation import clock
from app.foundation.tokens import new_id

LIFE = timedelta(hours=24)
MAX_LENGTH = 4_000
_SALT = "form-ticket 3"  # another number for other content, so that no older ticket is misread


@dataclass(frozen=True, slots=True)
class Ticket:
    """Leave to answer one survey, in one wording, by one link, once.

    `opened_at` is kept to the millisecond, and stays when the page is shown again.
    """

    slug: str
    survey_id: uuid.UUID
    version_id: uuid.UUID
    labels: Mapping[str, str]
    submission_key: uuid.UUID = field(default_factory=new_id)
    opened_at: datetime = field(default_factory=clock.now)


class _Signer(TimestampSigner):
    def get_timestamp(self) -> int:
        return int(clock.now().timestamp())


def sign_ticket(secret_key: str, ticket: Ticket) -> str:
    """The text that stands for `ticket` on the page, good for 24 hours from now."""
    ids = (ticket.survey_id, ticket.version_id, ticket.submission_key)
    opened_ms = int(ticket.opened_at.timestamp() * 1_000)
    return _serializer(secret_key).dumps(
        [ticket.slug, dict(ticket.labels), opened_ms, *(found.hex for found in ids)]
    )


def read_ticket(
    secret_key: str, signed: str, slug: str, survey_id: uuid.UUID, life: timedelta | None = LIFE
) -> Ticket | None:
    """The ticket, or None where it is forged, older than `life` or of another link or survey."""
    if not 0 < len(signed) <= MAX_LENGTH:
        return None
    max_age = int(life.total_seconds()) if life else None
    try:
        found_slug, labels, opened_ms, *ids = _serializer(secret_key).loads(signed, max_age=max_age)
    except (BadData, UnicodeError):
        return None
    found_survey_id, version_id, submission_key = map(uuid.UUID, ids)
    opened_at = datetime.fromtimestamp(opened_ms / 1_000, UTC)
    ticket = Ticket(found_slug, found_survey_id, version_id, labels, submission_key, opened_at)
    return ticket if (ticket.slug, ticket.survey_id) == (slug, survey_id) else None


@lru_cache(4)
def _serializer(secret_key: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(secret_key, salt=_SALT, signer=_Signer)
