"""Answers as values: on their way in, and as they are stored."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Self

from app.foundation.tokens import new_id
from app.responses.models import HoldReason, Standing
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
    hold_reason: HoldReason | None = None
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
    hold_reason: HoldReason | None = None

    def amended_by(self, answer: NewAnswer) -> Self:
        """With the later score and comment; counted where only an earlier sending was suspicious.
        What a manager decided stays."""
        amended = replace(self, score=answer.score, comment=answer.comment)
        if (self.standing, answer.standing) == (Standing.HELD, Standing.COUNTED):
            return replace(amended, standing=Standing.COUNTED, hold_reason=None)
        return amended
