"""The HTML route of a survey's dashboard."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.access import SignedInMember, WorkspaceManager
from app.accounts.schemas import Member
from app.followups.words import survey_base
from app.foundation import clock
from app.foundation.errors import HonneError, Invalid
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
from app.reporting.pages.showing import SURVEY
from app.reporting.steps import Step, list_steps, put_steps_away
from app.reporting.stored_queries import query_text, read_query
from app.reporting.view_tables import SavedView
from app.reporting.views import EVERYTHING, default_of, is_same_query, list_views
from app.surveys.queries import get_questionnaire

router = APIRouter(dependencies=[OnceEach])


@dataclass(frozen=True, slots=True)
class ViewForm:
    """The form of a view as it was sent and refused; `view_id` is None for a new one."""

    view_id: uuid.UUID | None
    typed: str
    refused: HonneError
    is_default: bool = False

    @property
    def text(self) -> str:
        params = self.refused.invalid_params
        return params[0].text() if params else self.refused.text()


@router.get(SURVEY)
async def show_dashboard(
    request: Request,
    member: SignedInMember,
    survey_id: uuid.UUID,
    query: Annotated[DashboardQuery, Query()],
) -> Response:
    """Without any filter asked for, leads to the survey's default view, if it has one."""
    views = await list_views(member.session, member.workspace_id, survey_id)
    if not request.query_params:
        default = default_of(views)
        if default and await _may_open(member, survey_id, default):
            return RedirectResponse(f"{request.url.path}?{default.query}", 303)
    return await dashboard_page(request, member, survey_id, query, views=views)


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
        compares=compare_options(),
        categories=category_options(),
        views=[(view, is_same_query(view.query, text)) for view in views],
        is_everything=is_same_query(text, EVERYTHING),
        view_query=text or EVERYTHING,
        view_form=view_form,
        here=Here.of(request, survey_base(member, survey_id)),
        sort=query.sort,
        steps=steps,
    )


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
        query = read_query(view.query)
        read_page_filter(query, questionnaire, clock.today(questionnaire.time_zone), Preset.ALL)
    except (Invalid, ValueError):
        return False
    return True
