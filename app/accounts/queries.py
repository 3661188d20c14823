"""Questions about people, workspaces and keys."""

import uuid
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import ApiKey, Membership, Role, User, UserSession, Workspace
from app.foundation import clock
from app.foundation.errors import NotFound


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
            .where(Workspace.id == workspace_id, Membership.user_id == user_id)
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
            .where(Membership.user_id == user_id)
            .order_by(Workspace.name, Workspace.id)
        )
    ).all()


async def get_workspace(session: AsyncSession, workspace_id: uuid.UUID) -> Workspace:
    workspace = await session.get(Workspace, workspace_id)
    if workspace is None:
        raise NotFound
    return workspace


async def find_api_key(
    session: AsyncSession, workspace_id: uuid.UUID, token_hash: bytes
) -> ApiKey | None:
    """The key with that hash, where it is neither revoked nor expired."""
    key = await session.scalar(
        select(ApiKey).where(
            ApiKey.workspace_id == workspace_id,
            ApiKey.token_hash == token_hash,
            ApiKey.revoked_at.is_(None),
        )
    )
    if key is None or (key.expires_at is not None and key.expires_at <= clock.now()):
        return None
    return key
