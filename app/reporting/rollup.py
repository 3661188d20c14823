"""What is left of a month once its retention is over: everybody's totals, and the published
figures of single labels, each of at least the group minimum. Nothing smaller stays by label."""

import uuid
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    CursorResult,
    Date,
    DateTime,
    Delete,
    cast,
    delete,
    exists,
    func,
    select,
    text,
    union,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.reporting.buckets import month_end
from app.reporting.models import PublishedFigure
from app.responses.day_totals import forget_totals
from app.responses.models import (
    SCORES,
    ClosedCount,
    DailyCount,
    Edition,
    MonthTotal,
    Response,
    SegmentSet,
)
from app.responses.retention import Keeping
from app.surveys.queries import lock_survey

_SCORES = [f"score_{score}" for score in SCORES]
_PAIR = 2  # labels of a figure that is one of a pair of selectors


class StillAnswered(Exception):
    """Answers of the month came in while it was added up; the next run starts anew."""


async def list_months_over(session: AsyncSession, keeping: Keeping) -> Sequence[date]:
    """The months, by their first days and in order, that are over and still known by day or by
    label."""
    month = cast(func.date_trunc("month", cast(DailyCount.answered_on, DateTime)), Date)
    by_day = select(month).where(
        DailyCount.workspace_id == keeping.workspace_id,
        DailyCount.survey_id == keeping.survey_id,
        DailyCount.answered_on < keeping.first_kept_month,
    )
    by_label = select(ClosedCount.month).where(
        ClosedCount.workspace_id == keeping.workspace_id,
        ClosedCount.edition_id.in_(_editions(keeping)),
        ClosedCount.month < keeping.first_kept_month,
    )
    return sorted((await session.scalars(union(by_day, by_label))).all())


async def roll_up_month(session: AsyncSession, keeping: Keeping, month: date) -> int:
    """Put everybody's totals in the place of a month's counts; returns how many counts went.

    Publish first what may be published of it. NotFound where the survey is gone, StillAnswered
    where answers of the month are left; a survey that was put under hold meanwhile stays as it is.
    """
    survey = await lock_survey(session, keeping.workspace_id, keeping.survey_id)
    if survey.held_since is not None:
        return 0
    gone = await _take_days(session, keeping, month)
    await _refuse_answers(session, keeping, month)
    gone += await _delete(
        session,
        delete(ClosedCount).where(
            ClosedCount.workspace_id == keeping.workspace_id,
            ClosedCount.edition_id.in_(_editions(keeping)),
            ClosedCount.month == month,
        ),
    )
    return gone


async def forget_labels(session: AsyncSession, keeping: Keeping) -> None:
    """Delete the pairs of labels published for months that are over, and the combinations of
    segment values that nothing is left of."""
    await lock_survey(session, keeping.workspace_id, keeping.survey_id)
    await _delete(
        session,
        delete(PublishedFigure).where(
            PublishedFigure.workspace_id == keeping.workspace_id,
            PublishedFigure.survey_id == keeping.survey_id,
            PublishedFigure.width == _PAIR,
            PublishedFigure.last_month < keeping.first_kept_month,
        ),
    )
    # Each one that goes is looked for in all answers once more, by its foreign keys.
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    unused = [
        ~exists().where(
            table.workspace_id == SegmentSet.workspace_id, table.segment_set_id == SegmentSet.id
        )
        for table in (DailyCount, ClosedCount, Response)
    ]
    await _delete(
        session,
        delete(SegmentSet).where(
            SegmentSet.workspace_id == keeping.workspace_id,
            SegmentSet.survey_id == keeping.survey_id,
            *unused,
        ),
    )


def _editions(keeping: Keeping) -> Any:
    return select(Edition.id).where(
        Edition.workspace_id == keeping.workspace_id, Edition.survey_id == keeping.survey_id
    )


async def _take_days(session: AsyncSession, keeping: Keeping, month: date) -> int:
    """Move the month's days into its totals, exactly the rows that go."""
    await forget_totals(session, keeping.workspace_id, keeping.survey_id, month, month_end(month))
    rows = (
        await session.execute(
            delete(DailyCount)
            .where(
                DailyCount.workspace_id == keeping.workspace_id,
                DailyCount.survey_id == keeping.survey_id,
                DailyCount.answered_on.between(month, month_end(month)),
            )
            .returning(DailyCount.standing, *(getattr(DailyCount, name) for name in _SCORES))
            .execution_options(synchronize_session=False)
        )
    ).all()
    by_standing: dict[str, list[Sequence[int]]] = defaultdict(list)
    for standing, *counts in rows:
        by_standing[standing].append(counts)
    for standing, found in sorted(by_standing.items()):
        totals = [sum(column) for column in zip(*found, strict=True)]
        if any(totals):
            await _add(session, keeping, month, standing, totals)
    return len(rows)


async def _add(
    session: AsyncSession, keeping: Keeping, month: date, standing: str, counts: Sequence[int]
) -> None:
    """Add to the month's totals: an import may bring more answers of it, years later."""
    total = insert(MonthTotal).values(
        workspace_id=keeping.workspace_id,
        survey_id=keeping.survey_id,
        month=month,
        standing=standing,
        **dict(zip(_SCORES, counts, strict=True)),
    )
    await session.execute(
        total.on_conflict_do_update(
            index_elements=["workspace_id", "survey_id", "month", "standing"],
            set_={name: getattr(MonthTotal, name) + total.excluded[name] for name in _SCORES},
        )
    )


async def _refuse_answers(session: AsyncSession, keeping: Keeping, month: date) -> None:
    """An answer is excluded by moving its count, so none may outlive its count."""
    left: uuid.UUID | None = await session.scalar(
        select(Response.id)
        .where(
            Response.workspace_id == keeping.workspace_id,
            Response.survey_id == keeping.survey_id,
            Response.answered_on.between(month, month_end(month)),
        )
        .limit(1)
    )
    if left is not None:
        raise StillAnswered


async def _delete(session: AsyncSession, statement: Delete) -> int:
    done = await session.execute(statement.execution_options(synchronize_session=False))
    assert isinstance(done, CursorResult)
    return done.rowcount
