"""A fresh Honne to measure: its own data directory, a survey, a key, a server process."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

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

SEGMENT_VALUES = 20
READY_WITHIN_S = 30


@dataclass(frozen=True, slots=True)
class Installation:
    """One workspace with one published survey and a key with both scopes."""

    settings: Settings
    addresses: Addresses
    workspace_id: uuid.UUID
    survey_id: uuid.UUID
    api_key: str


@contextmanager
def fresh_installation() -> Iterator[Installation]:
    """Postgres as shipped (fsync on), migrated, with one survey of one dimension."""
    with TemporaryDirectory(prefix="honne-bench-") as folder:
        settings = read_settings({"HONNE_DATA_DIR": folder, "PORT": str(_free_port())})
        with embedded_postgres(Path(folder)) as addresses:
            settings = settings.with_database(addresses.runtime_url, addresses.owner_url)
            migrate(settings)
            yield asyncio.run(_furnish(settings, addresses))


@contextmanager
def serving(installation: Installation) -> Iterator[str]:
    """One server process on the installation; gives the address it answers at."""
    settings = installation.settings
    environment = {
        **os.environ,
        "HONNE_DATA_DIR": str(settings.data_dir),
        "PORT": str(settings.port),
        "LOG_LEVEL": "WARNING",
    }
    command = [sys.executable, "-m", "app.cli", "serve"]
    server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_until_ready(settings.public_url)
        yield settings.public_url
    finally:
        server.terminate()
        server.wait(timeout=READY_WITHIN_S)


async def _furnish(settings: Settings, addresses: Addresses) -> Installation:
    database = Database(settings.database_url)
    async with database.transaction() as session:
        workspace = await create_workspace(session, "Bench", "UTC", "en")
        survey = await create_survey(session, workspace.id, SYSTEM, _survey())
        await publish_survey(session, workspace.id, SYSTEM, survey.id)
        _row, api_key = await create_api_key(
            session, settings, workspace.id, SYSTEM, name="bench", scopes=list(Scope)
        )
    await database.close()
    return Installation(settings, addresses, workspace.id, survey.id, api_key)


def _survey() -> SurveyInput:
    return SurveyInput.model_validate(
        {
            "name": "Bench",
            "subject": "Bench",
            "dimensions": [
                {
                    "key": "plan",
                    "source": "api",
                    "values": [{"key": f"v{number}"} for number in range(SEGMENT_VALUES)],
                }
            ],
        }
    )


def _wait_until_ready(address: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        try:
            if httpx.get(f"{address}/health/ready").status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    raise TimeoutError(f"{address} is not ready after {READY_WITHIN_S} s")


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
