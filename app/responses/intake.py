"""Takes answers in (being written)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.foundation.database import Database


class Intake:
    def __init__(self, database: Database) -> None:
        self.database = database

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        yield
