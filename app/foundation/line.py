"""A connection on which statements travel together, those of one transaction or of several.

What returns no rows is sent along with the next statement that does, or with COMMIT, so that a
transaction is one or two round trips. Statements are prepared once on each connection and their
parameters written as text, which together takes a fifth of the time that a session needs.
"""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar, cast

import psycopg
from psycopg.adapt import Transformer
from psycopg.generators import fetch_many, send
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.waiting import wait_async
from sqlalchemy import Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.foundation.errors import sqlstate_of
from app.foundation.questions import (
    BE_IMPATIENT,
    BEGIN,
    COMMIT,
    PREPARED,
    Question,
    bind,
    command,
    entering,
)

IDLE_S = 1.0  # how long a line that nobody needs is kept
T = TypeVar("T")

NOT_PREPARED = "26000"  # SQLSTATE
LOOK_S = 10.0  # between looks at a connection on which nothing happens


class Line:
    """Takes one connection of the pool when first needed and keeps it until it is closed.

    After any error the connection is closed, since nobody knows what is still under way on it. So
    it is where whoever uses the line is cancelled, whether the server answers or not.
    """

    def __init__(self, engine: AsyncEngine, role: str) -> None:
        self._engine = engine
        self._take_role = command(f"SET LOCAL ROLE {role}")
        self._connection: AsyncConnection | None = None
        self.driver: psycopg.AsyncConnection[Any]
        self._prepared: set[bytes]
        self._prepares: list[Callable[[], None]] = []
        self._commands: list[Callable[[], None]] = []
        self._ended = 0

    @asynccontextmanager
    async def transaction(self, workspace_id: uuid.UUID) -> AsyncIterator["Line"]:
        """A transaction in one workspace: leaving commits, raising rolls back. What was refused of
        statements without rows is raised by a later one, or on leaving."""
        async with self._connected():
            self._begin(workspace_id)
            yield self
            await self.finish()

    async def ask(
        self, questions: Sequence[tuple[uuid.UUID | None, Question]]
    ) -> list[Sequence[Any] | BaseException]:
        """What each question finds, in a transaction of its own and its own workspace (None: in
        none); the error in place of the rows where one was refused. One round trip for all."""
        async with self._connected():
            for workspace_id, question in questions:
                self._begin(workspace_id)
                self._put(question)
                self._commit_alone()
            parts = await self._communicate(syncs=len(questions) + 1)
        found = [
            self._read_last(part, question.statement.make_row)
            for (_workspace_id, question), part in zip(questions, parts, strict=False)
        ]
        if any(isinstance(one, BaseException) for one in found):
            await self.close(broken=True)
        return _explained(found)

    async def store(
        self, works: Sequence[tuple[uuid.UUID, Callable[["Line"], Awaitable[None]]]]
    ) -> list[Exception | None]:
        """Why each work, a transaction of its own in its own workspace, was not stored; None where
        it is committed. One round trip for all, so works execute only what returns no rows, and
        none, once its statements are prepared, waits for any lock for longer than a tenth of a
        second: all others wait with it. What is raised instead stopped all of them before they were
        sent."""
        parts: list[list[PGresult]] = [[]]
        lost: Exception | None = None
        async with self._connected():
            for workspace_id, work in works:
                self._begin(workspace_id)
                self._put(BE_IMPATIENT)
                await work(self)
                self._commit_alone()
            try:
                await self._communicate(len(works) + 1, parts)
            except psycopg.Error as error:
                lost = _translated(error)
        if lost is not None:
            await self.close(broken=True)
            # What had not been answered by then may have been committed or not.
            known = [self._read_outcome(*pair) for pair in pairwise(parts) if pair[1]]
            return known + [lost] * (len(works) - len(known))
        found = [self._read_outcome(part, following) for part, following in pairwise(parts)]
        if any(found):
            await self.close(broken=True)
        return _explained(found)

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any], /
    ) -> Iterable[Any]:
        """The rows of a statement that returns some; one that returns none is only put in line."""
        question = bind(statement, parameters)
        self._put(question)
        found = question.statement
        return await self.flush(found.make_row) if found.returns_rows else ()

    async def flush(self, make_row: Callable[[Sequence[Any]], Any] = tuple) -> Sequence[Any]:
        """Send all that is in line; the rows of the last statement."""
        assert not self._ended, "of several transactions that travel together none waits for rows"
        if not self._commands:
            return ()
        [results] = await self._communicate()
        found = self._read_last(results, make_row)
        if isinstance(found, BaseException):
            raise found
        return found

    async def finish(self) -> None:
        """End the transaction: `transaction` does it."""
        self._put(COMMIT)
        [results] = await self._communicate()
        if refused := self._read_outcome(results[:-1], results[-1:]):
            raise refused

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

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[None]:
        try:
            await self._connect()
            yield
        except psycopg.Error as error:
            await self.close(broken=True)
            raise _translated(error) from error
        except BaseException:
            await self.close(broken=True)
            raise

    async def _connect(self) -> None:
        self._prepares.clear()
        self._commands.clear()
        self._ended = 0
        if self._connection is not None:
            return
        self._connection = await self._engine.connect()
        raw = await self._connection.get_raw_connection()
        driver = raw.driver_connection
        assert isinstance(driver, psycopg.AsyncConnection)
        self.driver = driver
        # Asked each time: after a session's rollback the driver deallocates all there is.
        self._send(PREPARED)
        self._prepared = {name.encode() for (name,) in await self.flush()}

    def _begin(self, workspace_id: uuid.UUID | None) -> None:
        self._put(BEGIN)
        self._put(self._take_role)
        if workspace_id is not None:
            self._send(entering(workspace_id))

    def _commit_alone(self) -> None:
        """End one of several transactions: what follows is done whether this one was refused or
        not. COMMIT rolls back what was."""
        self._commands.append(self.driver.pgconn.pipeline_sync)
        self._put(COMMIT)
        self._ended += 1

    def _send(self, sql: str) -> None:
        self._commands.append(partial(self.driver.pgconn.send_query_params, sql.encode(), None))

    def _put(self, question: Question) -> None:
        pgconn, (statement, values) = self.driver.pgconn, question
        if statement.name not in self._prepared:
            self._prepared.add(statement.name)
            # Ahead of all that may be refused: then what follows is not even looked at.
            self._prepares.append(partial(pgconn.send_prepare, statement.name, statement.sql))
        self._commands.append(partial(pgconn.send_query_prepared, statement.name, values))

    async def _communicate(
        self, syncs: int = 1, parts: list[list[PGresult]] | None = None
    ) -> list[list[PGresult]]:
        """The results of what is in line, up to each of its `syncs`, of which the last is added.
        They are put into `parts` as they come."""
        parts = [[]] if parts is None else parts
        commands = [*self._prepares, *self._commands]
        self._prepares, self._commands, self._ended = [], [], 0
        pgconn = self.driver.pgconn
        pgconn.enter_pipeline_mode()
        commands.append(pgconn.pipeline_sync)
        # Not `driver.wait`: cancelled, that asks the server to stop, and waits for it to do so.
        await wait_async(_communicate(pgconn, commands, syncs, parts), pgconn.socket, LOOK_S)
        pgconn.exit_pipeline_mode()
        return parts

    def _read_last(
        self, results: Sequence[PGresult], make_row: Callable[[Sequence[Any]], Any]
    ) -> Sequence[Any] | BaseException:
        """The rows of the last statement, or the error of the first that was refused."""
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                return _translated(psycopg.errors.error_from_result(result))
        last = results[-1]
        if last.status != ExecStatus.TUPLES_OK:
            return ()
        transformer = Transformer(self.driver)
        transformer.set_pgresult(last)
        return transformer.load_rows(0, last.ntuples, make_row)

    def _read_outcome(
        self, results: Sequence[PGresult], following: Sequence[PGresult]
    ) -> Exception | None:
        """Why a transaction of these results was refused; its COMMIT is the first that follows."""
        for result in (*results, following[0]):
            if result.status == ExecStatus.FATAL_ERROR:
                return _translated(psycopg.errors.error_from_result(result))
        if following[0].command_status != b"COMMIT":
            return _translated(psycopg.OperationalError("not committed"))
        return None


