"""Churn, retention and NRR by month and segment: stored, listed, deleted."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Select, delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.queries import get_workspace
from app.accounts.schemas import Actor
from app.followups.inputs import IndicatorInput
from app.followups.models import Indicator, IndicatorMetric
from app.followups.queries import day_in_cursor, page_of
from app.followups.rates import EVERYBODY, Rate, RateRules
from app.foundation import clock
from app.foundation.errors import NotFound
from app.foundation.paging import Page, decode_cursor, id_in_cursor
from app.foundation.tokens import new_id
from app.surveys.models import SegmentDimension, SegmentValue
from app.surveys.rules import refuse


@dataclass(frozen=True, slots=True)
class IndicatorFilter:
    """Which rates: `since` and `until` are first days of months, both inclusive; None is open.

    `segment_keys` are dimensions, the empty one for all customers; None for every one.
    """

    metric: IndicatorMetric | None = None
    since: date | None = None
    until: date | None = None
    segment_keys: Sequence[str] | None = None


async def load_rules(session: AsyncSession, workspace_id: uuid.UUID) -> RateRules:
    """What rates of the workspace may be of."""
    workspace = await get_workspace(session, workspace_id)
    declared = await session.execute(
        select(SegmentDimension.key, SegmentValue.key)
        .join(
            SegmentValue,
            (SegmentValue.workspace_id == SegmentDimension.workspace_id)
            & (SegmentValue.dimension_id == SegmentDimension.id),
        )
        .where(SegmentDimension.workspace_id == workspace_id)
        .distinct()
    )
    pairs = frozenset((key, value) for key, value in declared)
    return RateRules(pairs, clock.today(workspace.time_zone))


async def store_indicators(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, given: Sequence[IndicatorInput]
) -> Sequence[Indicator]:
    """All of the rates, replacing those that are there for the same metric, month and segment; in
    the order given. Invalid names everything that is wrong, and then nothing is stored."""
    rules = await load_rules(session, workspace_id)
    rates, problems = rules.check(given)
    refuse(problems)
    rows = await _upsert(session, workspace_id, rates)
    record_event(session, workspace_id, actor, "indicators.stored", None, {"rows": len(rows)})
    stored = {(row.metric, row.month, (row.segment_key, row.segment_value)): row for row in rows}
    return [stored[rate.key] for rate in rates]


async def _upsert(
    session: AsyncSession, workspace_id: uuid.UUID, rates: Sequence[Rate]
) -> Sequence[Indicator]:
    statement = insert(Indicator).values(
        [_values(workspace_id, rate) for rate in sorted(rates, key=lambda rate: rate.key)]
    )
    excluded = statement.excluded
    stored = statement.on_conflict_do_update(
        index_elements=[
            Indicator.workspace_id, Indicator.metric, Indicator.month,
            Indicator.segment_key, Indicator.segment_value,
        ],
        set_={"percent": excluded.percent, "base": excluded.base},
    ).returning(Indicator)  # fmt: skip
    found = await session.scalars(stored, execution_options={"populate_existing": True})
    return found.all()


def _values(workspace_id: uuid.UUID, rate: Rate) -> dict[str, object]:
    key, value = rate.segment
    return {
        "workspace_id": workspace_id,
        "id": new_id(),
        "metric": rate.metric,
        "month": rate.month,
        "segment_key": key,
        "segment_value": value,
        "percent": rate.percent,
        "base": rate.base,
    }


async def list_indicators(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    asked: IndicatorFilter,
    limit: int,
    cursor: str | None = None,
) -> Page[Indicator]:
    """The latest months first; Invalid for a cursor that is not ours."""
    statement = (
        _found(workspace_id, asked)
        .order_by(Indicator.month.desc(), Indicator.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        month, last = decode_cursor(cursor, 2)
        statement = statement.where(
            tuple_(Indicator.month, Indicator.id) < (day_in_cursor(month), id_in_cursor(last))
        )
    rows = (await session.scalars(statement)).all()
    return page_of(rows, limit, lambda row: (row.month.isoformat(), str(row.id)))


async def load_indicators(
    session: AsyncSession, workspace_id: uuid.UUID, asked: IndicatorFilter
) -> Sequence[Indicator]:
    """All of them, month by month; the caller bounds the months and the dimensions."""
    return (await session.scalars(_found(workspace_id, asked).order_by(Indicator.month))).all()


def _found(workspace_id: uuid.UUID, asked: IndicatorFilter) -> Select[Indicator]:
    statement = select(Indicator).where(Indicator.workspace_id == workspace_id)
    if asked.metric is not None:
        statement = statement.where(Indicator.metric == asked.metric)
    if asked.since is not None:
        statement = statement.where(Indicator.month >= asked.since)
    if asked.until is not None:
        statement = statement.where(Indicator.month <= asked.until)
    if asked.segment_keys is not None:
        statement = statement.where(Indicator.segment_key.in_(asked.segment_keys))
    return statement


async def delete_indicator(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, indicator_id: uuid.UUID
) -> None:
    """NotFound where the workspace has no such rate."""
    gone = await session.execute(
        delete(Indicator)
        .where(Indicator.workspace_id == workspace_id, Indicator.id == indicator_id)
        .returning(Indicator.metric, Indicator.month)
    )
    row = gone.one_or_none()
    if row is None:
        raise NotFound
    metric, month = row
    record_event(
        session, workspace_id, actor, "indicator.deleted", indicator_id,
        {"name": f"{metric} {month:%Y-%m}"},
    )  # fmt: skip


def segment_of(row: Indicator) -> dict[str, str]:
    """The one segment value that the rate is of; empty for all customers."""
    segment = (row.segment_key, row.segment_value)
    return {} if segment == EVERYBODY else dict([segment])
