"""The doors: every route names one, and it says who may come in.

Pages: Anyone, Respondent, SomeVisitor, SignedInPerson, SignedInMember, WorkspaceManager,
WorkspaceOwner.
API: ApiReader, ApiWriter, ApiAuditor, ApiAdmin, and ApiCollector for taking in
answers.
A door opens the request's transaction and enters the workspace.
"""

import uuid
from collections.abc import Callable
from datetime import timedelta
from hashlib import blake2b
from typing import Annotated, NamedTuple, TypeVar
from urllib.parse import quote

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import Response

from app.accounts.api_keys import API_KEY_PREFIX
from app.accounts.models import Role, Scope
from app.accounts.queries import (
    find_caller,
    unscoped_find_session,
    unscoped_get_membership,
)
from app.accounts.schemas import ApiCaller, ApiClient, Member, Person, Visitor
from app.accounts.sign_in import SESSION_LIFE
from app.accounts.sign_in_links import local_path
from app.foundation import clock
from app.foundation.database import enter_workspace
from app.foundation.errors import Forbidden, Unauthorized
from app.foundation.memory import Memory
from app.foundation.questions import Executor
from app.foundation.settings import Settings
from app.foundation.tokens import digest, workspace_of
from app.foundation.translation import mark, set_language
from app.foundation.web.transactions import Transaction

SESSION_IDLE = timedelta(hours=12)
SEEN_EVERY = timedelta(minutes=5)
DoorFunction = TypeVar("DoorFunction", bound=Callable[..., object])
DOORS: set[Callable[..., object]] = set()

bearer = HTTPBearer(auto_error=False, description="An API key: `hn_live_…`")


def door(dependency: DoorFunction) -> DoorFunction:
    """Register a dependency as a door; a test finds every route behind one."""
    DOORS.add(dependency)
    return dependency


def session_cookie(settings: Settings) -> str:
    """`__Host-` binds the cookie to TLS and the host; loopback http cannot have it."""
    return "__Host-honne" if settings.is_https else "honne"


def session_token(request: Request) -> str:
    """The token of the browser's session as it was sent; empty where there is none."""
    return request.cookies.get(session_cookie(_settings(request)), "")


def keep_session(request: Request, response: Response, token: str) -> None:
    """Let the browser keep a session: out of reach of scripts and of other sites' forms."""
    settings = _settings(request)
    response.set_cookie(
        session_cookie(settings),
        token,
        max_age=int(SESSION_LIFE.total_seconds()),
        path="/",
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )


