"""A few lines are shared by all look-ups: each goes on to whoever waits, none is lost or kept."""

import asyncio
from typing import cast as typed

import psycopg
import pytest
from sqlalchemy import bindparam, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import QueuePool

from app.accounts.models import Workspace
from app.foundation import line as lines
from app.foundation.database import Database
from app.foundation.errors import NotFound
from app.foundation.line import SHARED
from tests.factories import Cast

PID = text("SELECT pg_backend_pid()")
RENAME = text("UPDATE workspaces SET name = 'Other' WHERE id = :id")
WORKSPACE = select(Workspace.id, Workspace.name.label("title")).where(
    Workspace.id == bindparam("id")
)


def in_use(database: Database) -> int:
    """Connections that are taken from the pool."""
    return typed(QueuePool, database.engine.sync_engine.pool).checkedout()


async def look_up_pid(database: Database, cast: Cast, seconds: float = 0.0) -> int:
    async with database.look_up(cast.acme) as line:
        [(pid,)] = await line.execute(PID, {})
        await asyncio.sleep(seconds)
    assert isinstance(pid, int)
    return pid


async def test_many_look_ups_share_a_few_connections(database: Database, cast: Cast) -> None:
    found = await asyncio.gather(*(look_up_pid(database, cast, 0.01) for _ in range(20)))
    assert len(set(found)) == SHARED
    assert in_use(database) == 0


async def test_rows_of_a_select_have_names(database: Database, cast: Cast) -> None:
    async with database.look_up(cast.acme) as line:
        [row] = await line.execute(WORKSPACE, {"id": cast.acme})
    assert (row.id, row.title.lower()) == (cast.acme, "acme")


async def test_a_workspace_is_entered_later(database: Database, cast: Cast) -> None:
    count = text("SELECT count(*) FROM api_keys WHERE workspace_id = :id")
    async with database.look_up() as line:
        [(before,)] = await line.execute(count, {"id": cast.acme})
        line.enter(cast.acme)
        [(within,)] = await line.execute(count, {"id": cast.acme})
    assert (before, within > 0) == (0, True)


async def test_a_connection_that_died_is_not_handed_on(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    async def die() -> None:
        async with database.look_up(cast.acme) as line:
            [(pid,)] = await line.execute(PID, {})
            owner.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
            await line.execute(PID, {})

    doomed = [asyncio.create_task(die()) for _ in range(SHARED)]
    await asyncio.sleep(0)
    others = await asyncio.gather(*(look_up_pid(database, cast) for _ in range(SHARED + 2)))
    assert len(others) == SHARED + 2
    for ended in await asyncio.gather(*doomed, return_exceptions=True):
        assert isinstance(ended, OperationalError)
    assert in_use(database) == 0


async def find_nothing(database: Database, cast: Cast, pids: set[int]) -> None:
    async with database.look_up(cast.acme) as line:
        [(pid,)] = await line.execute(PID, {})
        pids.add(pid)
        await line.execute(RENAME, {"id": cast.acme})  # only put in line, and taken back
        raise NotFound


async def test_what_is_not_found_costs_no_connection(database: Database, cast: Cast) -> None:
    pids: set[int] = set()
    for _ in range(3):
        with pytest.raises(NotFound):
            await find_nothing(database, cast, pids)
    async with database.look_up(cast.acme) as line:
        [row] = await line.execute(WORKSPACE, {"id": cast.acme})
        await line.execute(RENAME, {"id": cast.acme})
    assert (row.title.lower(), len(pids)) == ("acme", 1)
    assert in_use(database) == 0


async def test_whoever_waits_too_long_is_told(
    database: Database, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "TURN_WITHIN_S", 0.05)
    held = [asyncio.create_task(look_up_pid(database, cast, 0.3)) for _ in range(SHARED)]
    await asyncio.sleep(0.05)
    with pytest.raises(TimeoutError):
        await look_up_pid(database, cast)
    assert len(set(await asyncio.gather(*held))) == SHARED
    assert await look_up_pid(database, cast)


async def test_whoever_leaves_the_queue_takes_no_turn(database: Database, cast: Cast) -> None:
    held = [asyncio.create_task(look_up_pid(database, cast, 0.1)) for _ in range(SHARED)]
    await asyncio.sleep(0.02)
    leaving = [asyncio.create_task(look_up_pid(database, cast)) for _ in range(5)]
    await asyncio.sleep(0)
    for task in leaving:
        task.cancel()
    await asyncio.gather(*held, *leaving, return_exceptions=True)
    assert all(task.cancelled() for task in leaving)
    assert in_use(database) == 0
    assert await look_up_pid(database, cast)


async def test_a_session_that_rolled_back_takes_no_statement_away(
    database: Database, cast: Cast
) -> None:
    """The driver then deallocates what it prepared itself, and everything else with it."""
    await look_up_pid(database, cast)
    for _time in range(8):  # it prepares what comes often
        async with database.transaction(cast.acme) as session:
            await session.execute(PID)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction(cast.acme):
            raise ZeroDivisionError
    assert await look_up_pid(database, cast)
