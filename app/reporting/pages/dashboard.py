"""The HTML route of a survey's dashboard."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.access import SignedInMember, WorkspaceManager
from app.accounts.schemas import Member
from app.followups.words import survey_base
from app.foundation import clock
from app.foundation.errors import Invalid
from app.foundation.web.openapi import OnceEach
from app.foundation.web.rendering import render
from app.reporting.page_filters import (
    DashboardQuery,
    Preset,
    category_options,
    compare_options,
    read_page_filter,
)
from app.reporting.pages.here import Here
from app.reporting.pages.reading import read_dashboard
from app.reporting.pages.showing import SURVEY, shared_values
from app.reporting.pages.typed import Typed, typed
from app.reporting.pages.view_forms import ViewForm, marked_views
from app.reporting.steps import Step, list_steps, put_steps_away
from app.reporting.stored_queries import query_text, read_query
from app.reporting.view_tables import SavedView
from app.reporting.views import EVERYTHING, default_of, is_same_query, list_views
from app.surveys.queries import get_questionnaire

router = APIRouter(dependencies=[OnceEach])


@router.get(SURVEY)
async def show_dashboard(
    request: Request,
    member: SignedInMember,
    survey_id: uuid.UUID,
    asked: Annotated[Typed[DashboardQuery], Depends(typed(DashboardQuery))],
) -> Response:
    """Without any filter asked for, leads to the survey's default view, if it has one."""
    if asked.errors:
        return await _ask_again(request, member, survey_id, asked)
    views = await list_views(member.session, member.workspace_id, survey_id)
    if not request.query_params:
        default = default_of(views)
        if default and await _may_open(member, survey_id, default):
            return RedirectResponse(f"{request.url.path}?{default.query}", 303)
    return await dashboard_page(request, member, survey_id, asked.query, views=views)


async def dashboard_page(
    request: Request,
    member: Member,
    survey_id: uuid.UUID,
    query: DashboardQuery,
    status: int = 200,
    view_form: ViewForm | None = None,
    views: Sequence[SavedView] | None = None,
) -> Response:
    """The dashboard; with the form of a view that was refused."""
    if views is None:
        views = await list_views(member.session, member.workspace_id, survey_id)
    reading = await read_dashboard(request, member.session, member.workspace_id, survey_id, query)
    steps: Sequence[Step] = ()
    if member.is_manager:
        base = survey_base(member, survey_id)
        steps = await list_steps(member.session, reading.questionnaire, reading.today, base)
    text = query_text(query)
    return render(
        request,
        "reporting/dashboard.html",
        status,
        **reading.values(),
        **_form_values(request, member, survey_id, query),
        views=marked_views(views, text),
        is_everything=is_same_query(text, EVERYTHING),
        view_query=text or EVERYTHING,
        view_form=view_form,
        steps=steps,
        typed=None,
    )


async def _ask_again(
    request: Request, member: Member, survey_id: uuid.UUID, asked: Typed[DashboardQuery]
) -> Response:
    """The filters and what is wrong about the days; no figures, for nobody knows of which."""
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    today = clock.today(questionnaire.time_zone)
    found, preset = read_page_filter(asked.query, questionnaire, today, Preset.ALL)
    return render(
        request,
        "reporting/dashboard.html",
        422,
        **shared_values(questionnaire, found, preset),
        **_form_values(request, member, survey_id, asked.query),
        board=None,
        steps=(),
        view_form=None,
        typed=asked,
    )


def _form_values(
    request: Request, member: Member, survey_id: uuid.UUID, query: DashboardQuery
) -> dict[str, Any]:
    """What the form of the filters needs besides."""
    return {
        "compares": compare_options(),
        "categories": category_options(),
        "here": Here.of(request, survey_base(member, survey_id)),
        "sort": query.sort,
    }


@router.post(SURVEY + "/steps/dismissal")
async def put_away(member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    """The steps of running a survey are shown no more."""
    await get_questionnaire(member.session, member.workspace_id, survey_id)
    await put_steps_away(member.session, member.workspace_id, survey_id)
    return RedirectResponse(survey_base(member, survey_id), 303)


async def _may_open(member: Member, survey_id: uuid.UUID, view: SavedView) -> bool:
    """Whether the survey can still be asked for what a default view asks."""
    if is_same_query(view.query, EVERYTHING):
        return False
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    try:
        query = read_query(DashboardQuery, view.query)
        read_page_filter(query, questionnaire, clock.today(questionnaire.time_zone), Preset.ALL)
    except (Invalid, ValueError):
        return False
    return True