def drop_session(request: Request, response: Response) -> None:
    """Let the browser forget its session."""
    settings = _settings(request)
    response.delete_cookie(
        session_cookie(settings),
        path="/",
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


@door
async def _anyone() -> None:
    """No sign-in asked: sign-in pages, health, docs."""


@door
async def _respondent() -> None:
    """Somebody answering a survey: never identified, never given a cookie."""


async def _find_person(request: Request, session: AsyncSession) -> Person | None:
    token = session_token(request)
    found = token and await unscoped_find_session(
        session, digest(_settings(request).secret_key, token), clock.now() - SESSION_IDLE
    )
    if not found:
        return None
    browser, user = found
    if browser.last_seen_at < clock.now() - SEEN_EVERY:
        browser.last_seen_at = clock.now()
    set_language(user.locale)
    person = Person(user, browser.id, session)
    request.state.person = person
    return person


@door
async def _visitor(request: Request, session: Transaction) -> Visitor:
    """Somebody at a page that is for everybody, but greets those who are signed in."""
    return Visitor(await _find_person(request, session), session)


@door
async def _signed_in_person(request: Request, session: Transaction) -> Person:
    person = await _find_person(request, session)
    if person is None:
        raise Unauthorized(headers={"Location": _sign_in_path(request)})
    return person


def _sign_in_path(request: Request) -> str:
    """From there back to what was asked for, such as a page under its filter."""
    url = request.url
    asked = url.path + (f"?{url.query}" if url.query else "")
    # Without its query where a redirect could not take it along.
    page = asked if local_path(asked) == asked else url.path
    return f"/sign-in?next={quote(page if request.method == 'GET' else '/')}"


SomeVisitor = Annotated[Visitor, Depends(_visitor, scope="function")]
SignedInPerson = Annotated[Person, Depends(_signed_in_person, scope="function")]


@door
async def _signed_in_member(
    request: Request, workspace: uuid.UUID, person: SignedInPerson
) -> Member:
    found, role = await unscoped_get_membership(person.session, person.user.id, workspace)
    await enter_workspace(person.session, found.id)
    member = Member(person.user, found, role, person.session)
    request.state.member = member
    return member


SignedInMember = Annotated[Member, Depends(_signed_in_member, scope="function")]


def _at_least(role: Role) -> Callable[..., object]:
    async def check(member: SignedInMember) -> Member:
        if not member.may(role):
            raise Forbidden(mark("Your role does not allow this; ask an owner of the workspace."))
        return member

    return door(check)


Anyone = Depends(_anyone)
Respondent = Depends(_respondent)
WorkspaceManager = Annotated[Member, Depends(_at_least(Role.MANAGER), scope="function")]
WorkspaceOwner = Annotated[Member, Depends(_at_least(Role.OWNER), scope="function")]


class _Key(NamedTuple):
    """What an API key says of itself."""

    workspace_id: uuid.UUID
    token_hash: bytes


Credentials = Annotated[HTTPAuthorizationCredentials | None, Security(bearer)]


def _key_in(settings: Settings, credentials: HTTPAuthorizationCredentials | None) -> _Key:
    """Unauthorized for what cannot be a key."""
    token = credentials.credentials if credentials else ""
    workspace_id = workspace_of(API_KEY_PREFIX, token)
    if workspace_id is None:
        raise _unauthorized()
    return _Key(workspace_id, digest(settings.secret_key, token))


async def _identify_caller(executor: Executor, key: _Key) -> ApiCaller:
    """The caller a key belongs to, within its workspace; Unauthorized where there is none."""
    caller = await find_caller(executor, *key)
    if caller is None:
        raise _unauthorized()
    return caller


def require_scope(caller: ApiCaller, scope: Scope) -> None:
    """Forbidden unless the caller's key has `scope`."""
    if scope not in caller.scopes:
        raise Forbidden(
            mark("This API key lacks the scope “%(scope)s”."), values={"scope": scope.value}
        )


def _unauthorized() -> Unauthorized:
    return Unauthorized(
        mark("Send a valid API key: Authorization: Bearer hn_live_…"),
        headers={"WWW-Authenticate": "Bearer"},
    )


def _with_scope(scope: Scope) -> Callable[..., object]:
    async def check(request: Request, session: Transaction, credentials: Credentials) -> ApiClient:
        key = _key_in(request.app.state.settings, credentials)
        await enter_workspace(session, key.workspace_id)
        caller = await _identify_caller(session, key)
        require_scope(caller, scope)
        return ApiClient(caller, session)

    return door(check)


ApiReader = Annotated[ApiClient, Depends(_with_scope(Scope.READ), scope="function")]
ApiWriter = Annotated[ApiClient, Depends(_with_scope(Scope.WRITE), scope="function")]
ApiAuditor = Annotated[ApiClient, Depends(_with_scope(Scope.AUDIT), scope="function")]
ApiAdmin = Annotated[ApiClient, Depends(_with_scope(Scope.ADMIN), scope="function")]


@door
async def identify_collector(request: Request, credentials: Credentials) -> ApiCaller:
    """Its transaction ends before the answer is taken in: intake commits many callers at once,
    and a caller waiting for that must not sit on a connection. Who a key belongs to is remembered
    for two seconds, so a revoked key takes no more answers after that."""
    state = request.app.state

    async def look_up() -> ApiCaller:
        key = _key_in(state.settings, credentials)
        return await _identify_caller(state.database.look_ups(key.workspace_id), key)

    memory: Memory = state.memory
    token = credentials.credentials if credentials else ""
    # No key is kept in a memory; it is long and random, so a fast hash stands for it.
    caller = await memory.recall(("key", blake2b(token.encode()).digest()), look_up)
    require_scope(caller, Scope.WRITE)
    return caller


ApiCollector = Annotated[ApiCaller, Depends(identify_collector)]
