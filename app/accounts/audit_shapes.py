"""The audit log as the API and its page are asked for it, and as the API shows it."""

import re
import uuid
from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from app.accounts.audit_chain import moment_text
from app.accounts.audit_queries import AuditEntry
from app.foundation.translation import mark
from app.foundation.web.openapi import ListMeta, PageQuery

# No reckoning with these leaves the calendar.
FIRST_YEAR, LAST_YEAR = 1900, 2199
EXAMPLE: JsonDict = {
    "workspace_id": "7c9e6679-7425-40de-944b-e07fc1f90ae7",
    "number": 1,
    "previous_hash": "0" * 64,
    "id": "3d0f6e0a-54a6-4a2f-8a68-0d7f52b1a7a9",
    "happened_at": "2026-01-05T09:00:00.000000Z",
    "actor_kind": "user",
    "actor_id": "9b2b3f0e-6c8f-4f0e-8d57-2f6f0f1f9a10",
    "action": "api_key.created",
    "subject_id": "1b4e28ba-2fa1-4d3b-a3f5-ef19b5a7633b",
    "details": {"name": "CRM", "scopes": ["read", "write"]},
    "hash": "43b1187cdda6b81e77f640c3e5f178f304eb13d0d982407cfd1788b5608d9e2d",
}
VERIFYING = """\
The latest line first. Numbers run from 1 without a gap, and each line is sealed: `hash` is the \
SHA-256 of `honne audit line 1`, a line feed, and the line itself without `hash`, as JSON in UTF-8 \
with its keys sorted, no blanks and nothing escaped that need not be. So a copy is checked by:

```python
import hashlib, json

def check(lines):  # all of them, in the order of the list
    expected = lines[0]["hash"]  # or the one you kept
    for line in lines:
        sealed = {key: value for key, value in line.items() if key != "hash"}
        text = json.dumps(sealed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        found = hashlib.sha256(b"honne audit line 1\\n" + text.encode()).hexdigest()
        assert expected == line["hash"] == found, line["number"]
        expected = line["previous_hash"]
    assert expected == "0" * 64  # what stands before line 1
```

Needs a key with the scope `audit`. Respondents never appear in the log."""


def _iso_day(value: object) -> date | None:
    """A day as ISO 8601 writes it; Pydantic alone would read numbers as moments."""
    if value is None or type(value) is date:
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        try:
            day = date.fromisoformat(value)
        except ValueError:
            day = date.min
        if FIRST_YEAR <= day.year <= LAST_YEAR:
            return day
    raise PydanticCustomError("day", mark("Write a day from 1900 to 2199 as 2026-04-30."))


_Day = Annotated[date | None, BeforeValidator(_iso_day)]


class _Days(BaseModel):
    since: Annotated[_Day, Field(description="First workspace day", examples=["2026-01-01"])] = None
    until: Annotated[_Day, Field(description="Last workspace day", examples=["2026-03-31"])] = None

    @field_validator("until")
    @classmethod
    def _in_order(cls, until: date | None, info: ValidationInfo) -> date | None:
        since = info.data.get("since")
        if since is not None and until is not None and until < since:
            raise PydanticCustomError("day_order", mark("The last day lies before the first."))
        return until


class AuditQuery(PageQuery, _Days):
    """Which lines."""

    action: Annotated[
        str | None,
        Field(
            description="Only this act, such as `response.excluded`",
            pattern=r"^[a-z_]+\.[a-z_]+$",
            max_length=100,
        ),
    ] = None


class AuditPageQuery(_Days):
    """The parameters of the page; an empty one, as forms send them, is none."""

    kind: Annotated[str | None, Field(max_length=50)] = None
    who: Annotated[str | None, Field(pattern="^(system|api_key|[0-9a-f-]{36})$")] = None
    cursor: Annotated[str | None, Field(max_length=500)] = None

    @model_validator(mode="before")
    @classmethod
    def _drop_empty(cls, given: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in given.items() if value != ""}


class AuditLine(BaseModel):
    """A line of the audit log. Everything but `hash` is sealed by it."""

    model_config = ConfigDict(json_schema_extra={"example": EXAMPLE})

    workspace_id: uuid.UUID
    number: Annotated[int, Field(ge=1, description="Runs from 1 without a gap")]
    previous_hash: Annotated[str, Field(description="64 zeros before line 1")]
    id: uuid.UUID
    happened_at: Annotated[datetime, PlainSerializer(moment_text, return_type=str)] = Field(
        json_schema_extra={"format": "date-time"}, description="UTC, always six digits of a second"
    )
    actor_kind: Annotated[str, Field(description="`user`, `api_key` or `system`")]
    actor_id: uuid.UUID | None
    action: Annotated[str, Field(description="noun.verb, such as `response.excluded`")]
    subject_id: Annotated[uuid.UUID | None, Field(description="What or whom it was done to")]
    details: dict[str, Any]
    hash: Annotated[str, Field(description="SHA-256, 64 hexadecimal digits")]

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditLine":
        event = entry.event
        return cls(
            workspace_id=event.workspace_id,
            number=event.number,
            previous_hash=entry.previous_hash.hex(),
            id=event.id,
            happened_at=event.happened_at,
            actor_kind=event.actor_kind,
            actor_id=event.actor_id,
            action=event.action,
            subject_id=event.subject_id,
            details=event.details,
            hash=event.hash.hex(),
        )


class AuditLineList(BaseModel):
    """A page of the audit log."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {"data": [EXAMPLE], "meta": {"limit": 50, "next_cursor": None}}
        }
    )

    data: list[AuditLine]
    meta: ListMeta
