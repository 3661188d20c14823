"""How long answers are kept: until when, what goes next, and its going."""

import uuid
from calendar import monthrange
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.queries import get_workspace
from app.accounts.rounds import unscoped_go_round
from app.foundation import clock
from app.foundation.database import Database
from app.responses.deletions import record_deletions
from app.responses.models import DailyCount, DeletionReason, Response
from app.surveys.models import Survey
from app.surveys.queries import get_survey, lock_survey

DELETED_AT_ONCE = 5_000  # answers a transaction, so that a large survey keeps nobody waiting
SOON = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Keeping:
    """A survey and the first day whose answers it still keeps."""

    workspace_id: uuid.UUID
    survey_id: uuid.UUID
    kept_from: date

    @property
    def first_kept_month(self) -> date:
        """First day of the first month that has a kept day: all earlier ones are over."""
        return self.kept_from.replace(day=1)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a survey's retention means today. Counts are of answers, whatever their standing.

    `overdue` are past their retention and still there: kept by a hold, or gone with the next run.
    `due` reach it up to and with `due_by`. `next_on` is the day the oldest of the others goes, and
    `month_on` the day on which `month`, the oldest one still known by day, becomes a total; None
    where there is none.
    """

    months: int
    held_since: date | None
    kept_from: date
    overdue: int
    due: int
    due_by: date
    next_on: date | None
    month: date | None
    month_on: date | None


def kept_from(today: date, months: int) -> date:
    """The first day whose answers are kept: `months` earlier, or the last of a shorter month."""
    year, month = _months_on(today, -months)
    return date(year, month, min(today.day, monthrange(year, month)[1]))


def going_on(day: date, months: int) -> date:
    """The first day on which the answers of `day` are no longer kept."""
    after = day + timedelta(days=1)
    year, month = _months_on(after, months)
    if after.day <= monthrange(year, month)[1]:
        return date(year, month, after.day)
    year, month = _months_on(after, months + 1)
    return date(year, month, 1)


def _months_on(day: date, months: int) -> tuple[int, int]:
    index = day.year * 12 + day.month - 1 + months
    return index // 12, index % 12 + 1


async def unscoped_list_keepings(database: Database) -> AsyncIterator[Keeping]:
    """Every survey of every workspace that is not held, with what it keeps today."""
    async for workspace_id, time_zone in unscoped_go_round(database):
        today = clock.today(time_zone)
        async with database.transaction(workspace_id) as session:
            surveys = await session.execute(
                select(Survey.id, Survey.retention_months).where(
                    Survey.workspace_id == workspace_id, Survey.held_since.is_(None)
                )
            )
        for survey_id, months in surveys.all():
            yield Keeping(workspace_id, survey_id, kept_from(today, months))


async def delete_expired(session: AsyncSession, keeping: Keeping) -> int:
    """Delete some of the answers that are older than is kept; returns how many. 0: none is left.

    NotFound where the survey is gone. None goes where it is held: the lock decides between the
    two, so that no answer goes after a hold was placed.
    """
    expired = select(Response.id).where(
        Response.workspace_id == keeping.workspace_id,
        Response.survey_id == keeping.survey_id,
        Response.answered_on < keeping.kept_from,
    )
    if await session.scalar(expired.limit(1)) is None:
        return 0  # most surveys, most of the time: nothing is locked for them
    survey = await lock_survey(session, keeping.workspace_id, keeping.survey_id)
    if survey.held_since is not None:
        return 0
    some = expired.order_by(Response.id).limit(DELETED_AT_ONCE)
    gone = await session.execute(
        delete(Response)
        .where(Response.workspace_id == keeping.workspace_id, Response.id.in_(some))
        .returning(Response.id)
        .execution_options(synchronize_session=False)
    )
    number = len(gone.all())
    await record_deletions(
        session, keeping.workspace_id, keeping.survey_id, DeletionReason.RETENTION, number
    )
    return number


async def get_outlook(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> Outlook:
    """What has gone its time, what goes next; NotFound where there is no such survey."""
    survey = await get_survey(session, workspace_id, survey_id)
    workspace = await get_workspace(session, workspace_id)
    today, months = clock.today(workspace.time_zone), survey.retention_months
    limit, soon = kept_from(today, months), kept_from(today + SOON, months)
    answers = (Response.workspace_id == workspace_id) & (Response.survey_id == survey_id)
    day = Response.answered_on
    overdue, due, oldest, counted = (
        await session.execute(
            select(
                select(func.count()).where(answers, day < limit).scalar_subquery(),
                select(func.count()).where(answers, day >= limit, day < soon).scalar_subquery(),
                select(func.min(day)).where(answers, day >= limit).scalar_subquery(),
                select(func.min(DailyCount.answered_on))
                .where(DailyCount.workspace_id == workspace_id, DailyCount.survey_id == survey_id)
                .scalar_subquery(),
            )
        )
    ).one()
    month = counted.replace(day=1) if counted else None
    last = month.replace(day=monthrange(month.year, month.month)[1]) if month else None
    return Outlook(
        months=months,
        held_since=survey.held_since,
        kept_from=limit,
        overdue=overdue,
        due=due,
        due_by=today + SOON,
        next_on=going_on(oldest, months) if oldest else None,
        month=month,
        month_on=going_on(last, months) if last else None,
    )
