"""Walking the chain of an audit log from its first line, to find where it was tampered with."""

import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit_chain import GENESIS, seal
from app.accounts.models import AuditEvent, AuditHead
from app.foundation.database import Database

LINES_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class ChainPoint:
    """A line's number and hash; kept elsewhere, it vouches for that line and all before it."""

    number: int
    hash: bytes

    def __str__(self) -> str:
        return f"{self.number}:{self.hash.hex()}"


START = ChainPoint(0, GENESIS)


@dataclass(frozen=True, slots=True)
class ChainReport:
    """How far a log is intact; `fault` says in English what is wrong with what follows."""

    intact: ChainPoint
    fault: str | None = None


async def verify_audit_log(
    database: Database, workspace_id: uuid.UUID, kept: ChainPoint | None = None
) -> ChainReport:
    """Check every line of a workspace's log, its end, and that it still holds the line `kept`.

    Reads one snapshot, some lines at a time, so the log may grow meanwhile and be of any length.
    """
    async with database.transaction(workspace_id) as session:
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        at = START
        async for event in _lines(session, workspace_id):
            fault = _find_fault(event, at) or _find_difference(event, kept)
            if fault:
                return ChainReport(at, fault)
            at = ChainPoint(event.number, event.hash)
        head = await session.scalar(select(AuditHead).where(AuditHead.workspace_id == workspace_id))
        return ChainReport(at, _find_fault_at_end(at, head, kept))


async def _lines(session: AsyncSession, workspace_id: uuid.UUID) -> AsyncIterator[AuditEvent]:
    """In the order of numbers; with ids, since a tampered table may hold a number twice."""
    place = tuple_(AuditEvent.number, AuditEvent.id)
    query = (
        select(AuditEvent)
        .where(AuditEvent.workspace_id == workspace_id)
        .order_by(AuditEvent.number, AuditEvent.id)
        .limit(LINES_AT_ONCE)
    )
    events = (await session.scalars(query)).all()
    while events:
        for event in events:
            yield event
        last = events[-1]
        events = (await session.scalars(query.where(place > (last.number, last.id)))).all()


def _find_fault(event: AuditEvent, before: ChainPoint) -> str | None:
    due = before.number + 1
    if event.number > due:
        return f"{_name_lines(due, event.number - 1)} missing"
    if event.number < 1:
        return f"line {event.number} was put in before the first"
    if event.number < due:
        return f"line {event.number} is there twice"
    if seal(event, before.hash) != event.hash:
        return f"line {due} is not what was written: it was changed, or another took its place"
    return None


def _find_difference(event: AuditEvent, kept: ChainPoint | None) -> str | None:
    if kept is not None and event.number == kept.number and event.hash != kept.hash:
        return f"line {kept.number} is another than the one that was kept: the log was rewritten"
    return None


def _find_fault_at_end(
    last: ChainPoint, head: AuditHead | None, kept: ChainPoint | None
) -> str | None:
    end = START if head is None else ChainPoint(head.number, head.hash)
    if end.number > last.number:
        return f"{_name_lines(last.number + 1, end.number)} missing at the end"
    if end.number < last.number:
        return f"{_name_lines(end.number + 1, last.number)} beyond the recorded end"
    if end != last:
        return f"the recorded end is another than line {last.number}"
    if kept is not None and kept.number > last.number:
        return f"line {kept.number}, which was kept, is missing"
    return None


def _name_lines(first: int, last: int) -> str:
    return f"line {first} is" if first == last else f"lines {first} to {last} are"
