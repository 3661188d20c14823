"""A fresh Honne to measure: its own data directory, a survey, a key, a server process."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.api_keys import create_api_key
from app.accounts.models import Scope
from app.accounts.schemas import SYSTEM
from app.accounts.workspaces import create_workspace
from app.foundation.database import Database
from app.foundation.embedded import Addresses, embedded_postgres
from app.foundation.migrate import migrate
from app.foundation.settings import Settings, read_settings
from app.surveys.actions import create_survey, publish_survey
from app.surveys.inputs import SurveyInput
from app.surveys.models import SurveyLink
from app.surveys.queries import get_version
from app.surveys.schemas import NONE

SEGMENT_VALUES = 20
ROLES = ("buyer", "user", "none")
READY_WITHIN_S = 120  # on a busy machine
LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Place:
    """A workspace with one published survey, its open link and a key with all scopes."""

    workspace_id: uuid.UUID
    survey_id: uuid.UUID
    version_id: uuid.UUID
    slug: str
    api_key: str


@dataclass(frozen=True, slots=True)
class Installation:
    """Honne with one or more workspaces that are alike."""

    settings: Settings
    addresses: Addresses
    places: tuple[Place, ...]

    @property
    def address(self) -> tuple[str, int]:
        return self.settings.host, self.settings.port

    @property
    def place(self) -> Place:
        return self.places[0]

    @property
    def workspace_id(self) -> uuid.UUID:
        return self.place.workspace_id

    @property
    def survey_id(self) -> uuid.UUID:
        return self.place.survey_id

    @property
    def api_key(self) -> str:
        return self.place.api_key


@contextmanager
def fresh_installation(workspaces: int = 1) -> Iterator[Installation]:
    """Postgres as shipped (fsync on), migrated; each survey has a dimension that links preset and
    one that the form asks for."""
    with TemporaryDirectory(prefix="honne-bench-") as folder:
        settings = read_settings({"HONNE_DATA_DIR": folder, "PORT": str(free_port())})
        with embedded_postgres(Path(folder)) as addresses:
            settings = settings.with_database(addresses.runtime_url, addresses.owner_url)
            migrate(settings)
            places = asyncio.run(_furnish(settings, workspaces))
            yield Installation(settings, addresses, tuple(places))


@contextmanager
def serving(installation: Installation) -> Iterator[str]:
    """One server process on the installation; gives the address it answers at."""
    with serving_at(installation.settings):
        yield installation.settings.public_url


@contextmanager
def serving_at(settings: Settings) -> Iterator[int]:
    """One server process on the settings' data directory; gives its number."""
    environment = {
        **os.environ,
        "HONNE_DATA_DIR": str(settings.data_dir),
        "PORT": str(settings.port),
        "LOG_LEVEL": "WARNING",
        # The load speaks for many browsers, as a proxy does.
        "TRUSTED_PROXIES": "127.0.0.1",
    }
    command = [sys.executable, "-m", "app.cli", "serve"]
    with running(command, environment, f"{settings.public_url}/health/ready") as server:
        yield server


@contextmanager
def running(command: Sequence[str], environment: Mapping[str, str], ready: str) -> Iterator[int]:
    """A server process, once it answers at the address `ready`; gives its number."""
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_until_ready(ready)
        yield server.pid
    finally:
        server.terminate()
        server.wait(timeout=READY_WITHIN_S)


async def _furnish(settings: Settings, workspaces: int) -> list[Place]:
    database = Database(settings.database_url)
    places = []
    for number in range(workspaces):
        async with database.transaction() as session:
            places.append(await _make_place(session, settings, f"Bench {number}"))
    await database.close()
    return places


async def _make_place(session: AsyncSession, settings: Settings, name: str) -> Place:
    workspace = await create_workspace(session, name, "UTC", "en")
    survey = await create_survey(session, workspace.id, SYSTEM, _survey())
    await publish_survey(session, workspace.id, SYSTEM, survey.id)
    _row, api_key = await create_api_key(
        session, settings, workspace.id, SYSTEM, name="bench", scopes=list(Scope)
    )
    version = await get_version(session, workspace.id, survey)
    slug = await session.scalar(
        select(SurveyLink.slug).where(
            SurveyLink.workspace_id == workspace.id, SurveyLink.survey_id == survey.id
        )
    )
    assert slug is not None
    return Place(workspace.id, survey.id, version.id, slug, api_key)


def _survey() -> SurveyInput:
    return SurveyInput.model_validate(
        {
            "name": "Bench",
            "subject": "Bench",
            "dimensions": [
                {
                    "key": "plan",
                    "source": "link",
                    "values": [{"key": f"v{number}"} for number in range(SEGMENT_VALUES)],
                },
                {
                    "key": "role",
                    "source": "question",
                    "values": [{"key": role} for role in ROLES if role != NONE],
                },
            ],
        }
    )


def _wait_until_ready(address: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        # Lean, since it must not slow down the start that it waits for.
        with suppress(OSError), urlopen(address) as answer:  # noqa: S310 (our own address)
            if answer.status == HTTPStatus.OK:
                return
        time.sleep(LOOK_EVERY_S)
    raise TimeoutError(f"{address} is not ready after {READY_WITHIN_S} s")


def free_port() -> int:
    """One that nobody listens on now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
