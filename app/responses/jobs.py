"""Daily work: what makes a retry harmless is forgotten once nobody will retry any more, and
answers go when their survey's retention is over."""

import uuid
from contextlib import suppress
from datetime import date, timedelta

from sqlalchemy import delete, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.dml import ReturningDelete

from app.accounts.audit import record_event
from app.accounts.models import IdempotencyRecord
from app.accounts.rounds import unscoped_go_round
from app.accounts.schemas import SYSTEM
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.errors import NotFound
from app.responses.day_totals import list_without_totals, make_totals
from app.responses.mixing import mix_answers
from app.responses.retention import Keeping, delete_expired, unscoped_list_keepings


async def expire_submission_keys(database: Database) -> int:
    """Delete the keys of answers given before yesterday by their workspace's calendar, with the
    order in which these came, and the records of Idempotency-Keys of that age. Returns how many
    rows went."""
    deleted = 0
    async for workspace_id, time_zone in unscoped_go_round(database):
        yesterday = clock.today(time_zone) - timedelta(days=1)
        deleted += await _mix_all(database, workspace_id, yesterday)
        async with database.transaction(workspace_id) as session:
            deleted += await _delete(session, _old_records(workspace_id, yesterday))
    return deleted


async def enforce_retention(database: Database) -> int:
    """Delete the answers that are older than their survey keeps them; their counts stay.

    Returns how many went. A survey's answers go in several transactions, so that a large one never
    keeps others waiting.
    """
    deleted = 0
    async for keeping in unscoped_list_keepings(database):
        # A survey that went meanwhile took its answers along.
        with suppress(NotFound):
            deleted += await _delete_all(database, keeping)
    return deleted


async def total_days(database: Database) -> int:
    """Add up the days that have become old enough; returns how many totals were made."""
    made = 0
    async for workspace_id, _time_zone in unscoped_go_round(database):
        async with database.transaction(workspace_id) as session:
            waiting = await list_without_totals(session, workspace_id)
        for survey_id in waiting:
            async with database.transaction(workspace_id) as session:
                # The first time it is the whole history of a survey.
                await session.execute(text("SET LOCAL statement_timeout = 0"))
                made += await make_totals(session, workspace_id, survey_id)
    return made


async def _delete_all(database: Database, keeping: Keeping) -> int:
    deleted = 0
    while True:
        async with database.transaction(keeping.workspace_id) as session:
            gone = await delete_expired(session, keeping)
            deleted += gone
            if not gone:
                if deleted:
                    details = {"responses": deleted, "before": keeping.kept_from.isoformat()}
                    record_event(
                        session, keeping.workspace_id, SYSTEM, "responses.expired",
                        keeping.survey_id, details,
                    )  # fmt: skip
                return deleted


async def _mix_all(database: Database, workspace_id: uuid.UUID, before: date) -> int:
    deleted = 0
    while True:
        async with database.transaction(workspace_id) as session:
            gone = await mix_answers(session, workspace_id, before)
        deleted += gone
        if not gone:
            return deleted


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
