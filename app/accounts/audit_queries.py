"""Questions about the audit log."""

import re
import uuid
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.accounts.audit_chain import GENESIS
from app.accounts.models import ApiKey, AuditEvent, User
from app.foundation.paging import Page, decode_cursor, encode_cursor, refused_cursor


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """Which lines are asked for. Days are days of `time_zone`, both inclusive.

    `nouns` are what actions begin with; `actor` is a person's or key's id, or a kind of actor.
    """

    time_zone: str = "UTC"
    since: date | None = None
    until: date | None = None
    action: str | None = None
    nouns: Collection[str] = ()
    actor: uuid.UUID | str | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        """What a line must fulfil, for a statement that names the workspace itself."""
        if self.since is not None:
            yield AuditEvent.happened_at >= self._start_of(self.since)
        if self.until is not None:
            yield AuditEvent.happened_at < self._start_of(self.until + timedelta(days=1))
        if self.action is not None:
            yield AuditEvent.action == self.action
        if self.nouns:
            yield func.split_part(AuditEvent.action, ".", 1).in_(sorted(self.nouns))
        if isinstance(self.actor, uuid.UUID):
            yield AuditEvent.actor_id == self.actor
        elif self.actor is not None:
            yield AuditEvent.actor_kind == self.actor

    def _start_of(self, day: date) -> datetime:
        return datetime.combine(day, time.min, ZoneInfo(self.time_zone))


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """A line with the hash before it, and the names of those it is about.

    `actor_name` is None for the server and for who is gone, `subject_name` where it is no person.
    """

    event: AuditEvent
    previous_hash: bytes
    actor_name: str | None
    subject_name: str | None


async def list_audit_events(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    asked: AuditFilter,
    limit: int,
    cursor: str | None = None,
) -> Page[AuditEntry]:
    """What was done in the workspace, the latest line first; Invalid for a cursor not ours."""
    before, subject = aliased(AuditEvent), aliased(User)
    query = (
        select(AuditEvent, before.hash, func.coalesce(User.name, ApiKey.name), subject.name)
        .outerjoin(
            before,
            (before.workspace_id == AuditEvent.workspace_id)
            & (before.number == AuditEvent.number - 1),
        )
        .outerjoin(User, (AuditEvent.actor_kind == "user") & (User.id == AuditEvent.actor_id))
        .outerjoin(
            ApiKey,
            (ApiKey.workspace_id == AuditEvent.workspace_id) & (ApiKey.id == AuditEvent.actor_id),
        )
        .outerjoin(subject, subject.id == AuditEvent.subject_id)
        .where(AuditEvent.workspace_id == workspace_id, *asked.conditions())
        .order_by(AuditEvent.number.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        query = query.where(AuditEvent.number < _number_in(cursor))
    rows = (await session.execute(query)).all()
    entries = [
        AuditEntry(event, previous or GENESIS, actor, subject_name)
        for event, previous, actor, subject_name in rows[:limit]
    ]
    more = len(rows) > limit
    return Page(entries, encode_cursor(str(entries[-1].event.number)) if more else None)


def _number_in(cursor: str) -> int:
    (text,) = decode_cursor(cursor, 1)
    if not re.fullmatch("[0-9]{1,18}", text):
        raise refused_cursor()
    return int(text)
