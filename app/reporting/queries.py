"""Questions to the counts and, for lists, to the answers. Nothing here decides what is shown."""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Select,
    Subquery,
    Text,
    cast,
    func,
    literal,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.reporting.buckets import Period
from app.reporting.counts import Cube, DailyTotals
from app.reporting.filters import CHANNEL, LANGUAGE, SEGMENT_PREFIX
from app.responses.models import (
    SCORES,
    DailyCount,
    MonthTotal,
    Response,
    SegmentSet,
    Standing,
)
from app.scoring import Distribution
from app.surveys.schemas import NONE

_SCORE_NAMES = [f"score_{score}" for score in SCORES]


async def load_daily_totals(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, period: Period
) -> DailyTotals:
    """The answers of every day in the period, by standing, and those of every month past its
    retention, of which only the whole is known: it counts in a period that holds all of it.

    One statement, so that a month is met once while it turns from days into a whole.
    """
    by_day = (
        select(
            literal(False), DailyCount.answered_on, DailyCount.standing,
            *(_total(getattr(DailyCount, name)) for name in _SCORE_NAMES),
        )
        .where(
            DailyCount.workspace_id == workspace_id,
            DailyCount.survey_id == survey_id,
            *within(DailyCount.answered_on, period),
        )
        .group_by(DailyCount.answered_on, DailyCount.standing)
    )  # fmt: skip
    by_month = select(
        literal(True), MonthTotal.month, MonthTotal.standing,
        *(cast(getattr(MonthTotal, name), BigInteger) for name in _SCORE_NAMES),
    ).where(MonthTotal.workspace_id == workspace_id, MonthTotal.survey_id == survey_id)  # fmt: skip
    found: dict[bool, dict[tuple[date, Standing], Distribution]] = {False: {}, True: {}}
    for is_month, day, standing, *counts in await session.execute(union_all(by_day, by_month)):
        found[is_month][day, Standing(standing)] = Distribution.from_counts(counts)
    return DailyTotals(days=found[False], months=found[True])


async def load_cubes(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_id: uuid.UUID,
    until: date,
    selector_sets: Iterable[tuple[str, ...]],
) -> dict[tuple[str, ...], Cube]:
    """For each set of selectors the counted answers by month and value, up to the day `until`.

    One statement for all sets, none where there are no sets.
    """
    wanted = sorted(set(selector_sets))
    if not wanted:
        return {}
    selectors = sorted({selector for selectors in wanted for selector in selectors})
    rows = (
        await session.execute(
            _grouped(_monthly(workspace_id, survey_id, until, selectors), selectors, wanted)
        )
    ).all()
    masks = {_mask(selectors, chosen): chosen for chosen in wanted}
    found: dict[tuple[str, ...], dict[tuple[date, tuple[str, ...]], Distribution]] = {
        chosen: {} for chosen in wanted
    }
    for row in rows:
        mask, month, *values = tuple(row)
        chosen = masks[mask]
        by_selector = dict(zip(selectors, values, strict=False))
        key = month, tuple(by_selector[selector] for selector in chosen)
        found[chosen][key] = Distribution.from_counts(values[len(selectors) :])
    return {chosen: Cube(chosen, cells) for chosen, cells in found.items()}


def _monthly(
    workspace_id: uuid.UUID, survey_id: uuid.UUID, until: date, selectors: Sequence[str]
) -> Subquery:
    # A subquery names the values, because two bound parameters are never one GROUP BY expression.
    month = cast(func.date_trunc("month", cast(DailyCount.answered_on, DateTime)), Date)
    return (
        select(
            month.label("month"),
            *(selected(name, DailyCount).label(f"value_{at}") for at, name in enumerate(selectors)),
            *(getattr(DailyCount, name) for name in _SCORE_NAMES),
        )
        .join(
            SegmentSet,
            (SegmentSet.workspace_id == DailyCount.workspace_id)
            & (SegmentSet.id == DailyCount.segment_set_id),
        )
        .where(
            DailyCount.workspace_id == workspace_id,
            DailyCount.survey_id == survey_id,
            DailyCount.standing == Standing.COUNTED,
            DailyCount.answered_on <= until,
        )
        .subquery()
    )


def _grouped(
    monthly: Subquery, selectors: Sequence[str], wanted: Sequence[tuple[str, ...]]
) -> Select[*tuple[Any, ...]]:
    values = [monthly.c[f"value_{at}"] for at in range(len(selectors))]
    by_selector = dict(zip(selectors, values, strict=True))
    totals = [_total(monthly.c[name]) for name in _SCORE_NAMES]
    sets = [
        tuple_(monthly.c.month, *(by_selector[selector] for selector in chosen))
        for chosen in wanted
    ]
    return (
        select(func.grouping(*values), monthly.c.month, *values, *totals)
        .group_by(func.grouping_sets(*sets))
        .having(sum(totals[1:], totals[0]) > 0)
    )


def _mask(selectors: Sequence[str], chosen: Sequence[str]) -> int:
    """What GROUPING(…) answers for a row of that set: a bit for each selector left out."""
    bits = ("0" if selector in chosen else "1" for selector in selectors)
    return int("".join(bits), 2)


def _total(column: ColumnElement[int]) -> ColumnElement[int]:
    return cast(func.sum(column), BigInteger)


def selected(selector: str, row: type[DailyCount | Response]) -> ColumnElement[str]:
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
