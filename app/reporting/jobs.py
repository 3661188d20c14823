"""Daily work: months whose retention is over become totals, and ended ones are published."""

import uuid
from contextlib import suppress
from datetime import UTC, date, datetime, time

from sqlalchemy import select, text

from app.accounts.models import Workspace
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
    for keeping in await unscoped_list_keepings(database):
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
    surveys = await _list_older_surveys(database)
    for workspace_id, survey_id in surveys:
        # A survey that went meanwhile has nothing to publish.
        with suppress(NotFound):
            async with database.transaction(workspace_id) as session:
                await session.execute(text("SET LOCAL statement_timeout = 0"))
                questionnaire = await get_questionnaire(session, workspace_id, survey_id)
                await publish(session, questionnaire, clock.today(questionnaire.time_zone))
    return len(surveys)


async def _list_older_surveys(database: Database) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Workspace and survey of all with answers that are older than the oldest open month."""
    async with database.transaction() as session:
        workspaces = await session.execute(
            select(Workspace.id, Workspace.time_zone).where(Workspace.deleted_at.is_(None))
        )
    surveys: list[tuple[uuid.UUID, uuid.UUID]] = []
    for workspace_id, time_zone in workspaces.all():
        open_from = datetime.combine(settled_before(clock.today(time_zone)), time(), UTC)
        async with database.transaction(workspace_id) as session:
            found = await session.scalars(
                select(Survey.id).where(
                    Survey.workspace_id == workspace_id,
                    Survey.has_answers,
                    Survey.created_at < open_from,
                )
            )
            surveys += [(workspace_id, survey_id) for survey_id in found]
    return surveys


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
