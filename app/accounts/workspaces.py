"""Verbs about workspaces: making one, its owner, its settings, and the very first start."""

import hmac
import uuid
from functools import cache
from zoneinfo import available_timezones

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.models import Membership, Role, User, Workspace
from app.accounts.people import (
    NAME_MAX_LENGTH,
    check_all,
    clean_email,
    clean_locale,
    clean_person,
    clean_text,
    create_user,
    refused,
)
from app.accounts.queries import (
    get_workspace,
    unscoped_find_user_by_email,
    unscoped_has_users,
)
from app.accounts.schemas import SYSTEM, Actor
from app.foundation import clock
from app.foundation.database import enter_workspace
from app.foundation.errors import NotFound
from app.foundation.settings import Settings
from app.foundation.tokens import derive, new_id
from app.foundation.translation import mark

FIRST_RUN_LOCK = 0x486F6E6E65  # "Honne"


def first_run_token(settings: Settings) -> str:
    """What the console prints at the first start: proof that one runs this server."""
    return derive(settings.secret_key, "first run")[:20]


async def create_first_workspace(
    session: AsyncSession,
    settings: Settings,
    *,
    token: str,
    workspace_name: str,
    time_zone: str,
    name: str,
    email: str,
    password: str,
    locale: str,
) -> tuple[Workspace, User]:
    """The first workspace and its owner; NotFound as soon as anybody has an account."""
    await session.execute(select(func.pg_advisory_xact_lock(FIRST_RUN_LOCK)))
    if await unscoped_has_users(session):
        raise NotFound
    if not hmac.compare_digest(
        token.strip().encode("utf-8", "surrogatepass"), first_run_token(settings).encode()
    ):
        raise refused("token", mark("This is not the token that the console shows."))
    # All is checked before anything is written: the page shows the faults and the form again.
    check_all(
        lambda: clean_text("workspace_name", workspace_name, NAME_MAX_LENGTH),
        lambda: clean_time_zone(time_zone),
        lambda: clean_person(name, email, password),
    )
    user = await create_user(session, name=name, email=email, password=password, locale=locale)
    workspace = await create_workspace(session, workspace_name, time_zone, locale)
    await _make_owner(session, workspace.id, user)
    return workspace, user


async def create_workspace(
    session: AsyncSession,
    name: str,
    time_zone: str,
    locale: str,
    is_demo: bool = False,
    actor: Actor = SYSTEM,
) -> Workspace:
    """A new workspace without members; the transaction has entered it afterwards."""
    workspace = Workspace(
        id=new_id(),
        name=clean_text("name", name, NAME_MAX_LENGTH),
        time_zone=clean_time_zone(time_zone),
        locale=clean_locale(locale),
        is_demo=is_demo,
        created_at=clock.now(),
    )
    session.add(workspace)
    await session.flush()
    await enter_workspace(session, workspace.id)
    record_event(session, workspace.id, actor, "workspace.created", workspace.id)
    await session.flush()
    return workspace


async def create_owner(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    *,
    name: str,
    email: str,
    password: str | None,
    locale: str,
) -> User:
    """An owner of the workspace: a new person, or the one who has that address already.

    Somebody who has an account keeps their name and password.
    """
    await get_workspace(session, workspace_id)
    await enter_workspace(session, workspace_id)
    user = await unscoped_find_user_by_email(session, clean_email(email))
    if user is None:
        user = await create_user(session, name=name, email=email, password=password, locale=locale)
    await _make_owner(session, workspace_id, user)
    return user


async def _make_owner(session: AsyncSession, workspace_id: uuid.UUID, user: User) -> None:
    await session.execute(
        insert(Membership)
        .values(workspace_id=workspace_id, user_id=user.id, role=Role.OWNER, created_at=clock.now())
        .on_conflict_do_update(
            index_elements=[Membership.workspace_id, Membership.user_id],
            set_={"role": Role.OWNER},
        )
    )
    record_event(session, workspace_id, SYSTEM, "member.added", user.id, {"role": Role.OWNER.value})
    await session.flush()


async def change_workspace(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    *,
    name: str,
    time_zone: str,
    locale: str,
) -> None:
    """New name, time zone and language. Days already stored never move."""
    check_all(
        lambda: clean_text("name", name, NAME_MAX_LENGTH),
        lambda: clean_time_zone(time_zone),
        lambda: clean_locale(locale),
    )
    values = {"name": name.strip(), "time_zone": time_zone, "locale": locale}
    await session.execute(update(Workspace).where(Workspace.id == workspace_id).values(values))
    record_event(session, workspace_id, actor, "workspace.changed", workspace_id, values)
    await session.flush()


def clean_time_zone(time_zone: str) -> str:
    """An IANA zone name; Invalid for anything else."""
    if time_zone not in list_time_zones():
        raise refused("time_zone", mark("Choose a time zone from the list, such as Asia/Tokyo."))
    return time_zone


@cache
def list_time_zones() -> tuple[str, ...]:
    """The IANA zones people choose from: UTC and the cities."""
    return (
        "UTC",
        *sorted(
            zone
            for zone in available_timezones()
            if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/", "SystemV/"))
        ),
    )
