"""Verbs about signing in and out: browser sessions, and links that stand in for a password once."""

import uuid
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.models import LinkPurpose, SignInLink, User, UserSession
from app.accounts.passwords import password_matches
from app.accounts.people import clean_email, clean_password, set_password
from app.accounts.queries import (
    SPENT_LINK,
    unscoped_find_user_by_email,
    unscoped_get_user_of_link,
    unscoped_list_workspaces_of,
)
from app.accounts.schemas import Actor
from app.foundation import clock
from app.foundation.database import enter_workspace
from app.foundation.errors import Gone, Invalid
from app.foundation.settings import Settings
from app.foundation.tokens import digest, random_text

SESSION_LIFE = timedelta(days=7)
SESSION_TOKEN_LENGTH = 43  # 256 bits
LINK_LIFE = timedelta(hours=1)
PATH_MAX_LENGTH = 2_000


async def find_user_by_password(session: AsyncSession, email: str, password: str) -> User | None:
    """The person whose address and password these are. Takes the same time whoever is asked for."""
    try:
        user = await unscoped_find_user_by_email(session, clean_email(email))
    except Invalid:
        user = None
    matches = await password_matches(user.password_hash if user else None, password)
    return user if matches else None


async def start_session(
    session: AsyncSession, settings: Settings, user: User, previous_token: str | None = None
) -> str:
    """A new browser session for a person; returns its token, which is stored only hashed.

    The session this browser had before ends, so that a token never outlives a sign-in.
    """
    if previous_token:
        await end_session_with_token(session, settings, previous_token)
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
    await _record_in_each_workspace(session, user.id, "session.started")
    return token


async def end_session_with_token(session: AsyncSession, settings: Settings, token: str) -> None:
    """Sign one browser out."""
    token_hash = digest(settings.secret_key, token)
    await session.execute(delete(UserSession).where(UserSession.token_hash == token_hash))


async def end_session(session: AsyncSession, user_id: uuid.UUID, session_id: uuid.UUID) -> None:
    """Sign out one browser of a person; nothing happens where it is not theirs."""
    await session.execute(
        delete(UserSession).where(UserSession.user_id == user_id, UserSession.id == session_id)
    )


async def end_other_sessions(session: AsyncSession, user_id: uuid.UUID, kept: uuid.UUID) -> None:
    """Sign a person out everywhere but in one browser."""
    await session.execute(
        delete(UserSession).where(UserSession.user_id == user_id, UserSession.id != kept)
    )


async def make_sign_in_link(
    session: AsyncSession,
    settings: Settings,
    user: User,
    next_path: str = "/",
    purpose: LinkPurpose = LinkPurpose.SIGN_IN,
    lifetime: timedelta = LINK_LIFE,
) -> str:
    """The address of a link, good once, that signs `user` in or lets them set a password."""
    token = random_text(SESSION_TOKEN_LENGTH)
    session.add(
        SignInLink(
            token_hash=digest(settings.secret_key, token),
            user_id=user.id,
            purpose=purpose,
            next_path=local_path(next_path),
            expires_at=clock.now() + lifetime,
        )
    )
    await session.flush()
    return f"{settings.public_url}/sign-in/links/{token}"


async def revoke_sign_in_links(
    session: AsyncSession, user_id: uuid.UUID, purpose: LinkPurpose | None = None
) -> None:
    """Make a person's links useless, all of them or those of one purpose."""
    links = delete(SignInLink).where(SignInLink.user_id == user_id)
    if purpose is not None:
        links = links.where(SignInLink.purpose == purpose)
    await session.execute(links)


async def use_sign_in_link(
    session: AsyncSession, settings: Settings, token: str
) -> tuple[User, str]:
    """Use a link up: the person to sign in, and where to lead them; Gone for a spent one."""
    return await _use_link(session, settings, token, LinkPurpose.SIGN_IN)


async def reset_password(
    session: AsyncSession, settings: Settings, token: str, password: str
) -> User:
    """Set a new password through a link, which is then spent; Invalid leaves the link good."""
    user = await unscoped_get_user_of_link(
        session, digest(settings.secret_key, token), LinkPurpose.RESET_PASSWORD
    )
    clean_password(password, (user.name, user.email))
    await _use_link(session, settings, token, LinkPurpose.RESET_PASSWORD)
    await set_password(session, user, password)
    await _record_in_each_workspace(session, user.id, "password.reset")
    return user


async def record_password_change(session: AsyncSession, user_id: uuid.UUID) -> None:
    """Note in each of the person's workspaces that they changed their password."""
    await _record_in_each_workspace(session, user_id, "password.changed")


async def purge_expired(session: AsyncSession) -> None:
    """Delete sessions and links that can no longer be used."""
    await session.execute(delete(UserSession).where(UserSession.expires_at <= clock.now()))
    await session.execute(delete(SignInLink).where(SignInLink.expires_at <= clock.now()))


def local_path(path: str) -> str:
    """`path` where it leads to a page of ours; `/` for anything a browser could take elsewhere."""
    if len(path) > PATH_MAX_LENGTH or not path.startswith("/") or path.startswith("//"):
        return "/"
    # Browsers read a backslash as a slash and drop control characters and blanks.
    if "\\" in path or not path.isprintable() or " " in path:
        return "/"
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc else path


async def _use_link(
    session: AsyncSession, settings: Settings, token: str, purpose: LinkPurpose
) -> tuple[User, str]:
    # One statement decides a race between two clicks: only one of them deletes the row.
    used = (
        await session.execute(
            delete(SignInLink)
            .where(
                SignInLink.token_hash == digest(settings.secret_key, token),
                SignInLink.purpose == purpose,
                SignInLink.expires_at > clock.now(),
            )
            .returning(SignInLink.user_id, SignInLink.next_path)
        )
    ).one_or_none()
    if used is None:
        raise Gone(SPENT_LINK)
    return await session.get_one(User, used.user_id), used.next_path


async def _record_in_each_workspace(session: AsyncSession, user_id: uuid.UUID, action: str) -> None:
    for workspace in await unscoped_list_workspaces_of(session, user_id):
        await enter_workspace(session, workspace.id)
        record_event(session, workspace.id, Actor("user", user_id), action, user_id)
        await session.flush()
