"""Verbs about signing in and out with a password: browser sessions start and end."""

import uuid
from collections.abc import Mapping
from datetime import timedelta

from sqlalchemy import ColumnElement, delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.models import User, UserSession
from app.accounts.passwords import password_matches
from app.accounts.people import clean_email
from app.accounts.queries import unscoped_find_user_by_email, unscoped_list_workspaces_of
from app.accounts.schemas import Actor
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.errors import Invalid
from app.foundation.settings import Settings
from app.foundation.tokens import digest, random_text

SESSION_LIFE = timedelta(days=7)
SESSION_TOKEN_LENGTH = 43  # 256 bits


async def find_user_by_password(database: Database, email: str, password: str) -> User | None:
    """The person whose address and password these are. Takes the same time whoever is asked for.

    Reads in a transaction of its own, which is over before the password is hashed: many people
    signing in must not sit on all the connections.
    """
    async with database.transaction() as session:
        user = await _find_user(session, email)
    matches = await password_matches(user.password_hash if user else None, password)
    return user if matches else None


async def _find_user(session: AsyncSession, email: str) -> User | None:
    try:
        return await unscoped_find_user_by_email(session, clean_email(email))
    except Invalid:
        return None


async def start_session(
    session: AsyncSession, settings: Settings, user: User, previous_token: str | None = None
) -> str:
    """A new browser session for a person; returns its token, which is stored only hashed.

    The session this browser had before ends, so that a token never outlives a sign-in.
    """
    if previous_token:
        await _delete_session(session, settings, previous_token)
    now = clock.now()
    token = random_text(SESSION_TOKEN_LENGTH)
    session.add(
        UserSession(
            user_id=user.id,
            token_hash=digest(settings.secret_key, token),
            created_at=now,
            last_seen_at=now,
            expires_at=now + SESSION_LIFE,
        )
    )
    await record_in_each_workspace(session, user.id, "session.started")
    return token


async def end_session_with_token(session: AsyncSession, settings: Settings, token: str) -> None:
    """Sign one browser out; nothing happens where its session has ended already."""
    user_id = await _delete_session(session, settings, token)
    if user_id is not None:
        await record_in_each_workspace(session, user_id, "session.ended")


async def _delete_session(
    session: AsyncSession, settings: Settings, token: str
) -> uuid.UUID | None:
    """Whose session it was; None where there is none with that token."""
    token_hash = digest(settings.secret_key, token)
    return await session.scalar(
        delete(UserSession)
        .where(UserSession.token_hash == token_hash)
        .returning(UserSession.user_id)
    )


async def end_session(session: AsyncSession, user_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """Sign out one browser of a person; nothing happens where it is not theirs."""
    await _revoke_sessions(session, user_id, UserSession.id == session_id)


async def end_other_sessions(session: AsyncSession, user_id: uuid.UUID, kept: uuid.UUID) -> None:
    """Sign a person out everywhere but in one browser."""
    await _revoke_sessions(session, user_id, UserSession.id != kept)


async def _revoke_sessions(
    session: AsyncSession, user_id: uuid.UUID, which: ColumnElement[bool]
) -> None:
    revoked = await session.scalars(
        delete(UserSession).where(UserSession.user_id == user_id, which).returning(UserSession.id)
    )
    if number := len(revoked.all()):
        await record_in_each_workspace(session, user_id, "session.revoked", {"browsers": number})


async def record_in_each_workspace(
    session: AsyncSession,
    user_id: uuid.UUID,
    action: str,
    details: Mapping[str, int] | None = None,
    actor: Actor | None = None,
) -> None:
    """Note what was done with a person's account, by themselves unless an `actor` is given, in the
    log of each workspace they belong to."""
    by = actor or Actor("user", user_id)
    for workspace in await unscoped_list_workspaces_of(session, user_id):
        record_event(session, workspace.id, by, action, user_id, details)
