"""The database: one transaction per request, one workspace per transaction.

Every application transaction drops to `honne_runtime`, a role that owns nothing, cannot change the
schema and is bound by row-level security. The workspace is named twice: in each statement, and in
`app.workspace_id`, which the policies compare with each row.
"""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, cast

from pydantic_core import from_json
from sqlalchemy import ForeignKey, MetaData
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import (
    AsyncEngine,
    AsyncSession,
    async_sessionmaker,
    create_async_engine,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.pool import QueuePool
from sqlalchemy.types import DateTime

from app.foundation.line import Lines
from app.foundation.look_ups import LookUps, Window
from app.foundation.questions import Executor, entering
from app.foundation.tally import tally
from app.foundation.timing import time_statements

RUNTIME_ROLE = "honne_runtime"
POOL_SIZE = 10
POOL_OVERFLOW = 10
STATEMENT_TIMEOUT_MS = 30_000
# A server that is gone without a word is noticed within half a minute.
UNREACHABLE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}

# What is raised while the database cannot be reached, or not in time.
AWAY = (OperationalError, InterfaceError, PoolTimeout, OSError)


# Without keeping short texts, which the parser does unless told otherwise.
_read_json = partial(from_json, cache_strings="keys")


class Base(DeclarativeBase):
    """Root of all tables; constraint names follow one convention."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        dict[str, Any]: JSONB,
        dict[str, str]: JSONB,
        dict[str, int]: JSONB,
        dict[str, dict[str, str]]: JSONB,
        list[str]: JSONB,
        list[int]: JSONB,
    }


class TenantRow:
    """Mixin of every row that belongs to a workspace; `workspace_id` leads every key."""

    workspace_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True, sort_order=-2
    )


UtcMoment = DateTime(timezone=True)


@dataclass(frozen=True, slots=True)
class Pool:
    """How many connections are kept, how many more opened for a while, and how long (in seconds)
    one is waited for. `lock_ms` and `idle_ms` end a transaction that waits for a lock, or for its
    own process, for that many milliseconds; 0 for never. Every `watch_ms` the server looks whether
    the process that a statement is for is still there, and stops where it is not; 0 for not at
    all, which is all a server on Windows can. Of a pool with a `name` the use is told.
    Statements of one that `is_timed` are timed, and logged from `slow_ms` on. Through one that
    `is_read_only` nothing is written."""

    size: int = POOL_SIZE
    overflow: int = POOL_OVERFLOW
    wait_s: float = 30.0
    lock_ms: int = 0
    idle_ms: int = 0
    watch_ms: int = 0
    name: str = ""
    is_timed: bool = False
    slow_ms: int = 0
    is_read_only: bool = False


class Database:
    """A pool of connections to one Postgres, and the way to open a transaction on it."""

    def __init__(self, url: str, pool: Pool | None = None) -> None:
        pool = pool or Pool()
        self.engine: AsyncEngine = create_async_engine(
            url,
            pool_size=pool.size,
            max_overflow=pool.overflow,
            pool_timeout=pool.wait_s,
            pool_pre_ping=True,
            json_deserializer=_read_json,  # a published year is hundreds of small documents
            # Whatever the log level: statements carry comments, and no log may hold one.
            hide_parameters=True,
            connect_args={
                "connect_timeout": 5,
                "application_name": "honne",
                "options": f"-c statement_timeout={STATEMENT_TIMEOUT_MS} -c timezone=UTC"
                f" -c lock_timeout={pool.lock_ms}"
                f" -c client_connection_check_interval={pool.watch_ms}"
                f" -c default_transaction_read_only={'on' if pool.is_read_only else 'off'}"
                f" -c idle_in_transaction_session_timeout={pool.idle_ms}",
                **UNREACHABLE,
            },
        )
        if pool.name:
            self._measure(pool)
        if pool.is_timed:
            time_statements(self.engine.sync_engine, pool.slow_ms)
        self._sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.lines = Lines(self.engine, RUNTIME_ROLE)
        self._look_ups = LookUps(self.lines)

    @asynccontextmanager
    async def transaction(
        self, workspace_id: uuid.UUID | None = None
    ) -> AsyncIterator[AsyncSession]:
        """A transaction as the runtime role: leaving commits, raising rolls back."""
        async with self._sessions() as session, session.begin():
            await (await session.connection()).exec_driver_sql(_SET_ROLE)
            if workspace_id is not None:
                await enter_workspace(session, workspace_id)
            yield session
            while last := session.info.pop(_LAST, None):
                for work in last:
                    await work(session)

    def look_ups(self, workspace_id: uuid.UUID | None = None) -> Executor:
        """For what is asked at nearly every request, or must be over before its rows are read, as
        the runtime role: what many ask at once travels together, and each statement is a
        transaction of its own."""
        return Window(self._look_ups, workspace_id)

    async def close(self) -> None:
        await self._look_ups.close()
        await self.lines.close()
        await self.engine.dispose()

    def _measure(self, pool: Pool) -> None:
        connections = cast(QueuePool, self.engine.sync_engine.pool)
        tally.watch(connections.checkedout, "honne_pool_connections", pool.name)
        tally.watch(lambda: pool.size + pool.overflow, "honne_pool_limit", pool.name)


_LAST = "before commit"


def before_commit(session: AsyncSession, work: Callable[[AsyncSession], Awaitable[None]]) -> None:
    """Call `work` once when the transaction went well, right before it is committed.

    For what locks a row that others wait for: here it is held for the shortest time.
    """
    session.info.setdefault(_LAST, {})[work] = None


_SET_ROLE = f"SET LOCAL ROLE {RUNTIME_ROLE}"


async def look_away(session: AsyncSession) -> None:
    """Call it before a transaction idles. Postgres takes its last SELECT for unfinished until it is
    asked something else, and keeps every row as it was then; each answer that comes has more of
    that to walk through."""
    await (await session.connection()).exec_driver_sql(_SET_ROLE)  # anything but a SELECT


async def enter_workspace(session: AsyncSession, workspace_id: uuid.UUID) -> None:
    """From here to the end of the transaction only `workspace_id`'s rows can be seen or written."""
    await (await session.connection()).exec_driver_sql(entering(workspace_id))
