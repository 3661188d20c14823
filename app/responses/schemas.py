"""Answers as values: on their way in, and as they are stored."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple, Self

from app.foundation.tokens import new_id
from app.responses.models import FINAL, HoldReason, Standing
from app.surveys.models import Channel


@dataclass(frozen=True, slots=True)
class NewAnswer:
    """A checked answer that waits to be stored.

    `labels` holds declared segment values (or `other`) of declared dimensions. A `submission_key`
    makes it the same answer as every other with that key in the survey; of those, what has the
    highest `number` counts, 1 to `FINAL`, and the latest of what is final. `address` is the e-mail
    address left with it: empty, an earlier one goes; None, nothing is said about it.
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
    number: int = FINAL
    import_id: uuid.UUID | None = None
    address: str | None = None
    id: uuid.UUID = field(default_factory=new_id)


class StoredAnswer(NamedTuple):
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

    def amended_by(self, new: "StoredAnswer", *, is_open: bool) -> Self:
        """With the score and the comment of what came later under the same key, and its labels,
        language and wording where the month of this answer `is_open`. Counted where only an
        earlier sending was suspicious; what a manager decided stays."""
        amended = self._replace(score=new.score, comment=new.comment)
        if is_open:
            amended = amended._replace(
                version_id=new.version_id,
                segment_set_id=new.segment_set_id,
                language=new.language,
            )
        if (self.standing, new.standing) == (Standing.HELD, Standing.COUNTED):
            return amended._replace(standing=Standing.COUNTED, hold_reason=None)
        return amended

    def held_for(self, reason: HoldReason) -> Self:
        """Held, where nobody has left it out."""
        if self.standing is Standing.EXCLUDED:
            return self
        return self._replace(standing=Standing.HELD, hold_reason=reason)
