"""Ended months are closed: what subgroups are counted from never changes after that.

A month settles two days after its end, when no form can be amended any more. From then on the
first look at a survey's subgroups closes it. Answers that come later with a day of a closed month
are imports; each has an edition of its own and so adds to nothing that was shown before.
"""

import uuid
from datetime import date, timedelta

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.tokens import new_id
from app.responses.models import SCORES, DailyCount, Edition, Response, Standing

SETTLING = timedelta(days=2)


def settled_before(today: date) -> date:
    """The first day of the oldest month that has not settled; everything before may be closed."""
    return (today - SETTLING).replace(day=1)


async def list_editions(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> list[Edition]:
    """The editions of a survey, the one of what comes in time first; none before a closing."""
    found = await session.scalars(
        select(Edition)
        .where(Edition.workspace_id == workspace_id, Edition.survey_id == survey_id)
        .order_by(Edition.import_id.is_not(None), Edition.id)
        .execution_options(populate_existing=True)
    )
    return list(found)


async def close_months(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, today: date
) -> list[Edition]:
    """Close every month that has settled; returns the survey's editions.

    A survey without a single settled answer stays open, so that its history can still be added.
    """
    editions = await list_editions(session, workspace_id, survey_id)
    last = _month_before(settled_before(today))
    if editions and editions[0].closed_through == last:
        return editions
    if not (editions and editions[0].closed_through) and not await _has_settled_answers(
        session, workspace_id, survey_id, today
    ):
        return editions
    await close_in_time(session, workspace_id, survey_id, today)
    return await list_editions(session, workspace_id, survey_id)


async def close_in_time(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, today: date
) -> Edition:
    """Close what has settled, even if it is nothing; returns the edition of what comes in time,
    locked until the transaction ends. Lock it before the survey."""
    edition = await lock_edition(session, workspace_id, survey_id)
    before = settled_before(today)
    if edition.closed_through is None or edition.closed_through < _month_before(before):
        await session.execute(
            _CLOSE,
            {
                "workspace_id": workspace_id,
                "survey_id": survey_id,
                "edition_id": edition.id,
                "after": edition.closed_through and _month_after(edition.closed_through),
                "before": before,
            },
        )
        edition.closed_through = _month_before(before)
        await session.flush()
    return edition


async def close_import(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_id: uuid.UUID,
    import_id: uuid.UUID,
    closed_through: date,
) -> None:
    """Give an import's answers of months closed before it an edition of their own."""
    edition_id = new_id()
    await session.execute(
        insert(Edition).values(
            workspace_id=workspace_id,
            id=edition_id,
            survey_id=survey_id,
            import_id=import_id,
            closed_through=closed_through,
        )
    )
    await session.execute(
        _CLOSE_IMPORT,
        {
            "workspace_id": workspace_id,
            "edition_id": edition_id,
            "import_id": import_id,
            "before": _month_after(closed_through),
        },
    )


async def lock_edition(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, *, shared: bool = False
) -> Edition:
    """The edition of what comes in time, made if need be and held until the transaction ends.

    `shared` lets others hold it too who only must not see it closed meanwhile.
    """
    await session.execute(
        upsert(Edition)
        .values(workspace_id=workspace_id, id=new_id(), survey_id=survey_id)
        .on_conflict_do_nothing()
    )
    found = await session.scalars(
        select(Edition)
        .where(
            Edition.workspace_id == workspace_id,
            Edition.survey_id == survey_id,
            Edition.import_id.is_(None),
        )
        .with_for_update(read=shared)
        .execution_options(populate_existing=True)
    )
    return found.one()


async def is_closed(session: AsyncSession, response: Response) -> bool:
    """Whether the answer's month is closed, so that subgroups stay as they are. Until the
    transaction ends it cannot be closed by others."""
    in_time = await lock_edition(session, response.workspace_id, response.survey_id, shared=True)
    month = response.answered_on.replace(day=1)
    return in_time.closed_through is not None and month <= in_time.closed_through


async def _has_settled_answers(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, today: date
) -> bool:
    return bool(
        await session.scalar(
            select(
                select(DailyCount.survey_id)
                .where(
                    DailyCount.workspace_id == workspace_id,
                    DailyCount.survey_id == survey_id,
                    DailyCount.standing == Standing.COUNTED,
                    DailyCount.answered_on < settled_before(today),
                )
                .exists()
            )
        )
    )


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def _month_after(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


_KEYS = "segment_set_id, language, channel"
_COLUMNS = ", ".join(f"score_{score}" for score in SCORES)
_SUMS = ", ".join(f"sum(score_{score})" for score in SCORES)
_CLOSE = text(
    f"""
    INSERT INTO closed_counts (workspace_id, edition_id, month, {_KEYS}, {_COLUMNS})
    SELECT workspace_id, :edition_id, date_trunc('month', answered_on::timestamp)::date, {_KEYS},
        {_SUMS}
    FROM daily_counts
    WHERE workspace_id = :workspace_id AND survey_id = :survey_id AND standing = 'counted'
        AND (CAST(:after AS date) IS NULL OR answered_on >= CAST(:after AS date))
        AND answered_on < CAST(:before AS date)
    GROUP BY workspace_id, 3, {_KEYS}
    HAVING sum({" + ".join(f"score_{score}" for score in SCORES)}) > 0
    """  # noqa: S608
)
_COUNTED = ", ".join(f"count(*) FILTER (WHERE score = {score})" for score in SCORES)
_CLOSE_IMPORT = text(
    f"""
    INSERT INTO closed_counts (workspace_id, edition_id, month, {_KEYS}, {_COLUMNS})
    SELECT workspace_id, :edition_id, date_trunc('month', answered_on::timestamp)::date, {_KEYS},
        {_COUNTED}
    FROM responses
    WHERE workspace_id = :workspace_id AND import_id = :import_id AND standing = 'counted'
        AND answered_on < CAST(:before AS date)
    GROUP BY workspace_id, 3, {_KEYS}
    """  # noqa: S608
)
