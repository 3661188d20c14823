"""A Honne with large surveys in it, made by the command's own loader, and somebody who may look."""

import asyncio
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg

from app.accounts.models import Role, Scope
from app.demo.bulk import Loaded, load_answers
from app.foundation.database import Database
from app.foundation.embedded import embedded_postgres
from app.foundation.migrate import migrate
from app.foundation.settings import Settings, read_settings
from app.responses.jobs import total_days
from bench.installation import free_port
from tests.factories import make_api_key, make_player

SEGMENTS = 200
DAYS = 365


@dataclass(frozen=True, slots=True)
class Large:
    """A loaded survey, how fast it was loaded (answers a second), and the way in."""

    loaded: Loaded
    rate: float
    session_token: str
    api_key: str

    @property
    def page(self) -> str:
        return f"/w/{self.loaded.workspace_id}/surveys/{self.loaded.survey_id}"


@contextmanager
def large_installation(sizes: Sequence[int]) -> Iterator[tuple[Settings, list[Large]]]:
    """Postgres as shipped, with a workspace for each of `sizes`, in answers, and the jobs done."""
    with TemporaryDirectory(prefix="honne-bench-") as folder:
        settings = read_settings({"HONNE_DATA_DIR": folder, "PORT": str(free_port())})
        with embedded_postgres(Path(folder)) as addresses:
            settings = settings.with_database(addresses.runtime_url, addresses.owner_url)
            migrate(settings)
            yield settings, asyncio.run(_load_all(settings, sizes))


@contextmanager
def owner_of(settings: Settings) -> "Iterator[psycopg.Connection[tuple[object, ...]]]":
    """A connection that sees all workspaces."""
    url = settings.database_owner_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


async def _load_all(settings: Settings, sizes: Sequence[int]) -> list[Large]:
    database = Database(settings.database_url)
    try:
        found = [await _load(database, settings, size) for size in sizes]
        with owner_of(settings) as connection:
            connection.execute("VACUUM ANALYZE")
        await total_days(database)
        return found
    finally:
        await database.close()


async def _load(database: Database, settings: Settings, size: int) -> Large:
    started = time.perf_counter()
    loaded = await load_answers(database, settings, size, SEGMENTS, DAYS)
    rate = size / (time.perf_counter() - started)
    print(f"loaded {size:,} answers, {rate:,.0f} a second", file=sys.stderr, flush=True)
    address = f"owner-{loaded.workspace_id}@bench.example"
    async with database.transaction() as session:
        player = await make_player(session, settings, loaded.workspace_id, address, Role.OWNER)
        key = await make_api_key(session, settings, loaded.workspace_id, list(Scope))
    return Large(loaded, rate, player.session_token, key)
