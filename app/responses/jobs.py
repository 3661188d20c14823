"""Daily work: what makes a retry harmless is forgotten once nobody will retry any more, and
answers go when their survey's retention is over."""

import uuid
from calendar import monthrange
from datetime import date, timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningDelete

from app.accounts.audit import record_event
from app.accounts.models import IdempotencyRecord, Workspace
from app.accounts.schemas import SYSTEM
from app.foundation import clock
from app.foundation.database import Database
from app.responses.models import Response, SubmissionKey
from app.surveys.models import Survey

DELETED_AT_ONCE = 5_000


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


async def enforce_retention(database: Database) -> int:
    """Delete the answers that are older than their survey keeps them; their counts stay.

    Returns how many went. A survey's answers go in several transactions, so that a large one never
    keeps others waiting.
    """
    async with database.transaction() as session:
        workspaces = (await session.execute(select(Workspace.id, Workspace.time_zone))).all()
    deleted = 0
    for workspace_id, time_zone in workspaces:
        for survey_id, months in await _list_retentions(database, workspace_id):
            kept_from = _months_before(clock.today(time_zone), months)
            deleted += await _delete_before(database, workspace_id, survey_id, kept_from)
    return deleted


async def _list_retentions(
    database: Database, workspace_id: uuid.UUID
) -> list[tuple[uuid.UUID, int]]:
    async with database.transaction(workspace_id) as session:
        rows = await session.execute(
            select(Survey.id, Survey.retention_months).where(Survey.workspace_id == workspace_id)
        )
        return [(survey_id, months) for survey_id, months in rows]


def _months_before(day: date, months: int) -> date:
    """The same day `months` earlier, or the last of that month where it is shorter."""
    index = day.year * 12 + day.month - 1 - months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


async def _delete_before(
    database: Database, workspace_id: uuid.UUID, survey_id: uuid.UUID, kept_from: date
) -> int:
    deleted = 0
    while True:
        async with database.transaction(workspace_id) as session:
            gone = await _delete(session, _expired(workspace_id, survey_id, kept_from))
            deleted += gone
            if gone < DELETED_AT_ONCE:
                if deleted:
                    details = {"responses": deleted, "before": kept_from.isoformat()}
                    record_event(
                        session, workspace_id, SYSTEM, "responses.expired", survey_id, details
                    )
                return deleted


def _expired(
    workspace_id: uuid.UUID, survey_id: uuid.UUID, kept_from: date
) -> ReturningDelete[uuid.UUID]:
    ids = (
        select(Response.id)
        .where(
            Response.workspace_id == workspace_id,
            Response.survey_id == survey_id,
            Response.answered_on < kept_from,
        )
        .order_by(Response.id)
        .limit(DELETED_AT_ONCE)
    )
    return (
        delete(Response)
        .where(Response.workspace_id == workspace_id, Response.id.in_(ids))
        .returning(Response.id)
    )


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
