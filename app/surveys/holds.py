"""Legal holds: while one is on, none of a survey's answers is deleted for its age."""

import uuid

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.queries import get_workspace
from app.accounts.schemas import Actor
from app.foundation import clock
from app.foundation.errors import Conflict
from app.foundation.translation import mark
from app.surveys.models import Survey
from app.surveys.queries import lock_survey


async def hold_survey(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, survey_id: uuid.UUID
) -> Survey:
    """The survey with a hold on, from today by the workspace's calendar; one that is held stays
    as it is. Once this is committed, nothing more is deleted for its age."""
    survey = await lock_survey(session, workspace_id, survey_id)
    if survey.held_since is None:
        workspace = await get_workspace(session, workspace_id)
        survey.held_since = clock.today(workspace.time_zone)
        record_event(session, workspace_id, actor, "survey.held", survey_id)
        await session.flush()
    return survey


async def release_survey(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, survey_id: uuid.UUID
) -> Survey:
    """The survey without a hold: what is past its retention goes with the next run of the job."""
    survey = await lock_survey(session, workspace_id, survey_id)
    if survey.held_since is not None:
        details = {"since": survey.held_since.isoformat()}
        survey.held_since = None
        record_event(session, workspace_id, actor, "survey.released", survey_id, details)
        await session.flush()
    return survey


async def refuse_while_held(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> None:
    """Conflict where a hold is on; else the survey stays without one until this transaction ends.

    For what the workspace itself would delete. A respondent's own deletion is not refused.
    """
    if (await lock_survey(session, workspace_id, survey_id)).held_since is not None:
        raise Conflict(mark("A legal hold is on: until it ends, no answers are taken out."))
