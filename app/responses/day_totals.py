"""Totals of days that are well past: everybody's answers by day, without any labels.

A year of a survey with many segment sets is hundreds of thousands of rows of `daily_counts`, and a
few hundred of `day_totals`. They are made by a job and no report needs them: of the days after the
last one that has a total, the counts themselves are added up.

That they stay equal to the counts rests on a lock for each survey. Who changes the counts of a day
that may have a total holds it with others; who makes totals holds it alone. Today's answers, the
many, never take it: totals are made of days at least a week old.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation import clock
from app.foundation.questions import Executor
from app.responses.models import SCORES, DailyCount, DayTotal, Standing
from app.surveys.models import Survey

MADE_AFTER = timedelta(days=7)
# Well before that, so that no clock and no long transaction can be in doubt about a day.
RECENT = timedelta(days=3)

DayKey = tuple[uuid.UUID, date, Standing]
"""Survey, day and standing: one row within a workspace."""


def last_total_of(workspace_id: Any, survey_id: Any) -> Any:
    """The last day that has a total, as a subquery; null where none has."""
    return (
        select(func.max(DayTotal.answered_on))
        .where(DayTotal.workspace_id == workspace_id, DayTotal.survey_id == survey_id)
        .scalar_subquery()
    )


async def move_totals(
    session: AsyncSession, workspace_id: uuid.UUID, changes: Iterable[tuple[DayKey, Sequence[int]]]
) -> None:
    """Add eleven changes each to the totals of their days, where these have any; call it before
    the counts are changed, and change these in the same transaction."""
    old = _of_old_days(changes)
    if not old:
        return
    for survey_id in sorted({survey_id for survey_id, _day, _standing in old}):
        await lock_totals(session, workspace_id, survey_id, shared=True)
        last = await session.scalar(select(last_total_of(workspace_id, survey_id)))
        for key in sorted(key for key in old if key[0] == survey_id):
            if last is not None and key[1] <= last:
                await _move(session, workspace_id, key, old[key])


async def make_totals(session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID) -> int:
    """Add up the days that have become old enough; returns how many rows were made."""
    await lock_totals(session, workspace_id, survey_id)
    before = clock.now().date() - MADE_AFTER
    names = {"workspace_id": workspace_id, "survey_id": survey_id, "before": before}
    # Of days to come there may be some after a clock went wrong; they would never be made anew.
    await session.execute(_FORGET_RECENT, names)
    made = await session.execute(_MAKE, names)
    return len(made.all())


async def list_without_totals(
    session: AsyncSession, workspace_id: uuid.UUID
) -> Sequence[uuid.UUID]:
    """The surveys that have days which are old enough and not added up."""
    before = clock.now().date() - MADE_AFTER
    last = (
        select(func.max(DayTotal.answered_on))
        .where(DayTotal.workspace_id == workspace_id, DayTotal.survey_id == Survey.id)
        .correlate(Survey)  # two levels up, where it is not found by itself
        .scalar_subquery()
    )
    waiting = exists().where(
        DailyCount.workspace_id == workspace_id,
        DailyCount.survey_id == Survey.id,
        DailyCount.answered_on < before,
        DailyCount.answered_on > func.coalesce(last, date.min),
    )
    found = await session.scalars(
        select(Survey.id).where(Survey.workspace_id == workspace_id, waiting).order_by(Survey.id)
    )
    return found.all()


async def forget_totals(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, first: date, last: date
) -> None:
    """Delete the totals of the days from `first` to `last`, whose counts go in this transaction;
    nobody changes a total of the survey until it ends. Call it before any count is locked."""
    await lock_totals(session, workspace_id, survey_id)
    await session.execute(
        delete(DayTotal)
        .where(
            DayTotal.workspace_id == workspace_id,
            DayTotal.survey_id == survey_id,
            DayTotal.answered_on.between(first, last),
        )
        .execution_options(synchronize_session=False)
    )


async def forget_empty_total(
    session: Executor, workspace_id: uuid.UUID, survey_id: uuid.UUID, day: date
) -> None:
    """Delete what is zero of a day's totals, as with the counts. The last day's stays, since it
    says how far totals go, and others may have read that."""
    if not may_have_total(day):
        return
    await session.execute(
        _FORGET_EMPTY, {"workspace_id": workspace_id, "survey_id": survey_id, "day": day}
    )


async def lock_totals(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, *, shared: bool = False
) -> None:
    """Hold what the totals of a survey are made from until the transaction ends."""
    lock = func.pg_advisory_xact_lock_shared if shared else func.pg_advisory_xact_lock
    name = f"day totals of {workspace_id} {survey_id}"
    await session.execute(select(lock(func.hashtextextended(name, 0))))


def may_have_total(day: date) -> bool:
    """False for days so recent that their totals are never made."""
    return day < _first_recent()


def _first_recent() -> date:
    return clock.now().date() - RECENT


def _of_old_days(
    changes: Iterable[tuple[DayKey, Sequence[int]]],
) -> dict[DayKey, list[int]]:
    first_recent = _first_recent()
    old: dict[DayKey, list[int]] = defaultdict(lambda: [0] * len(SCORES))
    for key, deltas in changes:
        if key[1] < first_recent:
            old[key] = [total + delta for total, delta in zip(old[key], deltas, strict=True)]
    return {key: deltas for key, deltas in old.items() if any(deltas)}


async def _move(
    session: AsyncSession, workspace_id: uuid.UUID, key: DayKey, deltas: Sequence[int]
) -> None:
    survey_id, day, standing = key
    named = {f"by_{score}": delta for score, delta in enumerate(deltas)}
    names = {"workspace_id": workspace_id, "survey_id": survey_id, "day": day}
    await session.execute(_MOVE, {**names, "standing": standing, **named})


_SCORES = [f"score_{score}" for score in SCORES]
_ADDED = ", ".join(f"greatest(CAST(:by_{score} AS integer), 0)" for score in SCORES)
_MOVED = ", ".join(f"score_{at} = day_totals.score_{at} + :by_{at}" for at in SCORES)
_MOVE = text(
    f"""
    INSERT INTO day_totals
        (workspace_id, survey_id, answered_on, standing, {", ".join(_SCORES)})
    VALUES (:workspace_id, :survey_id, :day, :standing, {_ADDED})
    ON CONFLICT (workspace_id, survey_id, answered_on, standing) DO UPDATE SET {_MOVED}
    """  # noqa: S608
)
_MAKE = text(
    f"""
    INSERT INTO day_totals
        (workspace_id, survey_id, answered_on, standing, {", ".join(_SCORES)})
    SELECT workspace_id, survey_id, answered_on, standing,
        {", ".join(f"sum({name})" for name in _SCORES)}
    FROM daily_counts
    WHERE workspace_id = :workspace_id AND survey_id = :survey_id AND answered_on < :before
        AND answered_on > coalesce(
            (SELECT max(made.answered_on) FROM day_totals AS made
             WHERE made.workspace_id = :workspace_id AND made.survey_id = :survey_id),
            '-infinity'
        )
    GROUP BY workspace_id, survey_id, answered_on, standing
    RETURNING answered_on
    """  # noqa: S608
)
_FORGET_RECENT = text(
    """
    DELETE FROM day_totals
    WHERE workspace_id = :workspace_id AND survey_id = :survey_id AND answered_on >= :before
    """
)
_FORGET_EMPTY = text(
    f"""
    DELETE FROM day_totals
    WHERE workspace_id = :workspace_id AND survey_id = :survey_id AND answered_on = :day
        AND ({", ".join(_SCORES)}) = ({", ".join("0" for _score in SCORES)})
        AND answered_on < (
            SELECT max(others.answered_on) FROM day_totals AS others
            WHERE others.workspace_id = :workspace_id AND others.survey_id = :survey_id
        )
    """  # noqa: S608
)
