"""`honne serve --workers 2` as real processes under load: counted, replaced, stopped and nothing
lost."""

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
import pytest

from app.foundation.database import Database
from app.foundation.settings import Settings
from tests.factories import Cast
from tests.processes import ROOT, environment, free_port
from tests.responses.scene import Scene, make_scene, recount, stored_counts

CLIENTS = 8


@dataclass(slots=True)
class Served:
    """A running Honne, and what its log says."""

    process: "subprocess.Popen[str]"
    url: str
    metrics_url: str
    log: Path

    def lines(self, message: str) -> list[dict[str, object]]:
        found = [json.loads(line) for line in self.log.read_text().splitlines() if line[:1] == "{"]
        return [line for line in found if line["message"] == message]

    def children(self) -> list[int]:
        pid = self.process.pid
        return [
            int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        ]


@dataclass(slots=True)
class Load:
    """What clients that send answers one after the other have been told."""

    statuses: Counter[int] = field(default_factory=Counter)
    failed_at: list[float] = field(default_factory=list)  # monotonic: sent then, never answered
    is_over: bool = False


@dataclass(slots=True)
class Readiness:
    """What `/health/ready` said, and when that was asked which still had an answer (monotonic)."""

    said: list[int] = field(default_factory=list)
    open_at: float = 0.0


@pytest.fixture
async def scene(database: Database, cast: Cast) -> Scene:
    async with database.transaction(cast.acme) as session:
        return await make_scene(session, cast.acme)


@contextmanager
def served(settings: Settings, folder: Path, **more: str) -> Iterator[Served]:
    port, metrics_port, log = free_port(), free_port(), folder / "log"
    values = {
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "SECRET_KEY": settings.secret_key,
        "PORT": str(port),
        "METRICS_PORT": str(metrics_port),
        **more,
    }
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", "serve", "--workers", "2"],
            cwd=ROOT, env=environment(**values), stdout=subprocess.PIPE, stderr=errors, text=True,
        )  # fmt: skip
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("serving:"), log.read_text()
        url = f"http://127.0.0.1:{port}"
        yield Served(process, url, f"http://127.0.0.1:{metrics_port}/metrics", log)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


async def send_answers(served: Served, scene: Scene, key: str, load: Load) -> None:
    address = f"{served.url}/api/v1/surveys/{scene.survey_id}/responses"
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx.AsyncClient(headers=headers, timeout=60, trust_env=False) as client:
        while not load.is_over:
            sent_at = time.monotonic()
            try:
                sent = await client.post(address, json={"score": 9})
            except httpx.TransportError:
                load.failed_at.append(sent_at)
                return
            load.statuses[sent.status_code] += 1


def metrics(text: str) -> dict[str, float]:
    lines = (line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, value in lines}


async def readiness(served: Served) -> Readiness:
    """From now on until nobody listens any more."""
    found = Readiness()
    while True:
        asked_at = time.monotonic()
        try:
            async with httpx.AsyncClient(trust_env=False) as client:
                answer = await client.get(f"{served.url}/health/ready")
        except httpx.TransportError:
            return found
        found.said.append(answer.status_code)
        found.open_at = asked_at
        await asyncio.sleep(0.05)


async def test_stopping_under_load_loses_nothing(
    settings: Settings, cast: Cast, scene: Scene, owner: psycopg.Connection, tmp_path: Path
) -> None:
    with served(settings, tmp_path) as honne:
        load = Load()
        clients = [
            asyncio.create_task(send_answers(honne, scene, cast.acme_key, load))
            for _client in range(CLIENTS)
        ]
        await asyncio.sleep(1.5)
        honne.process.terminate()
        told = await readiness(honne)
        load.is_over = True
        await asyncio.gather(*clients)
        assert await asyncio.to_thread(honne.process.wait, timeout=30) == 0
        assert honne.lines("unexpected error") == []
    assert told.said[-1] == 503
    assert told.said == sorted(told.said), "once not ready, it never says ready again"
    assert set(load.statuses) == {201}
    early = [at for at in load.failed_at if at < told.open_at]
    assert not early, "sent while connections were taken, and not answered"
    stored = owner.execute("SELECT count(*) FROM responses").fetchone()
    assert stored == (load.statuses[201],), "what was taken was acknowledged, and the reverse"
    assert stored_counts(owner) == recount(owner)


async def test_the_numbers_of_all_processes_are_added_up(
    settings: Settings, cast: Cast, scene: Scene, tmp_path: Path
) -> None:
    with served(settings, tmp_path, SLOW_STATEMENT_MS="1") as honne:
        load = Load()
        clients = [
            asyncio.create_task(send_answers(honne, scene, cast.acme_key, load))
            for _client in range(CLIENTS)
        ]
        await asyncio.sleep(0.5)
        load.is_over = True
        await asyncio.gather(*clients)
        async with httpx.AsyncClient(trust_env=False, timeout=30) as client:
            await client.get(f"{honne.url}/s/cafe?plan=canary")
            await client.get(f"{honne.url}/s/canary")
            await client.get(f"{honne.url}/canary")
            await client.get(
                f"{honne.url}/api/v1/metrics?survey_id={scene.survey_id}",
                headers={"Authorization": f"Bearer {cast.acme_key}"},
            )
            await asyncio.sleep(1.5)
            text = (await client.get(honne.metrics_url)).text
            found = metrics(text)
            # One that dies takes nothing along of what was counted.
            os.kill(honne.children()[0], signal.SIGKILL)
            await asyncio.sleep(2)
            later = metrics((await client.get(honne.metrics_url)).text)
            assert (await client.get(f"{honne.url}/health/ready")).status_code == 200
    taken = 'honne_answers_total{outcome="taken"}'
    route = 'method="POST",route="/api/v1/surveys/{survey_id}/responses"'
    assert found[taken] == load.statuses[201] > 0
    assert found[f'honne_requests_total{{{route},status="2xx"}}'] == load.statuses[201]
    assert found["honne_batch_answers_sum"] == load.statuses[201]
    assert 0 < found["honne_commit_seconds_count"] <= load.statuses[201]
    assert found["honne_answers_waiting"] == 0
    assert found["honne_processes"] == 2
    assert found['honne_pool_limit{pool="requests"}'] == 2 * (40 // 2 - 3)
    assert found['honne_jobs_total{job="expire_sign_ins",outcome="done"}'] == 1
    assert later[taken] == found[taken]
    assert later["honne_processes"] == 2
    log = honne.log.read_text()
    assert len(honne.lines("process died")) == 1
    jobs = [line["job"] for line in honne.lines("job done")]
    assert jobs
    assert len(jobs) == len(set(jobs)), "each job in one process"
    assert any("statement_milliseconds" in line for line in honne.lines("request"))
    assert honne.lines("slow statement")
    for secret in ("canary", "/s/cafe", "127.0.0.1:", cast.acme_key, str(scene.survey_id)):
        assert secret not in text
        assert secret not in re.sub(r".*uvicorn.*", "", log)
