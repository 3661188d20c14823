"""A connection on which the statements of a transaction travel together, and a few such to share.

What returns no rows is sent along with the next statement that does, or with COMMIT, so that a
transaction is one or two round trips. Statements are prepared once on each connection and their
parameters written as text, which together takes a fifth of the time that a session needs.
"""

import asyncio
import re
import uuid
from collections import deque, namedtuple
from collections.abc import AsyncIterator, Callable, Generator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import count
from typing import Any, Protocol

import psycopg
from psycopg.adapt import Transformer
from psycopg.generators import fetch_many, pipeline_communicate
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from sqlalchemy import Dialect, Executable, Select, TextClause
from sqlalchemy.dialects.postgresql.base import PGDialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.foundation.errors import HonneError

_NUMBERED: Dialect = PGDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_RETURNS = re.compile(r"\bRETURNING\b|^\s*SELECT\b")
PREPARED = r"SELECT name FROM pg_prepared_statements WHERE name LIKE 'line\_%'"
_numbers = count(1)

SHARED = 3  # lines for look-ups: one may be read from while others are written to
TURN_WITHIN_S = 15.0  # whoever waits longer for one is told that the database is away


class Executor(Protocol):
    """What executes statements with named parameters: a session, or a `Line` in a transaction."""

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any], /
    ) -> Iterable[Any]: ...


@dataclass(frozen=True, slots=True)
class _Statement:
    name: bytes
    sql: bytes
    parameters: tuple[str, ...]
    returns_rows: bool
    make_row: Callable[[Sequence[Any]], Any]


@lru_cache
def _statement(given: TextClause | Select[Any]) -> _Statement:
    """With numbers in place of its `:names`; a SELECT's rows are named tuples."""
    compiled = given.compile(dialect=_NUMBERED)
    sql = str(compiled)
    make_row: Callable[[Sequence[Any]], Any] = tuple
    if isinstance(given, Select):
        row: Any = namedtuple("Row", list(given.selected_columns.keys()))  # type: ignore[misc]
        make_row = row._make
    names = tuple(compiled.positiontup or ())
    name = f"line_{next(_numbers)}".encode()
    return _Statement(name, sql.encode(), names, bool(_RETURNS.search(sql)), make_row)


def entering(workspace_id: uuid.UUID) -> str:
    """`SET LOCAL` takes no parameter, hence nothing but a UUID is let through."""
    if not isinstance(workspace_id, uuid.UUID):
        raise TypeError("a workspace is entered by its UUID")
    return f"SET LOCAL app.workspace_id = '{workspace_id}'"


