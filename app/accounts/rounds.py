"""The way through all workspaces that the periodic jobs take."""

import time
import uuid
from collections.abc import AsyncIterator
from typing import NamedTuple

from sqlalchemy import select

from app.accounts.models import Workspace
from app.foundation.database import Database
from app.foundation.giving_way import rest


class Stop(NamedTuple):
    """A workspace and its calendar."""

    workspace_id: uuid.UUID
    time_zone: str


async def unscoped_go_round(database: Database) -> AsyncIterator[Stop]:
    """Every workspace that is not being deleted, one after the other, with a rest after each: a
    round through thousands must not slow down those who wait for an answer."""
    async with database.transaction() as session:
        found = await session.execute(
            select(Workspace.id, Workspace.time_zone).where(Workspace.deleted_at.is_(None))
        )
        stops = [Stop(*row) for row in found]
    for stop in stops:
        started = time.monotonic()
        yield stop
        await rest(time.monotonic() - started)
