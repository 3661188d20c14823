"""The answers of a survey as a table for people; an archive is restored without it."""

import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.bundles import Bundle
from app.reporting.exporting import BYTE_ORDER_MARK, csv_lines
from app.responses.models import Response, ResponseContact, SegmentSet
from app.surveys.models import SegmentDimension, Survey

ROWS_AT_ONCE = 1_000
COLUMNS = (
    Response.id,
    Response.answered_on,
    Response.score,
    Response.comment,
    Response.language,
    Response.channel,
    Response.standing,
    Response.exclusion_reason,
    ResponseContact.address,
)


async def write_answer_tables(
    session: AsyncSession, workspace_id: uuid.UUID, bundle: Bundle
) -> None:
    """One CSV file for each survey, all that is stored of an answer on its line."""
    surveys = await session.scalars(
        select(Survey.id).where(Survey.workspace_id == workspace_id).order_by(Survey.id)
    )
    for survey_id in surveys.all():
        keys = await _dimension_keys(session, workspace_id, survey_id)
        with bundle.part(f"responses-{survey_id}.csv") as part:
            head = [*(column.key for column in COLUMNS), *(f"segment.{key}" for key in keys)]
            part.write((BYTE_ORDER_MARK + csv_lines([head])).encode(), 0)
            async for rows in _answers(session, workspace_id, survey_id):
                lines = [_cells(row, keys) for row in rows]
                part.write(csv_lines(lines).encode(), len(lines))


async def _dimension_keys(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> Sequence[str]:
    found = await session.scalars(
        select(SegmentDimension.key)
        .where(
            SegmentDimension.workspace_id == workspace_id, SegmentDimension.survey_id == survey_id
        )
        .order_by(SegmentDimension.position)
    )
    return found.all()


async def _answers(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> AsyncIterator[Sequence[Any]]:
    result = await session.stream(_statement(workspace_id, survey_id))
    async for rows in result.partitions(ROWS_AT_ONCE):
        yield rows


def _statement(workspace_id: uuid.UUID, survey_id: uuid.UUID) -> Select[*tuple[Any, ...]]:
    return (
        select(*COLUMNS, SegmentSet.labels)
        .join(
            SegmentSet,
            (SegmentSet.workspace_id == Response.workspace_id)
            & (SegmentSet.id == Response.segment_set_id),
        )
        .outerjoin(
            ResponseContact,
            (ResponseContact.workspace_id == Response.workspace_id)
            & (ResponseContact.response_id == Response.id),
        )
        .where(Response.workspace_id == workspace_id, Response.survey_id == survey_id)
        .order_by(Response.answered_on, Response.id)
    )


def _cells(row: Sequence[Any], keys: Sequence[str]) -> list[str]:
    *values, labels = row
    texts = ["" if value is None else str(value) for value in values]
    return [*texts, *(labels.get(key, "") for key in keys)]