class Line:
    """Takes one connection of the pool when first needed and keeps it until it is closed.

    After any error but the app's own the connection is given up, since nobody knows what is still
    under way on it.
    """

    def __init__(self, engine: AsyncEngine, role: str) -> None:
        self._engine = engine
        self._role = role
        self._connection: AsyncConnection | None = None
        self.driver: psycopg.AsyncConnection[Any]
        self._prepared: set[bytes]
        self._commands: list[Callable[[], None]] = []

    @asynccontextmanager
    async def transaction(self, workspace_id: uuid.UUID | None) -> AsyncIterator["Line"]:
        """A transaction in one workspace, or to `enter` one later: leaving commits, raising rolls
        back. What was refused of statements without rows is raised by a later one, or on
        leaving."""
        try:
            await self._connect()
            self._commands.clear()
            self._send("BEGIN")
            self._send(f"SET LOCAL ROLE {self._role}")
            if workspace_id is not None:
                self.enter(workspace_id)
            try:
                yield self
            except HonneError:
                await self._roll_back()
                raise
            await self.finish()
        except HonneError:
            raise  # the app's own answer, such as NotFound: nothing is under way
        except psycopg.Error as error:
            await self.close(broken=True)
            raise _translated(error) from error
        except BaseException:
            await self.close(broken=True)
            raise

    def enter(self, workspace_id: uuid.UUID) -> None:
        """From here on only that workspace's rows can be seen or written."""
        self._send(entering(workspace_id))

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any], /
    ) -> Iterable[Any]:
        """The rows of a statement that returns some; one that returns none is only put in line.

        It is a text or a SELECT without values of its own, the same object each time.
        """
        assert isinstance(statement, TextClause | Select)
        found = _statement(statement)
        pgconn = self.driver.pgconn
        if found.name not in self._prepared:
            self._prepared.add(found.name)
            self._commands.append(partial(pgconn.send_prepare, found.name, found.sql))
        values = [_encode(parameters[name]) for name in found.parameters]
        self._commands.append(partial(pgconn.send_query_prepared, found.name, values))
        return await self.flush(found.make_row) if found.returns_rows else ()

    async def finish(self) -> None:
        """End the transaction: `transaction` does it."""
        self._send("COMMIT")
        await self.flush()

    async def _roll_back(self) -> None:
        # What is in line is sent, too: it may prepare statements that count as prepared.
        self._send("ROLLBACK")
        await self.flush()

    async def close(self, *, broken: bool = False) -> None:
        """Give the connection back to the pool; a broken one is not used again."""
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            if broken:
                await connection.invalidate()
        finally:
            await connection.close()

    async def _connect(self) -> None:
        if self._connection is not None:
            return
        self._connection = await self._engine.connect()
        raw = await self._connection.get_raw_connection()
        driver = raw.driver_connection
        assert isinstance(driver, psycopg.AsyncConnection)
        self.driver = driver
        # Asked each time: after a session's rollback the driver deallocates all there is.
        self._commands.clear()
        self._send(PREPARED)
        self._prepared = {name.encode() for (name,) in await self.flush()}

    def _send(self, command: str) -> None:
        send = self.driver.pgconn.send_query_params
        self._commands.append(partial(send, command.encode(), None))

    async def flush(self, make_row: Callable[[Sequence[Any]], Any] = tuple) -> Sequence[Any]:
        """Send all that is in line; the rows of the last statement."""
        commands, self._commands = self._commands, []
        if not commands:
            return ()
        pgconn = self.driver.pgconn
        pgconn.enter_pipeline_mode()
        results = await self.driver.wait(_communicate(pgconn, commands))
        pgconn.exit_pipeline_mode()
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                raise psycopg.errors.error_from_result(result)
        last = results[-1]
        if last.status != ExecStatus.TUPLES_OK:
            return ()
        transformer = Transformer(self.driver)
        transformer.set_pgresult(last)
        return transformer.load_rows(0, last.ntuples, make_row)


class Lines:
    """A few lines to share. Each goes from hand to hand while somebody waits for one, and is given
    back to the pool when nobody does, so that none grows stale."""

    def __init__(self, engine: AsyncEngine, role: str) -> None:
        self._engine = engine
        self._role = role
        self._count = 0
        self._waiting: deque[asyncio.Future[Line]] = deque()

    @asynccontextmanager
    async def transaction(self, workspace_id: uuid.UUID | None) -> AsyncIterator[Line]:
        """As `Line.transaction`, on the next line that is free. Raises TimeoutError where none is
        for a quarter of a minute."""
        line = await self._take()
        try:
            async with line.transaction(workspace_id):
                yield line
        finally:
            await self._hand_on(line)

    async def _take(self) -> Line:
        if self._count < SHARED:
            self._count += 1
            return Line(self._engine, self._role)
        turn: asyncio.Future[Line] = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            return await asyncio.wait_for(turn, TURN_WITHIN_S)
        except BaseException:
            if turn.done() and not turn.cancelled():
                await self._hand_on(turn.result())
            raise

    async def _hand_on(self, line: Line) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(line)
                return
        self._count -= 1
        await line.close()


def _communicate(
    pgconn: PGconn, commands: Sequence[Callable[[], None]]
) -> Generator[Any, Any, list[PGresult]]:
    """The result of each command, once all of them have been answered."""
    fetched = yield from pipeline_communicate(pgconn, deque([*commands, pgconn.pipeline_sync]))
    results = [result for found in fetched for result in found]
    while not results or results[-1].status != ExecStatus.PIPELINE_SYNC:
        results += yield from fetch_many(pgconn)
    return results[:-1]


def _translated(error: psycopg.Error) -> BaseException:
    """As a session would raise it: without the values, which may hold a comment."""
    return DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True)


def _encode(value: Any) -> bytes | None:
    if value is None:
        return None
    is_array = isinstance(value, list)
    text = f"{{{','.join(map(_element, value))}}}" if is_array else _text(value)
    if "\0" in text:
        # libpq would take it for the end of the value.
        raise psycopg.DataError("a value holds a NUL")
    return text.encode()


def _element(value: Any) -> str:
    """A member of an array as Postgres writes it."""
    if value is None:
        return "NULL"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    return value.hex if isinstance(value, uuid.UUID) else str(value)
