"""The cast and their things, as plain functions that write rows."""

import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.api_keys import API_KEY_PREFIX
from app.accounts.models import ApiKey, Membership, Role, Scope, User, UserSession, Workspace
from app.foundation import clock
from app.foundation.database import Database, enter_workspace
from app.foundation.settings import Settings
from app.foundation.tokens import digest, mint, new_id, random_text


@dataclass(frozen=True, slots=True)
class Player:
    """A user with a live browser session."""

    user_id: uuid.UUID
    email: str
    session_token: str


@dataclass(frozen=True, slots=True)
class Cast:
    """Two workspaces and who is in them."""

    acme: uuid.UUID
    globex: uuid.UUID
    alice: Player
    mona: Player
    bob: Player
    charlie: Player
    acme_key: str
    acme_read_key: str
    globex_key: str


async def make_cast(database: Database, settings: Settings) -> Cast:
    """Alice owns Acme, Mona manages it, Bob views it; Charlie owns Globex."""
    async with database.transaction() as session:
        acme = await make_workspace(session, "Acme")
        globex = await make_workspace(session, "Globex")
        alice = await make_player(session, settings, acme, "alice@acme.example", Role.OWNER)
        mona = await make_player(session, settings, acme, "mona@acme.example", Role.MANAGER)
        bob = await make_player(session, settings, acme, "bob@acme.example", Role.VIEWER)
        charlie = await make_player(session, settings, globex, "charlie@globex.example", Role.OWNER)
        everything = list(Scope)
        acme_key = await make_api_key(session, settings, acme, everything)
        acme_read_key = await make_api_key(session, settings, acme, [Scope.READ])
        globex_key = await make_api_key(session, settings, globex, everything)
    return Cast(acme, globex, alice, mona, bob, charlie, acme_key, acme_read_key, globex_key)


async def make_workspace(
    session: AsyncSession, name: str, time_zone: str = "Asia/Tokyo", locale: str = "en"
) -> uuid.UUID:
    workspace = Workspace(
        id=new_id(),
        name=name,
        time_zone=time_zone,
        locale=locale,
        created_at=clock.now(),
    )
    session.add(workspace)
    await session.flush()
    return workspace.id


async def make_player(
    session: AsyncSession,
    settings: Settings,
    workspace_id: uuid.UUID,
    email: str,
    role: Role,
    locale: str = "en",
) -> Player:
    """A member with a browser session; no password, since hashing one is slow by design."""
    user = User(
        id=new_id(),
        email=email,
        name=email.partition("@")[0].title(),
        locale=locale,
        created_at=clock.now(),
    )
    token = random_text(43)
    session.add(user)
    await session.flush()
    session.add_all(
        [
            Membership(
                workspace_id=workspace_id, user_id=user.id, role=role, created_at=clock.now()
            ),
            UserSession(
                user_id=user.id,
                token_hash=digest(settings.secret_key, token),
                created_at=clock.now(),
                last_seen_at=clock.now(),
                expires_at=clock.now() + timedelta(days=7),
            ),
        ]
    )
    await session.flush()
    return Player(user.id, email, token)


async def make_api_key(
    session: AsyncSession, settings: Settings, workspace_id: uuid.UUID, scopes: list[Scope]
) -> str:
    """A key to the workspace's API, as its holder knows it."""
    await enter_workspace(session, workspace_id)
    token = mint(API_KEY_PREFIX, workspace_id)
    session.add(
        ApiKey(
            workspace_id=workspace_id,
            name="test",
            hint=token[-4:],
            token_hash=digest(settings.secret_key, token),
            scopes=[scope.value for scope in scopes],
            created_at=clock.now(),
        )
    )
    await session.flush()
    return token
