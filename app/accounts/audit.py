"""The record of who did what: one insert-only row per act, in the act's own transaction.

The lines of a workspace are numbered 1, 2, 3 … without a gap, and each is sealed with a hash over
itself and the line before (`audit_chain`). Whoever appends holds the workspace's head until the
commit; so lines are written last, when the transaction has nothing else left to do.
"""

import json
import uuid
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit_chain import GENESIS, seal
from app.accounts.models import AuditEvent, AuditHead
from app.accounts.schemas import Actor
from app.foundation import clock
from app.foundation.database import before_commit, enter_workspace
from app.foundation.tokens import new_id

PENDING = "audit lines"


def record_event(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    action: str,
    subject_id: uuid.UUID | None = None,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Note an act; its line is written just before the transaction is committed, or not at all.

    `action` is noun.verb in the past (`survey.published`); `details` hold JSON without fractions
    (TypeError), no personal data of respondents and no secrets.
    """
    event = AuditEvent(
        workspace_id=workspace_id,
        id=new_id(),
        happened_at=clock.now(),
        actor_kind=actor.kind,
        actor_id=actor.id,
        action=action,
        subject_id=subject_id,
        details=_as_stored(details or {}),
    )
    session.info.setdefault(PENDING, []).append(event)
    before_commit(session, _write_pending)


def _as_stored(details: Mapping[str, Any]) -> dict[str, Any]:
    """The details as they will be read back, so that what is sealed is what is stored."""
    stored: dict[str, Any] = json.loads(
        json.dumps(details), parse_float=_refuse_fraction, parse_constant=_refuse_fraction
    )
    return stored


def _refuse_fraction(text: str) -> None:
    raise TypeError(f"{text}: a fraction may be stored with other digits than it was sealed with")


async def _write_pending(session: AsyncSession) -> None:
    by_workspace = defaultdict[uuid.UUID, list[AuditEvent]](list)
    for event in session.info.pop(PENDING):
        by_workspace[event.workspace_id].append(event)
    # Whatever else waits to be written belongs to the workspace that the transaction is in.
    await session.flush()
    # In one order, so that two people who belong to the same workspaces cannot deadlock.
    for workspace_id in sorted(by_workspace):
        await enter_workspace(session, workspace_id)
        await _append(session, workspace_id, by_workspace[workspace_id])


async def _append(
    session: AsyncSession, workspace_id: uuid.UUID, events: Sequence[AuditEvent]
) -> None:
    # One statement takes the turn and the numbers: others of this workspace wait for our commit.
    last, previous = (
        await session.execute(
            insert(AuditHead)
            .values(workspace_id=workspace_id, number=len(events), hash=GENESIS)
            .on_conflict_do_update(
                index_elements=[AuditHead.workspace_id],
                set_={"number": AuditHead.number + len(events)},
            )
            .returning(AuditHead.number, AuditHead.hash)
        )
    ).one()
    for number, event in enumerate(events, last - len(events) + 1):
        event.number = number
        event.hash = previous = seal(event, previous)
    session.add_all(events)
    await session.flush()
    await session.execute(
        update(AuditHead).where(AuditHead.workspace_id == workspace_id).values(hash=previous)
    )
