"""Numbers of several processes are added up, and shown as Prometheus reads them."""

import logging
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import uvicorn
from prometheus_client.parser import text_string_to_metric_families
from starlette.applications import Starlette

from app.foundation import tally as tallies
from app.foundation.tally import Tally, read_snapshots, write_snapshot
from app.foundation.web.metrics import metrics_text
from app.foundation.web.server import TICKS_A_SECOND, _Server


def snapshot(monkeypatch: pytest.MonkeyPatch, folder: Path, pid: int, *seconds: float) -> None:
    found = Tally()
    found.count("honne_answers", "taken", by=len(seconds))
    for value in seconds:
        found.observe(value, "honne_commit_seconds")
    found.watch(lambda: 3, "honne_answers_waiting")
    monkeypatch.setattr(tallies, "tally", found)
    with monkeypatch.context() as patched:
        patched.setattr(os, "getpid", lambda: pid)
        write_snapshot(folder)


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


def test_counters_outlive_their_process_and_gauges_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dead = 2**22 + 1  # no process of any Linux has such a number
    snapshot(monkeypatch, tmp_path, os.getpid(), 0.0005, 0.3)
    snapshot(monkeypatch, tmp_path, dead, 0.3, 60.0)
    found = read_snapshots(tmp_path)
    assert found["counters"][("honne_answers", "taken")] == 4
    assert found["gauges"] == {("honne_answers_waiting",): 3, ("honne_processes",): 1}
    families = {
        family.name: family
        for family in text_string_to_metric_families(metrics_text(tmp_path).decode())
    }
    samples = {
        (sample.name, sample.labels.get("le")): sample.value
        for sample in families["honne_commit_seconds"].samples
    }
    assert samples[("honne_commit_seconds_bucket", "0.001")] == 1
    assert samples[("honne_commit_seconds_bucket", "0.25")] == 1
    assert samples[("honne_commit_seconds_bucket", "0.5")] == 3
    assert samples[("honne_commit_seconds_bucket", "+Inf")] == 4
    assert samples[("honne_commit_seconds_count", None)] == 4
    assert samples[("honne_commit_seconds_sum", None)] == pytest.approx(60.6005)


def test_only_the_latest_numbers_of_a_process_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    snapshot(monkeypatch, tmp_path, os.getpid(), 0.1)
    snapshot(monkeypatch, tmp_path, os.getpid(), 0.1, 0.1)
    assert read_snapshots(tmp_path)["counters"][("honne_answers", "taken")] == 2
    assert names(tmp_path) == [f"{os.getpid()}.json"]


@contextmanager
def full_disk() -> Iterator[None]:
    """This process can write no byte to any file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


async def test_a_full_disk_is_said_once_and_the_server_goes_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def nothing() -> None: ...

    server = _Server(uvicorn.Config(Starlette()), Starlette(), nothing, tmp_path)

    async def tick() -> list[logging.LogRecord]:
        caplog.clear()
        for second in range(3):
            assert not await server.on_tick(second * TICKS_A_SECOND)
        return caplog.records

    assert await tick() == []
    before = metrics_text(tmp_path)
    with full_disk():
        [record] = await tick()
        assert await tick() == []
    assert record.__dict__["error"] == "File too large"
    assert names(tmp_path) == [f"{os.getpid()}.json"], "nothing half"
    assert metrics_text(tmp_path) == before
    assert await tick() == []
    with full_disk():
        assert len(await tick()) == 1, "said again where it happens again"
