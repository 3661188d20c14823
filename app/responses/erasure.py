"""Taking one answer back: deleted with its comment, its key and its share of the counts.

What is published about subgroups, and the closed months it was made from, stays: those figures
never move, so that nobody can tell an erased answer by the difference. No audit event either:
respondents do not appear there. All that is noted is one answer more deleted on that day.
"""

import uuid

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.errors import NotFound
from app.responses.counts import apply_count_changes, count_key, forget_empty_counts
from app.responses.deletions import record_deletions
from app.responses.models import DeletionReason, Response, SubmissionKey


async def erase_response(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    response_id: uuid.UUID,
    reason: DeletionReason,
    survey_id: uuid.UUID | None = None,
) -> None:
    """Delete the workspace's answer, of whatever survey unless one is named; NotFound where it is
    not there any more. A legal hold does not stand in the way of whoever gave the answer."""
    # First the key, as intake does: an amendment that comes at the same moment waits or is waited
    # for, and finds no key afterwards.
    await session.execute(
        delete(SubmissionKey).where(
            SubmissionKey.workspace_id == workspace_id, SubmissionKey.response_id == response_id
        )
    )
    response = await _lock(session, workspace_id, response_id, survey_id)
    await session.execute(
        delete(Response).where(Response.workspace_id == workspace_id, Response.id == response_id)
    )
    key = count_key(response)
    await apply_count_changes(session, workspace_id, {key: -1})
    await forget_empty_counts(session, workspace_id, [key.row])
    await record_deletions(session, workspace_id, response.survey_id, reason, 1)


async def _lock(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    response_id: uuid.UUID,
    survey_id: uuid.UUID | None,
) -> Response:
    query = select(Response).where(
        Response.workspace_id == workspace_id, Response.id == response_id
    )
    if survey_id is not None:
        query = query.where(Response.survey_id == survey_id)
    response = await session.scalar(
        query.with_for_update().execution_options(populate_existing=True)
    )
    if response is None:
        raise NotFound
    return response
