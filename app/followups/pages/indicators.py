"""HTML routes that take in rates: by hand, from a file after a look at it; and the list of them."""

import uuid
from typing import Any

from fastapi import APIRouter, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from app.accounts.access import SignedInMember, WorkspaceManager
from app.accounts.schemas import Member
from app.followups.indicator_files import (
    COLUMNS,
    IndicatorFile,
    decode_file,
    read_indicators,
    read_rate,
)
from app.followups.indicators import (
    IndicatorFilter,
    delete_indicator,
    list_indicators,
    load_rules,
    store_indicators,
)
from app.followups.inputs import IndicatorInput
from app.followups.models import IndicatorMetric
from app.followups.pages.showing import SURVEY, lead_to, read_typed, show
from app.followups.typed import Typed
from app.followups.words import (
    METRIC_NAMES,
    SEPARATOR,
    metric_options,
    segment_options,
    survey_base,
)
from app.foundation import clock
from app.foundation.errors import Invalid, InvalidParam
from app.foundation.paging import PAGE_SIZE
from app.foundation.translation import mark
from app.surveys.queries import get_questionnaire, get_survey

router = APIRouter(prefix=SURVEY + "/indicators")


@router.get("/new")
async def show_new(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    return await _form(request, member, survey_id, Typed({}))


@router.post("")
async def create(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    await get_survey(member.session, member.workspace_id, survey_id)
    typed = await read_typed(request)
    try:
        given = _read(typed)
        await store_indicators(member.session, member.workspace_id, member.actor, [given])
    except Invalid as refused:
        return await _form(request, member, survey_id, typed, _at_controls(refused))
    return lead_to(member, survey_id, "/indicators")


@router.get("/entries")
async def show_entries(
    request: Request, member: SignedInMember, survey_id: uuid.UUID, cursor: str | None = None
) -> Response:
    survey = await get_questionnaire(member.session, member.workspace_id, survey_id)
    page = await list_indicators(
        member.session, member.workspace_id, IndicatorFilter(), PAGE_SIZE, cursor
    )
    return show(
        request,
        "followups/indicator_entries.html",
        survey=survey,
        base=survey_base(member, survey_id),
        rows=page.rows,
        metric_names=METRIC_NAMES,
        next_cursor=page.next_cursor,
        is_first=cursor is None,
    )


@router.post("/{indicator_id}/removal")
async def remove(
    member: WorkspaceManager, survey_id: uuid.UUID, indicator_id: uuid.UUID
) -> Response:
    await get_survey(member.session, member.workspace_id, survey_id)
    await delete_indicator(member.session, member.workspace_id, member.actor, indicator_id)
    return lead_to(member, survey_id, "/indicators/entries", "deleted")


@router.get("/file")
async def show_file(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    return await _file_page(request, member, survey_id)


@router.post("/preview")
async def preview(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    """What a file would bring; nothing is stored."""
    await get_survey(member.session, member.workspace_id, survey_id)
    try:
        text = await _sent_text(request)
    except Invalid as refused:
        return await _file_page(request, member, survey_id, refused=refused)
    file = read_indicators(text, await load_rules(member.session, member.workspace_id))
    return await _file_page(request, member, survey_id, file)


@router.post("/file")
async def store(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    """Stores what the preview showed, or shows again what is wrong with it."""
    await get_survey(member.session, member.workspace_id, survey_id)
    typed = await read_typed(request)
    file = read_indicators(typed["text"], await load_rules(member.session, member.workspace_id))
    if file.faults:
        return await _file_page(request, member, survey_id, file)
    await store_indicators(member.session, member.workspace_id, member.actor, file.given)
    return lead_to(member, survey_id, "/indicators")


async def _sent_text(request: Request) -> str:
    """A file that was chosen, or else the text in the box."""
    async with request.form(max_files=1, max_fields=2) as form:
        file, text = form.get("file"), form.get("text")
        content = await file.read() if isinstance(file, UploadFile) else b""
    found = decode_file(content) if content else str(text or "")
    if not found.strip():
        reason = mark("Choose a file or paste its rows.")
        raise Invalid(
            mark("See which inputs were refused."), invalid_params=[InvalidParam("file", reason)]
        )
    return found


def _read(typed: Typed) -> IndicatorInput:
    """The rate that the form describes."""
    given = read_rate(typed)
    if typed["metric"] not in list(IndicatorMetric):
        typed.problems.append(InvalidParam("metric", mark("Choose a metric.")))
    typed.refuse()
    key, _separator, value = typed["segment"].partition(SEPARATOR)
    segments = {key: value} if key else {}
    return IndicatorInput.model_construct(
        **given, metric=IndicatorMetric(typed["metric"]), segments=segments
    )


def _at_controls(refused: Invalid) -> Invalid:
    """The problems of the only rate, by the names of the controls."""
    return Invalid(
        refused.detail,
        invalid_params=[
            InvalidParam(_control(param.name), param.reason, param.values)
            for param in refused.invalid_params
        ],
    )


def _control(name: str) -> str:
    plain = name.removeprefix("indicators.0.")
    return "segment" if plain.startswith("segments") else plain


async def _form(
    request: Request,
    member: Member,
    survey_id: uuid.UUID,
    typed: Typed,
    refused: Invalid | None = None,
) -> Response:
    survey = await get_questionnaire(member.session, member.workspace_id, survey_id)
    today = clock.today(member.workspace.time_zone)
    return show(
        request,
        "followups/indicator.html",
        refused,
        survey=survey,
        base=survey_base(member, survey_id),
        typed=typed,
        this_month=f"{today:%Y-%m}",
        metrics=metric_options(),
        segments=segment_options(survey),
    )


async def _file_page(
    request: Request,
    member: Member,
    survey_id: uuid.UUID,
    file: IndicatorFile | None = None,
    refused: Invalid | None = None,
) -> Response:
    survey = await get_questionnaire(member.session, member.workspace_id, survey_id)
    shown: dict[str, Any] = {
        "survey": survey,
        "base": survey_base(member, survey_id),
        "file": file,
        "columns": COLUMNS,
        "metric_names": METRIC_NAMES,
    }
    page = show(request, "followups/indicator_file.html", refused, **shown)
    if file and file.faults:
        page.status_code = Invalid.status
    return page
