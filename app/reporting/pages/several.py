"""The HTML route of several surveys together."""

import uuid
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from app.accounts.access import SignedInMember
from app.accounts.schemas import Member
from app.foundation import clock
from app.foundation.paging import MAX_PAGE_SIZE
from app.foundation.web.openapi import once_each_but
from app.foundation.web.rendering import render
from app.reporting import labels
from app.reporting.filters import selectors
from app.reporting.page_filters import (
    Preset,
    SeveralQuery,
    against_options,
    choices,
    compare_options,
    in_period,
    preset_options,
)
from app.reporting.pages.here import Here
from app.reporting.several import SeveralBoard, build_board
from app.reporting.together import Surveys, get_surveys, read_common_filter
from app.surveys.listings import list_surveys

router = APIRouter(dependencies=[once_each_but("survey")])

TEMPLATE = "reporting/several.html"


@router.get("/w/{workspace}/results")
async def show_several(
    request: Request, member: SignedInMember, query: Annotated[SeveralQuery, Query()]
) -> Response:
    home = f"/w/{member.workspace_id}"
    if len(query.survey) == 1:
        return RedirectResponse(_address_of_one(home, request), 303)
    if not query.survey:
        return render(request, TEMPLATE, board=None, home=home, offered=await _offered(member))
    surveys = await get_surveys(member.session, member.workspace_id, query.survey)
    # Any number of labels passes: the page keeps the choices and says that they are too many.
    asked = read_common_filter(query, surveys, len(selectors(surveys.common)))
    asked, preset = in_period(query, asked, clock.today(surveys.common.time_zone), Preset.ALL)

    async def ask(session: AsyncSession) -> SeveralBoard:
        return await build_board(session, surveys, asked, query.against, home, query.sort)

    return render(
        request,
        TEMPLATE,
        board=await request.app.state.replica.read(member.session, member.workspace_id, ask),
        home=home,
        offered=await _offered(member, surveys),
        chosen={survey.survey_id for survey in surveys.each},
        common=surveys.common,
        asked=asked,
        preset=preset,
        presets=preset_options(),
        choices=choices(surveys.common, asked),
        compares=compare_options(),
        againsts=against_options(),
        here=Here.of(request, request.url.path),
        sort=query.sort,
        name_of_days=labels.name_of_days,
        name_of_months=labels.name_of_months,
        name_of_runs=labels.name_of_runs,
    )


def _address_of_one(home: str, request: Request) -> str:
    """A single survey has a page of its own."""
    pairs = dict(request.query_params.multi_items())
    survey_id = uuid.UUID(pairs.pop("survey"))
    pairs.pop("against", None)
    return f"{home}/surveys/{survey_id}" + (f"?{urlencode(pairs)}" if pairs else "")


async def _offered(member: Member, surveys: Surveys | None = None) -> dict[uuid.UUID, str]:
    """The names of the surveys to choose from: the newest, and those that are chosen."""
    page = await list_surveys(member.session, member.workspace_id, MAX_PAGE_SIZE)
    chosen = {survey.survey_id: survey.name for survey in surveys.each} if surveys else {}
    return {row.survey.id: row.survey.name for row in page.rows} | chosen