class Lines:
    """Lines that are free. One that nobody takes for a second goes back to the pool, so that none
    grows stale; to take it from there costs more than the statements it is for."""

    def __init__(self, engine: AsyncEngine, role: str) -> None:
        self._engine = engine
        self._role = role
        self._free: deque[tuple[float, Line]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._closing: set[asyncio.Task[None]] = set()

    def take(self) -> Line:
        """The one given back last, or a new one."""
        return self._free.pop()[1] if self._free else Line(self._engine, self._role)

    def give(self, line: Line) -> None:
        """Nothing may be under way on it."""
        self._free.append((time.monotonic(), line))
        self._look_again()

    async def close(self) -> None:
        """Those that are free."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        while self._free:
            await self._free.popleft()[1].close()
        if self._closing:
            await asyncio.wait(self._closing)

    def _look_again(self) -> None:
        if self._free and self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(IDLE_S, self._close_idle)

    def _close_idle(self) -> None:
        self._timer = None
        while self._free and self._free[0][0] <= time.monotonic() - IDLE_S:
            task = asyncio.create_task(self._free.popleft()[1].close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)
        self._look_again()


def _communicate(
    pgconn: PGconn,
    commands: Iterable[Callable[[], None]],
    syncs: int,
    parts: list[list[PGresult]],
) -> Generator[Any, Any, None]:
    """Fill `parts` with the results up to each sync, until all commands have been answered.

    All go out in as few pieces as the network takes, and all of them before any answer is waited
    for: a server that has half a command says nothing until it has the rest.
    """
    for queue_up in commands:
        queue_up()
    yield from send(pgconn)
    while len(parts) <= syncs:
        results = yield from fetch_many(pgconn)
        if not results:
            raise psycopg.OperationalError("the connection ended")
        for result in results:
            if result.status == ExecStatus.PIPELINE_SYNC:
                parts.append([])
            else:
                parts[-1].append(result)
    parts.pop()


def _explained(outcomes: list[T]) -> list[T]:
    """A statement that could not be prepared is missing for all: they get the reason of the first,
    whose transaction it stood before. Where that has none, they keep their own."""
    if not isinstance(outcomes[0], BaseException):
        return outcomes
    return [
        outcomes[0] if isinstance(one, BaseException) and sqlstate_of(one) == NOT_PREPARED else one
        for one in outcomes
    ]


def _translated(error: psycopg.Error) -> Exception:
    """As a session would raise it: without the values, which may hold a comment."""
    translated = DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True)
    return cast(Exception, translated)
