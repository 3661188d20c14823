"""HTML routes of a survey's segment dimensions."""

import uuid
from collections.abc import Awaitable
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.accounts.access import WorkspaceManager
from app.accounts.schemas import Member
from app.foundation.errors import Conflict, Invalid
from app.surveys.dimensions import (
    add_dimension,
    add_values,
    archive_value,
    remove_dimension,
    restore_value,
)
from app.surveys.listings import get_survey_detail
from app.surveys.pages.forms import (
    FormErrors,
    SurveyForm,
    errors_of,
    form_of,
    read_form,
    to_dimension,
    to_values,
)
from app.surveys.pages.showing import lead_to, show, survey_path
from app.surveys.pages.surveys import edit_values
from app.surveys.queries import get_survey

router = APIRouter(prefix="/w/{workspace}/surveys/{survey_id}/dimensions")


@router.post("")
async def add(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    survey = await get_survey(member.session, member.workspace_id, survey_id)
    typed = SurveyForm(read_form(await request.form()).values, survey.languages)
    adding = add_dimension(
        member.session, member.workspace_id, member.actor, survey_id, to_dimension(typed)
    )
    return await _done(request, member, survey_id, adding, "added", typed)


@router.post("/{key}/removal")
async def remove(
    request: Request, member: WorkspaceManager, survey_id: uuid.UUID, key: str
) -> Response:
    removing = remove_dimension(member.session, member.workspace_id, member.actor, survey_id, key)
    return await _done(request, member, survey_id, removing, "removed")


@router.post("/{key}/values")
async def add_further_values(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    key: str,
    values: Annotated[str, Form()] = "",
) -> Response:
    survey = await get_survey(member.session, member.workspace_id, survey_id)
    given = to_values(values, survey.languages)
    adding = add_values(member.session, member.workspace_id, member.actor, survey_id, key, given)
    typed = SurveyForm({f"values.{key}": values}, survey.languages)
    return await _done(request, member, survey_id, adding, "added", typed, f"values.{key}")


@router.post("/{key}/archived_values")
async def archive(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    key: str,
    value: Annotated[str, Form()] = "",
) -> Response:
    archiving = archive_value(
        member.session, member.workspace_id, member.actor, survey_id, key, value
    )
    return await _done(request, member, survey_id, archiving, "archived")


@router.post("/{key}/restored_values")
async def restore(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    key: str,
    value: Annotated[str, Form()] = "",
) -> Response:
    restoring = restore_value(
        member.session, member.workspace_id, member.actor, survey_id, key, value
    )
    return await _done(request, member, survey_id, restoring, "restored")


async def _done(
    request: Request,
    member: Member,
    survey_id: uuid.UUID,
    act: Awaitable[object],
    done: str,
    typed: SurveyForm | None = None,
    control: str = "",
) -> Response:
    """Do it and lead back to the edit page, which also shows why it was refused."""
    try:
        await act
    except (Invalid, Conflict) as error:
        detail = await get_survey_detail(member.session, member.workspace_id, survey_id)
        form = form_of(detail)
        values = {**form.values, **(typed.values if typed else {})}
        errors = errors_of(error)
        if control:
            sentences = [entry["message"] for entry in errors.summary]
            errors = FormErrors(
                {control: " ".join(errors.messages.values())},
                [{"name": control, "message": sentence} for sentence in sentences],
            )
        shown = edit_values(detail, SurveyForm(values, form.languages), errors)
        return show(request, "surveys/edit.html", error.status, **shown)
    return lead_to(survey_path(member.workspace_id, survey_id, "/edit"), done)
