"""The HTML route of a survey's dashboard."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.accounts.access import SignedInMember
from app.foundation.web.openapi import OnceEach
from app.foundation.web.rendering import render
from app.reporting.page_filters import DashboardQuery, category_options, compare_options
from app.reporting.pages.reading import read_dashboard
from app.reporting.pages.showing import SURVEY

router = APIRouter(dependencies=[OnceEach])


@router.get(SURVEY)
async def show_dashboard(
    request: Request,
    member: SignedInMember,
    survey_id: uuid.UUID,
    query: Annotated[DashboardQuery, Query()],
) -> Response:
    reading = await read_dashboard(request, member.session, member.workspace_id, survey_id, query)
    return render(
        request,
        "reporting/dashboard.html",
        **reading.values(),
        compares=compare_options(),
        categories=category_options(),
    )
