"""A Honne of its own to mistreat: a data directory, `honne serve` on it, and what it must hold."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg

from app.accounts.audit_verification import verify_audit_log
from app.accounts.models import Scope
from app.foundation.database import Database
from app.foundation.embedded import Addresses, embedded_postgres
from app.foundation.migrate import migrate
from app.foundation.settings import Settings, read_settings
from tests.factories import make_api_key, make_workspace
from tests.processes import ROOT, environment, free_port
from tests.reporting.data import make_survey, spread
from tests.responses.scene import recount, stored_counts
from tests.torture.ledger import MARK, Ledger, Row

READY_WITHIN_S = 90
ENDS_WITHIN_S = 60
FIGURES_AGO = timedelta(days=40)  # of months that are over, whatever the day
MONTHS = (date(2025, 1, 1), date(2025, 2, 1), date(2025, 3, 1))
WORKSPACES_BESIDE = 3
SCORES = (10, 9, 9, 8, 7, 6, 3, 10, 9, 0, 8, 10)


@dataclass(frozen=True, slots=True)
class Beside:
    """A survey of another workspace, and a key to answer it with."""

    survey_id: uuid.UUID
    authorization: Mapping[str, str]


@dataclass
class Installation:
    """A data directory with one survey whose past months are published, surveys of other
    workspaces, and its server."""

    folder: Path
    settings: Settings
    workspace_id: uuid.UUID
    survey_id: uuid.UUID
    slug: str
    api_key: str
    beside: tuple[Beside, ...] = ()
    variables: dict[str, str] = field(default_factory=dict)
    process: "subprocess.Popen[bytes] | None" = None
    published: Mapping[str, Any] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        return self.settings.public_url

    @property
    def order(self) -> Path:
        """The file that tells the server where to kill itself; see `crashing`."""
        return self.folder.parent / "order"

    @property
    def log(self) -> Path:
        return self.folder.parent / "server.log"

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.api_key}"}

    def start(self) -> None:
        """Start the server and wait until it is ready."""
        self.begin()
        self.wait_until_ready()

    def begin(self) -> None:
        """Start the server."""
        command = [sys.executable, "-m", "tests.torture.crashing", str(self.order), "serve"]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*command, *self.arguments],
                cwd=ROOT,
                env=environment(
                    HONNE_DATA_DIR=str(self.folder),
                    PORT=str(self.settings.port),
                    LOG_LEVEL="WARNING",
                    **self.variables,
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_until_ready(self, within_s: float = READY_WITHIN_S) -> None:
        deadline = time.monotonic() + within_s
        while not self.is_ready():
            if self.is_over():
                raise AssertionError(f"the server did not start:\n{self.log.read_text()[-2000:]}")
            if time.monotonic() > deadline:
                raise AssertionError(f"not ready after {within_s} s")
            time.sleep(0.05)

    def is_ready(self) -> bool:
        with suppress(httpx.TransportError):
            answer = httpx.get(f"{self.address}/health/ready", timeout=5, trust_env=False)
            return answer.status_code == httpx.codes.OK
        return False

    def is_over(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def processes(self) -> list[int]:
        """The parent and its children."""
        if self.process is None or self.is_over():
            return []
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def kill(self) -> None:
        """SIGKILL to all processes of the server, but not to Postgres."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(ENDS_WITHIN_S)

    def stop(self) -> int:
        """SIGTERM to the parent; its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(ENDS_WITHIN_S)

    def postmaster(self) -> int | None:
        """The process id of the embedded Postgres, where it runs."""
        cluster = self.folder / "postgres" / "cluster"
        with suppress(OSError, ValueError, IndexError):
            pid = int((cluster / "postmaster.pid").read_text().split()[0])
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            return pid if os.fsencode(cluster) in command.split(b"\0") else None
        return None

    @contextmanager
    def owner(self) -> Iterator[psycopg.Connection]:
        """A connection as the superuser of the embedded Postgres."""
        url = self.settings.database_owner_url.replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as connection:
            yield connection

    def find_faults(self, ledger: Ledger) -> list[str]:
        """Everything that is not as it must be while nobody sends anything."""
        with self.owner() as owner:
            faults = ledger.find_faults(_rows(owner))
            counts = stored_counts(owner)
            if counts != recount(owner):
                faults.append("the counts differ from a recount")
        if self.read_figures() != self.published:
            faults.append("published figures differ")
        total = sum(
            sum(scores)
            for key, scores in counts.items()
            if key[0] == self.survey_id and key[5] == "counted"
        )
        if (told := self.get_metrics()["response_count"]) != total:
            faults.append(f"the API tells {told} answers, counted are {total}")
        if fault := asyncio.run(self._audit_fault()):
            faults.append(f"audit log: {fault}")
        return faults

    def read_figures(self) -> dict[str, Any]:
        """The published rows, and what the API says of the months that are over."""
        with self.owner() as owner:
            rows = owner.execute("SELECT f::text FROM published_figures f ORDER BY id").fetchall()
        until = (MONTHS[-1] + FIGURES_AGO).replace(day=1) - timedelta(days=1)
        months = {"since": MONTHS[0].isoformat(), "until": until.isoformat(), "group_by": "plan"}
        told = self.get_metrics(**months)
        told.pop("as_of")
        return {"rows": rows, "told": told}

    def get_metrics(self, **query: str) -> dict[str, Any]:
        answer = httpx.get(
            f"{self.address}/api/v1/metrics",
            params={"survey_id": str(self.survey_id), **query},
            headers=self.authorization,
            timeout=60,
            trust_env=False,
        )
        assert answer.status_code == httpx.codes.OK, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def _audit_fault(self) -> str | None:
        database = Database(self.settings.database_url)
        try:
            return (await verify_audit_log(database, self.workspace_id)).fault
        finally:
            await database.close()


def _rows(owner: psycopg.Connection) -> list[Row]:
    query = "SELECT comment, score, standing FROM responses WHERE comment LIKE %s"
    return [(row[0], row[1], row[2]) for row in owner.execute(query, [f"{MARK}%"])]


def unfurnished(folder: Path) -> Installation:
    """One that nobody has started yet: not even its folder is there."""
    data = folder / "data"
    port = str(free_port())
    # Read without a data directory: reading would make it.
    settings = read_settings({"PORT": port, "SECRET_KEY": "k" * 40})
    folder.mkdir()
    return Installation(data, settings, uuid.uuid4(), uuid.uuid4(), "", "")


@contextmanager
def installation(folder: Path, **variables: str) -> Iterator[Installation]:
    """A furnished installation in `folder`, not started; afterwards none of its processes is
    left, whatever became of them. `variables` are settings of its server."""
    data = folder / "data"
    settings = read_settings({"HONNE_DATA_DIR": str(data), "PORT": str(free_port())})
    with embedded_postgres(data) as addresses:
        found = asyncio.run(_furnish(settings, addresses, data))
    found.variables = variables
    try:
        yield found
    finally:
        found.kill()
        end_postgres(found)


@contextmanager
def serving(folder: Path, *arguments: str, **variables: str) -> Iterator[Installation]:
    """An installation whose server is ready and whose past months are published."""
    with installation(folder, **variables) as found:
        found.arguments = arguments
        found.start()
        found.read_figures()
        found.published = found.read_figures()
        assert found.published["rows"], "nothing was published that could be lost"
        yield found


def end_postgres(found: Installation) -> None:
    """At once, as the machine would; its files are not needed any more."""
    deadline = time.monotonic() + ENDS_WITHIN_S
    while (pid := found.postmaster()) is not None:
        assert time.monotonic() < deadline, f"Postgres {pid} does not end"
        for number in (signal.SIGCONT, signal.SIGQUIT):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        time.sleep(0.1)


async def _furnish(settings: Settings, addresses: Addresses, data: Path) -> Installation:
    ready = settings.with_database(addresses.runtime_url, addresses.owner_url)
    await asyncio.to_thread(migrate, ready)
    database = Database(ready.database_url)
    async with database.transaction() as session:
        workspace_id = await make_workspace(session, "Torture", "UTC")
        api_key = await make_api_key(session, ready, workspace_id, list(Scope))
    plans = ("free", "pro")
    answers = [
        answer for month in MONTHS for plan in plans for answer in spread(month, SCORES, plan=plan)
    ]
    scene = await make_survey(database, workspace_id, answers)
    beside = tuple([await _make_beside(database, ready, n) for n in range(WORKSPACES_BESIDE)])
    await database.close()
    return Installation(data, ready, workspace_id, scene.survey_id, scene.slug, api_key, beside)


async def _make_beside(database: Database, settings: Settings, number: int) -> Beside:
    async with database.transaction() as session:
        workspace_id = await make_workspace(session, f"Beside {number}", "UTC")
        api_key = await make_api_key(session, settings, workspace_id, list(Scope))
    scene = await make_survey(database, workspace_id, slug=f"beside-{number}")
    return Beside(scene.survey_id, {"Authorization": f"Bearer {api_key}"})
