"""Ended months are closed: what subgroups are counted from never changes after that.

A month settles two days after its end, when no form can be amended any more. From then on the
first look at a survey's subgroups closes it, or a job where nobody looks. Answers that come later
with a day of a closed month are imports; each has an edition of its own and so adds to nothing that
was shown before. What the API brings so late is one import a day, closed when that day is over.
"""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, bindparam, case, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from app.foundation import clock
from app.foundation.tokens import new_id
from app.responses.models import SCORES, DailyCount, Edition, Import, Response, Standing
from app.responses.schemas import NewAnswer

SETTLING = timedelta(days=2)
BY_API = b""  # the file hash of an import that was no file


def settled_before(today: date) -> date:
    """The first day of the oldest month that has not settled; everything before may be closed."""
    return (today - SETTLING).replace(day=1)


async def list_editions(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> list[Edition]:
    """The editions of a survey, the one of what comes in time first; none before a closing."""
    where = {"workspace_id": workspace_id, "survey_id": survey_id}
    return list(await session.scalars(_EDITIONS, where))


def _editions() -> Select[Edition]:
    return (
        select(Edition)
        .where(
            Edition.workspace_id == bindparam("workspace_id"),
            Edition.survey_id == bindparam("survey_id"),
        )
        .order_by(Edition.import_id.is_not(None), Edition.id)
        .execution_options(populate_existing=True)
    )


async def close_months(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, today: date
) -> list[Edition]:
    """Close every month that has settled; returns the survey's editions.

    A survey without a single settled answer stays open, so that its history can still be added.
    """
    found = await session.execute(
        _EDITIONS_AND_WAITING,
        {"workspace_id": workspace_id, "survey_id": survey_id, "today": _this_morning()},
    )
    rows = found.all()
    editions = [edition for edition, _waits in rows]
    if editions and editions[0].closed_through == _month_before(settled_before(today)):
        waits = any(waits for _edition, waits in rows)
        return editions + (await _close_days_of_api(session, editions[0]) if waits else [])
    if not (editions and editions[0].closed_through) and not await _has_settled_answers(
        session, workspace_id, survey_id, today
    ):
        return editions
    in_time = await close_in_time(session, workspace_id, survey_id, today)
    await _close_days_of_api(session, in_time)
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
) -> Edition:
    """Give an import's answers of months closed before it an edition of their own."""
    edition = Edition(
        workspace_id=workspace_id,
        id=new_id(),
        survey_id=survey_id,
        import_id=import_id,
        closed_through=closed_through,
    )
    session.add(edition)
    await session.flush()
    await session.execute(
        _CLOSE_IMPORT,
        {
            "workspace_id": workspace_id,
            "edition_id": edition.id,
            "import_id": import_id,
            "before": _month_after(closed_through),
        },
    )
    return edition


async def file_late_answers(
    session: AsyncSession, workspace_id: uuid.UUID, answers: Sequence[NewAnswer]
) -> Sequence[NewAnswer]:
    """The answers, those with a day of a closed month as part of today's import by the API."""
    if all(latest_open_day() <= answer.answered_on for answer in answers):
        return answers  # as good as always
    filed = list(answers)
    for survey_id in sorted({answer.survey_id for answer in answers}):
        in_time = await lock_edition(session, workspace_id, survey_id, shared=True)
        late = [at for at, answer in enumerate(answers) if _is_late(answer, in_time)]
        if late:
            # Asked for under the lock: whoever waited while a day was closed belongs to the next.
            today = clock.now().date()
            import_id = await _record_day_of_api(session, in_time, today, len(late))
            for at in late:
                filed[at] = replace(filed[at], import_id=import_id)
    return filed


def latest_open_day() -> date:
    """The first day that is open everywhere: some calendars are a day ahead of UTC."""
    return settled_before(clock.now().date() + timedelta(days=1))


def _is_late(answer: NewAnswer, in_time: Edition) -> bool:
    return (
        answer.survey_id == in_time.survey_id
        and answer.import_id is None
        and in_time.closed_through is not None
        and answer.answered_on < _month_after(in_time.closed_through)
    )


