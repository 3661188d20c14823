"""A terminal that is closed sends SIGHUP: Honne ends with all it has started, unless by `nohup`."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.processes import ROOT, STOP_WITHIN_S, environment, free_port


@contextmanager
def _serving(folder: Path, *before: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """`honne serve` with its own Postgres, and the address that it says."""
    process = subprocess.Popen(
        [*before, sys.executable, "-m", "app.cli", "serve"],
        cwd=ROOT,
        env=environment(HONNE_DATA_DIR=str(folder), PORT=str(free_port())),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert process.stdout is not None
    try:
        name, address = process.stdout.readline().split()
        assert name == "serving:"
        yield process, address
    finally:
        process.terminate()
        process.communicate(timeout=STOP_WITHIN_S)


def test_who_closes_the_terminal_stops_all(tmp_path: Path) -> None:
    with _serving(tmp_path) as (process, _address):
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=STOP_WITHIN_S) == 0
        assert not (tmp_path / "postgres" / "cluster" / "postmaster.pid").exists()


def test_nohup_lets_it_go_on(tmp_path: Path) -> None:
    with _serving(tmp_path, "nohup") as (process, address):
        process.send_signal(signal.SIGHUP)
        assert httpx.get(f"{address}/health/ready").status_code == 200
        process.terminate()
        assert process.wait(timeout=STOP_WITHIN_S) == 0
