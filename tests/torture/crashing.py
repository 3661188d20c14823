"""`honne` that kills itself when it is told to: `python -m tests.torture.crashing ORDER serve`.

The file ORDER says where and when: `after commit 3` ends the process by SIGKILL after the third
COMMIT of a transaction that wrote answers, before anybody hears of it. Without the file nothing
happens. The process that obeys takes the file away first, so an order is obeyed once.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable, Generator
from functools import wraps
from pathlib import Path
from typing import Any
from weakref import WeakSet

import psycopg
from psycopg import AsyncConnection, AsyncCursor
from sqlalchemy import Executable
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from app.cli import main
from app.foundation.line import Line

BETWEEN_STATEMENTS = "between statements"
BEFORE_COMMIT = "before commit"
AFTER_COMMIT = "after commit"
BEFORE_ANSWER = "before answer"
HALF_ANSWER = "half answer"
POINTS = (BETWEEN_STATEMENTS, BEFORE_COMMIT, AFTER_COMMIT, BEFORE_ANSWER, HALF_ANSWER)
ACKNOWLEDGED = (201, 204, 303)


class Order:
    """What the file says, counted down in this process."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._counted: dict[str, int] = {}

    def pass_by(self, point: str) -> None:
        """The process is at `point`: end it where it is its time."""
        try:
            text = self._file.read_text()
        except FileNotFoundError:
            self._counted.clear()
            return
        wanted, _blank, count = text.rpartition(" ")
        if wanted != point:
            return
        self._counted[text] = self._counted.get(text, 0) + 1
        if self._counted[text] >= int(count):
            self._file.unlink(missing_ok=True)
            os.kill(os.getpid(), signal.SIGKILL)


def watch_statements(order: Order) -> None:
    """Know which connections wrote answers, and stop between the statements that do."""
    writing: WeakSet[AsyncConnection[Any]] = WeakSet()
    execute = AsyncCursor.execute
    command = AsyncConnection._exec_command

    @wraps(execute)
    async def watched(self: AsyncCursor[Any], query: Any, *args: Any, **kw: Any) -> Any:
        done = await execute(self, query, *args, **kw)
        if _writes_answers(query):
            writing.add(self.connection)
        if self.connection in writing:
            order.pass_by(BETWEEN_STATEMENTS)
        return done

    @wraps(command)
    def commanded(self: Any, sent: Any, *args: Any, **kw: Any) -> Generator[Any, Any, Any]:
        is_end = sent in (b"COMMIT", b"ROLLBACK")
        wrote = is_end and self in writing
        writing.discard(self) if is_end else None
        if wrote and sent == b"COMMIT":
            order.pass_by(BEFORE_COMMIT)
        done = yield from command(self, sent, *args, **kw)
        if wrote and sent == b"COMMIT":
            order.pass_by(AFTER_COMMIT)
        return done

    setattr(AsyncCursor, "execute", watched)  # noqa: B010
    setattr(psycopg.AsyncConnection, "_exec_command", commanded)  # noqa: B010


def watch_lines(order: Order) -> None:
    """The same where statements travel together."""
    writing: WeakSet[Line] = WeakSet()
    together: WeakSet[Line] = WeakSet()
    execute, finish, store = Line.execute, Line.finish, Line.store

    @wraps(execute)
    async def watched(self: Line, statement: Executable, *parameters: Any) -> Any:
        done = await execute(self, statement, *parameters)
        if _writes_answers(str(statement)):
            writing.add(self)
        if self in writing and self not in together:
            await self.flush()
            order.pass_by(BETWEEN_STATEMENTS)
        return done

    @wraps(finish)
    async def finished(self: Line) -> None:
        wrote = self in writing
        writing.discard(self)
        if wrote:
            order.pass_by(BEFORE_COMMIT)
        await finish(self)
        if wrote:
            order.pass_by(AFTER_COMMIT)

    @wraps(store)
    async def stored(self: Line, works: Any) -> Any:
        together.add(self)
        order.pass_by(BEFORE_COMMIT)
        done = await store(self, works)
        order.pass_by(AFTER_COMMIT)
        together.discard(self)
        return done

    setattr(Line, "store", stored)  # noqa: B010
    setattr(Line, "execute", watched)  # noqa: B010
    setattr(Line, "finish", finished)  # noqa: B010


def _writes_answers(query: object) -> bool:
    return isinstance(query, str) and ("INTO responses" in query or "UPDATE responses" in query)


def watch_answers(order: Order) -> None:
    """Stop before the first byte of an acknowledgement has left, or after some have."""
    send: Callable[[Any, Any], Awaitable[None]] = RequestResponseCycle.send

    @wraps(send)
    async def watched(self: RequestResponseCycle, message: Any) -> None:
        is_acknowledgement = self.scope["method"] != "GET" and message.get("status") in ACKNOWLEDGED
        if is_acknowledgement:
            order.pass_by(BEFORE_ANSWER)
        await send(self, message)
        if is_acknowledgement:
            self.transport._let_go()  # type: ignore[attr-defined]
            order.pass_by(HALF_ANSWER)

    setattr(RequestResponseCycle, "send", watched)  # noqa: B010


if __name__ == "__main__":
    given = Order(Path(sys.argv.pop(1)))
    watch_statements(given)
    watch_lines(given)
    watch_answers(given)
    main()