async def _record_day_of_api(
    session: AsyncSession, in_time: Edition, today: date, number: int
) -> uuid.UUID:
    """Count them to the day's import; no moment is kept, as it would be that of a single answer."""
    statement = upsert(Import).values(
        workspace_id=in_time.workspace_id,
        id=uuid.uuid5(in_time.survey_id, today.isoformat()),
        survey_id=in_time.survey_id,
        file_name=f"API {today}",
        file_hash=BY_API,
        stored=number,
        unscored=0,
        skipped=0,
        created_at=datetime.combine(today, time(), UTC),
    )
    found = await session.scalars(
        statement.on_conflict_do_update(
            index_elements=[Import.workspace_id, Import.id],
            set_={
                "stored": case((Import.undone_at.is_(None), Import.stored), else_=0)
                + statement.excluded.stored,
                "undone_at": None,
            },
        ).returning(Import.id)
    )
    return found.one()


async def _close_days_of_api(session: AsyncSession, in_time: Edition) -> list[Edition]:
    """Close what the API brought late on days that are over; returns the new editions."""
    assert in_time.closed_through is not None
    waiting = await session.scalars(
        _waiting_days_of_api(in_time.workspace_id, in_time.survey_id)
        .where(Import.created_at < _this_morning())
        .order_by(Import.created_at)
    )
    import_ids = waiting.all()
    if not import_ids:
        return []
    await lock_edition(session, in_time.workspace_id, in_time.survey_id)
    closed = {
        edition.import_id
        for edition in await list_editions(session, in_time.workspace_id, in_time.survey_id)
    }
    return [
        await close_import(
            session, in_time.workspace_id, in_time.survey_id, import_id, in_time.closed_through
        )
        for import_id in import_ids
        if import_id not in closed
    ]


def _this_morning() -> datetime:
    """Before which the days of the API are over."""
    return datetime.combine(clock.now().date(), time(), UTC)


def days_of_api(workspace_id: Any, survey_id: Any) -> Select[uuid.UUID]:
    """The ids of the imports that are what the API brought late: no answer of theirs is in time."""
    return select(Import.id).where(
        Import.workspace_id == workspace_id,
        Import.survey_id == survey_id,
        Import.file_hash == BY_API,
    )


def _waiting_days_of_api(workspace_id: Any, survey_id: Any) -> Select[uuid.UUID]:
    """Those of them that have no edition so far."""
    of_edition = aliased(Edition)
    return (
        days_of_api(workspace_id, survey_id)
        .outerjoin(
            of_edition,
            (of_edition.workspace_id == Import.workspace_id) & (of_edition.import_id == Import.id),
        )
        .where(
            Import.undone_at.is_(None),
            of_edition.id.is_(None),
        )
    )


# Made once: to make them takes longer than to run them.
_EDITIONS = _editions()
_EDITIONS_AND_WAITING = _EDITIONS.add_columns(
    _waiting_days_of_api(bindparam("workspace_id"), bindparam("survey_id"))
    .where(Import.created_at < bindparam("today"))
    .exists()
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
    if response.answered_on >= first_open_day(in_time):
        return False
    return not await _is_waiting(session, response)


async def _is_waiting(session: AsyncSession, response: Response) -> bool:
    """Whether it came late by the API, on a day that is over or not, but not closed so far."""
    if response.import_id is None:
        return False
    is_closed = (
        select(Edition.id)
        .where(
            Edition.workspace_id == response.workspace_id, Edition.import_id == response.import_id
        )
        .exists()
    )
    days = days_of_api(response.workspace_id, response.survey_id)
    return bool(await session.scalar(days.where(Import.id == response.import_id, ~is_closed)))


def first_open_day(in_time: Edition) -> date:
    """The day before which all is closed; the first of all days where nothing is."""
    return _month_after(in_time.closed_through) if in_time.closed_through else date.min


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
