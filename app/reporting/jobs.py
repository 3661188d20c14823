"""Daily work: months whose retention is over become totals, and ended ones are published."""

import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, date, datetime, time

from sqlalchemy import select, text

from app.accounts.rounds import unscoped_go_round
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.errors import NotFound
from app.reporting.publication import publish
from app.reporting.rollup import (
    StillAnswered,
    forget_labels,
    list_months_over,
    roll_up_month,
)
from app.responses.closing import settled_before
from app.responses.retention import Keeping, unscoped_list_keepings
from app.surveys.models import Survey
from app.surveys.queries import get_questionnaire


async def roll_up_months(database: Database) -> int:
    """Publish what may be published of months past their retention, then keep their totals only.

    Returns how many rows of counts went. Runs after the answers themselves are deleted.
    """
    gone = 0
    async for keeping in unscoped_list_keepings(database):
        # A survey that went meanwhile took everything along.
        with suppress(NotFound):
            gone += await _roll_up(database, keeping)
    return gone


async def publish_months(database: Database) -> int:
    """Publish what has become ripe, so that nobody who looks has to wait for it.

    Returns how many surveys were looked at. One that is younger than the months that could be
    closed is left alone until somebody looks: its history may still be coming in by the API, and
    belongs to its months only as long as these are open.
    """
    looked_at = 0
    async for workspace_id, survey_id in _list_older_surveys(database):
        looked_at += 1
        # A survey that went meanwhile has nothing to publish.
        with suppress(NotFound):
            async with database.transaction(workspace_id) as session:
                await session.execute(text("SET LOCAL statement_timeout = 0"))
                questionnaire = await get_questionnaire(session, workspace_id, survey_id)
                await publish(session, questionnaire, clock.today(questionnaire.time_zone))
    return looked_at


async def _list_older_surveys(database: Database) -> AsyncIterator[tuple[uuid.UUID, uuid.UUID]]:
    """Workspace and survey of all with answers that are older than the oldest open month."""
    async for workspace_id, time_zone in unscoped_go_round(database):
        open_from = datetime.combine(settled_before(clock.today(time_zone)), time(), UTC)
        async with database.transaction(workspace_id) as session:
            found = await session.scalars(
                select(Survey.id).where(
                    Survey.workspace_id == workspace_id,
                    Survey.has_answers,
                    Survey.created_at < open_from,
                )
            )
        for survey_id in found.all():
            yield workspace_id, survey_id


async def _roll_up(database: Database, keeping: Keeping) -> int:
    async with database.transaction(keeping.workspace_id) as session:
        months = await list_months_over(session, keeping)
    if not months:
        return 0
    await _publish(database, keeping)
    gone = sum([await _roll_up_one(database, keeping, month) for month in months])
    async with database.transaction(keeping.workspace_id) as session:
        await forget_labels(session, keeping)
    return gone


async def _publish(database: Database, keeping: Keeping) -> None:
    """What nobody has looked at so far is still decided from all of its answers."""
    async with database.transaction(keeping.workspace_id) as session:
        questionnaire = await get_questionnaire(session, keeping.workspace_id, keeping.survey_id)
        await publish(session, questionnaire, clock.today(questionnaire.time_zone))


async def _roll_up_one(database: Database, keeping: Keeping, month: date) -> int:
    with suppress(StillAnswered):
        async with database.transaction(keeping.workspace_id) as session:
            return await roll_up_month(session, keeping, month)
    return 0
