"""What the API says about an answer it has stored."""

import uuid
from collections.abc import Iterable
from datetime import date
from typing import Self

from pydantic import BaseModel, ConfigDict

from app.responses.models import Response, Standing
from app.responses.schemas import StoredAnswer
from app.scoring import Category, category_of


class ResponseShape(BaseModel):
    """A stored answer with its day, hence without segments, language and channel: a single answer
    shows either the one or the other."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "id": "4f3c1d0e-6a0b-4d0e-9a43-3c0a4f1f6c55",
                "survey_id": "a3f5a0f4-2b6a-4a64-8f0e-1d8f5a2f7c11",
                "score": 9,
                "category": "promoter",
                "comment": "Friendly and fast.",
                "answered_on": "2026-03-14",
                "standing": "counted",
                "exclusion_reason": None,
            }
        }
    )

    id: uuid.UUID
    survey_id: uuid.UUID
    score: int
    category: Category
    comment: str | None
    answered_on: date
    standing: Standing
    exclusion_reason: str | None

    @classmethod
    def of(cls, answer: StoredAnswer | Response) -> Self:
        return cls(
            id=answer.id,
            survey_id=answer.survey_id,
            score=answer.score,
            category=category_of(answer.score),
            comment=answer.comment,
            answered_on=answer.answered_on,
            standing=Standing(answer.standing),
            exclusion_reason=getattr(answer, "exclusion_reason", None),
        )


class BatchMeta(BaseModel):
    stored: int


class BatchShape(BaseModel):
    """The answers of a batch, in the order they were sent."""

    data: list[ResponseShape]
    meta: BatchMeta

    @classmethod
    def of(cls, answers: Iterable[StoredAnswer | Response]) -> Self:
        data = [ResponseShape.of(answer) for answer in answers]
        return cls(data=data, meta=BatchMeta(stored=len(data)))
