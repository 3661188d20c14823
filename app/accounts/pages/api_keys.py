"""HTML routes of a workspace's API keys."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.accounts.access import WorkspaceOwner
from app.accounts.api_keys import LIFETIMES_IN_DAYS, create_api_key, revoke_api_key
from app.accounts.pages.forms import lead_to, scope_options, settings_of, show
from app.accounts.people import refused as refused_input
from app.accounts.queries import get_api_key, list_api_keys
from app.accounts.schemas import Member
from app.foundation import clock
from app.foundation.errors import Invalid
from app.foundation.paging import MAX_PAGE_SIZE
from app.foundation.translation import gettext, mark, ngettext

router = APIRouter(prefix="/w/{workspace}/api-keys")
NEVER = "never"


@router.get("")
async def show_api_keys(
    request: Request, member: WorkspaceOwner, cursor: str | None = None
) -> Response:
    return await _page(request, member, cursor=cursor)


@router.post("")
async def make_api_key(
    request: Request,
    member: WorkspaceOwner,
    name: Annotated[str, Form()] = "",
    scopes: Annotated[list[str] | None, Form()] = None,
    expires: Annotated[str, Form()] = "",
) -> Response:
    """Shows the key in the answer itself: it is nowhere to be found again."""
    chosen = scopes or []
    try:
        _key, token = await create_api_key(
            member.session,
            settings_of(request),
            member.workspace_id,
            member.actor,
            name=name,
            scopes=chosen,
            lifetime=_lifetime(expires),
        )
    except Invalid as error:
        typed = {"name": name, "scopes": chosen, "expires": expires}
        return await _page(request, member, error, typed=typed)
    answer = await _page(request, member, token=token)
    answer.status_code = 201
    return answer


@router.get("/{key_id}/revocation")
async def confirm_revocation(
    request: Request, member: WorkspaceOwner, key_id: uuid.UUID
) -> Response:
    key = await get_api_key(member.session, member.workspace_id, key_id)
    return show(request, "accounts/revoke_api_key.html", key=key)


@router.post("/{key_id}/revocation")
async def revoke(member: WorkspaceOwner, key_id: uuid.UUID) -> Response:
    await revoke_api_key(member.session, member.workspace_id, member.actor, key_id)
    return lead_to(f"/w/{member.workspace_id}/api-keys", "revoked")


async def _page(
    request: Request,
    member: Member,
    refused: Invalid | None = None,
    cursor: str | None = None,
    token: str = "",
    typed: Mapping[str, object] | None = None,
) -> Response:
    page = await list_api_keys(member.session, member.workspace_id, MAX_PAGE_SIZE, cursor)
    return show(
        request,
        "accounts/api_keys.html",
        refused,
        page=page,
        now=clock.now(),
        scopes=scope_options(),
        periods=_periods(),
        token=token,
        typed=typed or {"name": "", "scopes": ["read"], "expires": str(LIFETIMES_IN_DAYS[-1])},
    )


def _periods() -> list[tuple[str, str]]:
    days = [
        (str(days), ngettext("In %(num)s day", "In %(num)s days", days) % {"num": days})
        for days in LIFETIMES_IN_DAYS
    ]
    return [*days, (NEVER, gettext("Never"))]


def _lifetime(expires: str) -> timedelta | None:
    if expires == NEVER:
        return None
    if expires not in {str(days) for days in LIFETIMES_IN_DAYS}:
        raise refused_input("expires", mark("Choose one of the periods offered."))
    return timedelta(days=int(expires))
