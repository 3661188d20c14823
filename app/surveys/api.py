"""JSON routes of surveys."""

import uuid

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import ApiReader, ApiWriter
from app.accounts.idempotency import create_once
from app.accounts.schemas import ApiClient
from app.foundation.errors import NotFound
from app.foundation.settings import Settings
from app.foundation.web.openapi import ListMeta, NoQuery, Paging, problems
from app.surveys.actions import (
    close_survey,
    create_survey,
    edit_survey,
    make_version,
    publish_survey,
)
from app.surveys.dimensions import (
    add_dimension,
    add_values,
    archive_value,
    remove_dimension,
    restore_value,
)
from app.surveys.inputs import (
    DimensionInput,
    LinkInput,
    LinkTarget,
    SurveyChanges,
    SurveyInput,
    ValuesInput,
    VersionInput,
)
from app.surveys.links import create_link, repoint_link, revoke_link
from app.surveys.listings import (
    get_link,
    get_survey_detail,
    list_links,
    list_surveys,
    list_versions,
)
from app.surveys.queries import list_dimensions
from app.surveys.shapes import (
    DimensionShape,
    LinkList,
    LinkShape,
    SurveyList,
    SurveyShape,
    VersionList,
    VersionShape,
    dimension_shape,
    link_shape,
    survey_shape,
    survey_summary,
    version_shape,
)

router = APIRouter(prefix="/api/v1")


@router.post(
    "/surveys",
    tags=["surveys"],
    summary="Create a survey",
    status_code=201,
    response_model=SurveyShape,
    responses=problems(400, 409, 422),
    dependencies=[NoQuery],
)
async def create(request: Request, client: ApiWriter, given: SurveyInput) -> Response:
    """A draft. Publish it with `PUT /surveys/{id}/publication`; `url` is the form's address."""

    async def make() -> SurveyShape:
        survey = await create_survey(client.session, client.workspace_id, client.actor, given)
        return await _shape(request, client, survey.id)

    return await create_once(request, client, make)


@router.get("/surveys", tags=["surveys"], summary="List surveys", responses=problems(422))
async def list_all(request: Request, client: ApiReader, query: Paging) -> SurveyList:
    """The newest first."""
    page = await list_surveys(client.session, client.workspace_id, query.limit, query.cursor)
    return SurveyList(
        data=[survey_summary(row, _public_url(request)) for row in page.rows],
        meta=ListMeta(limit=query.limit, next_cursor=page.next_cursor),
    )


