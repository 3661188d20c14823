"""COPY through a session's own connection and within its transaction, for very many rows.

What is asked of the database this way is bound by its role and its workspace like all else.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Any

import psycopg
from psycopg import sql
from psycopg.pq import TransactionStatus
from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.compiler import SQLCompiler


def csv_query(session: AsyncSession, statement: Select[*tuple[Any, ...]]) -> SQLCompiler:
    """A statement for `copy_csv`, made once for all values: to make it takes a few milliseconds."""
    compiled = statement.compile(dialect=session.get_bind().dialect)
    assert isinstance(compiled, SQLCompiler)
    return compiled


async def copy_csv(
    session: AsyncSession, query: SQLCompiler, values: Mapping[str, Any], at_once: int
) -> AsyncIterator[list[bytes]]:
    """What a query finds with `values` as CSV in UTF-8, each row ended by CRLF, `at_once` rows at a
    time. Null is an empty cell."""
    ready = query.construct_expanded_state(dict(values))
    command = f"COPY ({ready.statement}) TO STDOUT (FORMAT csv, ENCODING 'UTF8')".encode()
    rows: list[bytes] = []
    raw = await _raw(session)
    try:
        async with raw.cursor() as cursor, cursor.copy(command, ready.parameters) as copy:
            # One row at a time, with the LF that ends it.
            async for row in copy:
                if len(rows) == at_once:  # and more come: COPY is over where the last are given
                    yield rows
                    rows = []
                rows.append(bytes(row[:-1]) + b"\r\n")
    finally:
        if raw.info.transaction_status is TransactionStatus.ACTIVE:
            # Cancelled the moment COPY began: the connection is of no use for anything else.
            await (await session.connection()).invalidate()
    if rows:
        yield rows


async def copy_into(
    session: AsyncSession, table: str, columns: Sequence[str], lines: Iterable[str]
) -> None:
    """Append rows to a temporary table, which row-level security leaves alone: lines of COPY's
    text format, see `escaped`."""
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    query = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier("pg_temp", table), names)
    async with (await _raw(session)).cursor() as cursor, cursor.copy(query) as copy:
        for part in lines:
            await copy.write(part)


def escaped(cell: str) -> str:
    """Text as a cell of COPY's text format."""
    if "\\" in cell:
        cell = cell.replace("\\", "\\\\")
    if "\n" in cell or "\r" in cell or "\t" in cell:
        cell = cell.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    return cell


async def _raw(session: AsyncSession) -> psycopg.AsyncConnection[Any]:
    connection = await session.connection()
    raw: Any = (await connection.get_raw_connection()).driver_connection
    assert isinstance(raw, psycopg.AsyncConnection)
    return raw
