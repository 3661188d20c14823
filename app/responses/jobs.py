"""Daily work: what makes a retry harmless is forgotten once nobody will retry any more."""

import uuid
from datetime import date, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningDelete

from app.accounts.models import IdempotencyRecord, Workspace
from app.foundation import clock
from app.foundation.database import Database
from app.responses.models import Response, SubmissionKey


async def expire_submission_keys(database: Database) -> int:
    """Delete the keys of answers given before yesterday by their workspace's calendar, and the
    records of Idempotency-Keys of that age. Returns how many rows went."""
    async with database.transaction() as session:
        workspaces = (await session.execute(select(Workspace.id, Workspace.time_zone))).all()
    deleted = 0
    for workspace_id, time_zone in workspaces:
        yesterday = clock.today(time_zone) - timedelta(days=1)
        async with database.transaction(workspace_id) as session:
            deleted += await _delete(session, _old_keys(workspace_id, yesterday))
            deleted += await _delete(session, _old_records(workspace_id, yesterday))
    return deleted


def _old_keys(workspace_id: uuid.UUID, yesterday: date) -> ReturningDelete[uuid.UUID]:
    return (
        delete(SubmissionKey)
        .where(
            SubmissionKey.workspace_id == workspace_id,
            Response.workspace_id == SubmissionKey.workspace_id,
            Response.id == SubmissionKey.response_id,
            Response.answered_on < yesterday,
        )
        .returning(SubmissionKey.key)
    )


def _old_records(workspace_id: uuid.UUID, yesterday: date) -> ReturningDelete[uuid.UUID]:
    return (
        delete(IdempotencyRecord)
        .where(
            IdempotencyRecord.workspace_id == workspace_id,
            IdempotencyRecord.created_on < yesterday,
        )
        .returning(IdempotencyRecord.id)
    )


async def _delete(session: AsyncSession, statement: ReturningDelete[uuid.UUID]) -> int:
    deleted = await session.execute(statement.execution_options(synchronize_session=False))
    return len(deleted.all())
