"""The HTML route of several surveys together."""

import uuid
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.access import SignedInMember
from app.accounts.schemas import Member
from app.foundation.errors import NotFound
from app.foundation.paging import MAX_PAGE_SIZE
from app.foundation.web.openapi import once_each_but
from app.foundation.web.rendering import render
from app.reporting.asked_together import LEAST_SURVEYS, AskedTogether, ask_together
from app.reporting.filters import MOST_SURVEYS
from app.reporting.page_filters import SeveralQuery, against_options, compare_options
from app.reporting.pages.here import Here
from app.reporting.pages.reading_several import SEVERAL, asked_values, figures_of
from app.reporting.pages.typed import Typed, typed
from app.reporting.pages.view_forms import ViewForm, marked_views
from app.reporting.stored_queries import query_text
from app.reporting.view_tables import SavedView
from app.reporting.views import list_views
from app.surveys.listings import list_surveys

router = APIRouter(dependencies=[once_each_but("survey")])

TEMPLATE = "reporting/several.html"


@router.get(SEVERAL)
async def show_several(
    request: Request,
    member: SignedInMember,
    given: Annotated[Typed[SeveralQuery], Depends(typed(SeveralQuery))],
) -> Response:
    """A single survey has a page of its own, unless it cannot have the whole filter: that is said
    here, where it was chosen."""
    if given.errors and 0 < len(given.query.survey) <= MOST_SURVEYS:
        return await _ask_again(request, member, given)
    return await several_page(request, member, given.query)


async def several_page(
    request: Request,
    member: Member,
    query: SeveralQuery,
    status: int = 200,
    view_form: ViewForm | None = None,
) -> Response:
    """Several surveys together, or the question which; with the form of a view that was refused."""
    views = await list_views(member.session, member.workspace_id, None)
    if not 0 < len(query.survey) <= MOST_SURVEYS:
        return await _choose(request, member, query.survey, views, status, view_form)
    try:
        of = await ask_together(member.session, member.workspace_id, query)
    except NotFound:
        return await _choose(request, member, query.survey, views, 404, view_form)
    home = f"/w/{member.workspace_id}"
    if status == 200 and len(query.survey) == 1 and not of.left_out:
        return RedirectResponse(_address_of_one(home, request), 303)
    reading = await figures_of(request, member.session, of, query)
    text = query_text(query)
    return render(
        request,
        TEMPLATE,
        status,
        **reading.values(),
        **await _form_values(request, member, of, query),
        views=marked_views(views, text),
        is_choosing=False,
        view_form=view_form,
        typed=None,
        may_keep=member.is_manager and not of.missing and len(of.surveys.each) >= LEAST_SURVEYS,
    )


async def _ask_again(request: Request, member: Member, given: Typed[SeveralQuery]) -> Response:
    """The filters and what is wrong about the days; no figures, for nobody knows of which."""
    of = await ask_together(member.session, member.workspace_id, given.query)
    return render(
        request,
        TEMPLATE,
        422,
        **asked_values(of),
        **await _form_values(request, member, of, given.query),
        board=None,
        is_choosing=False,
        view_form=None,
        typed=given,
    )


async def _form_values(
    request: Request, member: Member, of: AskedTogether, query: SeveralQuery
) -> dict[str, Any]:
    """What the form of the filters needs besides."""
    names = {survey.survey_id: survey.name for survey in of.surveys.each}
    here = Here.of(request, SEVERAL.format(workspace=member.workspace_id))
    return {
        "home": f"/w/{member.workspace_id}",
        "offered": await _offered(member) | names,
        "compares": compare_options(),
        "againsts": against_options(),
        "here": here,
        "without_left_out": here.to(dict.fromkeys(of.left_out)),
        "sort": query.sort,
    }


async def _choose(
    request: Request,
    member: Member,
    ticked: Sequence[uuid.UUID],
    views: Sequence[SavedView],
    status: int,
    view_form: ViewForm | None,
) -> Response:
    """Asks which surveys to show, where none were asked for, or too many, with all ticks as they
    were, or where there are none of them any more."""
    too_many = len(ticked) > MOST_SURVEYS
    return render(
        request,
        TEMPLATE,
        422 if too_many else status,
        board=None,
        home=f"/w/{member.workspace_id}",
        offered=await _offered(member),
        chosen=ticked,
        most=MOST_SURVEYS,
        is_choosing=True,
        typed=None,
        is_gone=bool(ticked) and not too_many,
        views=marked_views(views, ""),
        view_form=view_form,
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
