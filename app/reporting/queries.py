"""Questions to the counts and, for lists, to the answers. Nothing here decides what is shown."""

import uuid
from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Date,
    Text,
    bindparam,
    cast,
    func,
    literal,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.reporting.buckets import Period, month_number
from app.reporting.counts import DailyTotals
from app.reporting.filters import CHANNEL, LANGUAGE, SEGMENT_PREFIX
from app.responses.day_totals import last_total_of
from app.responses.models import (
    SCORES,
    ClosedCount,
    DailyCount,
    DayTotal,
    Edition,
    MonthTotal,
    Response,
    SegmentSet,
    Standing,
)
from app.scoring import Distribution
from app.surveys.models import Survey
from app.surveys.schemas import NONE

_SCORE_NAMES = [f"score_{score}" for score in SCORES]


def _total(column: ColumnElement[int]) -> ColumnElement[int]:
    return cast(func.sum(column), BigInteger)


def _daily_totals() -> CompoundSelect[Any]:
    """Made once: to make it takes longer than to run it."""
    workspace_id: BindParameter[uuid.UUID] = bindparam("workspace_id")
    survey_id: BindParameter[uuid.UUID] = bindparam("survey_id")
    since: BindParameter[date] = bindparam("since")
    until: BindParameter[date] = bindparam("until")
    made = select(
        literal(False), DayTotal.answered_on, DayTotal.standing,
        *(cast(getattr(DayTotal, name), BigInteger) for name in _SCORE_NAMES),
    ).where(
        DayTotal.workspace_id == workspace_id,
        DayTotal.survey_id == survey_id,
        DayTotal.answered_on.between(since, until),
    )  # fmt: skip
    # A join, kept from being flattened: row-level security lets no index be searched for what is
    # compared with a subquery.
    day = func.coalesce(last_total_of(workspace_id, survey_id), date.min)
    last = select(day.label("day")).limit(1).subquery()
    by_day = (
        select(
            literal(False), DailyCount.answered_on, DailyCount.standing,
            *(_total(getattr(DailyCount, name)) for name in _SCORE_NAMES),
        )
        .join(last, DailyCount.answered_on > last.c.day)
        .where(
            DailyCount.workspace_id == workspace_id,
            DailyCount.survey_id == survey_id,
            DailyCount.answered_on.between(since, until),
        )
        .group_by(DailyCount.answered_on, DailyCount.standing)
    )  # fmt: skip
    by_month = select(
        literal(True), MonthTotal.month, MonthTotal.standing,
        *(cast(getattr(MonthTotal, name), BigInteger) for name in _SCORE_NAMES),
    ).where(MonthTotal.workspace_id == workspace_id, MonthTotal.survey_id == survey_id)  # fmt: skip
    return union_all(made, by_day, by_month)


_DAILY_TOTALS = _daily_totals()
_STANDINGS = {standing.value: standing for standing in Standing}


async def load_daily_totals(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, period: Period
) -> DailyTotals:
    """The answers of every day in the period, by standing, and those of every month past its
    retention, of which only the whole is known: it counts in a period that holds all of it.

    One statement, so that a day is met once while its total is made, and a month while it turns
    from days into a whole.
    """
    found: dict[bool, dict[tuple[date, Standing], Distribution]] = {False: {}, True: {}}
    where = {
        "workspace_id": workspace_id,
        "survey_id": survey_id,
        "since": period.since or date.min,
        "until": period.until or date.max,
    }
    for is_month, day, standing, *counts in await session.execute(_DAILY_TOTALS, where):
        found[is_month][day, _STANDINGS[standing]] = Distribution.from_counts(counts)
    return DailyTotals(days=found[False], months=found[True])


async def list_in_order(
    session: AsyncSession, workspace_id: uuid.UUID, survey_ids: Sequence[uuid.UUID]
) -> Sequence[uuid.UUID]:
    """Those of the surveys that the workspace has, by the day they open, or else were made."""
    opens_on = func.coalesce(Survey.opens_on, cast(Survey.created_at, Date))
    found = await session.scalars(
        select(Survey.id)
        .where(Survey.workspace_id == workspace_id, Survey.id.in_(survey_ids))
        .order_by(opens_on, Survey.created_at, Survey.id)
    )
    return found.all()


async def load_closed_answers(
    session: AsyncSession, edition: Edition, selectors: Sequence[str]
) -> dict[tuple[int, tuple[str, ...]], Distribution]:
    """What is closed of an edition, by month (see `month_number`) and value of each selector.

    For `publication` alone, which decides what of it is shown.
    """
    values = [_selected(name).label(f"value_{at}") for at, name in enumerate(selectors)]
    # A subquery names the values, because two bound parameters are never one GROUP BY expression.
    closed = (
        select(ClosedCount.month, *values, *(getattr(ClosedCount, name) for name in _SCORE_NAMES))
        .join(
            SegmentSet,
            (SegmentSet.workspace_id == ClosedCount.workspace_id)
            & (SegmentSet.id == ClosedCount.segment_set_id),
        )
        .where(
            ClosedCount.workspace_id == edition.workspace_id,
            ClosedCount.edition_id == edition.id,
        )
        .subquery()
    )
    keys = [closed.c.month, *(closed.c[value.name] for value in values)]
    totals = [_total(closed.c[name]) for name in _SCORE_NAMES]
    rows = await session.execute(select(*keys, *totals).group_by(*keys))
    width = len(keys)
    return {
        (month_number(row[0]), tuple(row[1:width])): Distribution.from_counts(row[width:])
        for row in rows
    }


def _selected(selector: str) -> ColumnElement[str]:
    return selected(selector, ClosedCount)


def selected(selector: str, row: type[ClosedCount | Response]) -> ColumnElement[str]:
    """The value of a selector in a row of counts or answers that is joined to its segment set."""
    if selector in (LANGUAGE, CHANNEL):
        return cast(getattr(row, selector), Text)
    key = selector.removeprefix(SEGMENT_PREFIX)
    return func.coalesce(SegmentSet.labels[key].astext, NONE)


def within(day: InstrumentedAttribute[date], period: Period) -> list[ColumnElement[bool]]:
    """The conditions that a day lies in the period."""
    conditions = []
    if period.since is not None:
        conditions.append(day >= period.since)
    if period.until is not None:
        conditions.append(day <= period.until)
    return conditions
