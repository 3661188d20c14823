"""Held answers of a survey, all together or those held for one reason: how many there are, counting
them, leaving them out."""

import uuid
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import ColumnElement, case, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.schemas import Actor
from app.responses.actions import clean_reason
from app.responses.closing import first_open_day, lock_edition
from app.responses.counts import CountKey, apply_count_changes
from app.responses.models import HoldReason, Response, Standing
from app.surveys.models import Channel

AT_ONCE = 5_000  # answers a statement, so that any number goes through bounded memory


async def count_held(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> Mapping[HoldReason | None, int]:
    """How many answers wait, for each reason that there is; None where no reason is known."""
    rows = await session.execute(
        select(Response.hold_reason, func.count())
        .where(*_held(workspace_id, survey_id, None))
        .group_by(Response.hold_reason)
        .order_by(Response.hold_reason)
    )
    return {HoldReason(reason) if reason else None: number for reason, number in rows}


async def release_held(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    reason: HoldReason | None = None,
) -> int:
    """Count every held answer, or those held for `reason`; returns how many."""
    number = await _move_held(session, workspace_id, survey_id, reason, None)
    if number:
        details = {"responses": number, "hold_reason": reason}
        record_event(session, workspace_id, actor, "responses.released", survey_id, details)
    return number


async def exclude_held(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    why: str,
    reason: HoldReason | None = None,
) -> int:
    """Leave out every held answer, or those held for `reason`, with `why`; returns how many."""
    why = clean_reason(why)
    number = await _move_held(session, workspace_id, survey_id, reason, why)
    if number:
        details = {"responses": number, "hold_reason": reason, "reason": why}
        record_event(session, workspace_id, actor, "responses.excluded", survey_id, details)
    return number


def _held(
    workspace_id: uuid.UUID, survey_id: uuid.UUID, reason: HoldReason | None
) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [
        Response.workspace_id == workspace_id,
        Response.survey_id == survey_id,
        Response.standing == Standing.HELD,
    ]
    return conditions if reason is None else [*conditions, Response.hold_reason == reason]


async def _move_held(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_id: uuid.UUID,
    reason: HoldReason | None,
    excluded_for: str | None,
) -> int:
    """Lock the answers by id and give them their new standing; the counts follow, last of all."""
    in_time = await lock_edition(session, workspace_id, survey_id, shared=True)
    found = await session.scalars(
        select(Response.id)
        .where(*_held(workspace_id, survey_id, reason))
        .order_by(Response.id)
        .with_for_update()
    )
    ids = found.all()
    values: dict[str, object] = {"standing": Standing.EXCLUDED, "exclusion_reason": excluded_for}
    if excluded_for is None:
        is_closed = Response.answered_on < first_open_day(in_time)
        values = {
            "standing": Standing.COUNTED,
            # See `_move` of `actions`; what was held was not counted when its month was closed.
            "is_late_change": case(
                (is_closed, ~Response.is_late_change), else_=Response.is_late_change
            ),
        }
    changes = Counter[CountKey]()
    for start in range(0, len(ids), AT_ONCE):
        part = ids[start : start + AT_ONCE]
        changes.update(await _update(session, workspace_id, part, values))
    await apply_count_changes(session, workspace_id, changes)
    return len(ids)


async def _update(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    ids: Sequence[uuid.UUID],
    values: Mapping[str, object],
) -> Counter[CountKey]:
    """Write the standing; returns what it changes in the counts."""
    rows = await session.execute(
        update(Response)
        .where(Response.workspace_id == workspace_id, Response.id.in_(ids))
        .values(hold_reason=None, **values)
        .returning(
            Response.survey_id,
            Response.answered_on,
            Response.segment_set_id,
            Response.language,
            Response.channel,
            Response.standing,
            Response.score,
        )
        .execution_options(synchronize_session=False)
    )
    return _changes(CountKey(*row) for row in rows)


def _changes(moved: Iterable[CountKey]) -> Counter[CountKey]:
    changes = Counter[CountKey]()
    for row in moved:
        key = row._replace(channel=Channel(row.channel), standing=Standing(row.standing))
        changes[key] += 1
        changes[key._replace(standing=Standing.HELD)] -= 1
    return changes
