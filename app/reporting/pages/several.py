"""The HTML route of several surveys together."""

import uuid
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.access import SignedInMember
from app.accounts.schemas import Member
from app.foundation.paging import MAX_PAGE_SIZE
from app.foundation.web.openapi import once_each_but
from app.foundation.web.rendering import render
from app.reporting.filters import MOST_SURVEYS
from app.reporting.page_filters import SeveralQuery, against_options, compare_options
from app.reporting.pages.here import Here
from app.reporting.pages.reading_several import SEVERAL, read_several
from app.surveys.listings import list_surveys

router = APIRouter(dependencies=[once_each_but("survey")])

TEMPLATE = "reporting/several.html"


@router.get(SEVERAL)
async def show_several(
    request: Request, member: SignedInMember, query: Annotated[SeveralQuery, Query()]
) -> Response:
    """A single survey has a page of its own, unless it cannot have the whole filter: that is said
    here, where it was chosen."""
    if not 0 < len(query.survey) <= MOST_SURVEYS:
        return await _choose(request, member, query.survey)
    reading = await read_several(request, member.session, member.workspace_id, query)
    home = f"/w/{member.workspace_id}"
    if len(query.survey) == 1 and not reading.left_out:
        return RedirectResponse(_address_of_one(home, request), 303)
    names = {survey.survey_id: survey.name for survey in reading.surveys.each}
    here = Here.of(request, request.url.path)
    return render(
        request,
        TEMPLATE,
        **reading.values(),
        home=home,
        offered=await _offered(member) | names,
        compares=compare_options(),
        againsts=against_options(),
        here=here,
        without_left_out=here.to(dict.fromkeys(reading.left_out)),
        sort=query.sort,
    )


async def _choose(request: Request, member: Member, ticked: Sequence[uuid.UUID]) -> Response:
    """Asks which surveys to show; with all ticks as they were where these are too many."""
    return render(
        request,
        TEMPLATE,
        422 if ticked else 200,
        board=None,
        home=f"/w/{member.workspace_id}",
        offered=await _offered(member),
        chosen=ticked,
        most=MOST_SURVEYS,
    )


def _address_of_one(home: str, request: Request) -> str:
    pairs = dict(request.query_params.multi_items())
    survey_id = uuid.UUID(pairs.pop("survey"))
    pairs.pop("against", None)
    return f"{home}/surveys/{survey_id}" + (f"?{urlencode(pairs)}" if pairs else "")


async def _offered(member: Member) -> dict[uuid.UUID, str]:
    """The names of the surveys to choose from, the newest."""
    page = await list_surveys(member.session, member.workspace_id, MAX_PAGE_SIZE)
    return {row.survey.id: row.survey.name for row in page.rows}
