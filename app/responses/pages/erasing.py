"""Taking an answer back with its receipt: the page that asks for it, and what became of it."""

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.access import Respondent
from app.foundation.database import AWAY
from app.foundation.errors import NotFound
from app.foundation.translation import current_language
from app.responses.entrances import Entrance
from app.responses.erasure import erase_response
from app.responses.intake import RETRY_AFTER_S
from app.responses.models import DeletionReason
from app.responses.pages.showing import READ, Shut, find_entrance, read_fields, show
from app.responses.receipts import LENGTH, MAX_TYPED, NoReceipt, read_receipt
from app.responses.texts import showable

router = APIRouter(dependencies=[Respondent])


@router.api_route("/s/{slug}/erasure", methods=READ)
async def show_erasure(request: Request, slug: str) -> Response:
    """Also where the survey is closed or the link revoked: an answer may be taken back after."""
    try:
        entrance = await find_entrance(request, slug)
    except Shut as shut:
        return shut.response
    return _ask(request, entrance)


@router.post("/s/{slug}/erasure")
async def erase(request: Request, slug: str) -> Response:
    typed = showable((await read_fields(request)).get("receipt", ""))[:MAX_TYPED]
    try:
        entrance = await find_entrance(request, slug)
        return await _erase(request, entrance, typed)
    except Shut as shut:
        return shut.response
    except AWAY:
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        return show(request, "responses/erasure_put_off.html", 503, headers, slug=slug, typed=typed)


@router.api_route("/s/{slug}/erasure/done", methods=READ)
async def show_erased(request: Request, slug: str) -> Response:
    try:
        entrance = await find_entrance(request, slug)
    except Shut as shut:
        return shut.response
    return show(request, "responses/erased.html", survey=entrance.questionnaire)


async def _erase(request: Request, entrance: Entrance, typed: str) -> Response:
    state = request.app.state
    try:
        response_id = read_receipt(state.settings.secret_key, typed)
    except NoReceipt as refused:
        return _ask(request, entrance, typed, refused)
    # The link may lead to another survey by now, so any of the workspace's will do.
    workspace_id = entrance.questionnaire.workspace_id
    try:
        async with state.database.transaction(workspace_id) as session:
            await erase_response(session, workspace_id, response_id, DeletionReason.RECEIPT)
    except NotFound:
        survey = entrance.questionnaire
        slug = entrance.link.slug
        return show(request, "responses/not_there.html", 404, survey=survey, slug=slug)
    path = f"/s/{entrance.link.slug}/erasure/done?lang={current_language()}"
    return RedirectResponse(path, 303)


def _ask(
    request: Request, entrance: Entrance, typed: str = "", refused: NoReceipt | None = None
) -> Response:
    return show(
        request,
        "responses/erasure.html",
        422 if refused else 200,
        survey=entrance.questionnaire,
        slug=entrance.link.slug,
        typed=typed,
        refused=refused,
        wanted=LENGTH,
    )
