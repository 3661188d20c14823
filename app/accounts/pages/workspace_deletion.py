"""HTML routes of the end of a workspace: what goes with it, and that it is gone."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.accounts.access import SomeVisitor, WorkspaceOwner, drop_session
from app.accounts.pages.account import check_password
from app.accounts.pages.forms import lead_to, show
from app.accounts.schemas import Member
from app.accounts.workspace_deletion import count_contents, delete_workspace
from app.foundation.errors import Invalid

router = APIRouter()


@router.get("/w/{workspace}/deletion")
async def confirm_deletion(request: Request, member: WorkspaceOwner) -> Response:
    return await _page(request, member)


@router.post("/w/{workspace}/deletion")
async def delete(
    request: Request,
    member: WorkspaceOwner,
    name: Annotated[str, Form()] = "",
    current: Annotated[str, Form()] = "",
) -> Response:
    """Asks for the present password, so that a browser left open cannot be taken over."""
    try:
        await check_password(request, member.user, current)
        gone = await delete_workspace(member.session, member.workspace_id, name)
    except Invalid as error:
        return await _page(request, member, error, typed=name)
    answer = lead_to("/workspace-deleted")
    if member.user.id in gone:
        drop_session(request, answer)
    return answer


@router.get("/workspace-deleted")
async def show_deleted(request: Request, visitor: SomeVisitor) -> Response:
    return show(request, "accounts/workspace_deleted.html", person=visitor.person)


async def _page(
    request: Request, member: Member, refused: Invalid | None = None, typed: str = ""
) -> Response:
    return show(
        request,
        "accounts/delete_workspace.html",
        refused,
        contents=await count_contents(member.session, member.workspace_id),
        typed=typed,
        has_password=member.user.password_hash is not None,
    )
