"""One Postgres per test process, one migrated template, one clone of it per test."""

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from itertools import count
from pathlib import Path

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from psycopg import sql
from starlette.routing import BaseRoute

from app.foundation.database import Database
from app.foundation.embedded import Addresses, embedded_postgres
from app.foundation.giving_way import Pace
from app.foundation.migrate import migrate
from app.foundation.settings import Settings, read_settings
from app.main import create_app
from tests import factories
from tests.citus.recording import statements_fit_citus  # noqa: F401  # for every test
from tests.factories import Cast

TEMPLATE = "honne"
BASE_URL = "http://127.0.0.1:8000"
FASTER = """\
fsync = off
synchronous_commit = off
full_page_writes = off
max_wal_size = 128MB
"""
MEMORY = Path("/dev/shm")  # noqa: S108  # folders of a random name are made in it
ROOM_BYTES = 2 << 30

hypothesis_settings.register_profile(
    "honne", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
hypothesis_settings.load_profile("honne")

# Folders whose files take long: begun last, one of them would leave the other processes idle.
LONG = ("attack", "archiving", "browser", "flows", "privacy")

_clone_numbers = count(1)
_routes: list[BaseRoute] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long first; within these and the others in the order they came in."""
    items.sort(key=lambda item: item.path.parent.name not in LONG)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def sample_data() -> Path:
    """The folder with real surveys; skips, and says so, where it is absent."""
    root = Path(__file__).resolve().parents[1]
    folder = root / os.environ.get("HONNE_SAMPLE_DATA", "../shared/data")
    if not (folder / "README.md").exists():
        pytest.skip(f"no sample data in {folder}; set HONNE_SAMPLE_DATA")
    return folder


def quick_folder() -> str | None:
    """A folder that is kept in memory, where there is one with room, else None: a database is a
    thousand files, and copying those is ten times as fast there as on a disk."""
    if not os.access(MEMORY, os.W_OK) or shutil.disk_usage(MEMORY).free < ROOM_BYTES:
        return None
    return str(MEMORY)


@pytest.fixture(scope="session")
def template() -> Iterator[tuple[Settings, Addresses]]:
    """A running server whose database `honne` is migrated and never written to again."""
    with tempfile.TemporaryDirectory(prefix="honne-tests-", dir=quick_folder()) as folder:
        settings = read_settings({"HONNE_DATA_DIR": folder, "PUBLIC_URL": BASE_URL})
        with embedded_postgres(Path(folder), FASTER) as addresses:
            settings = settings.with_database(addresses.runtime_url, addresses.owner_url)
            migrate(settings)
            yield settings, addresses


@pytest.fixture
def settings(template: tuple[Settings, Addresses]) -> Iterator[Settings]:
    """Settings of a database of this test's own."""
    with cloned(template) as settings:
        yield settings


@contextmanager
def cloned(template: tuple[Settings, Addresses]) -> Iterator[Settings]:
    """An empty installation: settings of a database that is dropped afterwards."""
    settings, addresses = template
    name = f"test_{next(_clone_numbers)}"
    clone = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
    on_server(addresses, clone, name, TEMPLATE)
    try:
        yield settings.with_database(
            _with_name(addresses.runtime_url, name), _with_name(addresses.owner_url, name)
        )
    finally:
        on_server(addresses, sql.SQL("DROP DATABASE {} WITH (FORCE)"), name)


def _with_name(url: str, name: str) -> str:
    return url.replace(f"/{TEMPLATE}?", f"/{name}?")


def on_server(addresses: Addresses, statement: sql.SQL, *names: str) -> None:
    """A statement of the superuser outside any test's database, its identifiers filled in."""
    url = _with_name(addresses.owner_url, "postgres").replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(statement.format(*map(sql.Identifier, names)))


@pytest.fixture
def owner(settings: Settings) -> Iterator[psycopg.Connection]:
    """A connection as the owner and superuser: sees everything, for asserting on stored rows."""
    url = settings.database_owner_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def count_lookers(owner: psycopg.Connection) -> int:
    """How many clients of this test's database make Postgres keep rows as they were."""
    [number] = owner.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND backend_xmin IS NOT NULL"
        " AND pid <> pg_backend_pid()"
    ).fetchone() or [0]
    return int(number)


@pytest.fixture
def watched_pace(owner: psycopg.Connection) -> tuple[type[Pace], list[int]]:
    """A `Pace`, and how many lookers there were where each of its rests ended."""
    lookers: list[int] = []

    class Watched(Pace):
        async def give_way(self) -> None:
            await super().give_way()
            lookers.append(count_lookers(owner))

    return Watched, lookers


def share_routes(app: FastAPI) -> FastAPI:
    """Give `app` the routes of the first that came here. All apps have the same, and FastAPI takes
    half a second to work them out, at the first request of each."""
    _routes.extend(() if _routes else app.router.routes)
    app.router.routes[:] = _routes
    return app


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The whole product on this test's database, started. Answers may be sent at once, since no
    test but those of what is held is about that."""
    app = share_routes(create_app(settings, memory_seconds=0, open_at_least=timedelta(0)))
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
def database(app: FastAPI) -> Database:
    """The app's database: `async with database.transaction(workspace_id) as session`."""
    found: Database = app.state.database
    return found


@pytest.fixture
async def cast(database: Database, settings: Settings) -> Cast:
    """Alice owns Acme, Bob views Acme, Mona manages Acme, Charlie owns Globex."""
    return await factories.make_cast(database, settings)


@asynccontextmanager
async def browser(
    app: FastAPI, session_token: str | None = None
) -> AsyncIterator[httpx.AsyncClient]:
    """A client that behaves as a browser on our own pages, signed in where a token is given."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
        base_url=BASE_URL,
        headers={"Sec-Fetch-Site": "same-origin"},
        cookies={"honne": session_token} if session_token else None,
    ) as client:
        yield client


@asynccontextmanager
async def program(app: FastAPI, api_key: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with an API key."""
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
        base_url=BASE_URL,
        headers={"Authorization": f"Bearer {api_key}"},
    ) as client:
        yield client


@pytest.fixture
async def client(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is not signed in: a respondent, a visitor."""
    async with browser(app) as client:
        yield client


@pytest.fixture
async def as_alice(app: FastAPI, cast: Cast) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app, cast.alice.session_token) as client:
        yield client


@pytest.fixture
async def as_mona(app: FastAPI, cast: Cast) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app, cast.mona.session_token) as client:
        yield client


@pytest.fixture
async def as_bob(app: FastAPI, cast: Cast) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app, cast.bob.session_token) as client:
        yield client


@pytest.fixture
async def as_charlie(app: FastAPI, cast: Cast) -> AsyncIterator[httpx.AsyncClient]:
    async with browser(app, cast.charlie.session_token) as client:
        yield client


@pytest.fixture
async def acme_api(app: FastAPI, cast: Cast) -> AsyncIterator[httpx.AsyncClient]:
    """Acme's program: read and write."""
    async with program(app, cast.acme_key) as client:
        yield client


@pytest.fixture
async def acme_reader(app: FastAPI, cast: Cast) -> AsyncIterator[httpx.AsyncClient]:
    """Acme's program: read only."""
    async with program(app, cast.acme_read_key) as client:
        yield client


@pytest.fixture
async def globex_api(app: FastAPI, cast: Cast) -> AsyncIterator[httpx.AsyncClient]:
    """Globex's program: read and write in the other workspace."""
    async with program(app, cast.globex_key) as client:
        yield client
