"""The page of deletions' memory: how many answers went on which day, and why. No answer's id."""

import uuid

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.queries import get_workspace
from app.foundation import clock
from app.responses.models import Deletion, DeletionReason


async def record_deletions(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_id: uuid.UUID,
    reason: DeletionReason,
    number: int,
) -> None:
    """Count `number` answers of a survey as deleted today, by the workspace's calendar; none for 0.

    Call it last in the transaction that deletes: the day's row stays locked until that ends.
    """
    if not number:
        return
    workspace = await get_workspace(session, workspace_id)
    deletion = insert(Deletion).values(
        workspace_id=workspace_id,
        survey_id=survey_id,
        deleted_on=clock.today(workspace.time_zone),
        reason=reason,
        responses=number,
    )
    await session.execute(
        deletion.on_conflict_do_update(
            index_elements=["workspace_id", "survey_id", "deleted_on", "reason"],
            set_={"responses": Deletion.responses + deletion.excluded.responses},
        )
    )
