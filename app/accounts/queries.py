"""Questions about people, workspaces and keys."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import bindparam, exists, func, select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import (
    ApiKey,
    LinkPurpose,
    MemberInvitation,
    Membership,
    Role,
    Scope,
    SignInLink,
    User,
    UserSession,
    Workspace,
)
from app.accounts.schemas import ApiCaller, Colleague
from app.foundation import clock
from app.foundation.errors import Gone, NotFound
from app.foundation.paging import (
    Page,
    decode_cursor,
    encode_cursor,
    id_in_cursor,
    moment_in_cursor,
)
from app.foundation.questions import Executor
from app.foundation.translation import mark

SPENT_LINK = mark("This link was used already or is too old. Ask for a new one.")


async def unscoped_find_session(
    session: AsyncSession, token_hash: bytes, idle_since: datetime
) -> tuple[UserSession, User] | None:
    """The live browser session with that token, used after `idle_since`, and its user."""
    row = (
        await session.execute(
            select(UserSession, User)
            .join(User, User.id == UserSession.user_id)
            .where(
                UserSession.token_hash == token_hash,
                UserSession.expires_at > clock.now(),
                UserSession.last_seen_at > idle_since,
            )
        )
    ).one_or_none()
    return None if row is None else (row[0], row[1])


async def unscoped_get_membership(
    session: AsyncSession, user_id: uuid.UUID, workspace_id: uuid.UUID
) -> tuple[Workspace, Role]:
    """The workspace and the user's role in it; NotFound for outsiders, as for no workspace."""
    row = (
        await session.execute(
            select(Workspace, Membership.role)
            .join(Membership, Membership.workspace_id == Workspace.id)
            .where(
                Workspace.id == workspace_id,
                Workspace.deleted_at.is_(None),
                Membership.user_id == user_id,
            )
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return row[0], Role(row[1])


async def unscoped_list_workspaces_of(
    session: AsyncSession, user_id: uuid.UUID
) -> Sequence[Workspace]:
    """The workspaces a user belongs to, by name."""
    return (
        await session.scalars(
            select(Workspace)
            .join(Membership, Membership.workspace_id == Workspace.id)
            .where(Membership.user_id == user_id, Workspace.deleted_at.is_(None))
            .order_by(Workspace.name, Workspace.id)
        )
    ).all()


async def unscoped_list_workspaces(session: AsyncSession) -> Sequence[Workspace]:
    """All workspaces of this installation, by name."""
    return (await session.scalars(select(Workspace).order_by(Workspace.name, Workspace.id))).all()


async def get_workspace(session: AsyncSession, workspace_id: uuid.UUID) -> Workspace:
    workspace = await session.get(Workspace, workspace_id)
    if workspace is None:
        raise NotFound
    return workspace


_KEY = (
    select(ApiKey.id, ApiKey.scopes, ApiKey.expires_at, ApiKey.last_used_on, Workspace.time_zone)
    .join(Workspace, Workspace.id == ApiKey.workspace_id)
    .where(
        ApiKey.workspace_id == bindparam("workspace_id"),
        ApiKey.token_hash == bindparam("token_hash"),
        ApiKey.revoked_at.is_(None),
        Workspace.deleted_at.is_(None),
    )
)
_KEY_IS_USED = text(
    "UPDATE api_keys SET last_used_on = :today WHERE workspace_id = :workspace_id AND id = :id"
)


async def find_caller(
    executor: Executor, workspace_id: uuid.UUID, token_hash: bytes
) -> ApiCaller | None:
    """Whose key has that hash, where it is neither revoked nor expired; notes the day."""
    where = {"workspace_id": workspace_id, "token_hash": token_hash}
    key = next(iter(await executor.execute(_KEY, where)), None)
    if key is None or (key.expires_at is not None and key.expires_at <= clock.now()):
        return None
    today = clock.today(key.time_zone)
    if key.last_used_on != today:
        used = {"workspace_id": workspace_id, "id": key.id, "today": today}
        await executor.execute(_KEY_IS_USED, used)
    scopes = frozenset(Scope(scope) for scope in key.scopes)
    return ApiCaller(workspace_id, key.time_zone, key.id, scopes)


async def unscoped_has_users(session: AsyncSession) -> bool:
    """Whether anybody has an account on this installation."""
    return bool(await session.scalar(select(exists().select_from(User))))


async def unscoped_find_user_by_email(session: AsyncSession, email: str) -> User | None:
    """The person with that address, given as `clean_email` writes it."""
    return await session.scalar(select(User).where(User.email == email))


async def unscoped_find_sign_in_link(session: AsyncSession, token_hash: bytes) -> SignInLink | None:
    """The link with that token, where it still works."""
    return await session.scalar(
        select(SignInLink).where(
            SignInLink.token_hash == token_hash, SignInLink.expires_at > clock.now()
        )
    )


async def unscoped_get_user_of_link(
    session: AsyncSession, token_hash: bytes, purpose: LinkPurpose
) -> User:
    """Whom a working link is for; Gone for any other token."""
    user = await session.scalar(
        select(User)
        .join(SignInLink, SignInLink.user_id == User.id)
        .where(
            SignInLink.token_hash == token_hash,
            SignInLink.purpose == purpose,
            SignInLink.expires_at > clock.now(),
        )
    )
    if user is None:
        raise Gone(SPENT_LINK)
    return user


async def unscoped_list_sessions_of(
    session: AsyncSession, user_id: uuid.UUID, idle_since: datetime
) -> Sequence[UserSession]:
    """The browsers a person is signed in with, the one used last first."""
    return (
        await session.scalars(
            select(UserSession)
            .where(
                UserSession.user_id == user_id,
                UserSession.expires_at > clock.now(),
                UserSession.last_seen_at > idle_since,
            )
            .order_by(UserSession.last_seen_at.desc(), UserSession.id)
        )
    ).all()


async def list_members(session: AsyncSession, workspace_id: uuid.UUID) -> Sequence[Colleague]:
    """Everybody who belongs to the workspace, by name."""
    rows = await session.execute(
        select(User, Membership.role, Membership.created_at)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.workspace_id == workspace_id)
        .order_by(func.lower(User.name), User.id)
    )
    return [
        Colleague(user.id, user.name, user.email, Role(role), joined_at)
        for user, role, joined_at in rows
    ]


async def get_member(
    session: AsyncSession, workspace_id: uuid.UUID, user_id: uuid.UUID
) -> Colleague:
    """One member of the workspace; NotFound for anybody else."""
    row = (
        await session.execute(
            select(User, Membership.role, Membership.created_at)
            .join(Membership, Membership.user_id == User.id)
            .where(Membership.workspace_id == workspace_id, User.id == user_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    user, role, joined_at = row
    return Colleague(user.id, user.name, user.email, Role(role), joined_at)


async def list_open_invitations(
    session: AsyncSession, workspace_id: uuid.UUID
) -> Sequence[MemberInvitation]:
    """Offers of membership that can still be taken up, newest first."""
    return (
        await session.scalars(
            select(MemberInvitation)
            .where(
                MemberInvitation.workspace_id == workspace_id,
                MemberInvitation.accepted_at.is_(None),
                MemberInvitation.revoked_at.is_(None),
                MemberInvitation.expires_at > clock.now(),
            )
            .order_by(MemberInvitation.created_at.desc(), MemberInvitation.id)
        )
    ).all()


async def get_open_invitation(
    session: AsyncSession, workspace_id: uuid.UUID, token_hash: bytes
) -> MemberInvitation:
    """The offer behind a token, where it can still be taken up; Gone for any other."""
    invitation = await session.scalar(
        select(MemberInvitation).where(
            MemberInvitation.workspace_id == workspace_id,
            MemberInvitation.token_hash == token_hash,
            MemberInvitation.accepted_at.is_(None),
            MemberInvitation.revoked_at.is_(None),
            MemberInvitation.expires_at > clock.now(),
        )
    )
    if invitation is None:
        raise Gone(SPENT_LINK)
    return invitation


async def get_api_key(session: AsyncSession, workspace_id: uuid.UUID, key_id: uuid.UUID) -> ApiKey:
    """The key, living or not; NotFound where the workspace has none with that id."""
    key = await session.scalar(
        select(ApiKey).where(ApiKey.workspace_id == workspace_id, ApiKey.id == key_id)
    )
    if key is None:
        raise NotFound
    return key


async def list_api_keys(
    session: AsyncSession, workspace_id: uuid.UUID, limit: int, cursor: str | None = None
) -> Page[ApiKey]:
    """Keys that were not revoked, newest first; Invalid for a cursor that is not ours."""
    query = select(ApiKey).where(ApiKey.workspace_id == workspace_id, ApiKey.revoked_at.is_(None))
    if cursor is not None:
        query = query.where(tuple_(ApiKey.created_at, ApiKey.id) < tuple_(*_read_cursor(cursor)))
    query = query.order_by(ApiKey.created_at.desc(), ApiKey.id.desc()).limit(limit + 1)
    keys = (await session.scalars(query)).all()
    shown = keys[:limit]
    after = _moment_cursor(shown[-1].created_at, shown[-1].id) if len(keys) > limit else None
    return Page(shown, after)


def _moment_cursor(moment: datetime, row_id: uuid.UUID) -> str:
    return encode_cursor(moment.isoformat(), str(row_id))


def _read_cursor(cursor: str) -> tuple[datetime, uuid.UUID]:
    moment, row_id = decode_cursor(cursor, 2)
    return moment_in_cursor(moment), id_in_cursor(row_id)
