import asyncio
import logging
import time
from typing import Any, cast

import psycopg
import pytest
from psycopg.pq import TransactionStatus
from sqlalchemy import QueuePool, func, select, text

from app.foundation.copying import copy_csv, csv_query
from app.foundation.database import Database

NUMBERS = select(func.generate_series(1, 3))


async def read(database: Database, at_once: int) -> list[list[bytes]]:
    async with database.transaction() as session:
        query = csv_query(session, NUMBERS)
        return [rows async for rows in copy_csv(session, query, {}, at_once)]


async def test_rows_are_given_so_many_at_a_time(database: Database) -> None:
    one, two, three = b"1\r\n", b"2\r\n", b"3\r\n"
    assert await read(database, 2) == [[one, two], [three]]
    assert await read(database, 3) == [[one, two, three]]


async def test_copy_is_over_where_the_last_rows_are_given(database: Database) -> None:
    async with database.transaction() as session:
        async for _rows in copy_csv(session, csv_query(session, NUMBERS), {}, 3):
            assert await session.scalar(text("SELECT 1")) == 1


async def test_whoever_leaves_when_copy_begins_leaves_nothing_behind(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    connections: list[psycopg.AsyncConnection[Any]] = []

    async def read_some() -> None:
        async with database.transaction() as session:
            found = await (await session.connection()).get_raw_connection()
            connections.append(cast(psycopg.AsyncConnection[Any], found.driver_connection))
            async for _rows in copy_csv(session, csv_query(session, NUMBERS), {}, 1):
                pass

    reading = asyncio.create_task(read_some())
    while not connections or connections[0].info.transaction_status is not TransactionStatus.ACTIVE:  # noqa: ASYNC110
        await asyncio.sleep(0)
    time.sleep(0.1)  # noqa: ASYNC251 (the server says that COPY begins; nobody here has heard it)
    reading.cancel()
    await asyncio.wait({reading})
    assert reading.cancelled()
    assert connections[0].closed
    assert not [entry for entry in caplog.records if entry.levelno >= logging.WARNING]
    assert cast(QueuePool, database.engine.sync_engine.pool).checkedout() == 0
