"""What the API says about retention: what was deleted, until when is kept, what goes next."""

from datetime import date
from typing import Any, Self

from pydantic import BaseModel, ConfigDict

from app.foundation.web.openapi import ListMeta
from app.responses.models import DeletionReason
from app.responses.retention import Outlook

_DELETION: dict[str, Any] = {"deleted_on": "2026-11-22", "reason": "retention", "responses": 41}
_RETENTION: dict[str, Any] = {
    "retention_months": 24,
    "held_since": None,
    "kept_from": "2024-11-22",
    "overdue": 0,
    "due": 17,
    "due_by": "2026-12-22",
    "next_on": "2026-11-24",
    "month": "2024-11-01",
    "month_on": "2026-12-01",
}


class DeletionShape(BaseModel):
    """How many answers were deleted on a workspace day, and why; which ones is stored nowhere."""

    model_config = ConfigDict(json_schema_extra={"examples": [_DELETION]}, from_attributes=True)

    deleted_on: date
    reason: DeletionReason
    responses: int


class RetentionShape(BaseModel):
    """Until when answers are kept. Days are those of the workspace.

    Answers from `kept_from` on are kept; `overdue` ones are older and still there, because of a
    legal hold (`held_since`) or until the next run. `due` more go up to and with `due_by`, the
    next of them on `next_on`. Counts by day of `month` become its total on `month_on`.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [_RETENTION]})

    retention_months: int
    held_since: date | None
    kept_from: date
    overdue: int
    due: int
    due_by: date
    next_on: date | None
    month: date | None
    month_on: date | None

    @classmethod
    def of(cls, outlook: Outlook) -> Self:
        return cls(
            retention_months=outlook.months,
            held_since=outlook.held_since,
            kept_from=outlook.kept_from,
            overdue=outlook.overdue,
            due=outlook.due,
            due_by=outlook.due_by,
            next_on=outlook.next_on,
            month=outlook.month,
            month_on=outlook.month_on,
        )


class DeletionList(BaseModel):
    """The latest day first, with what is kept and what goes next."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "data": [_DELETION],
                    "meta": {"limit": 50, "next_cursor": None},
                    "retention": _RETENTION,
                }
            ]
        }
    )

    data: list[DeletionShape]
    meta: ListMeta
    retention: RetentionShape
