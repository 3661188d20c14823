"""One real server, one real Postgres that logs all it can, and what ten respondents left there."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from app.foundation.database import Database
from app.foundation.embedded import embedded_postgres
from app.foundation.migrate import migrate
from app.foundation.settings import Settings, read_settings
from tests.factories import Cast, make_cast
from tests.privacy.canary import Canary, answer_api, answer_form
from tests.responses.scene import Scene, make_scene
from tests.responses.serving import server_processes

RESPONDENTS = 10
# What an operator might set in a hurry; it wins over what the embedded server is told otherwise.
TALKATIVE = """\
log_statement = 'all'
log_min_duration_statement = 0
log_min_messages = debug1
log_min_error_statement = info
log_parameter_max_length = -1
log_parameter_max_length_on_error = -1
log_error_verbosity = verbose
log_connections = on
log_disconnections = on
fsync = off
"""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """Where to look after everybody has answered."""

    settings: Settings
    cast: Cast
    scene: Scene
    canary: Canary
    api_comment: str
    log: Path
    postgres: Path

    @property
    def owner_url(self) -> str:
        return self.settings.database_owner_url.replace("+psycopg", "")

    @property
    def postgres_log(self) -> Path:
        return self.postgres / "server.log"

    @property
    def comments(self) -> list[str]:
        """What was written and kept: amended on the form, sent once over the API."""
        return [self.canary.amended, self.api_comment]


@pytest.fixture(scope="module")
def talkative() -> Iterator[tuple[Settings, Path]]:
    """Settings of a migrated database on a server that logs all it can, and its folder."""
    with tempfile.TemporaryDirectory(prefix="honne-canary-") as folder:
        environ = {"HONNE_DATA_DIR": folder, "TRUSTED_PROXIES": "127.0.0.1"}
        settings = read_settings(environ)
        with embedded_postgres(Path(folder), TALKATIVE) as addresses:
            settings = settings.with_database(addresses.runtime_url, addresses.owner_url)
            migrate(settings)
            yield settings, Path(folder)


@pytest.fixture(scope="module")
def aftermath(talkative: tuple[Settings, Path]) -> Aftermath:
    return asyncio.run(_answer(*talkative))


async def _answer(settings: Settings, folder: Path) -> Aftermath:
    database = Database(settings.database_url)
    cast = await make_cast(database, settings)
    async with database.transaction(cast.acme) as session:
        scene = await make_scene(session, cast.acme, asks_contact=True)
    await database.close()
    found = Aftermath(
        settings, cast, scene, Canary(), "CanaryApiComment", folder / "app.log", folder / "postgres"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRUSTED_PROXIES", "127.0.0.1")
        with server_processes(settings, 1, "DEBUG", found.log) as [address]:
            await _all_answer(address, found)
    return found


async def _all_answer(address: str, found: Aftermath) -> None:
    """The form by ten people at once, the API by a program; then one that Postgres refuses."""
    canary, scene = found.canary, found.scene
    async with httpx.AsyncClient(
        base_url=address, timeout=60, trust_env=False, headers=canary.headers()
    ) as client:
        await asyncio.gather(*(answer_form(client, scene, canary) for _ in range(RESPONDENTS)))
        client.headers["Authorization"] = f"Bearer {found.cast.acme_key}"
        await answer_api(client, scene, canary, found.api_comment)
        with psycopg.connect(found.owner_url, autocommit=True) as owner:
            owner.execute("ALTER TABLE responses ADD CONSTRAINT no CHECK (score <> 0) NOT VALID")
            sent = await client.post(
                f"/api/v1/surveys/{scene.survey_id}/responses",
                json={"score": 0, "comment": canary.refused},
            )
            assert sent.status_code == 500
            owner.execute("ALTER TABLE responses DROP CONSTRAINT no")
            owner.execute("ANALYZE")
            owner.execute("CHECKPOINT")


@pytest.fixture
def witness(aftermath: Aftermath) -> Iterator[psycopg.Connection]:
    """The owner and superuser of the database that was answered into: row security is no bar."""
    with psycopg.connect(aftermath.owner_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def answered(aftermath: Aftermath) -> AsyncIterator[Database]:
    """The same database as the application sees it."""
    database = Database(aftermath.settings.database_url)
    yield database
    await database.close()
