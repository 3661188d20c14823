"""HTML routes that note events and actions; the list with their effects is a page of reporting."""

import uuid
from collections.abc import Sequence
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import WorkspaceManager
from app.accounts.queries import list_members
from app.accounts.schemas import Member
from app.followups.actions import change_annotation, create_annotation, delete_annotation
from app.followups.inputs import AnnotationChanges, AnnotationInput
from app.followups.models import Annotation, AnnotationKind
from app.followups.pages.showing import (
    SURVEY,
    lead_to,
    read_typed,
    scope_of,
    scope_options,
    show,
)
from app.followups.queries import get_survey_task
from app.followups.rules import NO_MEMBER
from app.followups.typed import Typed
from app.followups.words import survey_base
from app.foundation import clock
from app.foundation.errors import Invalid
from app.foundation.translation import gettext
from app.surveys.queries import get_survey

router = APIRouter(prefix=SURVEY + "/actions")

TEXTS = ("title", "note", "link", "hypothesis")


@router.get("/new")
async def show_new(
    request: Request, member: WorkspaceManager, survey_id: uuid.UUID, kind: str = ""
) -> Response:
    wanted = AnnotationKind.EVENT if kind == AnnotationKind.EVENT else AnnotationKind.ACTION
    today = clock.today(member.workspace.time_zone)
    return await _form(
        request, member, survey_id, wanted, {"begins_on": today.isoformat(), "scope": "this"}
    )


@router.post("")
async def create(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    await get_survey(member.session, member.workspace_id, survey_id)
    typed = await read_typed(request)
    is_event = typed["kind"] == AnnotationKind.EVENT
    kind = AnnotationKind.EVENT if is_event else AnnotationKind.ACTION
    try:
        given = AnnotationInput.model_validate({"kind": kind, **_read(typed, kind, survey_id)})
        await create_annotation(member.session, member.workspace_id, member.actor, given)
    except Invalid as refused:
        return await _form(request, member, survey_id, kind, typed.values, refused)
    return lead_to(member, survey_id, "/actions")


@router.get("/{annotation_id}/edit")
async def show_edit(
    request: Request, member: WorkspaceManager, survey_id: uuid.UUID, annotation_id: uuid.UUID
) -> Response:
    row = await _get(member, survey_id, annotation_id)
    return await _form(request, member, survey_id, AnnotationKind(row.kind), _values(row), row=row)


@router.post("/{annotation_id}")
async def change(
    request: Request, member: WorkspaceManager, survey_id: uuid.UUID, annotation_id: uuid.UUID
) -> Response:
    row = await _get(member, survey_id, annotation_id)
    kind, typed = AnnotationKind(row.kind), await read_typed(request)
    try:
        given = AnnotationChanges.model_validate(_read(typed, kind, survey_id))
        await change_annotation(
            member.session, member.workspace_id, member.actor, annotation_id, given
        )
    except Invalid as refused:
        return await _form(request, member, survey_id, kind, typed.values, refused, row)
    return lead_to(member, survey_id, "/actions")


@router.post("/{annotation_id}/completion")
async def complete(
    request: Request, member: WorkspaceManager, survey_id: uuid.UUID, annotation_id: uuid.UUID
) -> Response:
    """Done today; the form says why not, where it begins later or is an event."""
    row = await _get(member, survey_id, annotation_id)
    given = AnnotationChanges(done_on=clock.today(member.workspace.time_zone))
    try:
        await change_annotation(
            member.session, member.workspace_id, member.actor, annotation_id, given
        )
    except Invalid as refused:
        kind = AnnotationKind(row.kind)
        return await _form(request, member, survey_id, kind, _values(row), refused, row)
    return lead_to(member, survey_id, "/actions", "done")


@router.post("/{annotation_id}/removal")
async def remove(
    member: WorkspaceManager, survey_id: uuid.UUID, annotation_id: uuid.UUID
) -> Response:
    await _get(member, survey_id, annotation_id)
    await delete_annotation(member.session, member.workspace_id, member.actor, annotation_id)
    return lead_to(member, survey_id, "/actions", "deleted")


async def _get(member: Member, survey_id: uuid.UUID, annotation_id: uuid.UUID) -> Annotation:
    await get_survey(member.session, member.workspace_id, survey_id)
    task = await get_survey_task(member.session, member.workspace_id, survey_id, annotation_id)
    return task.annotation


def _read(typed: Typed, kind: AnnotationKind, survey_id: uuid.UUID) -> dict[str, Any]:
    """What the form says; Invalid for days that are none."""
    given: dict[str, Any] = {name: typed[name] for name in TEXTS}
    given["survey_id"] = scope_of(typed, survey_id)
    given["begins_on"] = typed.day("begins_on", needed=True)
    if kind is AnnotationKind.ACTION:
        given |= {name: typed.day(name) for name in ("due_on", "done_on")}
        given["owner_id"] = typed.id("owner_id", NO_MEMBER)
    typed.refuse()
    return given


def _values(row: Annotation) -> dict[str, str]:
    """A stored event or action in the form."""
    days = {name: getattr(row, name) for name in ("begins_on", "due_on", "done_on")}
    return {
        **{name: getattr(row, name) for name in TEXTS},
        **{name: day.isoformat() if day else "" for name, day in days.items()},
        "scope": "this" if row.survey_id else "all",
        "owner_id": str(row.owner_id or ""),
    }


async def _form(
    request: Request,
    member: Member,
    survey_id: uuid.UUID,
    kind: AnnotationKind,
    values: Any,
    refused: Invalid | None = None,
    row: Annotation | None = None,
) -> Response:
    survey = await get_survey(member.session, member.workspace_id, survey_id)
    return show(
        request,
        "followups/annotation.html",
        refused,
        survey=survey,
        base=survey_base(member, survey_id),
        kind=kind,
        typed=Typed(values),
        scopes=scope_options(),
        owners=await _owners(member, row),
        row_id=row.id if row else None,
    )


async def _owners(member: Member, row: Annotation | None) -> Sequence[tuple[str, str]]:
    """Members to choose the owner from; one who has left stays chosen."""
    members = await list_members(member.session, member.workspace_id)
    known = [(str(other.user_id), other.name) for other in members]
    if row and row.owner_id and str(row.owner_id) not in dict(known):
        known.append((str(row.owner_id), gettext("Somebody who has left")))
    return [("", gettext("Nobody yet")), *known]
