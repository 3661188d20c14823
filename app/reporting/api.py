"""JSON routes of figures and answers."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import StreamingResponse

from app.accounts.access import ApiAuditor, ApiReader, require_scope
from app.accounts.models import Scope
from app.followups.queries import get_survey_task, load_surroundings
from app.foundation import clock
from app.foundation.errors import NotFound
from app.foundation.replica import Replica
from app.foundation.web.openapi import NoQuery, OnceEach, once_each_but, problems
from app.foundation.web.spool import spooled
from app.reporting.asked_together import ask_stored
from app.reporting.effect_shapes import EffectOut
from app.reporting.effects import measure_effects
from app.reporting.exporting import CSV_TYPE, attachment, begin_export, stream_csv
from app.reporting.filters import (
    Against,
    ExportQuery,
    FilterQuery,
    ListQuery,
    MetricsQuery,
    read_filter,
)
from app.reporting.finding import ListRequest
from app.reporting.listing import list_responses
from app.reporting.metrics import measure
from app.reporting.several_shapes import SeveralMetricsOut
from app.reporting.shapes import MetricsOut, ResponseList
from app.reporting.tag_figures import TagList, list_tag_uses
from app.reporting.theme_counts import report_themes
from app.reporting.theme_shapes import ThemesOut
from app.reporting.together import get_surveys, measure_together, read_common_filter
from app.reporting.view_shapes import SeveralViewList, ViewList
from app.reporting.views import list_views
from app.reporting.workspace_export import ZIP_TYPE, export_workspace
from app.surveys.queries import get_questionnaire

router = APIRouter(prefix="/api/v1", dependencies=[OnceEach])
figures = APIRouter(prefix="/api/v1", dependencies=[once_each_but("survey_id")])

# A parameter whose name is the customer's own cannot stand in a model.
BY_SEGMENT = {
    "parameters": [
        {
            "name": "segment.KEY",
            "in": "query",
            "required": False,
            "description": "Narrows to a declared value of the segment dimension KEY, to `other` "
            "or to `none` (answers without a value). Give several to combine them.",
            "schema": {"type": "string"},
            "example": "pro",
        }
    ]
}


@figures.get(
    "/metrics",
    tags=["metrics"],
    summary="Read figures",
    description="The score with its interval, counts, shares and distribution: the very figures "
    "of the dashboard. Give `survey_id` several times to count the answers of several surveys "
    "together and to see each of these beside the others.",
    responses=problems(404, 422),
    openapi_extra=BY_SEGMENT,
)
async def read_metrics(
    request: Request, client: ApiReader, query: Annotated[MetricsQuery, Query()]
) -> MetricsOut | SeveralMetricsOut:
    async def ask(session: AsyncSession) -> MetricsOut | SeveralMetricsOut:
        if len(query.survey_id) > 1:
            surveys = await get_surveys(session, client.workspace_id, query.survey_id)
            common = read_common_filter(query, surveys)
            against = query.against or Against.REST
            found = await measure_together(session, surveys, common, against)
            return SeveralMetricsOut.of(surveys, found)
        questionnaire = await get_questionnaire(session, client.workspace_id, query.survey_id[0])
        asked = read_filter(query, questionnaire)
        metrics = await measure(session, questionnaire, asked)
        return MetricsOut.of(metrics, questionnaire.min_group_size)

    replica: Replica = request.app.state.replica
    return await replica.read(client.session, client.workspace_id, ask)


@router.get(
    "/surveys/{survey_id}/responses",
    tags=["responses"],
    summary="List answers",
    description="The latest first. Without segment, language or channel an answer shows its day; "
    "with any of them it shows these and its month, never the day, and only where the subgroup "
    "is large enough.",
    responses=problems(404, 422),
    openapi_extra=BY_SEGMENT,
)
async def list_answers(
    request: Request,
    client: ApiReader,
    survey_id: uuid.UUID,
    query: Annotated[ListQuery, Query()],
) -> ResponseList:
    async def ask(session: AsyncSession) -> ResponseList:
        questionnaire = await get_questionnaire(session, client.workspace_id, survey_id)
        wanted = ListRequest(
            filter=read_filter(query, questionnaire),
            secret_key=request.app.state.settings.secret_key,
            limit=query.limit,
            cursor=query.cursor,
            standing=query.standing,
        )
        return ResponseList.of(await list_responses(session, questionnaire, wanted), query.limit)

    replica: Replica = request.app.state.replica
    return await replica.read(client.session, client.workspace_id, ask)


@router.get(
    "/surveys/{survey_id}/responses.csv",
    tags=["responses"],
    summary="Export answers",
    description="The answers of the list as one CSV file (UTF-8), safe to open in a spreadsheet. "
    "A subgroup that is hidden to protect respondents is a 409. Where the survey asks for an "
    "address, a key with the scope `write` gets a last column, `contact`.",
    openapi_extra=BY_SEGMENT,
    response_class=StreamingResponse,
    responses={
        **problems(404, 409, 422),
        200: {
            "content": {
                "text/csv": {
                    "example": "id,answered_on,score,category,comment,standing,tags,starred\r\n"
                    "4f0c6f3e-6b0e-4a56-9d0a-0c7c9d1c1f11,2026-04-30,9,promoter,Quick,counted,"
                    "Delivery; Staff,false\r\n"
                }
            }
        },
    },
)
async def export_answers(
    request: Request,
    client: ApiReader,
    survey_id: uuid.UUID,
    query: Annotated[ExportQuery, Query()],
) -> StreamingResponse:
    questionnaire = await get_questionnaire(client.session, client.workspace_id, survey_id)
    wanted = ListRequest(
        filter=read_filter(query, questionnaire),
        secret_key=request.app.state.settings.secret_key,
        limit=1,
    )
    await begin_export(client.session, questionnaire, client.actor, wanted)
    return StreamingResponse(
        spooled(
            stream_csv(
                request.app.state.database,
                questionnaire,
                wanted,
                may_see_contacts=Scope.WRITE in client.caller.scopes,
            )
        ),
        media_type=CSV_TYPE,
        headers=attachment(questionnaire),
    )


@router.get(
    "/surveys/{survey_id}/themes",
    tags=["metrics"],
    summary="Read themes",
    description="What promoters and detractors write about, and what is new: words and phrases of "
    "two that stand in at least five comments, told apart from chance. Of a subgroup only where "
    "enough comments may be listed.",
    responses=problems(404, 422),
    openapi_extra=BY_SEGMENT,
)
async def read_themes(
    request: Request,
    client: ApiReader,
    survey_id: uuid.UUID,
    query: Annotated[FilterQuery, Query()],
) -> ThemesOut:
    async def ask(session: AsyncSession) -> ThemesOut:
        questionnaire = await get_questionnaire(session, client.workspace_id, survey_id)
        asked = read_filter(query, questionnaire)
        secret_key = request.app.state.settings.secret_key
        return ThemesOut.of(
            survey_id, await report_themes(session, questionnaire, asked, secret_key)
        )

    replica: Replica = request.app.state.replica
    return await replica.read(client.session, client.workspace_id, ask)


@router.get(
    "/surveys/{survey_id}/tags",
    tags=["tags"],
    summary="List tags",
    description="With share and NPS of everybody's answers that have them, where these are at "
    "least the group minimum. `GET …/responses?tag=ID` lists them, by day.",
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def read_tags(client: ApiReader, survey_id: uuid.UUID) -> TagList:
    questionnaire = await get_questionnaire(client.session, client.workspace_id, survey_id)
    return TagList.of(await list_tag_uses(client.session, questionnaire))


@router.get(
    "/surveys/{survey_id}/views",
    tags=["metrics"],
    summary="List saved views",
    description="The filters of the survey’s dashboard that managers saved under a name.",
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def read_views(client: ApiReader, survey_id: uuid.UUID) -> ViewList:
    questionnaire = await get_questionnaire(client.session, client.workspace_id, survey_id)
    views = await list_views(client.session, client.workspace_id, survey_id)
    return ViewList.of(views, questionnaire, clock.today(questionnaire.time_zone))


@router.get(
    "/views",
    tags=["metrics"],
    summary="List saved views of several surveys",
    description="The filters of several surveys together that managers saved under a name; those "
    "of one survey stand under the survey.",
    responses=problems(422),
    dependencies=[NoQuery],
)
async def read_common_views(client: ApiReader) -> SeveralViewList:
    views = await list_views(client.session, client.workspace_id, None)
    queries = [view.query for view in views]
    asked = await ask_stored(client.session, client.workspace_id, queries)
    return SeveralViewList.of(views, asked)


@router.get(
    "/surveys/{survey_id}/annotations/{annotation_id}/effect",
    tags=["annotations"],
    summary="Read what followed an action",
    description="The score of the days before an action was done against that of the days after; "
    "404 where it is not done.",
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def read_effect(
    client: ApiReader, survey_id: uuid.UUID, annotation_id: uuid.UUID
) -> EffectOut:
    where = (client.session, client.workspace_id)
    questionnaire = await get_questionnaire(*where, survey_id)
    task = await get_survey_task(*where, survey_id, annotation_id)
    around = await load_surroundings(*where, [survey_id])
    notes = [(note.id, note.day) for note in around.notes]
    found = await measure_effects(client.session, questionnaire, [task.annotation], notes)
    if annotation_id not in found:
        raise NotFound
    return EffectOut.of(found[annotation_id], survey_id, annotation_id)


@router.get(
    "/export",
    tags=["workspace"],
    summary="Export everything",
    description="A zip of the whole workspace in open formats: `manifest.json`, `surveys.jsonl`, "
    "`members` and `audit.jsonl`, and for each survey its answers by day and its figures, as JSON "
    "Lines and CSV. It holds what the other calls show and no more. Needs a key with the scopes "
    "`read` and `audit`; 409 while another export of the workspace is being made.",
    response_class=StreamingResponse,
    responses={
        **problems(409, 422),
        200: {"content": {ZIP_TYPE: {"schema": {"type": "string", "format": "binary"}}}},
    },
    dependencies=[NoQuery],
)
async def export_everything(request: Request, client: ApiAuditor) -> StreamingResponse:
    require_scope(client.caller, Scope.READ)
    settings = request.app.state.settings
    found = await export_workspace(client.session, settings, client.workspace_id, client.actor)
    return StreamingResponse(found.chunks(), media_type=ZIP_TYPE, headers=found.headers())
