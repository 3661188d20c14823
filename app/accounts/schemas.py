"""Values that say who is calling, and rows of the lists of people and their acts."""

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import LogoGround, LogoType, Role, Scope, User, Workspace

ROLE_ORDER = (Role.VIEWER, Role.MANAGER, Role.OWNER)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something, for the audit log. `kind` is user, api_key or system."""

    kind: str
    id: uuid.UUID | None = None


SYSTEM = Actor("system")


@dataclass(frozen=True, slots=True)
class Person:
    """A signed-in user outside any workspace; `session_id` names their browser session."""

    user: User
    session_id: uuid.UUID
    session: AsyncSession

    @property
    def actor(self) -> Actor:
        return Actor("user", self.user.id)


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody who may be signed in or not: `person` says so."""

    person: Person | None
    session: AsyncSession


@dataclass(frozen=True, slots=True)
class Member:
    """A signed-in user in the workspace of the URL; `session` has entered it."""

    user: User
    workspace: Workspace
    role: Role
    session: AsyncSession

    @property
    def workspace_id(self) -> uuid.UUID:
        return self.workspace.id

    @property
    def actor(self) -> Actor:
        return Actor("user", self.user.id)

    def may(self, least: Role) -> bool:
        """True where this member's role is `least` or more."""
        return ROLE_ORDER.index(self.role) >= ROLE_ORDER.index(least)

    @property
    def is_manager(self) -> bool:
        return self.may(Role.MANAGER)

    @property
    def is_owner(self) -> bool:
        return self.may(Role.OWNER)


@dataclass(frozen=True, slots=True)
class ApiCaller:
    """A program known by its API key, outside any transaction."""

    workspace_id: uuid.UUID
    time_zone: str
    key_id: uuid.UUID
    scopes: frozenset[Scope]

    @property
    def actor(self) -> Actor:
        return Actor("api_key", self.key_id)


@dataclass(frozen=True, slots=True)
class ApiClient:
    """An API caller within the request's transaction; `session` has entered the workspace."""

    caller: ApiCaller
    session: AsyncSession

    @property
    def workspace_id(self) -> uuid.UUID:
        return self.caller.workspace_id

    @property
    def time_zone(self) -> str:
        return self.caller.time_zone

    @property
    def actor(self) -> Actor:
        return self.caller.actor


@dataclass(frozen=True, slots=True)
class Logo:
    """A logo without its pixels; `width` and `height` count them, `hash` names them."""

    type: LogoType
    hash: str
    width: int
    height: int
    ground: LogoGround


@dataclass(frozen=True, slots=True)
class Brand:
    """How a workspace looks to respondents. Without an `accent` (`#rrggbb`) it has our colour."""

    name: str
    accent: str | None = None
    logo: Logo | None = None


@dataclass(frozen=True, slots=True)
class Colleague:
    """A member as the others see them."""

    user_id: uuid.UUID
    name: str
    email: str
    role: Role
    joined_at: datetime
