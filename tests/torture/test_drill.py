"""The fire drill: back up under load, restore elsewhere, and compare everything."""

import asyncio
import copy
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import psycopg
import pytest
from psycopg import sql

from app.archiving.backup import count_rows, read_backup
from app.foundation.embedded import embedded_postgres
from tests.processes import ROOT, environment, free_port, run_honne
from tests.torture.clients import Crowd
from tests.torture.conftest import Say
from tests.torture.installation import Beside, Installation, end_postgres, serving
from tests.torture.ledger import Ledger, Submission

DIVIDED_BY = ("plan", "age", "region", "language", "channel")
SPLITS: tuple[Mapping[str, str], ...] = ({}, *({"group_by": name} for name in DIVIDED_BY))


def _honne(found: Installation, *arguments: str) -> "subprocess.CompletedProcess[str]":
    done = run_honne(*arguments, HONNE_DATA_DIR=str(found.folder))
    assert done.returncode == 0, done.stdout + done.stderr
    return done


async def _back_up_under_load(found: Installation, ledger: Ledger, backup: Path) -> Ledger:
    """What was acknowledged when the backup began; senders were at work all the time."""
    async with Crowd(found, ledger, random.Random(11)) as crowd:
        await crowd.served_since(time.monotonic())
        before = copy.deepcopy(ledger.submissions)
        await asyncio.to_thread(_honne, found, "backup", str(backup))
        await crowd.served_since(time.monotonic())
    expected = Ledger()
    for tag, last in ledger.submissions.items():
        first = before.get(tag, Submission(tag))
        expected.submissions[tag] = replace(
            first, sent=last.sent, is_exclusion_sent=last.is_exclusion_sent
        )
    return expected


def _elsewhere(found: Installation, backup: Path) -> Installation:
    """A new data directory with the key of the old one, for the backup."""
    # Short: Postgres's socket lies elsewhere where its path would be too long.
    folder = backup.with_name(f"{backup.name}-2")
    data = folder / "data"
    data.mkdir(parents=True)
    shutil.copy(found.folder / "secret_key", data)

    def moved(url: str) -> str:
        return url.replace(quote(str(found.folder), safe=""), quote(str(data), safe=""))

    port = free_port()
    settings = replace(
        found.settings,
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        data_dir=data,
        database_url=moved(found.settings.database_url),
        database_owner_url=moved(found.settings.database_owner_url),
    )
    return replace(found, folder=data, settings=settings, process=None)


@contextmanager
def _restored(found: Installation, backup: Path) -> Iterator[Installation]:
    """The backup in a data directory of its own, not served yet."""
    there = _elsewhere(found, backup)
    try:
        _honne(there, "restore", str(backup))
        yield there
    finally:
        there.kill()
        end_postgres(there)


def _contents(found: Installation) -> dict[str, tuple[int, str]]:
    """The rows of each table, counted and digested, while no server adds any."""
    with embedded_postgres(found.folder), found.owner() as owner:
        rows = count_rows(owner)
        return {table: (rows[table], _digest(owner, table)) for table in rows}


def _digest(owner: psycopg.Connection, table: str) -> str:
    query = sql.SQL("SELECT md5(coalesce(string_agg(t::text, ';' ORDER BY t::text), '')) FROM {} t")
    row = owner.execute(query.format(sql.Identifier(table))).fetchone()
    assert row is not None
    return str(row[0])


def _figures(found: Installation) -> list[Any]:
    """Of every survey, undivided and by everything that divides it."""
    surveys = [Beside(found.survey_id, found.authorization), *found.beside]
    asked = [(survey, split) for survey in surveys for split in SPLITS]
    return [_figures_of(found, survey, split) for survey, split in asked]


def _figures_of(found: Installation, survey: Beside, split: Mapping[str, str]) -> Any:
    answer = httpx.get(
        f"{found.address}/api/v1/metrics",
        params={"survey_id": str(survey.survey_id), **split},
        headers=dict(survey.authorization),
        timeout=60,
        trust_env=False,
    )
    assert answer.status_code == httpx.codes.OK, answer.text
    told = answer.json()
    assert told["response_count"] > 0
    del told["as_of"]
    return told


@pytest.mark.torture
def test_the_drill(tmp_path: Path, say: Say) -> None:
    ledger = Ledger()
    with serving(tmp_path) as found:
        under_load, quiet = tmp_path / "under-load", tmp_path / "quiet"
        expected = asyncio.run(_back_up_under_load(found, ledger, under_load))
        assert found.find_faults(ledger) == []
        with _restored(found, under_load) as there:
            there.start()
            assert there.find_faults(expected) == []
        assert found.stop() == 0
        _honne(found, "backup", str(quiet))
        contents = _contents(found)
        found.start()
        with _restored(found, quiet) as there:
            assert _contents(there) == contents
            there.start()
            assert there.find_faults(ledger) == []
            figures = _figures(found)
            assert _figures(there) == figures
            _compare_audit_logs(found, there)
    say(
        "drill",
        f"{ledger.acknowledged} answers",
        f"{read_backup(under_load).total} rows under load",
        f"{sum(rows for rows, _digest in contents.values())} rows compared",
        f"{len(figures)} reports compared",
    )


def _compare_audit_logs(found: Installation, there: Installation) -> None:
    verified = [_honne(place, "audit", "verify").stdout for place in (found, there)]
    assert verified[0] == verified[1]
    assert "intact; end " in verified[0]


def _begun(found: Installation, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [sys.executable, "-m", "app.cli", *arguments],
        cwd=ROOT,
        env=environment(HONNE_DATA_DIR=str(found.folder)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _kill_after(process: "subprocess.Popen[bytes]", seconds: float) -> bool:
    """Whether it was still at work."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(seconds)
    was_running = process.poll() is None
    process.kill()
    process.wait()
    return was_running


@pytest.mark.torture
def test_killed_and_done_again(tmp_path: Path, say: Say) -> None:
    """A killed one leaves nothing that looks whole, and nothing in the way of the next."""
    chance, killed = random.Random(), 0
    with serving(tmp_path) as found:
        whole = tmp_path / "whole"
        began = time.monotonic()
        _honne(found, "backup", str(whole))
        took_s = time.monotonic() - began
        for number in range(8):
            backup = tmp_path / f"backup-{number}"
            begun = _begun(found, "backup", str(backup))
            was_running = _kill_after(begun, chance.uniform(0, took_s))
            killed += was_running
            assert was_running or backup.exists()
            if backup.exists():
                read_backup(backup)
        there = _elsewhere(found, whole)
        try:
            for _number in range(4):
                restore = _begun(there, "restore", str(whole))
                killed += _kill_after(restore, chance.uniform(0, 2 * took_s))
                if restore.returncode == 0 or (there.postmaster() and not _is_empty(there)):
                    break
            else:
                done = run_honne("restore", str(whole), HONNE_DATA_DIR=str(there.folder))
                # Loading goes on for a moment when whoever began it is killed.
                assert done.returncode == 0 or "is not empty" in done.stderr, done.stderr
            there.start()
            assert there.find_faults(Ledger()) == []
        finally:
            there.kill()
            end_postgres(there)
    assert killed
    say("killed", f"{killed} backups and restores")


def _is_empty(found: Installation) -> bool:
    try:
        with found.owner() as owner:
            return not count_rows(owner)
    except psycopg.OperationalError:  # not made yet
        return True
