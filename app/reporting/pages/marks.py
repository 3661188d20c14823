"""HTML routes: tags and stars put on the answers of a list, by a manager."""

import uuid
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import Response

from app.accounts.access import WorkspaceManager
from app.accounts.schemas import Member
from app.foundation.errors import Invalid, InvalidParam
from app.foundation.translation import mark
from app.foundation.web.openapi import OnceEach
from app.reporting.filters import refused
from app.reporting.listing import find_ids
from app.reporting.page_filters import ListPageQuery
from app.reporting.pages.answers import answers_page, back_to_list, read_list
from app.reporting.pages.showing import SURVEY
from app.responses.marking import MOST_AT_ONCE, Marks, mark_response, mark_responses, too_many
from app.responses.tags import clean_tag_name, find_tag, provide_tag
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire

router = APIRouter(dependencies=[OnceEach])

RESPONSE = SURVEY + "/responses/{response_id}"


class Act(StrEnum):
    """What is done to several answers."""

    TAG = "tag"
    UNTAG = "untag"
    STAR = "star"
    UNSTAR = "unstar"


class Reach(StrEnum):
    """To which answers: those that are ticked, or all that the list shows on any of its pages."""

    TICKED = "ticked"
    ALL = "all"


@router.post(RESPONSE + "/star")
async def star(
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
    query: Annotated[ListPageQuery, Query()],
) -> Response:
    """Stars an answer; the query string is that of the list to go back to."""
    return await _mark_one(member, survey_id, response_id, query, Marks(is_starred=True))


@router.post(RESPONSE + "/star/removal")
async def unstar(
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
    query: Annotated[ListPageQuery, Query()],
) -> Response:
    """Removes a star."""
    return await _mark_one(member, survey_id, response_id, query, Marks(is_starred=False))


@router.post(RESPONSE + "/tags")
async def put_on(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
    query: Annotated[ListPageQuery, Query()],
    name: Annotated[str, Form()] = "",
) -> Response:
    """Puts the tag of that name on an answer, and makes it first where there is none."""
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    try:
        tag = await provide_tag(member.session, member.workspace_id, member.actor, survey_id, name)
    except Invalid as refusal:
        return await _refuse(
            request, member, questionnaire, query, refusal, f"tag-{response_id}", name
        )
    return await _mark_one(member, survey_id, response_id, query, Marks(add=[tag.id]))


@router.post(RESPONSE + "/tags/{tag_id}/removal")
async def take_off(
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
    tag_id: uuid.UUID,
    query: Annotated[ListPageQuery, Query()],
) -> Response:
    """Takes a tag off an answer."""
    return await _mark_one(member, survey_id, response_id, query, Marks(remove=[tag_id]))


async def _mark_one(
    member: Member,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
    query: ListPageQuery,
    marks: Marks,
) -> Response:
    await mark_response(member.session, member.workspace_id, survey_id, response_id, marks)
    return back_to_list(member, survey_id, query, response_id)


@router.post(SURVEY + "/marks")
async def mark_many(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    query: Annotated[ListPageQuery, Query()],
    act: Annotated[Act, Form()] = Act.TAG,
    reach: Annotated[Reach, Form()] = Reach.TICKED,
    answers: Annotated[Sequence[uuid.UUID], Form()] = (),
    name: Annotated[str, Form()] = "",
) -> Response:
    """Does one thing to the ticked answers, or to all of the list that the query string names."""
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    try:
        ids = answers
        if reach is Reach.ALL:
            ids = await _all_listed(request, member, questionnaire, query)
        if not ids:
            raise refused(InvalidParam("answers", mark("Tick at least one answer.")))
        marks = await _read_marks(member, survey_id, act, name)
        number = await mark_responses(
            member.session, member.workspace_id, member.actor, survey_id, ids, marks
        )
    except Invalid as refusal:
        return await _refuse(
            request, member, questionnaire, query, refusal, "marks", name, ticked=answers,
            reach=reach,
        )  # fmt: skip
    return back_to_list(member, survey_id, query, marked=number)


async def _all_listed(
    request: Request, member: Member, questionnaire: Questionnaire, query: ListPageQuery
) -> Sequence[uuid.UUID]:
    """The ids of a whole list by day. Of a list by labels there are none to be marked: the mark
    would carry the label into the list by day."""
    asked, _preset, wanted = read_list(request, questionnaire, query)
    if asked.is_subgroup or wanted is None:
        reason = mark("Tags and stars cannot be combined with segments, language or channel.")
        raise refused(InvalidParam("reach", reason))
    ids = await find_ids(member.session, questionnaire, wanted, MOST_AT_ONCE + 1)
    if len(ids) > MOST_AT_ONCE:
        raise too_many()
    return ids


async def _read_marks(member: Member, survey_id: uuid.UUID, act: Act, name: str) -> Marks:
    match act:
        case Act.STAR:
            return Marks(is_starred=True)
        case Act.UNSTAR:
            return Marks(is_starred=False)
        case Act.TAG:
            tag = await provide_tag(
                member.session, member.workspace_id, member.actor, survey_id, name
            )
            return Marks(add=[tag.id])
        case Act.UNTAG:
            known = await find_tag(
                member.session, member.workspace_id, survey_id, clean_tag_name(name)
            )
            if known is None:
                raise refused(InvalidParam("name", mark("The survey has no such tag.")))
            return Marks(remove=[known.id])


async def _refuse(
    request: Request,
    member: Member,
    questionnaire: Questionnaire,
    query: ListPageQuery,
    refusal: Invalid,
    where: str,
    typed: str,
    **values: object,
) -> Response:
    """The list once more, with what was wrong at the form `where`."""
    error = refusal.invalid_params[0].text()
    return await answers_page(
        request, member, questionnaire, query, 422,
        error=error, error_id=where, is_mark_error=True, typed=typed, **values,
    )  # fmt: skip
