"""HTML routes: the answers of a survey, leaving an answer out, the export."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Query, Request
from starlette.responses import Response, StreamingResponse

from app.accounts.access import SignedInMember, WorkspaceManager, WorkspaceOwner
from app.foundation.errors import Invalid
from app.foundation.translation import gettext
from app.foundation.web.openapi import OnceEach
from app.foundation.web.rendering import render
from app.foundation.web.spool import spooled
from app.reporting.exporting import CSV_TYPE, attachment, begin_export, stream_csv
from app.reporting.filters import ExportQuery, read_filter
from app.reporting.finding import ListRequest
from app.reporting.page_filters import ListPageQuery
from app.reporting.pages.answers import answers_page, back_to_list
from app.reporting.pages.showing import SURVEY
from app.reporting.pages.typed import Typed, typed
from app.reporting.workspace_export import ZIP_TYPE, export_workspace
from app.responses.actions import exclude_response, include_response, release_response
from app.responses.contacts import delete_contact
from app.responses.models import HoldReason
from app.responses.reviewing import exclude_held, release_held
from app.surveys.queries import get_questionnaire

router = APIRouter(dependencies=[OnceEach])

EXPORT = "/w/{workspace}/export"


@router.get(SURVEY + "/responses")
async def show_responses(
    request: Request,
    member: SignedInMember,
    survey_id: uuid.UUID,
    given: Annotated[Typed[ListPageQuery], Depends(typed(ListPageQuery))],
) -> Response:
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    if given.errors:
        return await answers_page(
            request, member, questionnaire, given.query, 422, typed_days=given
        )
    return await answers_page(request, member, questionnaire, given.query)


@router.get(SURVEY + "/responses.csv")
async def download_responses(
    request: Request,
    member: SignedInMember,
    survey_id: uuid.UUID,
    query: Annotated[ExportQuery, Query()],
) -> Response:
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    wanted = ListRequest(
        filter=read_filter(query, questionnaire),
        secret_key=request.app.state.settings.secret_key,
        limit=1,
    )
    await begin_export(member.session, questionnaire, member.actor, wanted)
    return StreamingResponse(
        spooled(
            stream_csv(
                request.app.state.database,
                questionnaire,
                wanted,
                may_see_contacts=member.is_manager,
            )
        ),
        media_type=CSV_TYPE,
        headers=attachment(questionnaire),
    )


@router.post(SURVEY + "/responses/{response_id}/exclusion")
async def exclude(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
    query: Annotated[ListPageQuery, Query()],
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Leaves an answer out of the figures; the query string is that of the list to go back to."""
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    try:
        await exclude_response(
            member.session, member.workspace_id, member.actor, survey_id, response_id, reason
        )
    except Invalid as refused:
        return await answers_page(
            request,
            member,
            questionnaire,
            query,
            422,
            error=gettext(refused.invalid_params[0].reason),
            error_id=response_id,
            typed=reason,
        )
    return back_to_list(member, survey_id, query)


@router.post(SURVEY + "/responses/{response_id}/inclusion")
async def include(
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
    query: Annotated[ListPageQuery, Query()],
) -> Response:
    """Takes an excluded answer back into the figures."""
    await get_questionnaire(member.session, member.workspace_id, survey_id)
    await include_response(
        member.session, member.workspace_id, member.actor, survey_id, response_id
    )
    return back_to_list(member, survey_id, query)


@router.post(SURVEY + "/responses/{response_id}/release")
async def release(
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
    query: Annotated[ListPageQuery, Query()],
) -> Response:
    """Takes a held answer into the figures."""
    await get_questionnaire(member.session, member.workspace_id, survey_id)
    await release_response(
        member.session, member.workspace_id, member.actor, survey_id, response_id
    )
    return back_to_list(member, survey_id, query)


@router.post(SURVEY + "/responses/{response_id}/contact/removal")
async def remove_contact(
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
    query: Annotated[ListPageQuery, Query()],
) -> Response:
    """Deletes the address left with an answer, and leaves the answer."""
    await delete_contact(member.session, member.workspace_id, member.actor, survey_id, response_id)
    return back_to_list(member, survey_id, query)


@router.post(SURVEY + "/held-responses/release")
async def release_all(
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    query: Annotated[ListPageQuery, Query()],
    held_for: Annotated[HoldReason | None, Form()] = None,
) -> Response:
    """Takes every held answer into the figures, or those held for one reason."""
    await get_questionnaire(member.session, member.workspace_id, survey_id)
    await release_held(member.session, member.workspace_id, member.actor, survey_id, held_for)
    return back_to_list(member, survey_id, query)


@router.post(SURVEY + "/held-responses/exclusion")
async def exclude_all(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    query: Annotated[ListPageQuery, Query()],
    held_for: Annotated[HoldReason | None, Form()] = None,
    reason: Annotated[str, Form()] = "",
) -> Response:
    """Leaves every held answer out of the figures, or those held for one reason."""
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    try:
        await exclude_held(
            member.session, member.workspace_id, member.actor, survey_id, reason, held_for
        )
    except Invalid as refused:
        return await answers_page(
            request,
            member,
            questionnaire,
            query,
            422,
            error=gettext(refused.invalid_params[0].reason),
            error_id=f"held-{held_for or 'all'}",
            typed=reason,
        )
    return back_to_list(member, survey_id, query)


@router.get(EXPORT)
async def show_export(request: Request, _member: WorkspaceOwner) -> Response:
    return render(request, "reporting/export.html")


@router.post(EXPORT)
async def download_export(request: Request, member: WorkspaceOwner) -> Response:
    settings = request.app.state.settings
    found = await export_workspace(member.session, settings, member.workspace_id, member.actor)
    return StreamingResponse(found.chunks(), media_type=ZIP_TYPE, headers=found.headers())
