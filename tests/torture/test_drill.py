"""The fire drill: back up under load, restore elsewhere, and compare everything."""

import asyncio
import copy
import random
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from app.archiving.backup import count_rows, read_backup
from tests.processes import free_port, run_honne
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


@contextmanager
def _restored(found: Installation, backup: Path) -> Iterator[Installation]:
    """The backup in a data directory of its own, served."""
    folder = backup.with_name(f"{backup.name}-restored")
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
    there = replace(found, folder=data, settings=settings, process=None)
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
        rows = count_rows(here_owner)
        assert count_rows(there_owner) == rows
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
