"""Dashboards and figures from a real standby, kept up by streaming replication."""

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from app.foundation.database import Database
from app.foundation.embedded import Addresses, binary
from app.foundation.settings import Settings
from app.foundation.tally import tally
from app.main import create_app
from tests.conftest import browser, program
from tests.factories import Cast
from tests.responses.scene import make_scene

pytestmark = pytest.mark.torture


def identity() -> dict[str, Any]:
    """Postgres does not run as root: the account it gets in the tests' own server, too."""
    if os.geteuid():
        return {}
    account = pwd.getpwnam("postgres")
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def run(name: str, *arguments: str) -> None:
    subprocess.run(
        [binary(name), *arguments],
        check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, cwd="/", **identity(),
    )  # fmt: skip


@contextmanager
def standby(addresses: Addresses, database: str) -> Iterator[str]:
    """The address of a copy of the server, as the runtime login sees it."""
    primary = addresses.owner_url.rpartition("host=")[2].replace("%2F", "/")
    folder = Path(tempfile.mkdtemp(prefix="honne-standby-"))
    if who := identity():
        os.chown(folder, who["user"], who["group"])
    cluster = str(folder / "cluster")
    try:
        run("pg_basebackup", "-h", primary, "-U", "honne_owner", "-D", cluster, "-R", "-c", "fast")
        settings = f"-c unix_socket_directories={folder} -c listen_addresses= -c fsync=off"
        run("pg_ctl", "start", "-w", "-s", "-D", cluster, "-l", f"{folder}/log", "-o", settings)
        try:
            yield f"postgresql+psycopg://honne_app@/{database}?host={folder}"
        finally:
            run("pg_ctl", "stop", "-w", "-s", "-m", "immediate", "-D", cluster)
    finally:
        shutil.rmtree(folder)


def outcomes() -> dict[str, float]:
    return {key[1]: n for key, n in tally.counters.items() if key[0] == "honne_replica_reads"}


@pytest.fixture
async def app_with_standby(
    settings: Settings, template: tuple[Settings, Addresses]
) -> AsyncIterator[FastAPI]:
    name = settings.database_url.partition("/?")[0].partition("?")[0].rpartition("/")[2]
    with standby(template[1], name) as url:
        asked = replace(settings, replica_url=url)
        app = create_app(asked, memory_seconds=0, open_at_least=timedelta(0))
        async with app.router.lifespan_context(app):
            yield app


async def caught_up(owner: psycopg.Connection) -> None:
    """Wait until the standby has replayed all that is committed by now, which this test's Postgres
    need not have written yet."""
    replayed = "SELECT 1 FROM pg_stat_replication WHERE replay_lsn >= pg_current_wal_insert_lsn()"
    for _try in range(600):
        if owner.execute(replayed).fetchone():
            return
        await asyncio.sleep(0.05)
    raise TimeoutError


async def test_figures_come_from_a_standby_once_it_has_caught_up(
    app_with_standby: FastAPI, database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    async with database.transaction(cast.acme) as session:
        scene = await make_scene(session, cast.acme)
    before = outcomes()
    address = f"/api/v1/surveys/{scene.survey_id}/responses"
    figures = {"survey_id": str(scene.survey_id)}
    async with program(app_with_standby, cast.acme_key) as client:
        for score in (9, 10, 3):
            assert (await client.post(address, json={"score": score})).status_code == 201
        await caught_up(owner)
        found: httpx.Response = await client.get("/api/v1/metrics", params=figures)
        listed = await client.get(address)
    async with browser(app_with_standby, cast.alice.session_token) as alice:
        board = await alice.get(f"/w/{cast.acme}/surveys/{scene.survey_id}")
    assert found.json()["response_count"] == 3
    assert len(listed.json()["data"]) == 3
    assert board.status_code == 200
    now = outcomes()
    assert now["answered"] - before.get("answered", 0) == 3
    assert set(now) == {*before, "answered"}
