"""HTML routes of a workspace's members: who they are, inviting, roles, leaving."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.accounts.access import SignedInMember, WorkspaceOwner
from app.accounts.members import change_role, invite_member, remove_member, revoke_invitation
from app.accounts.pages.forms import lead_to, role_names, role_options, settings_of, show
from app.accounts.queries import get_member, list_members, list_open_invitations
from app.accounts.schemas import Member
from app.foundation.errors import Invalid

router = APIRouter(prefix="/w/{workspace}")


@router.get("/members")
async def show_members(request: Request, member: SignedInMember) -> Response:
    return await _page(request, member)


@router.post("/invitations")
async def invite(
    request: Request, member: WorkspaceOwner, role: Annotated[str, Form()] = ""
) -> Response:
    """Shows the link in the answer itself: it is nowhere to be found again."""
    try:
        url = await invite_member(
            member.session, settings_of(request), member.workspace_id, member.actor, role
        )
    except Invalid as error:
        return await _page(request, member, error)
    answer = await _page(request, member, url=url)
    answer.status_code = 201
    return answer


@router.post("/invitations/{invitation_id}/revocation")
async def revoke(member: WorkspaceOwner, invitation_id: uuid.UUID) -> Response:
    await revoke_invitation(member.session, member.workspace_id, member.actor, invitation_id)
    return lead_to(_home(member), "revoked")


@router.post("/members/{user_id}/role")
async def give_role(
    request: Request, member: WorkspaceOwner, user_id: uuid.UUID, role: Annotated[str, Form()] = ""
) -> Response:
    try:
        await change_role(member.session, member.workspace_id, member.actor, user_id, role)
    except Invalid as error:
        return await _page(request, member, error)
    return lead_to(_home(member), "saved")


@router.get("/members/{user_id}/removal")
async def confirm_removal(request: Request, member: WorkspaceOwner, user_id: uuid.UUID) -> Response:
    other = await get_member(member.session, member.workspace_id, user_id)
    return show(request, "accounts/remove_member.html", other=other)


@router.post("/members/{user_id}/removal")
async def remove(member: WorkspaceOwner, user_id: uuid.UUID) -> Response:
    await remove_member(member.session, member.workspace_id, member.actor, user_id)
    return lead_to("/" if user_id == member.user.id else _home(member), "removed")


@router.get("/departure")
async def confirm_departure(request: Request, member: SignedInMember) -> Response:
    return show(request, "accounts/leave.html", member=member)


@router.post("/departure")
async def leave(member: SignedInMember) -> Response:
    """End one's own membership."""
    await remove_member(member.session, member.workspace_id, member.actor, member.user.id)
    return lead_to("/")


def _home(member: Member) -> str:
    return f"/w/{member.workspace_id}/members"


async def _page(
    request: Request, member: Member, refused: Invalid | None = None, url: str = ""
) -> Response:
    session, workspace_id = member.session, member.workspace_id
    return show(
        request,
        "accounts/members.html",
        refused,
        members=await list_members(session, workspace_id),
        invitations=await list_open_invitations(session, workspace_id),
        roles=role_options(),
        role_names=role_names(),
        url=url,
    )
