"""Questions about single answers."""

import uuid

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
