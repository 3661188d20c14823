"""The HTML route of a survey's dashboard."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.accounts.access import SignedInMember
from app.foundation import clock
from app.foundation.web.openapi import OnceEach
from app.foundation.web.rendering import format_month, render
from app.reporting.dashboard import Dashboard, build_dashboard
from app.reporting.page_filters import PageQuery, Preset, read_page_filter
from app.reporting.pages.showing import SURVEY, shared_values, survey_base
from app.responses.models import Standing
from app.scoring import Category
from app.surveys.queries import get_questionnaire

router = APIRouter(dependencies=[OnceEach])


@router.get(SURVEY)
async def show_dashboard(
    request: Request,
    member: SignedInMember,
    survey_id: uuid.UUID,
    query: Annotated[PageQuery, Query()],
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
        **shared_values(member, questionnaire, asked, preset),
        board=board,
        theme_links=_theme_links(f"{base}/responses", board),
        name_of_month=format_month,
        metrics=board.metrics,
        figures=board.metrics.figures,
    )


def _theme_links(list_href: str, board: Dashboard) -> dict[str, Callable[[str], str]]:
    """From the key of a theme to the comments that it was counted in."""

    def leading_to(**narrowed: Any) -> Callable[[str], str]:
        def href(key: str) -> str:
            query = replace(board.listed, term=key, **narrowed).to_query()
            return f"{list_href}?{query}&standing={Standing.COUNTED}"

        return href

    recent = board.themes.recent
    days = {"since": recent.since, "until": recent.until} if recent else {}
    return {
        "promoters": leading_to(category=Category.PROMOTER),
        "detractors": leading_to(category=Category.DETRACTOR),
        "new": leading_to(**days),
    }
