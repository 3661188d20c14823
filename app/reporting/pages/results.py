"""HTML routes: the answers of a survey, leaving an answer out, the export."""

import uuid
from collections.abc import Mapping
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from app.accounts.access import SignedInMember, WorkspaceManager, WorkspaceOwner
from app.accounts.schemas import Member
from app.foundation import clock
from app.foundation.errors import Invalid
from app.foundation.translation import gettext
from app.foundation.web.openapi import OnceEach
from app.foundation.web.rendering import render
from app.foundation.web.spool import spooled
from app.reporting.exporting import CSV_TYPE, attachment, begin_export, stream_csv
from app.reporting.filters import ExportQuery, read_filter
from app.reporting.listing import Listing, ListRequest, list_responses
from app.reporting.page_filters import (
    HOLD_NAMES,
    ListPageQuery,
    Preset,
    category_options,
    held_groups,
    read_page_filter,
    standing_options,
)
from app.reporting.pages.showing import SURVEY, shared_values, survey_base
from app.reporting.workspace_export import ZIP_TYPE, export_workspace
from app.responses.actions import exclude_response, include_response, release_response
from app.responses.contacts import delete_contact
from app.responses.models import HoldReason
from app.responses.reviewing import count_held, exclude_held, release_held
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire

router = APIRouter(dependencies=[OnceEach])

EXPORT = "/w/{workspace}/export"
ANSWERS_AT_ONCE = 50


@router.get(SURVEY + "/responses")
async def show_responses(
    request: Request,
    member: SignedInMember,
    survey_id: uuid.UUID,
    query: Annotated[ListPageQuery, Query()],
) -> Response:
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    return await _responses_page(request, member, questionnaire, query)


async def _responses_page(
    request: Request,
    member: Member,
    questionnaire: Questionnaire,
    query: ListPageQuery,
    status: int = 200,
    **values: Any,
) -> Response:
    today = clock.today(questionnaire.time_zone)
    asked, preset = read_page_filter(query, questionnaire, today, Preset.ALL)
    listed = asked.on_whole_months(today)
    listing = Listing((), None, is_suppressed=True)
    if listed is not None:
        wanted = ListRequest(
            filter=listed,
            secret_key=request.app.state.settings.secret_key,
            limit=ANSWERS_AT_ONCE,
            cursor=query.cursor,
            only_commented=query.commented,
            standing=query.standing,
        )
        listing = await list_responses(member.session, questionnaire, wanted)
    base = survey_base(member, questionnaire.survey_id)
    more = {**_asked_again(query), "cursor": listing.next_cursor or ""}
    held: Mapping[HoldReason | None, int] = {}
    if not asked.is_subgroup:
        held = await count_held(member.session, member.workspace_id, questionnaire.survey_id)
    values = {"error": None, "error_id": None, "typed": "", **values}
    return render(
        request,
        "reporting/responses.html",
        status,
        **shared_values(questionnaire, asked, preset),
        listing=listing,
        listed=listed,
        query=query,
        back=urlencode(_asked_again(query)),
        without_term_href="?" + urlencode(_asked_again(query.model_copy(update={"term": None}))),
        categories=category_options(),
        standings=standing_options(),
        held_count=sum(held.values()),
        held_groups=held_groups(held),
        hold_names=HOLD_NAMES,
        older_href=f"{base}/responses?{urlencode(more)}" if listing.next_cursor else None,
        newer_href=f"{base}/responses?{urlencode(_asked_again(query))}" if query.cursor else None,
        csv_href=f"{base}/responses.csv?{(listed or asked).to_query()}",
        **values,
    )


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
        return await _responses_page(
            request,
            member,
            questionnaire,
            query,
            422,
            error=gettext(refused.invalid_params[0].reason),
            error_id=response_id,
            typed=reason,
        )
    return _back_to_list(member, survey_id, query)


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
    return _back_to_list(member, survey_id, query)


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
    return _back_to_list(member, survey_id, query)


@router.post(SURVEY + "/responses/{response_id}/contact/removal")
async def remove_contact(
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
    query: Annotated[ListPageQuery, Query()],
) -> Response:
    """Deletes the address left with an answer, and leaves the answer."""
    await delete_contact(member.session, member.workspace_id, member.actor, survey_id, response_id)
    return _back_to_list(member, survey_id, query)


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
    return _back_to_list(member, survey_id, query)


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
        return await _responses_page(
            request,
            member,
            questionnaire,
            query,
            422,
            error=gettext(refused.invalid_params[0].reason),
            error_id=f"held-{held_for or 'all'}",
            typed=reason,
        )
    return _back_to_list(member, survey_id, query)


@router.get(EXPORT)
async def show_export(request: Request, _member: WorkspaceOwner) -> Response:
    return render(request, "reporting/export.html")


@router.post(EXPORT)
async def download_export(request: Request, member: WorkspaceOwner) -> Response:
    settings = request.app.state.settings
    found = await export_workspace(member.session, settings, member.workspace_id, member.actor)
    return StreamingResponse(found.chunks(), media_type=ZIP_TYPE, headers=found.headers())


def _back_to_list(member: Member, survey_id: uuid.UUID, query: ListPageQuery) -> Response:
    href = f"{survey_base(member, survey_id)}/responses?{urlencode(_asked_again(query))}"
    return RedirectResponse(href.rstrip("?"), 303)


def _asked_again(query: ListPageQuery) -> dict[str, str]:
    """The query of a list as it was asked, without its place in the list."""
    given = query.model_dump(mode="json", exclude_defaults=True, exclude={"cursor", "lang"})
    if query.commented:
        given["commented"] = "yes"
    return {name: str(value) for name, value in given.items()}
