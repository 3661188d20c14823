"""Which sites may show a survey's form in a frame of their pages: verbs for one site at a time."""

import uuid
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.schemas import Actor
from app.foundation.errors import InvalidParam
from app.surveys.models import Survey
from app.surveys.origins import BAD_ORIGIN, clean_origins, find_origin_problems, parse_origin
from app.surveys.queries import lock_survey
from app.surveys.rules import refuse


async def add_embed_origin(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, survey_id: uuid.UUID, given: str
) -> Survey:
    """The survey with one more site; Invalid for what is no origin, or one too many.

    A site that is listed already changes nothing.
    """
    survey = await lock_survey(session, workspace_id, survey_id)
    origin = parse_origin(given)
    if origin is None:
        refuse([InvalidParam("origin", BAD_ORIGIN)])
    elif origin not in survey.embed_origins:
        origins = clean_origins([*survey.embed_origins, origin])
        refuse([replace(found, name="origin") for found in find_origin_problems(origins)])
        survey.embed_origins = origins
        record_event(
            session, workspace_id, actor, "embed_origin.added", survey_id, {"origin": origin}
        )
        await session.flush()
    return survey


async def remove_embed_origin(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, survey_id: uuid.UUID, origin: str
) -> Survey:
    """The survey without that site; where it is not listed, nothing changes."""
    survey = await lock_survey(session, workspace_id, survey_id)
    if origin in survey.embed_origins:
        survey.embed_origins = [kept for kept in survey.embed_origins if kept != origin]
        record_event(
            session, workspace_id, actor, "embed_origin.removed", survey_id, {"origin": origin}
        )
        await session.flush()
    return survey
