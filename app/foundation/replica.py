"""Reads that a copy of the database may answer: dashboards, figures and lists of the API.

A copy is a little behind, and nothing can be written to it. What it cannot answer, because it is
away, has not heard of it yet, or because something is to be written first, the database answers.
"""

import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.database import AWAY, Database
from app.foundation.errors import NotFound, sqlstate_of
from app.foundation.tally import tally

logger = logging.getLogger("honne.database")
T = TypeVar("T")

READ_ONLY = "25006"  # SQLSTATE of a write in a transaction that may not
AWAY_FOR_S = 10.0  # after which a copy that was away is asked again


class Replica:
    """The copy, or its absence: without a `database` everything is asked where it is written."""

    def __init__(self, database: Database | None) -> None:
        self._database = database
        self._asked_from = 0.0

    async def read(
        self,
        session: AsyncSession,
        workspace_id: uuid.UUID,
        work: Callable[[AsyncSession], Awaitable[T]],
    ) -> T:
        """What `work` finds, on the copy if that can tell, else in `session`. `work` may be called
        twice, and only the second time may it write."""
        if self._database is None or time.monotonic() < self._asked_from:
            return await work(session)
        try:
            async with self._database.transaction(workspace_id) as copy:
                found = await work(copy)
        except NotFound:
            outcome = "unknown"
        except (*AWAY, DBAPIError) as error:
            outcome = self._outcome(error)
        else:
            tally.count("honne_replica_reads", "answered")
            return found
        tally.count("honne_replica_reads", outcome)
        return await work(session)

    def _outcome(self, error: Exception) -> str:
        """Raises what would happen again on the database itself."""
        if sqlstate_of(error) == READ_ONLY:
            return "to be written"
        if not isinstance(error, AWAY):
            raise error
        logger.warning("replica away", extra={"error": type(error).__name__})
        self._asked_from = time.monotonic() + AWAY_FOR_S
        return "away"

    async def close(self) -> None:
        if self._database is not None:
            await self._database.close()
