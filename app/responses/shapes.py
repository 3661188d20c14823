"""What the API says about an answer it has stored."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Self

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from app.responses.models import HoldReason, Response, Standing
from app.responses.receipts import EXAMPLE_RECEIPT
from app.responses.schemas import StoredAnswer
from app.scoring import Category, category_of

EXAMPLE: JsonDict = {
    "id": "4f3c1d0e-6a0b-4d0e-9a43-3c0a4f1f6c55",
    "survey_id": "a3f5a0f4-2b6a-4a64-8f0e-1d8f5a2f7c11",
    "score": 9,
    "category": "promoter",
    "comment": "Friendly and fast.",
    "answered_on": "2026-03-14",
    "standing": "counted",
    "exclusion_reason": None,
    "hold_reason": None,
}


class ResponseShape(BaseModel):
    """A stored answer with its day, hence without segments, language and channel: a single answer
    shows either the one or the other."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    id: uuid.UUID
    survey_id: uuid.UUID
    score: int
    category: Category
    comment: str | None
    answered_on: date
    standing: Standing
    exclusion_reason: str | None
    hold_reason: HoldReason | None = Field(
        description="Why it is held: sent within a second (`too_fast`), a hidden field filled in "
        "(`trap`), one of very many from one network (`flood`)."
    )

    @classmethod
    def of(cls, answer: StoredAnswer | Response, **more: str) -> Self:
        """`more` are the fields that a wider shape adds."""
        return cls(
            id=answer.id,
            survey_id=answer.survey_id,
            score=answer.score,
            category=category_of(answer.score),
            comment=answer.comment,
            answered_on=answer.answered_on,
            standing=Standing(answer.standing),
            exclusion_reason=getattr(answer, "exclusion_reason", None),
            hold_reason=HoldReason(answer.hold_reason) if answer.hold_reason else None,
            **more,
        )


class RecordedShape(ResponseShape):
    """An answer that was just taken in, with the receipt for whoever gave it."""

    model_config = ConfigDict(
        json_schema_extra={"example": {**EXAMPLE, "receipt": EXAMPLE_RECEIPT}}
    )

    receipt: str = Field(
        description="Pass it on to the person who answered: with it the answer can be deleted, by "
        "them on the survey's own page or by you with `POST …/erasures`. It is stored nowhere and "
        "given by this call only."
    )

    @classmethod
    def recorded(cls, answer: StoredAnswer | Response, receipt: str) -> Self:
        return cls.of(answer, receipt=receipt)


class ContactShape(BaseModel):
    """The e-mail address that somebody chose to leave with their answer."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"response_id": EXAMPLE["id"], "address": "rita@customer.example"}
        },
        from_attributes=True,
    )

    response_id: uuid.UUID
    address: str


class HeldShape(BaseModel):
    """How many answers are held for review, together and for each reason."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"held_count": 9, "reasons": {"too_fast": 5, "trap": 4, "flood": 0}}
        }
    )

    held_count: int
    reasons: dict[HoldReason, int]

    @classmethod
    def of(cls, held: Mapping[HoldReason | None, int]) -> Self:
        reasons = {reason: held.get(reason, 0) for reason in HoldReason}
        return cls(held_count=sum(held.values()), reasons=reasons)


class ReviewedShape(BaseModel):
    """How many held answers were released or left out."""

    model_config = ConfigDict(json_schema_extra={"example": {"response_count": 5}})

    response_count: int


class BatchMeta(BaseModel):
    stored: int


class BatchShape(BaseModel):
    """The answers of a batch, in the order they were sent."""

    data: list[RecordedShape]
    meta: BatchMeta

    @classmethod
    def of(cls, recorded: Sequence[RecordedShape]) -> Self:
        return cls(data=list(recorded), meta=BatchMeta(stored=len(recorded)))
