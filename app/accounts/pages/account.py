"""HTML routes of one's own account: language, password, browsers."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.accounts.access import SESSION_IDLE, SignedInPerson
from app.accounts.delays import AttemptDelays
from app.accounts.models import User
from app.accounts.pages.forms import language_options, lead_to, show
from app.accounts.passwords import password_matches
from app.accounts.people import refused, set_language_of, set_password
from app.accounts.queries import unscoped_list_sessions_of, unscoped_list_workspaces_of
from app.accounts.schemas import Person
from app.accounts.sign_in import end_other_sessions, end_session, record_in_each_workspace
from app.foundation import clock
from app.foundation.errors import Invalid, TooManyRequests
from app.foundation.translation import mark

router = APIRouter()


@router.get("/account")
async def show_account(request: Request, person: SignedInPerson) -> Response:
    return await _page(request, person)


@router.post("/account/language")
async def change_language(
    request: Request, person: SignedInPerson, locale: Annotated[str, Form()] = ""
) -> Response:
    try:
        await set_language_of(person.session, person.user, locale)
    except Invalid as error:
        return await _page(request, person, error)
    return lead_to("/account", "saved")


@router.post("/account/password")
async def change_password(
    request: Request,
    person: SignedInPerson,
    current: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
) -> Response:
    """Asks for the present password, so that a browser left open cannot be taken over."""
    try:
        await check_password(request, person.user, current)
        await set_password(person.session, person.user, password, keep_session=person.session_id)
    except Invalid as error:
        return await _page(request, person, error)
    await record_in_each_workspace(person.session, person.user.id, "password.changed")
    return lead_to("/account", "password")


@router.post("/account/sessions/{session_id}/end")
async def end_one_session(person: SignedInPerson, session_id: uuid.UUID) -> Response:
    await end_session(person.session, person.user.id, session_id)
    return lead_to("/account", "signed-out")


@router.post("/account/other-sessions/end")
async def end_all_other_sessions(person: SignedInPerson) -> Response:
    await end_other_sessions(person.session, person.user.id, person.session_id)
    return lead_to("/account", "signed-out")


async def check_password(request: Request, user: User, current: str) -> None:
    """Invalid unless `current` is the person's password, where they have one; each wrong one makes
    the next wait longer."""
    delays: AttemptDelays = request.app.state.sign_in_delays.password_changes
    name = str(user.id)
    if seconds := delays.begin(name):
        raise TooManyRequests(
            mark("Too many wrong passwords. Wait a little before you try again."),
            headers={"Retry-After": str(int(seconds) + 1)},
        )
    if user.password_hash and not await password_matches(user.password_hash, current):
        raise refused("current", mark("This is not your present password."))
    delays.forgive(name)


async def _page(request: Request, person: Person, refused: Invalid | None = None) -> Response:
    session, user = person.session, person.user
    idle_since = clock.now() - SESSION_IDLE
    return show(
        request,
        "accounts/account.html",
        refused,
        workspaces=await unscoped_list_workspaces_of(session, user.id),
        sessions=await unscoped_list_sessions_of(session, user.id, idle_since),
        language_options=language_options(),
    )
