"""Answers as values: on their way in, and as they are stored."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from app.foundation.tokens import new_id
from app.responses.models import Standing
from app.surveys.models import Channel


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """A checked answer that waits to be stored.

    `labels` holds declared segment values (or `other`) of declared dimensions. A `submission_key`
    makes it the same answer as every other with that key in the survey.
    """

    survey_id: uuid.UUID
    version_id: uuid.UUID
    score: int
    comment: str | None
    language: str
    channel: Channel
    answered_on: date
    labels: Mapping[str, str] = field(default_factory=dict)
    standing: Standing = Standing.COUNTED
    submission_key: uuid.UUID | None = None
    import_id: uuid.UUID | None = None
    id: uuid.UUID = field(default_factory=new_id)


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """An answer as its row holds it."""

    id: uuid.UUID
    survey_id: uuid.UUID
    version_id: uuid.UUID
    segment_set_id: uuid.UUID
    score: int
    comment: str | None
    language: str
    channel: Channel
    answered_on: date
    standing: Standing
    import_id: uuid.UUID | None
