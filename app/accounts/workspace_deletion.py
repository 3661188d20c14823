"""Deleting a workspace as a whole: its doors close at once, its rows go bit by bit.

A workspace may hold millions of answers, more than one request can delete. So the owner's request
marks it and takes away whatever leads into it, and a job deletes the rows in batches; where it is
stopped, the next round goes on. Other features' tables are found by walking the schema: whatever
has a `workspace_id` belongs to the workspace.
"""

import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CursorResult, Table, delete, exists, func, select, text, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import ApiKey, MemberInvitation, Membership, User, Workspace
from app.accounts.people import refused
from app.foundation import clock
from app.foundation.database import Base, Database
from app.foundation.errors import Conflict, NotFound
from app.foundation.translation import mark

FIRST_BATCH = 100  # rows
LARGEST_BATCH = 10_000
# For each row that others refer to without an index, Postgres looks through what is left of those:
# 27 ms where 600,000 answers had just been deleted.
_LONGER = text("SET LOCAL statement_timeout = '10min'")
# Led to by hand: global look-ups, without row-level security.
_DOORS = ("links", "memberships")


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes with a workspace; `accounts` are those of people who belong to no other."""

    surveys: int
    answers: int
    members: int
    accounts: int
    api_keys: int


async def count_contents(session: AsyncSession, workspace_id: uuid.UUID) -> Contents:
    """What the workspace holds now."""
    members = await _list_member_ids(session, workspace_id)
    elsewhere = await session.scalars(
        select(Membership.user_id)
        .distinct()
        .where(Membership.user_id.in_(members), Membership.workspace_id != workspace_id)
    )
    keys = Base.metadata.tables[ApiKey.__tablename__]
    return Contents(
        surveys=await _count(session, workspace_id, Base.metadata.tables["surveys"]),
        answers=await _count(session, workspace_id, Base.metadata.tables["responses"]),
        members=len(members),
        accounts=len(members) - len(elsewhere.all()),
        api_keys=await _count(session, workspace_id, keys, ApiKey.revoked_at.is_(None)),
    )


async def delete_workspace(
    session: AsyncSession, workspace_id: uuid.UUID, typed_name: str
) -> frozenset[uuid.UUID]:
    """From the commit on nobody finds the workspace, its surveys or its links any more.

    Accounts that belong to no other workspace are deleted; returns whose. Invalid unless
    `typed_name` is the workspace's name, Conflict while one of its surveys is under legal hold.
    """
    workspace = await _lock(session, workspace_id)
    if typed_name.strip() != workspace.name:
        raise refused("name", mark("Type the name of the workspace just as it is shown."))
    await _refuse_while_held(session, workspace_id)
    workspace.deleted_at, workspace.is_demo = clock.now(), False
    await session.flush()
    # Invitations first: whoever is taking one up right now is a member when that is settled.
    await _revoke_all(session, workspace_id)
    members = await _list_member_ids(session, workspace_id)
    for name in _DOORS:
        table = Base.metadata.tables[name]
        await session.execute(delete(table).where(table.c.workspace_id == workspace_id))
    return await _delete_accounts_without_workspace(session, members)


async def delete_marked_workspaces(database: Database) -> int:
    """Delete what is left of workspaces whose owner deleted them; returns how many rows went."""
    async with database.transaction() as session:
        marked = select(Workspace.id).where(Workspace.deleted_at.is_not(None))
        workspace_ids = (await session.scalars(marked.order_by(Workspace.id))).all()
    return sum([await _delete_rows(database, workspace_id) for workspace_id in workspace_ids])


async def _lock(session: AsyncSession, workspace_id: uuid.UUID) -> Workspace:
    workspace = await session.scalar(
        select(Workspace)
        .where(Workspace.id == workspace_id, Workspace.deleted_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if workspace is None:
        raise NotFound
    return workspace


async def _refuse_while_held(session: AsyncSession, workspace_id: uuid.UUID) -> None:
    surveys = Base.metadata.tables["surveys"]
    # Held until the end of this transaction, so that no hold begins meanwhile.
    held = await session.execute(
        select(surveys.c.held_since)
        .where(surveys.c.workspace_id == workspace_id)
        .order_by(surveys.c.id)
        .with_for_update(key_share=True)
    )
    if any(since is not None for (since,) in held):
        raise Conflict(
            mark("A survey of this workspace is under legal hold. End the hold first, if you may.")
        )


async def _revoke_all(session: AsyncSession, workspace_id: uuid.UUID) -> None:
    """What opens the workspace from elsewhere no longer does; the rows go with the others."""
    now = clock.now()
    for keys in (ApiKey, MemberInvitation):
        await session.execute(
            update(keys)
            .where(keys.workspace_id == workspace_id, keys.revoked_at.is_(None))
            .values(revoked_at=now)
            .execution_options(synchronize_session=False)
        )


async def _list_member_ids(session: AsyncSession, workspace_id: uuid.UUID) -> Sequence[uuid.UUID]:
    found = select(Membership.user_id).where(Membership.workspace_id == workspace_id)
    return (await session.scalars(found.order_by(Membership.user_id))).all()


async def _delete_accounts_without_workspace(
    session: AsyncSession, user_ids: Sequence[uuid.UUID]
) -> frozenset[uuid.UUID]:
    """Their sessions and sign-in links go with them."""
    # Locked first: somebody may be joining another workspace at this very moment, and is looked
    # at again once that is settled.
    await session.execute(
        select(User.id).where(User.id.in_(user_ids)).order_by(User.id).with_for_update()
    )
    deleted = await session.scalars(
        delete(User)
        .where(User.id.in_(user_ids), ~exists().where(Membership.user_id == User.id))
        .returning(User.id)
        .execution_options(synchronize_session=False)
    )
    return frozenset(deleted)


async def _count(
    session: AsyncSession, workspace_id: uuid.UUID, table: Table, *conditions: Any
) -> int:
    rows = select(func.count()).select_from(table)
    found = await session.scalar(rows.where(table.c.workspace_id == workspace_id, *conditions))
    return found or 0


async def _delete_rows(database: Database, workspace_id: uuid.UUID) -> int:
    deleted = 0
    # Those that refer to others first.
    for table in reversed(Base.metadata.sorted_tables):
        if "workspace_id" in table.c and await _may_delete(database, table):
            deleted += await _empty_table(database, workspace_id, table)
    async with database.transaction(workspace_id) as session:
        await session.execute(_LONGER)
        # What may only be added to, such as the audit log, goes with the workspace itself.
        await session.execute(
            delete(Workspace).where(Workspace.id == workspace_id, Workspace.deleted_at.is_not(None))
        )
    return deleted + 1


async def _may_delete(database: Database, table: Table) -> bool:
    async with database.transaction() as session:
        allowed = func.has_table_privilege(table.name, "DELETE")
        return bool(await session.scalar(select(allowed)))


async def _empty_table(database: Database, workspace_id: uuid.UUID, table: Table) -> int:
    """In batches that take a second or so: nobody waits long for a lock, and little is lost when
    it is stopped."""
    deleted, size = 0, FIRST_BATCH
    while True:
        began = time.monotonic()
        gone = await _delete_batch(database, workspace_id, table, size)
        deleted += gone
        if gone < size:
            return deleted
        seconds = time.monotonic() - began
        if seconds < 1:
            size = min(size * 2, LARGEST_BATCH)
        elif seconds > 3:
            size = max(size // 2, 1)


async def _delete_batch(
    database: Database, workspace_id: uuid.UUID, table: Table, size: int
) -> int:
    some = table.alias()
    keys = (
        select(*some.primary_key)
        .where(some.c.workspace_id == workspace_id)
        .order_by(*some.primary_key)
        .limit(size)
    )
    statement = delete(table).where(
        table.c.workspace_id == workspace_id, tuple_(*table.primary_key).in_(keys)
    )
    async with database.transaction(workspace_id) as session:
        await session.execute(_LONGER)
        result: CursorResult[Any] = await session.execute(statement)  # type: ignore[assignment]
        return result.rowcount
