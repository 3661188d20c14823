"""What many ask at once travels together; each asker is answered, or told, for itself."""

import asyncio
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast as typed

import psycopg
import pytest
from sqlalchemy import bindparam, event, select, text
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.pool import QueuePool

from app.accounts.models import Workspace
from app.foundation import line as lines
from app.foundation import look_ups
from app.foundation.database import Database, Pool
from app.foundation.look_ups import ASKERS
from app.foundation.settings import Settings
from tests.factories import Cast

PID = text("SELECT pg_backend_pid()")
SLOW_PID = text("SELECT pg_backend_pid() FROM pg_sleep(0.2)")
MOMENT = text("SELECT now()")
HALF = text("SELECT 1 / CAST(:number AS integer)")
KEYS = text("SELECT count(*) FROM api_keys WHERE workspace_id = :id")
USE = text("UPDATE api_keys SET name = 'used' WHERE workspace_id = :id")
USED = text("SELECT count(*) FROM api_keys WHERE workspace_id = :id AND name = 'used'")
WORKSPACE = select(Workspace.id, Workspace.name.label("title")).where(
    Workspace.id == bindparam("id")
)


def in_use(database: Database) -> int:
    """Connections that are taken from the pool."""
    return typed(QueuePool, database.engine.sync_engine.pool).checkedout()


@contextmanager
def taken(database: Database) -> Iterator[list[object]]:
    """A list that grows by one for each connection that is taken from the pool."""
    found: list[object] = []

    def note(*of: object) -> None:
        found.append(of)

    event.listen(database.engine.sync_engine, "checkout", note)
    yield found
    event.remove(database.engine.sync_engine, "checkout", note)


async def find_pid(database: Database, cast: Cast) -> int:
    [(pid,)] = await database.look_ups(cast.acme).execute(PID, {})
    assert isinstance(pid, int)
    return pid


async def test_many_share_few_connections(database: Database, cast: Cast) -> None:
    with taken(database) as connections:
        found = await asyncio.gather(*(find_pid(database, cast) for _ in range(300)))
    assert len(set(found)) <= ASKERS
    assert len(connections) <= ASKERS


async def test_each_is_within_its_own_workspace(database: Database, cast: Cast) -> None:
    """A sum would tell, were one left in the other's."""
    asked = [cast.acme, cast.globex, None] * 5
    found = await asyncio.gather(
        *(database.look_ups(within).execute(KEYS, {"id": cast.acme}) for within in asked)
    )
    counts = [count for [(count,)] in found]
    assert [count > 0 for count in counts] == [True, False, False] * 5


async def test_each_is_a_transaction_of_its_own(database: Database, cast: Cast) -> None:
    window = database.look_ups(cast.acme)
    found = await asyncio.gather(*(window.execute(MOMENT, {}) for _ in range(10)))
    assert len({moment for [(moment,)] in found}) == 10


async def test_what_is_refused_fails_alone(database: Database, cast: Cast) -> None:
    window = database.look_ups(cast.acme)
    numbers = [1, 0, 1, 0, 1]
    asked = [window.execute(HALF, {"number": number}) for number in numbers]
    found = await asyncio.gather(*asked, return_exceptions=True)
    for number, rows in zip(numbers, found, strict=True):
        if number:
            assert rows == [(1,)]
        else:
            assert isinstance(rows, DataError)
            assert "1 / " not in str(rows)
    assert await window.execute(HALF, {"number": 1}) == [(1,)]


async def test_what_is_written_is_committed(database: Database, cast: Cast) -> None:
    window = database.look_ups(cast.acme)
    assert await window.execute(USE, {"id": cast.acme}) == ()
    async with database.transaction(cast.acme) as session:
        assert await session.scalar(USED, {"id": cast.acme})


async def test_rows_of_a_select_have_names(database: Database, cast: Cast) -> None:
    [row] = await database.look_ups(cast.acme).execute(WORKSPACE, {"id": cast.acme})
    assert (row.id, row.title.lower()) == (cast.acme, "acme")


async def test_a_workspace_is_entered_by_its_uuid(database: Database) -> None:
    hostile = typed(uuid.UUID, "x'; DROP TABLE responses; --")
    with pytest.raises(TypeError):
        await database.look_ups(hostile).execute(PID, {})


