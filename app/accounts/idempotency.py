"""`Idempotency-Key`: a POST that creates may be sent again without creating again.

The record is written in the creating transaction, so a crash leaves both or neither. While the
first request runs, a second with its key gets 409; with another body 422; later, the same answer.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request
from pydantic import BaseModel
from sqlalchemy import func, select
from starlette.responses import Response

from app.accounts.models import IdempotencyRecord
from app.accounts.schemas import ApiClient
from app.foundation import clock
from app.foundation.errors import Conflict, Invalid, InvalidParam
from app.foundation.tokens import fingerprint
from app.foundation.translation import mark
from app.foundation.web.openapi import IDEMPOTENCY_KEY, MAX_KEY_LENGTH


@dataclass(frozen=True, slots=True)
class Reminder:
    """What is kept in place of an answer that no second table may hold, and the way back to it."""

    keep: Callable[[], str]
    recall: Callable[[str], Awaitable[BaseModel]]


async def create_once(
    request: Request,
    client: ApiClient,
    create: Callable[[], Awaitable[BaseModel]],
    reminder: Reminder | None = None,
) -> Response:
    """201 with what `create` returns, or the answer already given to the same key and request."""
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        return _created((await create()).model_dump_json())
    _check(key)
    key_hash = fingerprint(client.caller.key_id.bytes + key.encode())
    await _lock(client, key_hash)
    request_hash = fingerprint(f"{request.url.path}\n".encode() + await request.body())
    record = await _find(client, key_hash)
    if record is not None:
        return await _replay(record, request_hash, reminder)
    body = (await create()).model_dump_json()
    client.session.add(
        IdempotencyRecord(
            workspace_id=client.workspace_id,
            api_key_id=client.caller.key_id,
            key_hash=key_hash,
            request_hash=request_hash,
            status=201,
            body=reminder.keep() if reminder else body,
            created_on=clock.today(client.time_zone),
        )
    )
    return _created(body)


def _created(body: str) -> Response:
    return Response(body, 201, media_type="application/json")


def _check(key: str) -> None:
    if not (0 < len(key) <= MAX_KEY_LENGTH and key.isascii() and key.isprintable()):
        raise _refused(
            mark("See which inputs were refused."),
            f"Send 1 to {MAX_KEY_LENGTH} printable ASCII characters.",
        )


def _refused(detail: str, reason: str) -> Invalid:
    return Invalid(detail, invalid_params=[InvalidParam(IDEMPOTENCY_KEY, reason)])


async def _lock(client: ApiClient, key_hash: bytes) -> None:
    number = int.from_bytes(key_hash[:8], "big", signed=True)
    if not await client.session.scalar(select(func.pg_try_advisory_xact_lock(number))):
        raise Conflict(
            mark("A request with this Idempotency-Key is still running; try again shortly."),
            headers={"Retry-After": "1"},
        )


async def _find(client: ApiClient, key_hash: bytes) -> IdempotencyRecord | None:
    return await client.session.scalar(
        select(IdempotencyRecord).where(
            IdempotencyRecord.workspace_id == client.workspace_id,
            IdempotencyRecord.api_key_id == client.caller.key_id,
            IdempotencyRecord.key_hash == key_hash,
        )
    )


async def _replay(
    record: IdempotencyRecord, request_hash: bytes, reminder: Reminder | None
) -> Response:
    if record.request_hash != request_hash:
        raise _refused(
            mark("This Idempotency-Key was already used for another request; choose a new key."),
            "This key was already used for another request.",
        )
    body = record.body
    answer = _created((await reminder.recall(body)).model_dump_json() if reminder else body)
    answer.status_code = record.status
    answer.headers["Idempotency-Replayed"] = "true"
    return answer
