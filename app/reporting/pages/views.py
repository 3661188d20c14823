"""HTML routes of managers: saving, renaming and deleting views, and choosing the default."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.access import WorkspaceManager
from app.accounts.schemas import Member
from app.followups.words import survey_base
from app.foundation import clock
from app.foundation.errors import Conflict, Invalid
from app.foundation.web.openapi import OnceEach
from app.reporting.page_filters import DashboardQuery, Preset, read_page_filter
from app.reporting.pages.dashboard import ViewForm, dashboard_page
from app.reporting.pages.showing import SURVEY
from app.reporting.stored_queries import query_text
from app.reporting.views import (
    EVERYTHING,
    delete_view,
    rename_view,
    save_view,
    set_default_view,
    unset_default_view,
)
from app.surveys.queries import get_questionnaire

router = APIRouter(dependencies=[OnceEach])

VIEWS = SURVEY + "/views"
VIEW = VIEWS + "/{view_id}"
# The query string of each is that of the dashboard to go back to.
DashboardFilter = Annotated[DashboardQuery, Query()]


@router.post(VIEWS)
async def save(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    query: DashboardFilter,
    name: Annotated[str, Form()] = "",
    is_default: Annotated[str, Form()] = "",
) -> Response:
    """Keeps the query string as a view."""
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    read_page_filter(query, questionnaire, clock.today(questionnaire.time_zone), Preset.ALL)
    try:
        await save_view(
            member.session, member.workspace_id, member.actor, survey_id, name, query_text(query),
            bool(is_default),
        )  # fmt: skip
    except (Invalid, Conflict) as error:
        form = ViewForm(None, name, error, bool(is_default))
        return await dashboard_page(request, member, survey_id, query, error.status, form)
    return _back(member, survey_id, query)


@router.post(VIEW + "/name")
async def rename(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    view_id: uuid.UUID,
    query: DashboardFilter,
    name: Annotated[str, Form()] = "",
) -> Response:
    try:
        await rename_view(
            member.session, member.workspace_id, member.actor, survey_id, view_id, name
        )
    except Invalid as error:
        form = ViewForm(view_id, name, error)
        return await dashboard_page(request, member, survey_id, query, error.status, form)
    return _back(member, survey_id, query)


@router.post(VIEW + "/removal")
async def delete(
    member: WorkspaceManager, survey_id: uuid.UUID, view_id: uuid.UUID, query: DashboardFilter
) -> Response:
    await delete_view(member.session, member.workspace_id, member.actor, survey_id, view_id)
    return _back(member, survey_id, query)


@router.post(VIEW + "/default")
async def make_default(
    member: WorkspaceManager, survey_id: uuid.UUID, view_id: uuid.UUID, query: DashboardFilter
) -> Response:
    await set_default_view(member.session, member.workspace_id, member.actor, survey_id, view_id)
    return _back(member, survey_id, query)


@router.post(VIEW + "/default/removal")
async def end_default(
    member: WorkspaceManager, survey_id: uuid.UUID, view_id: uuid.UUID, query: DashboardFilter
) -> Response:
    await unset_default_view(member.session, member.workspace_id, member.actor, survey_id, view_id)
    return _back(member, survey_id, query)


def _back(member: Member, survey_id: uuid.UUID, query: DashboardQuery) -> Response:
    href = f"{survey_base(member, survey_id)}?{query_text(query) or EVERYTHING}"
    return RedirectResponse(href, 303)