async def test_a_connection_that_died_is_replaced(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    for pid in set(await asyncio.gather(*(find_pid(database, cast) for _ in range(9)))):
        owner.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    first = await asyncio.gather(
        *(find_pid(database, cast) for _ in range(9)), return_exceptions=True
    )
    assert all(isinstance(one, OperationalError | int) for one in first)
    assert await find_pid(database, cast)


async def test_free_lines_go_back_to_the_pool(
    database: Database, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lines, "IDLE_S", 0.05)
    await asyncio.gather(*(find_pid(database, cast) for _ in range(9)))
    assert in_use(database)
    async with asyncio.timeout(5):
        while in_use(database):  # noqa: ASYNC110 (the pool has no event)
            await asyncio.sleep(0.01)
    assert await find_pid(database, cast)
    await database.lines.close()
    assert in_use(database) == 0


async def test_whoever_waits_too_long_is_told(
    database: Database, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(look_ups, "WITHIN_S", 0.05)
    window = database.look_ups(cast.acme)
    with pytest.raises(TimeoutError):
        await window.execute(SLOW_PID, {})
    await asyncio.sleep(0.2)
    assert await find_pid(database, cast), "and the line is used again"


async def test_behind_a_locked_table_everybody_is_told_why(
    settings: Settings, cast: Cast, owner: psycopg.Connection
) -> None:
    """What cannot be prepared for one is missing for the others."""
    database = Database(settings.database_url, Pool(lock_ms=200))
    window = database.look_ups(cast.acme)
    with owner.transaction():
        owner.execute("LOCK TABLE api_keys")
        asked = [window.execute(KEYS, {"id": cast.acme}) for _ in range(5)]
        found = await asyncio.gather(*asked, return_exceptions=True)
    await database.close()
    assert {type(one) for one in found} == {OperationalError}


async def test_of_what_nobody_waits_for_nothing_is_left(
    database: Database, cast: Cast, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the queue nor on a connection, though the database says nothing yet."""
    monkeypatch.setattr(look_ups, "WITHIN_S", 0.3)
    window = database.look_ups(cast.acme)
    with owner.transaction():
        owner.execute("LOCK TABLE api_keys")
        asked = []
        for _ in range(ASKERS + 3):
            asked.append(asyncio.ensure_future(window.execute(KEYS, {"id": cast.acme})))
            await asyncio.sleep(0.01)
        found = await asyncio.gather(*asked, return_exceptions=True)
        assert {type(one) for one in found} == {TimeoutError}
        assert not database._look_ups._waiting
        async with asyncio.timeout(5):
            while in_use(database):  # noqa: ASYNC110 (the pool has no event)
                await asyncio.sleep(0.01)


async def test_whoever_goes_away_stops_nobody(database: Database, cast: Cast) -> None:
    window = database.look_ups(cast.acme)
    held = [asyncio.ensure_future(window.execute(SLOW_PID, {})) for _ in range(ASKERS)]
    await asyncio.sleep(0.02)
    waiting = [asyncio.ensure_future(find_pid(database, cast)) for _ in range(5)]
    await asyncio.sleep(0)
    for task in (held[0], *waiting[:3]):
        task.cancel()
    assert all(await asyncio.gather(*waiting[3:]))
    assert await held[1]


async def test_what_nobody_waits_for_ends_with_the_database(database: Database, cast: Cast) -> None:
    before = asyncio.all_tasks()
    asked = asyncio.ensure_future(database.look_ups(cast.acme).execute(SLOW_PID, {}))
    await asyncio.sleep(0.1)
    assert in_use(database) == 1
    asked.cancel()
    await database.close()
    assert asyncio.all_tasks() == before


async def test_a_session_that_rolled_back_takes_no_statement_away(
    database: Database, cast: Cast
) -> None:
    """The driver then deallocates what it prepared itself, and everything else with it."""
    await find_pid(database, cast)
    await database.lines.close()
    for _time in range(8):  # it prepares what comes often
        async with database.transaction(cast.acme) as session:
            await session.execute(PID)
    with pytest.raises(ZeroDivisionError):
        async with database.transaction(cast.acme):
            raise ZeroDivisionError
    assert await find_pid(database, cast)
