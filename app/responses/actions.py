"""What is done to a stored answer: leaving it out of the figures, with a reason, taking it back in,
and counting one that was held. None touches what was answered."""

import uuid
from collections import Counter

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.schemas import Actor
from app.foundation.errors import Invalid, InvalidParam
from app.foundation.translation import mark
from app.responses.closing import is_closed
from app.responses.counts import apply_count_changes, count_key
from app.responses.models import Response, Standing
from app.responses.queries import lock_response
from app.responses.texts import is_storable


async def exclude_response(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
    reason: str,
) -> Response:
    """Leave the answer out of every figure; where it is out already, only the reason changes."""
    reason = clean_reason(reason)
    response = await lock_response(session, workspace_id, survey_id, response_id)
    if (response.standing, response.exclusion_reason) != (Standing.EXCLUDED, reason):
        await _move(session, response, Standing.EXCLUDED, reason)
        record_event(
            session, workspace_id, actor, "response.excluded", response_id, {"reason": reason}
        )
    return response


async def include_response(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
) -> Response:
    """Take an excluded answer back into the figures; any other stays as it is."""
    response = await lock_response(session, workspace_id, survey_id, response_id)
    if response.standing == Standing.EXCLUDED:
        await _move(session, response, Standing.COUNTED, None)
        record_event(session, workspace_id, actor, "response.included", response_id)
    return response


async def release_response(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
) -> Response:
    """Count a held answer; any other stays as it is."""
    response = await lock_response(session, workspace_id, survey_id, response_id)
    if response.standing == Standing.HELD:
        await _move(session, response, Standing.COUNTED, None)
        record_event(session, workspace_id, actor, "response.released", response_id)
    return response


def clean_reason(text: str) -> str:
    """Why something is left out, as it is stored; Invalid where nothing is said."""
    reason = text.strip()
    if not reason or not is_storable(reason):
        raise Invalid(invalid_params=[InvalidParam("reason", mark("Say why, in plain words."))])
    return reason


async def _move(
    session: AsyncSession, response: Response, standing: Standing, reason: str | None
) -> None:
    """Give the answer another standing, its count with it.

    Once its month is closed this moves everybody's figures only: a subgroup whose figure moved
    with it would tell the labels of this one answer.
    """
    is_moved = Standing.COUNTED in (response.standing, standing) and response.standing != standing
    if is_moved and await is_closed(session, response):
        response.is_late_change = not response.is_late_change
    changes = Counter([count_key(response, standing)])
    changes.subtract([count_key(response)])
    response.standing, response.exclusion_reason = standing, reason
    response.hold_reason = None
    await session.flush()
    await apply_count_changes(session, response.workspace_id, changes)
