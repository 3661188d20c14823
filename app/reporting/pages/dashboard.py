"""The HTML route of a survey's dashboard."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.accounts.access import SignedInMember
from app.foundation import clock
from app.foundation.web.openapi import OnceEach
from app.foundation.web.rendering import render
from app.reporting.dashboard import Dashboard, build_dashboard
from app.reporting.page_filters import (
    DashboardQuery,
    Preset,
    category_options,
    compare_options,
    read_page_filter,
)
from app.reporting.pages.showing import SURVEY, board_values, survey_base
from app.surveys.queries import get_questionnaire

router = APIRouter(dependencies=[OnceEach])


@router.get(SURVEY)
async def show_dashboard(
    request: Request,
    member: SignedInMember,
    survey_id: uuid.UUID,
    query: Annotated[DashboardQuery, Query()],
) -> Response:
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    today = clock.today(questionnaire.time_zone)
    asked, preset = read_page_filter(query, questionnaire, today, Preset.ALL)
    base = survey_base(member, survey_id)
    state = request.app.state

    async def ask(session: AsyncSession) -> Dashboard:
        return await build_dashboard(
            session, questionnaire, asked, f"{base}/responses", state.settings.secret_key
        )

    board = await state.replica.read(member.session, member.workspace_id, ask)
    return render(
        request,
        "reporting/dashboard.html",
        **board_values(questionnaire, asked, preset, board),
        compares=compare_options(),
        categories=category_options(),
    )
