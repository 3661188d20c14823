"""HTML routes of the front door: start page, sign-in with a password or a link, sign-out."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.access import Anyone, SomeVisitor, drop_session, session_token
from app.accounts.delays import SignInDelays
from app.accounts.models import LinkPurpose, User
from app.accounts.pages.forms import language_links, lead_to, settings_of, show, signed_in
from app.accounts.people import refused
from app.accounts.queries import (
    SPENT_LINK,
    unscoped_find_sign_in_link,
    unscoped_has_users,
    unscoped_list_workspaces_of,
)
from app.accounts.sign_in import end_session_with_token, find_user_by_password, start_session
from app.accounts.sign_in_links import local_path, reset_password, use_sign_in_link
from app.foundation.errors import Gone, Invalid
from app.foundation.tokens import digest
from app.foundation.translation import mark
from app.foundation.web.addresses import client_prefix
from app.foundation.web.transactions import Transaction

router = APIRouter()


@dataclass(frozen=True, slots=True)
class Attempt:
    """A try at signing in: what was typed, and whom it proved (None: nobody)."""

    email: str
    next_path: str
    user: User | None


async def _attempt(
    request: Request,
    email: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    next: Annotated[str, Form()] = "/",  # noqa: A002 - the form's name for it
) -> Attempt:
    """Runs before the request's transaction: neither a delay nor a hash may hold a connection."""
    delays: SignInDelays = request.app.state.sign_in_delays
    known_as = email.strip().lower()
    prefix = client_prefix(request.scope, settings_of(request).trusted_proxies)
    await delays.wait_turn(known_as, prefix)
    user = await find_user_by_password(request.app.state.database, email, password)
    if user is not None:
        delays.succeed(known_as, prefix)
    return Attempt(email, local_path(next), user)


@router.get("/")
async def show_start(request: Request, visitor: SomeVisitor) -> Response:
    """Whoever is signed in is led to their surveys; others to the front door."""
    if visitor.person is None:
        is_new = not await unscoped_has_users(visitor.session)
        return lead_to("/first-run" if is_new else "/sign-in")
    workspaces = await unscoped_list_workspaces_of(visitor.session, visitor.person.user.id)
    if len(workspaces) == 1:
        return lead_to(f"/w/{workspaces[0].id}/surveys")
    return show(request, "accounts/start.html", workspaces=workspaces)


@router.get("/sign-in")
async def show_sign_in(request: Request, visitor: SomeVisitor) -> Response:
    next_path = local_path(request.query_params.get("next", "/"))
    if visitor.person is not None:
        return RedirectResponse(next_path, 303)
    return _sign_in_page(request, next_path)


@router.post("/sessions", dependencies=[Anyone])
async def sign_in(
    request: Request, attempt: Annotated[Attempt, Depends(_attempt)], session: Transaction
) -> Response:
    """The answer to a wrong password is the answer to an unknown address."""
    if attempt.user is None:
        wrong = refused("email", mark("The e-mail address or the password is not right."))
        return _sign_in_page(request, attempt.next_path, wrong, attempt.email)
    token = await start_session(session, settings_of(request), attempt.user, session_token(request))
    return signed_in(request, token, attempt.next_path)


@router.post("/sessions/current/end", dependencies=[Anyone])
async def sign_out(request: Request, session: Transaction) -> Response:
    """Works for a session that has ended already, too."""
    if token := session_token(request):
        await end_session_with_token(session, settings_of(request), token)
    answer = lead_to("/sign-in")
    drop_session(request, answer)
    return answer


@router.get("/sign-in/links/{token}", dependencies=[Anyone])
async def show_link(request: Request, session: Transaction, token: str) -> Response:
    """Opening the link does nothing yet: mail scanners open links."""
    found = await unscoped_find_sign_in_link(
        session, digest(settings_of(request).secret_key, token)
    )
    if found is None:
        raise Gone(SPENT_LINK)
    languages = language_links(f"/sign-in/links/{token}")
    if found.purpose == LinkPurpose.SIGN_IN:
        return show(request, "accounts/sign_in_link.html", languages=languages)
    return _password_page(request, token)


@router.post("/sign-in/links/{token}", dependencies=[Anyone])
async def use_link(request: Request, session: Transaction, token: str) -> Response:
    user, next_path = await use_sign_in_link(session, settings_of(request), token)
    new = await start_session(session, settings_of(request), user, session_token(request))
    return signed_in(request, new, next_path)


@router.post("/sign-in/links/{token}/password", dependencies=[Anyone])
async def set_password_by_link(
    request: Request, session: Transaction, token: str, password: Annotated[str, Form()] = ""
) -> Response:
    try:
        user = await reset_password(session, settings_of(request), token, password)
    except Invalid as error:
        return _password_page(request, token, error)
    new = await start_session(session, settings_of(request), user, session_token(request))
    return signed_in(request, new, "/")


def _sign_in_page(
    request: Request, next_path: str, refused: Invalid | None = None, email: str = ""
) -> Response:
    languages = language_links("/sign-in", next=next_path)
    return show(
        request,
        "accounts/sign_in.html",
        refused,
        next_path=next_path,
        email=email,
        languages=languages,
    )


def _password_page(request: Request, token: str, refused: Invalid | None = None) -> Response:
    languages = language_links(f"/sign-in/links/{token}")
    return show(request, "accounts/new_password.html", refused, token=token, languages=languages)
