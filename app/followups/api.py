"""JSON routes of events and actions, goals, benchmarks and rates."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import Response

from app.accounts.access import ApiReader, ApiWriter
from app.accounts.idempotency import create_once
from app.followups.actions import (
    change_annotation,
    create_annotation,
    create_benchmark,
    delete_annotation,
    delete_benchmark,
    remove_goal,
    replace_benchmark,
    set_goal,
)
from app.followups.indicators import (
    IndicatorFilter,
    delete_indicator,
    list_indicators,
    store_indicators,
)
from app.followups.inputs import (
    AnnotationChanges,
    AnnotationInput,
    BenchmarkInput,
    GoalInput,
    IndicatorsInput,
    Month,
)
from app.followups.models import AnnotationKind, IndicatorMetric
from app.followups.queries import (
    AnnotationFilter,
    find_goal,
    get_benchmark,
    get_task,
    list_benchmarks,
    list_tasks,
)
from app.followups.shapes import (
    AnnotationList,
    AnnotationShape,
    BenchmarkList,
    BenchmarkShape,
    GoalShape,
    IndicatorList,
    IndicatorShape,
    StoredIndicators,
)
from app.foundation.errors import NotFound
from app.foundation.web.openapi import ListMeta, NoQuery, OnceEach, PageQuery, Paging, problems
from app.surveys.inputs import Day
from app.surveys.queries import get_survey

router = APIRouter(prefix="/api/v1", dependencies=[OnceEach])

SINCE = "Only those that begin on this workspace day or later."
UNTIL = "Only those that begin on this workspace day or earlier."
MONTHS = "A month such as 2026-05, inclusive."


class AnnotationQuery(PageQuery):
    """Which events and actions."""

    kind: AnnotationKind | None = None
    survey_id: uuid.UUID | None = Field(None, description="Of this survey, and those of all.")
    since: Day = Field(None, description=SINCE)
    until: Day = Field(None, description=UNTIL)


class IndicatorQuery(PageQuery):
    """Which rates."""

    metric: IndicatorMetric | None = None
    since: Month | None = Field(None, description=MONTHS)
    until: Month | None = Field(None, description=MONTHS)


@router.post(
    "/annotations",
    tags=["annotations"],
    summary="Note an event or an action",
    status_code=201,
    response_model=AnnotationShape,
    responses=problems(400, 404, 409, 422),
    dependencies=[NoQuery],
)
async def create(request: Request, client: ApiWriter, given: AnnotationInput) -> Response:
    """It is marked on the trend: an event on its day, an action on the day it was done."""

    async def make() -> AnnotationShape:
        row = await create_annotation(client.session, client.workspace_id, client.actor, given)
        return AnnotationShape.model_validate(row)

    return await create_once(request, client, make)


@router.get(
    "/annotations",
    tags=["annotations"],
    summary="List events and actions",
    responses=problems(404, 422),
)
async def list_all(client: ApiReader, query: Annotated[AnnotationQuery, Query()]) -> AnnotationList:
    """Those that begin last first."""
    if query.survey_id is not None:
        await get_survey(client.session, client.workspace_id, query.survey_id)
    asked = AnnotationFilter(query.kind, query.survey_id, query.since, query.until)
    page = await list_tasks(client.session, client.workspace_id, asked, query.limit, query.cursor)
    return AnnotationList(
        data=[AnnotationShape.model_validate(task.annotation) for task in page.rows],
        meta=ListMeta(limit=query.limit, next_cursor=page.next_cursor),
    )


@router.get(
    "/annotations/{annotation_id}",
    tags=["annotations"],
    summary="Read an event or an action",
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def read(client: ApiReader, annotation_id: uuid.UUID) -> AnnotationShape:
    """One event or action."""
    task = await get_task(client.session, client.workspace_id, annotation_id)
    return AnnotationShape.model_validate(task.annotation)


@router.patch(
    "/annotations/{annotation_id}",
    tags=["annotations"],
    summary="Change an event or an action",
    responses=problems(400, 404, 422),
    dependencies=[NoQuery],
)
async def change(
    client: ApiWriter, annotation_id: uuid.UUID, changes: AnnotationChanges
) -> AnnotationShape:
    """Null takes away a survey, an owner or a day; other members that are null stay."""
    row = await change_annotation(
        client.session, client.workspace_id, client.actor, annotation_id, changes
    )
    return AnnotationShape.model_validate(row)


@router.delete(
    "/annotations/{annotation_id}",
    tags=["annotations"],
    summary="Delete an event or an action",
    status_code=204,
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def delete(client: ApiWriter, annotation_id: uuid.UUID) -> None:
    """It is gone from the list and from the trend."""
    await delete_annotation(client.session, client.workspace_id, client.actor, annotation_id)


@router.get(
    "/surveys/{survey_id}/goal",
    tags=["goals"],
    summary="Read a survey's goal",
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def read_goal(client: ApiReader, survey_id: uuid.UUID) -> GoalShape:
    """404 where the survey has none."""
    goal = await find_goal(client.session, client.workspace_id, survey_id)
    if goal is None:
        raise NotFound
    return GoalShape.model_validate(goal)


@router.put(
    "/surveys/{survey_id}/goal",
    tags=["goals"],
    summary="Set a survey's goal",
    responses=problems(400, 404, 422),
    dependencies=[NoQuery],
)
async def put_goal(client: ApiWriter, survey_id: uuid.UUID, given: GoalInput) -> GoalShape:
    """The NPS to be reached, in whole points, and by when."""
    await set_goal(client.session, client.workspace_id, client.actor, survey_id, given)
    return GoalShape.model_validate(given)


@router.delete(
    "/surveys/{survey_id}/goal",
    tags=["goals"],
    summary="Take a survey's goal away",
    status_code=204,
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def delete_goal(client: ApiWriter, survey_id: uuid.UUID) -> None:
    """Also where it has none."""
    await remove_goal(client.session, client.workspace_id, client.actor, survey_id)


@router.post(
    "/benchmarks",
    tags=["benchmarks"],
    summary="Enter a benchmark",
    status_code=201,
    response_model=BenchmarkShape,
    responses=problems(400, 404, 409, 422),
    dependencies=[NoQuery],
)
async def create_one(request: Request, client: ApiWriter, given: BenchmarkInput) -> Response:
    """NPS figures of others, with their source and day."""

    async def make() -> BenchmarkShape:
        row = await create_benchmark(client.session, client.workspace_id, client.actor, given)
        return BenchmarkShape.model_validate(row)

    return await create_once(request, client, make)


@router.get("/benchmarks", tags=["benchmarks"], summary="List benchmarks", responses=problems(422))
async def list_all_benchmarks(client: ApiReader, query: Paging) -> BenchmarkList:
    """The latest figures first."""
    page = await list_benchmarks(client.session, client.workspace_id, query.limit, query.cursor)
    return BenchmarkList(
        data=[BenchmarkShape.model_validate(row) for row in page.rows],
        meta=ListMeta(limit=query.limit, next_cursor=page.next_cursor),
    )


@router.get(
    "/benchmarks/{benchmark_id}",
    tags=["benchmarks"],
    summary="Read a benchmark",
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def read_benchmark(client: ApiReader, benchmark_id: uuid.UUID) -> BenchmarkShape:
    """One benchmark."""
    row = await get_benchmark(client.session, client.workspace_id, benchmark_id)
    return BenchmarkShape.model_validate(row)


@router.put(
    "/benchmarks/{benchmark_id}",
    tags=["benchmarks"],
    summary="Replace a benchmark",
    responses=problems(400, 404, 422),
    dependencies=[NoQuery],
)
async def put_benchmark(
    client: ApiWriter, benchmark_id: uuid.UUID, given: BenchmarkInput
) -> BenchmarkShape:
    """Whole: what is left out is gone."""
    row = await replace_benchmark(
        client.session, client.workspace_id, client.actor, benchmark_id, given
    )
    return BenchmarkShape.model_validate(row)


@router.delete(
    "/benchmarks/{benchmark_id}",
    tags=["benchmarks"],
    summary="Delete a benchmark",
    status_code=204,
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def delete_one_benchmark(client: ApiWriter, benchmark_id: uuid.UUID) -> None:
    """No dashboard compares with it any more."""
    await delete_benchmark(client.session, client.workspace_id, client.actor, benchmark_id)


@router.post(
    "/indicators",
    tags=["indicators"],
    summary="Store churn, retention and NRR",
    status_code=201,
    response_model=StoredIndicators,
    responses=problems(400, 409, 422),
    dependencies=[NoQuery],
)
async def store(request: Request, client: ApiWriter, given: IndicatorsInput) -> Response:
    """Up to 1,000 rates of months, all or none of them. A rate that is there already for the same
    metric, month and segment is replaced, so that sending twice changes nothing."""

    async def make() -> StoredIndicators:
        rows = await store_indicators(
            client.session, client.workspace_id, client.actor, given.indicators
        )
        return StoredIndicators(data=[IndicatorShape.of(row) for row in rows])

    return await create_once(request, client, make)


@router.get(
    "/indicators",
    tags=["indicators"],
    summary="List churn, retention and NRR",
    responses=problems(422),
)
async def list_all_indicators(
    client: ApiReader, query: Annotated[IndicatorQuery, Query()]
) -> IndicatorList:
    """The latest months first."""
    asked = IndicatorFilter(query.metric, query.since, query.until)
    page = await list_indicators(
        client.session, client.workspace_id, asked, query.limit, query.cursor
    )
    return IndicatorList(
        data=[IndicatorShape.of(row) for row in page.rows],
        meta=ListMeta(limit=query.limit, next_cursor=page.next_cursor),
    )


@router.delete(
    "/indicators/{indicator_id}",
    tags=["indicators"],
    summary="Delete a rate",
    status_code=204,
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def delete_rate(client: ApiWriter, indicator_id: uuid.UUID) -> None:
    """It is drawn no more."""
    await delete_indicator(client.session, client.workspace_id, client.actor, indicator_id)
