"""Whoever starts the embedded Postgres, or leaves it, may be stopped at any moment: none is left
running that nobody uses, and nobody who waits for it is turned away."""

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.foundation import embedded
from app.foundation.embedded import embedded_postgres
from app.foundation.embedded_postmaster import LOCK
from app.foundation.errors import StartupError
from tests.processes import ROOT, environment

USER = """
import signal, sys
from pathlib import Path
from app.foundation.embedded import embedded_postgres
signal.signal(signal.SIGTERM, lambda *_signal: sys.exit())
with embedded_postgres(Path(sys.argv[1]), sys.argv[2]):
    print("up", flush=True)
    sys.stdin.read()
"""


@contextmanager
def _user(folder: Path, configuration: str = "") -> Iterator["subprocess.Popen[str]"]:
    """A user of the server, until its input ends."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", USER, str(folder), configuration],
        cwd=ROOT, env=environment(PYTHONPATH=str(ROOT)),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.communicate(timeout=60)


def _says(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _is_held(folder: Path) -> bool:
    """Whether any process of a Postgres lives there, be it seen or not."""
    with (folder / "postgres" / LOCK).open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _has_open(process: "subprocess.Popen[str]", file: Path) -> bool:
    descriptors = Path(f"/proc/{process.pid}/fd").iterdir()
    return any(found.exists() and found.samefile(file) for found in descriptors)


def _postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])


def _children(process: "subprocess.Popen[str]") -> list[str]:
    found = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    return found.read_text().split()


@pytest.fixture
def slowly(tmp_path: Path) -> str:
    """A configuration whose reader waits until somebody writes: before it says who it is."""
    with embedded_postgres(tmp_path):
        pass
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    fifo.chmod(0o644)
    return f"include = '{fifo}'\n"


def test_who_is_stopped_while_it_starts_leaves_none(tmp_path: Path, slowly: str) -> None:
    with _user(tmp_path, slowly) as process:
        with (tmp_path / "fifo").open("w"):  # when the postmaster reads it
            process.terminate()
            _wait_until(lambda: _children(process) == [])  # pg_ctl is gone
            time.sleep(0.3)
        process.wait(timeout=60)
        assert not _is_held(tmp_path)


def test_who_waits_for_one_that_just_starts_uses_it(tmp_path: Path, slowly: str) -> None:
    with _user(tmp_path, slowly) as killed:
        being_read = (tmp_path / "fifo").open("w")
        killed.kill()
        with _user(tmp_path) as other:
            _wait_until(lambda: _has_open(other, tmp_path / "postgres" / LOCK))
            being_read.close()
            assert _says(other) == "up\n"


def test_who_is_stopped_while_it_leaves_waits_until_the_server_is_gone(tmp_path: Path) -> None:
    with _user(tmp_path) as process:
        assert _says(process) == "up\n"
        pid = _postmaster(tmp_path)
        os.kill(pid, signal.SIGSTOP)
        process.terminate()
        _wait_until(lambda: _children(process) != [])  # pg_ctl
        process.terminate()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(timeout=1)
        os.kill(pid, signal.SIGCONT)
        process.wait(timeout=60)
        assert not _is_held(tmp_path)


def test_one_that_takes_too_long_to_stop_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded, "STOP_TIMEOUT_S", 1)
    begun_at = time.monotonic()
    with pytest.raises(StartupError, match="does not shut down"), embedded_postgres(tmp_path):
        os.kill(_postmaster(tmp_path), signal.SIGSTOP)
    assert time.monotonic() - begun_at < 30  # pg_ctl alone waits for a minute
    os.kill(_postmaster(tmp_path), signal.SIGCONT)
    _wait_until(lambda: not _is_held(tmp_path))
