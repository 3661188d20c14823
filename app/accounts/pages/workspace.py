"""HTML routes of a workspace's settings."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.accounts.access import WorkspaceOwner
from app.accounts.pages.forms import language_options, lead_to, show
from app.accounts.workspaces import change_workspace, list_time_zones
from app.foundation.errors import Invalid

router = APIRouter(prefix="/w/{workspace}")


@router.get("/settings")
async def show_settings(request: Request, member: WorkspaceOwner) -> Response:
    found = member.workspace
    typed = {"name": found.name, "time_zone": found.time_zone, "locale": found.locale}
    return _settings_page(request, typed)


@router.post("/settings")
async def change_settings(
    request: Request,
    member: WorkspaceOwner,
    name: Annotated[str, Form()] = "",
    time_zone: Annotated[str, Form()] = "",
    locale: Annotated[str, Form()] = "",
) -> Response:
    typed = {"name": name, "time_zone": time_zone, "locale": locale}
    try:
        await change_workspace(member.session, member.workspace_id, member.actor, **typed)
    except Invalid as error:
        return _settings_page(request, typed, error)
    return lead_to(f"/w/{member.workspace_id}/settings", "saved")


def _settings_page(
    request: Request, typed: dict[str, str], refused: Invalid | None = None
) -> Response:
    zones = list_time_zones()
    # A zone set by an older version stays selectable although it is not offered otherwise.
    offered = zones if typed["time_zone"] in zones else (typed["time_zone"], *zones)
    return show(
        request,
        "accounts/settings.html",
        refused,
        typed=typed,
        time_zones=[(zone, zone) for zone in offered],
        language_options=language_options(),
    )
