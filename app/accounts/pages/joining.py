"""HTML routes for people who were given a link to become a member."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.accounts.access import Anyone, SignedInPerson, SomeVisitor, session_token
from app.accounts.members import INVITATION_PREFIX, accept_invitation
from app.accounts.models import MemberInvitation
from app.accounts.pages.forms import (
    ROLE_MEANINGS,
    language_links,
    lead_to,
    settings_of,
    show,
    signed_in,
)
from app.accounts.people import create_user
from app.accounts.queries import SPENT_LINK, get_open_invitation, get_workspace
from app.accounts.sign_in import start_session
from app.foundation.database import enter_workspace
from app.foundation.errors import Gone, Invalid
from app.foundation.tokens import digest, workspace_of
from app.foundation.translation import current_language, gettext
from app.foundation.web.transactions import Transaction

router = APIRouter()


@router.get("/join/{token}")
async def show_offer(request: Request, visitor: SomeVisitor, token: str) -> Response:
    offer = await _enter(request, visitor.session, token)
    return await _page(request, visitor.session, token, offer)


@router.post("/join/{token}/members")
async def join(request: Request, person: SignedInPerson, token: str) -> Response:
    """Become a member as the person who is signed in."""
    offer = await _enter(request, person.session, token)
    await accept_invitation(
        person.session, settings_of(request), offer.workspace_id, token, person.user
    )
    return lead_to(f"/w/{offer.workspace_id}/surveys", "joined")


@router.post("/join/{token}/accounts", dependencies=[Anyone])
async def join_with_new_account(
    request: Request,
    session: Transaction,
    token: str,
    name: Annotated[str, Form()] = "",
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """Make an account, and become a member with it."""
    offer = await _enter(request, session, token)
    try:
        user = await create_user(
            session, name=name, email=email, password=password, locale=current_language()
        )
    except Invalid as error:
        return await _page(request, session, token, offer, error, name=name, email=email)
    await accept_invitation(session, settings_of(request), offer.workspace_id, token, user)
    new = await start_session(session, settings_of(request), user, session_token(request))
    return signed_in(request, new, f"/w/{offer.workspace_id}/surveys")


async def _enter(request: Request, session: AsyncSession, token: str) -> MemberInvitation:
    """The offer behind the token, its workspace entered: the token itself says which that is."""
    workspace_id: uuid.UUID | None = workspace_of(INVITATION_PREFIX, token)
    if workspace_id is None:
        raise Gone(SPENT_LINK)
    await enter_workspace(session, workspace_id)
    token_hash = digest(settings_of(request).secret_key, token)
    return await get_open_invitation(session, workspace_id, token_hash)


async def _page(
    request: Request,
    session: AsyncSession,
    token: str,
    offer: MemberInvitation,
    refused: Invalid | None = None,
    name: str = "",
    email: str = "",
) -> Response:
    workspace = await get_workspace(session, offer.workspace_id)
    return show(
        request,
        "accounts/join.html",
        refused,
        token=token,
        workspace_name=workspace.name,
        role=gettext(ROLE_MEANINGS[offer.role]),
        name=name,
        email=email,
        languages=language_links(f"/join/{token}"),
    )
