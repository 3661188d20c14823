"""HTML routes: the tags of a survey with their figures; created, renamed, merged and deleted."""

import uuid
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.access import SignedInMember, WorkspaceManager
from app.accounts.schemas import Member
from app.followups.words import survey_base
from app.foundation.errors import Invalid, InvalidParam
from app.foundation.translation import gettext, mark
from app.foundation.web.rendering import render
from app.reporting.pages.showing import SURVEY
from app.reporting.tag_figures import list_tag_uses
from app.responses.tag_models import MAX_TAGS, TAG_NAME_LIMIT
from app.responses.tags import create_tag, delete_tag, merge_tag, rename_tag
from app.surveys.queries import get_questionnaire

router = APIRouter()

TAGS = SURVEY + "/tags"
NOTICES = {
    "created": mark("The tag is there. Put it on answers in the list."),
    "renamed": mark("The tag has its new name."),
    "merged": mark("The tags are one now."),
    "deleted": mark("The tag is gone; its answers stay."),
}


@router.get(TAGS)
async def show_tags(request: Request, member: SignedInMember, survey_id: uuid.UUID) -> Response:
    return await _tags_page(request, member, survey_id)


@router.post(TAGS)
async def create(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    name: Annotated[str, Form()] = "",
) -> Response:
    try:
        await create_tag(member.session, member.workspace_id, member.actor, survey_id, name)
    except Invalid as refusal:
        return await _refuse(request, member, survey_id, refusal, "new", name)
    return _back(member, survey_id, "created")


@router.post(TAGS + "/{tag_id}/name")
async def rename(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    tag_id: uuid.UUID,
    name: Annotated[str, Form()] = "",
) -> Response:
    try:
        await rename_tag(member.session, member.workspace_id, member.actor, survey_id, tag_id, name)
    except Invalid as refusal:
        return await _refuse(request, member, survey_id, refusal, f"name-{tag_id}", name)
    return _back(member, survey_id, "renamed")


@router.post(TAGS + "/mergers")
async def merge(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    tag: Annotated[str, Form()] = "",
    into: Annotated[str, Form()] = "",
) -> Response:
    """Gives the answers of one tag another in its place."""
    try:
        tag_id, into_id = _read_choice("tag", tag), _read_choice("into", into)
        await merge_tag(
            member.session, member.workspace_id, member.actor, survey_id, tag_id, into_id
        )
    except Invalid as refusal:
        where = refusal.invalid_params[0].name
        return await _refuse(request, member, survey_id, refusal, where, "", chosen=tag)
    return _back(member, survey_id, "merged")


def _read_choice(name: str, value: str) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError:
        raise Invalid(invalid_params=[InvalidParam(name, mark("Choose a tag."))]) from None


@router.post(TAGS + "/{tag_id}/removal")
async def remove(member: WorkspaceManager, survey_id: uuid.UUID, tag_id: uuid.UUID) -> Response:
    await delete_tag(member.session, member.workspace_id, member.actor, survey_id, tag_id)
    return _back(member, survey_id, "deleted")


async def _tags_page(
    request: Request, member: Member, survey_id: uuid.UUID, status: int = 200, **values: Any
) -> Response:
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    done = NOTICES.get(request.query_params.get("done", ""))
    values = {"error": None, "error_id": None, "typed": "", "chosen": "", **values}
    return render(
        request,
        "reporting/tags.html",
        status,
        survey=questionnaire,
        base=survey_base(member, survey_id),
        uses=await list_tag_uses(member.session, questionnaire),
        most=MAX_TAGS,
        name_limit=TAG_NAME_LIMIT,
        notice=gettext(done) if done else None,
        **values,
    )


async def _refuse(
    request: Request,
    member: Member,
    survey_id: uuid.UUID,
    refusal: Invalid,
    where: str,
    typed: str,
    **values: Any,
) -> Response:
    """The page once more, with what was wrong at the control `where`."""
    error = refusal.invalid_params[0].text()
    return await _tags_page(
        request, member, survey_id, 422, error=error, error_id=where, typed=typed, **values
    )


def _back(member: Member, survey_id: uuid.UUID, done: str) -> Response:
    return RedirectResponse(f"{survey_base(member, survey_id)}/tags?done={done}", 303)
