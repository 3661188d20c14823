"""The fire drill: back up under load, restore elsewhere, and compare everything."""

import asyncio
import copy
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from app.archiving.backup import count_rows, read_backup
from tests.processes import ROOT, environment, free_port, run_honne
from tests.torture.clients import Crowd
from tests.torture.conftest import Say
from tests.torture.installation import Installation, end_postgres, serving
from tests.torture.ledger import Ledger, Submission


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
    """The backup in a data directory of its own, served."""
    there = _elsewhere(found, backup)
    try:
        _honne(there, "restore", str(backup))
        there.start()
        yield there
    finally:
        there.kill()
        end_postgres(there)


def _compare(found: Installation, there: Installation) -> int:
    """Every table and every figure; the rows in all."""
    with found.owner() as here_owner, there.owner() as there_owner:
        rows, restored = count_rows(here_owner), count_rows(there_owner)
        # The words of comments are found again and again, by either server in its own time.
        assert rows.pop("comment_terms") <= restored.pop("comment_terms")
        assert restored == rows
        query = "SELECT md5(string_agg(r::text, ';' ORDER BY r::text)) FROM responses r"
        assert here_owner.execute(query).fetchone() == there_owner.execute(query).fetchone()
    told = [place.get_metrics(group_by="plan") for place in (found, there)]
    for answer in told:
        answer.pop("as_of")
    assert told[0] == told[1]
    verified = [_honne(place, "audit", "verify").stdout for place in (found, there)]
    assert verified[0] == verified[1]
    assert "intact; end " in verified[0]
    return sum(rows.values())


@pytest.mark.torture
def test_the_drill(tmp_path: Path, say: Say) -> None:
    ledger = Ledger()
    with serving(tmp_path) as found:
        under_load, quiet = tmp_path / "under-load", tmp_path / "quiet"
        expected = asyncio.run(_back_up_under_load(found, ledger, under_load))
        assert found.find_faults(ledger) == []
        _honne(found, "backup", str(quiet))
        with _restored(found, under_load) as there:
            assert there.find_faults(expected) == []
        with _restored(found, quiet) as there:
            assert there.find_faults(ledger) == []
            rows = _compare(found, there)
    say(
        "drill",
        f"{ledger.acknowledged} answers",
        f"{read_backup(under_load).total} rows under load",
        f"{rows} rows compared",
    )


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
        for number in range(8):
            backup = tmp_path / f"backup-{number}"
            was_running = _kill_after(_begun(found, "backup", str(backup)), chance.uniform(0.3, 3))
            killed += was_running
            assert was_running or backup.exists()
            if backup.exists():
                read_backup(backup)
        whole = tmp_path / "whole"
        _honne(found, "backup", str(whole))
        there = _elsewhere(found, whole)
        try:
            for _number in range(4):
                killed += _kill_after(_begun(there, "restore", str(whole)), chance.uniform(1, 4))
                if there.postmaster() and not _is_empty(there):
                    break
            else:
                _honne(there, "restore", str(whole))
            there.start()
            assert there.find_faults(Ledger()) == []
        finally:
            there.kill()
            end_postgres(there)
    say("killed", f"{killed} backups and restores")


def _is_empty(found: Installation) -> bool:
    with found.owner() as owner:
        return not count_rows(owner)
