"""HTML routes of a survey's life: list, make, edit, word anew, publish, close, preview."""

import uuid
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from app.accounts.access import SignedInMember, WorkspaceManager
from app.accounts.schemas import Member
from app.foundation import clock
from app.foundation.errors import Conflict, HonneError, Invalid
from app.foundation.paging import PAGE_SIZE
from app.surveys.actions import (
    close_survey,
    create_survey,
    edit_survey,
    make_version,
    publish_survey,
)
from app.surveys.listings import SurveyDetail, get_survey_detail, list_surveys
from app.surveys.pages.forms import (
    GROUP_NAMES,
    NEEDED_TEXTS,
    NO_ERRORS,
    OPTIONAL_TEXTS,
    ROWS,
    SOURCE_LABELS,
    TEXT_LABELS,
    URL_LABELS,
    FormErrors,
    SurveyForm,
    blank_form,
    errors_of,
    form_of,
    read_form,
    to_changes,
    to_survey,
    to_version,
)
from app.surveys.pages.showing import lead_to, show, survey_path
from app.surveys.queries import get_questionnaire
from app.surveys.wording import TEXTS, default_texts, language_name

router = APIRouter(prefix="/w/{workspace}/surveys")


@router.get("")
async def show_surveys(
    request: Request, member: SignedInMember, cursor: str | None = None
) -> HTMLResponse:
    page = await list_surveys(member.session, member.workspace_id, PAGE_SIZE, cursor)
    return show(
        request,
        "surveys/list.html",
        surveys=[row.survey for row in page.rows],
        next_cursor=page.next_cursor,
        is_first=cursor is None,
        today=clock.today(member.workspace.time_zone),
    )


@router.post("")
async def create(request: Request, member: WorkspaceManager) -> Response:
    form = read_form(await request.form())
    try:
        survey = await create_survey(
            member.session, member.workspace_id, member.actor, to_survey(form)
        )
    except Invalid as error:
        return _new(request, form, errors_of(error, form), error.status)
    return lead_to(survey_path(member.workspace_id, survey.id, "/share"), "created")


@router.get("/new")
async def show_new(request: Request, member: WorkspaceManager) -> HTMLResponse:
    return _new(request, blank_form(member.workspace.locale))


def _new(
    request: Request, form: SurveyForm, errors: FormErrors = NO_ERRORS, status: int = 200
) -> HTMLResponse:
    return show(request, "surveys/new.html", status, rows=ROWS, **_form_values(form, errors))


def _form_values(form: SurveyForm, errors: FormErrors) -> dict[str, Any]:
    return {
        "form": form,
        "errors": errors,
        "text_names": NEEDED_TEXTS,
        "optional_texts": OPTIONAL_TEXTS,
        "url_labels": URL_LABELS,
        "text_labels": TEXT_LABELS,
        "text_rules": TEXTS,
        "defaults": {tag: default_texts(tag) for tag in form.shown_languages},
        "language_name": language_name,
        "source_labels": SOURCE_LABELS,
    }


@router.get("/{survey_id}/edit")
async def show_edit(
    request: Request, member: WorkspaceManager, survey_id: uuid.UUID
) -> HTMLResponse:
    detail = await get_survey_detail(member.session, member.workspace_id, survey_id)
    return show(request, "surveys/edit.html", **edit_values(detail))


def edit_values(
    detail: SurveyDetail, form: SurveyForm | None = None, errors: FormErrors = NO_ERRORS
) -> dict[str, Any]:
    """What the edit page shows; without a form, the survey as it is stored."""
    return {
        "survey": detail.survey,
        "detail": detail,
        **_form_values(form or form_of(detail), errors),
    }


@router.post("/{survey_id}/content")
async def edit(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    form = read_form(await request.form())
    detail = await get_survey_detail(member.session, member.workspace_id, survey_id)
    is_frozen = detail.survey.has_answers
    try:
        changes = to_changes(form, is_frozen)
        await edit_survey(member.session, member.workspace_id, member.actor, survey_id, changes)
    except (Invalid, Conflict) as error:
        return show(
            request,
            "surveys/edit.html",
            error.status,
            **edit_values(detail, form, errors_of(error, form)),
        )
    return lead_to(survey_path(member.workspace_id, survey_id, "/edit"), "saved")


@router.get("/{survey_id}/versions/new")
async def show_new_version(
    request: Request, member: WorkspaceManager, survey_id: uuid.UUID
) -> HTMLResponse:
    detail = await get_survey_detail(member.session, member.workspace_id, survey_id)
    return show(request, "surveys/version.html", **edit_values(detail))


@router.post("/{survey_id}/versions")
async def create_version(
    request: Request, member: WorkspaceManager, survey_id: uuid.UUID
) -> Response:
    form = read_form(await request.form())
    detail = await get_survey_detail(member.session, member.workspace_id, survey_id)
    try:
        await make_version(
            member.session, member.workspace_id, member.actor, survey_id, to_version(form)
        )
    except (Invalid, Conflict) as error:
        errors = errors_of(error, form)
        return show(
            request, "surveys/version.html", error.status, **edit_values(detail, form, errors)
        )
    return lead_to(survey_path(member.workspace_id, survey_id, "/edit"), "worded")


@router.post("/{survey_id}/publication")
async def publish(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    try:
        await publish_survey(member.session, member.workspace_id, member.actor, survey_id)
    except Conflict as error:
        return await _refused(request, member, survey_id, error)
    return lead_to(survey_path(member.workspace_id, survey_id, "/share"), "published")


async def _refused(
    request: Request, member: Member, survey_id: uuid.UUID, error: HonneError
) -> HTMLResponse:
    """The edit page, where what is missing can be added."""
    detail = await get_survey_detail(member.session, member.workspace_id, survey_id)
    return show(
        request, "surveys/edit.html", error.status, **edit_values(detail, errors=errors_of(error))
    )


@router.post("/{survey_id}/publication/end")
async def close(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    try:
        await close_survey(member.session, member.workspace_id, member.actor, survey_id)
    except Conflict as error:
        return await _refused(request, member, survey_id, error)
    return lead_to(survey_path(member.workspace_id, survey_id, "/share"), "closed")


@router.get("/{survey_id}/preview")
async def preview(request: Request, member: SignedInMember, survey_id: uuid.UUID) -> HTMLResponse:
    """What respondents are asked, in every language; nothing can be sent from here."""
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    return show(
        request,
        "surveys/preview.html",
        survey=questionnaire,
        language_name=language_name,
        group_names=GROUP_NAMES,
    )
