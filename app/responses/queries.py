"""Questions about single answers."""

import uuid
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.errors import NotFound
from app.responses.models import Response


async def lock_response(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, response_id: uuid.UUID
) -> Response:
    """The answer, held against other writers until the transaction ends; NotFound where the
    survey has none with that id. Lock answers before their counts."""
    response = await session.scalar(
        select(Response)
        .where(
            Response.workspace_id == workspace_id,
            Response.survey_id == survey_id,
            Response.id == response_id,
        )
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if response is None:
        raise NotFound
    return response


async def get_responses(
    session: AsyncSession, workspace_id: uuid.UUID, ids: Sequence[uuid.UUID]
) -> list[Response]:
    """Those of the answers that are still there, in the order of `ids`; NotFound where none is."""
    rows = await session.scalars(
        select(Response).where(Response.workspace_id == workspace_id, Response.id.in_(ids))
    )
    found = {response.id: response for response in rows}
    if not found:
        raise NotFound
    return [found[id_] for id_ in ids if id_ in found]
