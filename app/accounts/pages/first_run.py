"""HTML routes of the first start: whoever reads the console makes the first workspace."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.accounts.access import Anyone
from app.accounts.pages.forms import language_links, settings_of, show, signed_in
from app.accounts.queries import unscoped_has_users
from app.accounts.sign_in import start_session
from app.accounts.workspaces import create_first_workspace, list_time_zones
from app.foundation.errors import Invalid, NotFound
from app.foundation.translation import current_language
from app.foundation.web.transactions import Transaction

router = APIRouter(dependencies=[Anyone])


@router.get("/first-run")
async def show_first_run(request: Request, session: Transaction, token: str = "") -> Response:
    """Exists until somebody has an account."""
    if await unscoped_has_users(session):
        raise NotFound
    time_zone = "Asia/Tokyo" if current_language() == "ja" else "UTC"
    return _page(request, {"token": token, "time_zone": time_zone})


@router.post("/first-run")
async def make_first_workspace(
    request: Request,
    session: Transaction,
    token: Annotated[str, Form()] = "",
    workspace_name: Annotated[str, Form()] = "",
    time_zone: Annotated[str, Form()] = "",
    name: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    typed = {
        "token": token,
        "workspace_name": workspace_name,
        "time_zone": time_zone,
        "name": name,
        "email": email,
    }
    try:
        workspace, user = await create_first_workspace(
            session,
            settings_of(request),
            password=password,
            locale=current_language(),
            **typed,
        )
    except Invalid as error:
        return _page(request, typed, error)
    new = await start_session(session, settings_of(request), user)
    return signed_in(request, new, f"/w/{workspace.id}/surveys")


def _page(request: Request, typed: dict[str, str], refused: Invalid | None = None) -> Response:
    return show(
        request,
        "accounts/first_run.html",
        refused,
        typed={"workspace_name": "", "name": "", "email": "", **typed},
        time_zones=[(zone, zone) for zone in list_time_zones()],
        languages=language_links("/first-run", token=typed["token"]),
    )
