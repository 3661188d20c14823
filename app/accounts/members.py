"""Verbs about who belongs to a workspace: offering membership by link, roles, leaving."""

import uuid
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.models import MemberInvitation, Membership, Role, User, Workspace
from app.accounts.people import refused
from app.accounts.queries import SPENT_LINK
from app.accounts.schemas import Actor
from app.foundation import clock
from app.foundation.errors import Conflict, Gone, NotFound
from app.foundation.settings import Settings
from app.foundation.tokens import digest, mint, new_id
from app.foundation.translation import mark

INVITATION_PREFIX = "hn_join_"
INVITATION_LIFE = timedelta(days=7)


async def invite_member(
    session: AsyncSession, settings: Settings, workspace_id: uuid.UUID, actor: Actor, role: str
) -> str:
    """The address of a link, good once within seven days, that makes its opener a member.

    It cannot be shown again: only its hash is stored.
    """
    token = mint(INVITATION_PREFIX, workspace_id)
    now = clock.now()
    invitation = MemberInvitation(
        workspace_id=workspace_id,
        id=new_id(),
        role=clean_role(role),
        token_hash=digest(settings.secret_key, token),
        invited_by=actor.id if actor.kind == "user" else None,
        created_at=now,
        expires_at=now + INVITATION_LIFE,
    )
    session.add(invitation)
    record_event(session, workspace_id, actor, "invitation.created", invitation.id, {"role": role})
    await session.flush()
    return f"{settings.public_url}/join/{token}"


async def revoke_invitation(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, invitation_id: uuid.UUID
) -> None:
    """Make an open invitation useless; NotFound where the workspace has no such open one."""
    revoked = await session.scalar(
        update(MemberInvitation)
        .where(
            MemberInvitation.workspace_id == workspace_id,
            MemberInvitation.id == invitation_id,
            MemberInvitation.accepted_at.is_(None),
            MemberInvitation.revoked_at.is_(None),
        )
        .values(revoked_at=clock.now())
        .returning(MemberInvitation.id)
    )
    if revoked is None:
        raise NotFound
    record_event(session, workspace_id, actor, "invitation.revoked", invitation_id)
    await session.flush()


async def accept_invitation(
    session: AsyncSession, settings: Settings, workspace_id: uuid.UUID, token: str, user: User
) -> None:
    """Make `user` a member with the role offered. Gone for a spent link; Conflict for a member,
    whose link stays good for somebody else. The transaction has entered the workspace."""
    # Before the invitation, as a deletion locks them: the other way round the two could deadlock.
    standing = select(Workspace.id).where(
        Workspace.id == workspace_id, Workspace.deleted_at.is_(None)
    )
    if await session.scalar(standing.with_for_update(read=True, key_share=True)) is None:
        raise Gone(SPENT_LINK)
    # One statement decides a race between two people with the same link.
    role = await session.scalar(
        update(MemberInvitation)
        .where(
            MemberInvitation.workspace_id == workspace_id,
            MemberInvitation.token_hash == digest(settings.secret_key, token),
            MemberInvitation.accepted_at.is_(None),
            MemberInvitation.revoked_at.is_(None),
            MemberInvitation.expires_at > clock.now(),
        )
        .values(accepted_at=clock.now())
        .returning(MemberInvitation.role)
    )
    if role is None:
        raise Gone(SPENT_LINK)
    joined = await session.scalar(
        insert(Membership)
        .values(workspace_id=workspace_id, user_id=user.id, role=role, created_at=clock.now())
        .on_conflict_do_nothing(index_elements=[Membership.workspace_id, Membership.user_id])
        .returning(Membership.user_id)
    )
    if joined is None:
        raise Conflict(mark("You belong to this workspace already."))
    actor = Actor("user", user.id)
    record_event(session, workspace_id, actor, "member.joined", user.id, {"role": role})
    await session.flush()


async def change_role(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, user_id: uuid.UUID, role: str
) -> None:
    """Give a member another role; Conflict where the workspace would be left without an owner."""
    new = clean_role(role)
    before = await _lock_member(session, workspace_id, user_id)
    if new is before:
        return
    if new is not Role.OWNER:
        await _require_other_owner(session, workspace_id, user_id)
    await session.execute(
        update(Membership)
        .where(Membership.workspace_id == workspace_id, Membership.user_id == user_id)
        .values(role=new)
    )
    details = {"from": before.value, "to": new.value}
    record_event(session, workspace_id, actor, "member.role_changed", user_id, details)
    await session.flush()


async def remove_member(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, user_id: uuid.UUID
) -> None:
    """End a membership, one's own too; Conflict for the last owner. The account itself stays."""
    role = await _lock_member(session, workspace_id, user_id)
    await _require_other_owner(session, workspace_id, user_id)
    await session.execute(
        delete(Membership).where(
            Membership.workspace_id == workspace_id, Membership.user_id == user_id
        )
    )
    action = "member.left" if actor == Actor("user", user_id) else "member.removed"
    record_event(session, workspace_id, actor, action, user_id, {"role": role.value})
    await session.flush()


def clean_role(role: str) -> Role:
    try:
        return Role(role)
    except ValueError:
        raise refused("role", mark("Choose one of the roles offered.")) from None


async def _lock_member(session: AsyncSession, workspace_id: uuid.UUID, user_id: uuid.UUID) -> Role:
    """The member's role. Locks all owners first, in one order, so that two owners who demote each
    other at the same moment do so one after the other."""
    await session.execute(
        select(Membership.user_id)
        .where(Membership.workspace_id == workspace_id, Membership.role == Role.OWNER)
        .order_by(Membership.user_id)
        .with_for_update()
    )
    role = await session.scalar(
        select(Membership.role).where(
            Membership.workspace_id == workspace_id, Membership.user_id == user_id
        )
    )
    if role is None:
        raise NotFound
    return Role(role)


async def _require_other_owner(
    session: AsyncSession, workspace_id: uuid.UUID, user_id: uuid.UUID
) -> None:
    owners = await session.scalars(
        select(Membership.user_id).where(
            Membership.workspace_id == workspace_id, Membership.role == Role.OWNER
        )
    )
    if set(owners) == {user_id}:
        raise Conflict(mark("A workspace needs an owner: make somebody else an owner first."))
