"""What members noted beside the score, as tables of a workspace's export."""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.followups.indicators import IndicatorFilter, list_indicators
from app.followups.models import Indicator
from app.followups.queries import AnnotationFilter, list_benchmarks, list_goals, list_tasks
from app.followups.shapes import AnnotationShape, BenchmarkShape
from app.foundation.bundles import Bundle
from app.foundation.paging import MAX_PAGE_SIZE, Page
from app.reporting.export_tables import Record, write_table

ListPage = Callable[[int, str | None], Awaitable[Page[Any]]]
ANNOTATION_COLUMNS = tuple(AnnotationShape.model_fields)
BENCHMARK_COLUMNS = tuple(BenchmarkShape.model_fields)
GOAL_COLUMNS = ("survey_id", "nps", "reach_by")
INDICATOR_COLUMNS = ("metric", "month", "segment_key", "segment_value", "percent", "base")


async def write_followups(session: AsyncSession, bundle: Bundle, workspace_id: uuid.UUID) -> None:
    """Write `annotations`, `goals`, `benchmarks` and `indicators` as JSON Lines and as CSV."""

    def annotations(limit: int, cursor: str | None) -> Awaitable[Page[Any]]:
        return list_tasks(session, workspace_id, AnnotationFilter(), limit, cursor)

    def benchmarks(limit: int, cursor: str | None) -> Awaitable[Page[Any]]:
        return list_benchmarks(session, workspace_id, limit, cursor)

    def indicators(limit: int, cursor: str | None) -> Awaitable[Page[Any]]:
        return list_indicators(session, workspace_id, IndicatorFilter(), limit, cursor)

    goals = _goals(session, workspace_id)
    await write_table(
        session, bundle, "annotations", ANNOTATION_COLUMNS,
        _records(annotations, lambda row: _dump(AnnotationShape, row.annotation)),
    )  # fmt: skip
    await write_table(session, bundle, "goals", GOAL_COLUMNS, goals)
    await write_table(
        session, bundle, "benchmarks", BENCHMARK_COLUMNS,
        _records(benchmarks, lambda row: _dump(BenchmarkShape, row)),
    )  # fmt: skip
    await write_table(session, bundle, "indicators", INDICATOR_COLUMNS, _records(indicators, _rate))


async def _records(
    list_page: ListPage, record: Callable[[Any], Record]
) -> AsyncIterator[Sequence[Record]]:
    cursor: str | None = None
    while True:
        page = await list_page(MAX_PAGE_SIZE, cursor)
        yield [record(row) for row in page.rows]
        cursor = page.next_cursor
        if cursor is None:
            return


async def _goals(session: AsyncSession, workspace_id: uuid.UUID) -> AsyncIterator[Sequence[Record]]:
    yield [
        {
            "survey_id": str(goal.survey_id),
            "nps": goal.nps,
            "reach_by": goal.reach_by.isoformat() if goal.reach_by else None,
        }
        for goal in await list_goals(session, workspace_id)
    ]


def _dump(shape: type[AnnotationShape | BenchmarkShape], row: object) -> Record:
    return shape.model_validate(row).model_dump(mode="json")


def _rate(row: Indicator) -> Record:
    return {
        "metric": str(row.metric),
        "month": f"{row.month:%Y-%m}",
        "segment_key": row.segment_key,
        "segment_value": row.segment_value,
        "percent": row.percent,
        "base": row.base,
    }
