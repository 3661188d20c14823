"""The logo on respondents' pages, at an address of the link they came by."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import Respondent
from app.accounts.brands import get_logo
from app.accounts.models import LogoType
from app.foundation.errors import NotFound
from app.foundation.memory import Memory
from app.responses.entrances import get_entrance
from app.responses.pages.showing import READ

# Under their hash logos never change: a few are kept for as long as a busy form asks for them.
LOGO_SECONDS = 60.0
LOGO_CAPACITY = 200  # 4 MB
HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}

router = APIRouter(dependencies=[Respondent])


@router.api_route("/s/{slug}/logo/{name}", methods=READ)
async def show_logo(request: Request, slug: str, name: str) -> Response:
    """The logo of that hash, for as long as it is the workspace's; whether the survey is open or
    not, since all of its pages show it."""
    try:
        content, kind = await _recall_logo(request, slug, name)
    except NotFound:
        return Response(status_code=404)
    return Response(content, media_type=kind.value, headers=HEADERS)


async def _recall_logo(request: Request, slug: str, name: str) -> tuple[bytes, LogoType]:
    state = request.app.state
    survey = (await get_entrance(state.database, state.memory, slug)).questionnaire
    if survey.brand.logo is None or survey.brand.logo.hash != name:
        raise NotFound

    async def look_up() -> tuple[bytes, LogoType]:
        async with state.database.transaction(survey.workspace_id) as session:
            return await get_logo(session, survey.workspace_id, name)

    logos: Memory = state.logos
    return await logos.recall((survey.workspace_id, name), look_up)
