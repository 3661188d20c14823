"""HTML routes of a workspace's brand: the name, colour and logo that respondents see."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.datastructures import UploadFile
from starlette.responses import Response

from app.accounts.access import WorkspaceManager
from app.accounts.brands import change_brand, change_logo, get_brand, get_logo, remove_logo
from app.accounts.colours import DARK, DEFAULT_ACCENT, LIGHT, is_colour, palettes_of
from app.accounts.logos import FIELD
from app.accounts.pages.forms import lead_to, show
from app.accounts.schemas import Member
from app.foundation.errors import Invalid

router = APIRouter(prefix="/w/{workspace}/brand")


@router.get("")
async def show_brand(request: Request, member: WorkspaceManager) -> Response:
    return await _page(request, member)


@router.post("")
async def change(
    request: Request,
    member: WorkspaceManager,
    name: Annotated[str, Form()] = "",
    accent: Annotated[str, Form()] = "",
) -> Response:
    typed = {"name": name, "accent": accent}
    try:
        await change_brand(member.session, member.workspace_id, member.actor, **typed)
    except Invalid as error:
        return await _page(request, member, typed, error)
    return _lead_back(member)


@router.get("/logo")
async def show_logo(member: WorkspaceManager) -> Response:
    content, kind = await get_logo(member.session, member.workspace_id)
    return Response(content, media_type=kind.value)


@router.post("/logo")
async def upload_logo(request: Request, member: WorkspaceManager) -> Response:
    async with request.form(max_files=1, max_fields=1) as form:
        file = form.get(FIELD)
        content = await file.read() if isinstance(file, UploadFile) else b""
    try:
        await change_logo(member.session, member.workspace_id, member.actor, content)
    except Invalid as error:
        return await _page(request, member, refused=error)
    return _lead_back(member)


@router.post("/logo/removal")
async def take_logo_away(member: WorkspaceManager) -> Response:
    await remove_logo(member.session, member.workspace_id, member.actor)
    return _lead_back(member)


def _lead_back(member: Member) -> Response:
    return lead_to(f"/w/{member.workspace_id}/brand", "saved")


async def _page(
    request: Request,
    member: Member,
    typed: dict[str, str] | None = None,
    refused: Invalid | None = None,
) -> Response:
    brand = await get_brand(member.session, member.workspace_id)
    shown = brand.accent or DEFAULT_ACCENT
    kept = {"name": brand.name, "accent": shown}
    if typed and not is_colour(typed["accent"]):
        # A colour field shows nothing but a colour.
        typed = {**typed, "accent": shown}
    palettes = palettes_of(shown)
    return show(
        request,
        "accounts/brand.html",
        refused,
        typed=typed or kept,
        brand=brand,
        chosen=shown,
        samples=[("light", LIGHT, palettes.light), ("dark", DARK, palettes.dark)],
    )