@router.get(
    "/surveys/{survey_id}",
    tags=["surveys"],
    summary="Read a survey",
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def read(request: Request, client: ApiReader, survey_id: uuid.UUID) -> SurveyShape:
    """The survey with its wording and its segment dimensions."""
    return await _shape(request, client, survey_id)


@router.patch(
    "/surveys/{survey_id}",
    tags=["surveys"],
    summary="Change a survey",
    responses=problems(400, 404, 409, 422),
    dependencies=[NoQuery],
)
async def change(
    request: Request, client: ApiWriter, survey_id: uuid.UUID, changes: SurveyChanges
) -> SurveyShape:
    """Once the first answer is in, wording and promise (group minimum, retention, purpose, privacy
    link) stand: 409. Make a version to word it anew."""
    await edit_survey(client.session, client.workspace_id, client.actor, survey_id, changes)
    return await _shape(request, client, survey_id)


@router.put(
    "/surveys/{survey_id}/publication",
    tags=["surveys"],
    summary="Publish a survey, or open it again",
    responses=problems(404, 409, 422),
    dependencies=[NoQuery],
)
async def publish(request: Request, client: ApiWriter, survey_id: uuid.UUID) -> SurveyShape:
    """From now on (or from `opens_on`) the survey takes answers."""
    await publish_survey(client.session, client.workspace_id, client.actor, survey_id)
    return await _shape(request, client, survey_id)


@router.delete(
    "/surveys/{survey_id}/publication",
    tags=["surveys"],
    summary="Close a survey",
    responses=problems(404, 409, 422),
    dependencies=[NoQuery],
)
async def close(request: Request, client: ApiWriter, survey_id: uuid.UUID) -> SurveyShape:
    """The survey takes no more answers; 409 for a draft."""
    await close_survey(client.session, client.workspace_id, client.actor, survey_id)
    return await _shape(request, client, survey_id)


@router.get(
    "/surveys/{survey_id}/versions",
    tags=["versions"],
    summary="List a survey's wordings",
    responses=problems(404, 422),
)
async def list_wordings(client: ApiReader, survey_id: uuid.UUID, query: Paging) -> VersionList:
    """The newest first."""
    page = await list_versions(
        client.session, client.workspace_id, survey_id, query.limit, query.cursor
    )
    return VersionList(
        data=[version_shape(row) for row in page.rows],
        meta=ListMeta(limit=query.limit, next_cursor=page.next_cursor),
    )


@router.post(
    "/surveys/{survey_id}/versions",
    tags=["versions"],
    summary="Word a survey anew",
    status_code=201,
    response_model=VersionShape,
    responses=problems(400, 404, 409, 422),
    dependencies=[NoQuery],
)
async def create_wording(
    request: Request, client: ApiWriter, survey_id: uuid.UUID, given: VersionInput
) -> Response:
    """Asked from now on; earlier answers keep the version they were given to."""

    async def make() -> VersionShape:
        return version_shape(
            await make_version(client.session, client.workspace_id, client.actor, survey_id, given)
        )

    return await create_once(request, client, make)


@router.post(
    "/surveys/{survey_id}/dimensions",
    tags=["dimensions"],
    summary="Add a segment dimension",
    status_code=201,
    response_model=DimensionShape,
    responses=problems(400, 404, 409, 422),
    dependencies=[NoQuery],
)
async def create_dimension(
    request: Request, client: ApiWriter, survey_id: uuid.UUID, given: DimensionInput
) -> Response:
    """At most four, and at most two asked on the form. The key never changes."""

    async def make() -> DimensionShape:
        await add_dimension(client.session, client.workspace_id, client.actor, survey_id, given)
        return await _dimension_shape(client, survey_id, given.key)

    return await create_once(request, client, make)


@router.delete(
    "/surveys/{survey_id}/dimensions/{key}",
    tags=["dimensions"],
    summary="Take back a segment dimension",
    status_code=204,
    responses=problems(404, 409, 422),
    dependencies=[NoQuery],
)
async def delete_dimension(client: ApiWriter, survey_id: uuid.UUID, key: str) -> None:
    """Only while the survey has no answers."""
    await remove_dimension(client.session, client.workspace_id, client.actor, survey_id, key)


@router.post(
    "/surveys/{survey_id}/dimensions/{key}/values",
    tags=["dimensions"],
    summary="Add segment values",
    status_code=201,
    response_model=DimensionShape,
    responses=problems(400, 404, 409, 422),
    dependencies=[NoQuery],
)
async def create_values(
    request: Request, client: ApiWriter, survey_id: uuid.UUID, key: str, given: ValuesInput
) -> Response:
    """At most fifty in all, archived ones included."""

    async def make() -> DimensionShape:
        await add_values(
            client.session, client.workspace_id, client.actor, survey_id, key, given.values
        )
        return await _dimension_shape(client, survey_id, key)

    return await create_once(request, client, make)


@router.put(
    "/surveys/{survey_id}/dimensions/{key}/archived_values/{value:path}",
    tags=["dimensions"],
    summary="Archive a segment value",
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def archive(client: ApiWriter, survey_id: uuid.UUID, key: str, value: str) -> DimensionShape:
    """It is taken no more; answers that have it keep it."""
    await archive_value(client.session, client.workspace_id, client.actor, survey_id, key, value)
    return await _dimension_shape(client, survey_id, key)


@router.delete(
    "/surveys/{survey_id}/dimensions/{key}/archived_values/{value:path}",
    tags=["dimensions"],
    summary="Restore a segment value",
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def restore(client: ApiWriter, survey_id: uuid.UUID, key: str, value: str) -> DimensionShape:
    """It is taken again."""
    await restore_value(client.session, client.workspace_id, client.actor, survey_id, key, value)
    return await _dimension_shape(client, survey_id, key)


@router.get(
    "/surveys/{survey_id}/links",
    tags=["links"],
    summary="List a survey's links",
    responses=problems(404, 422),
)
async def list_all_links(
    request: Request, client: ApiReader, survey_id: uuid.UUID, query: Paging
) -> LinkList:
    """The survey's own link first, then the newest; revoked ones included."""
    page = await list_links(
        client.session, client.workspace_id, survey_id, query.limit, query.cursor
    )
    return LinkList(
        data=[link_shape(row, _public_url(request)) for row in page.rows],
        meta=ListMeta(limit=query.limit, next_cursor=page.next_cursor),
    )


@router.post(
    "/surveys/{survey_id}/links",
    tags=["links"],
    summary="Create a link",
    status_code=201,
    response_model=LinkShape,
    responses=problems(400, 404, 409, 422),
    dependencies=[NoQuery],
)
async def create_further_link(
    request: Request, client: ApiWriter, survey_id: uuid.UUID, given: LinkInput
) -> Response:
    """A link of its own for a channel or a segment."""

    async def make() -> LinkShape:
        link = await create_link(
            client.session, client.workspace_id, client.actor, survey_id, given
        )
        return link_shape(link, _public_url(request))

    return await create_once(request, client, make)


@router.get(
    "/surveys/{survey_id}/links/{link_id}",
    tags=["links"],
    summary="Read a link",
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def read_link(
    request: Request, client: ApiReader, survey_id: uuid.UUID, link_id: uuid.UUID
) -> LinkShape:
    """One link of the survey."""
    link = await get_link(client.session, client.workspace_id, survey_id, link_id)
    return link_shape(link, _public_url(request))


@router.delete(
    "/surveys/{survey_id}/links/{link_id}",
    tags=["links"],
    summary="Revoke a link",
    responses=problems(404, 422),
    dependencies=[NoQuery],
)
async def revoke(
    request: Request, client: ApiWriter, survey_id: uuid.UUID, link_id: uuid.UUID
) -> LinkShape:
    """Whoever opens it is told that it leads nowhere. A survey whose own link is revoked gets
    another."""
    link = await revoke_link(client.session, client.workspace_id, client.actor, survey_id, link_id)
    return link_shape(link, _public_url(request))


@router.put(
    "/surveys/{survey_id}/links/{link_id}/survey",
    tags=["links"],
    summary="Lead a link to another survey",
    responses=problems(400, 404, 409, 422),
    dependencies=[NoQuery],
)
async def repoint(
    request: Request,
    client: ApiWriter,
    survey_id: uuid.UUID,
    link_id: uuid.UUID,
    target: LinkTarget,
) -> LinkShape:
    """The address stays, so a printed code lives on; the target is a survey of this workspace."""
    link = await repoint_link(
        client.session, client.workspace_id, client.actor, survey_id, link_id, target.survey_id
    )
    return link_shape(link, _public_url(request))


def _public_url(request: Request) -> str:
    settings: Settings = request.app.state.settings
    return settings.public_url


async def _shape(request: Request, client: ApiClient, survey_id: uuid.UUID) -> SurveyShape:
    detail = await get_survey_detail(client.session, client.workspace_id, survey_id)
    return survey_shape(detail, _public_url(request))


async def _dimension_shape(client: ApiClient, survey_id: uuid.UUID, key: str) -> DimensionShape:
    for dimension in await list_dimensions(client.session, client.workspace_id, survey_id):
        if dimension.key == key:
            return dimension_shape(dimension)
    raise NotFound
