"""Processes are replaced when they die, and end with their parent."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.foundation.supervision import KILL_AFTER_S

DEFAULT_STOP_DELAY_S = 1
ROOT = Path(__file__).resolve().parents[2]
PARENT = """
import json, os, signal, sys, time
from pathlib import Path
from app.foundation import supervision
from app.foundation.errors import StartupError
from app.foundation.supervision import Program, supervise

folder, stop_delay_s = Path(sys.argv[1]), float(sys.argv[2])
supervision.KILL_AFTER_S = 1.0

def work(ready):
    (folder / f"{os.getpid()}").touch()
    ready()
    signal.pause()

def fail(ready):
    raise RuntimeError("no")

def linger(ready):
    asked = []
    signal.signal(signal.SIGTERM, lambda *_signal: asked.append(True))
    ready()
    while not asked:
        time.sleep(0.01)
    time.sleep(2)
    (folder / "finished").touch()

programs = [Program(name, globals()[name]) for name in sys.argv[3:]]
fork = os.fork

def fork_slowly():
    pid = fork()
    if not pid:
        (folder / "forked").touch()
        patient_until = time.monotonic() + 10
        while signal.SIGTERM not in signal.sigpending() and time.monotonic() < patient_until:
            time.sleep(0.01)
    return pid

if os.environ.get("SLOW_FORK"):
    os.fork = fork_slowly
try:
    supervise(programs, lambda: print("ready", flush=True), stop_delay_s=stop_delay_s)
except StartupError as error:
    print(error, flush=True)
    sys.exit(2)
"""


@contextmanager
def supervised(
    folder: Path, *programs: str, stop_delay_s: float = 0
) -> Iterator["subprocess.Popen[str]"]:
    process = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(folder), str(stop_delay_s), *programs],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def first_line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def started(folder: Path) -> set[int]:
    return {int(path.name) for path in folder.iterdir()}


def lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_dies_is_replaced_and_all_end_together(tmp_path: Path) -> None:
    with supervised(tmp_path, "work", "work") as process:
        assert first_line(process) == "ready"
        victim, other = started(tmp_path)
        os.kill(victim, signal.SIGKILL)
        wait_until(lambda: len(started(tmp_path)) == 3)
        process.terminate()
        assert process.wait(timeout=20) == 0
        assert not any(map(lives, started(tmp_path)))
        assert other in started(tmp_path)


def test_a_killed_parent_leaves_nobody_behind(tmp_path: Path) -> None:
    with supervised(tmp_path, "work", "work") as process:
        assert first_line(process) == "ready"
        process.kill()
        wait_until(lambda: not any(map(lives, started(tmp_path))))


@pytest.mark.parametrize(("stop_delay_s", "is_finished"), [(0, False), (5, True)])
def test_who_goes_on_for_too_long_is_killed(
    tmp_path: Path, stop_delay_s: float, is_finished: bool
) -> None:
    """But not who serves on for as long as the settings say."""
    with supervised(tmp_path, "linger", stop_delay_s=stop_delay_s) as process:
        assert first_line(process) == "ready"
        process.terminate()
        assert process.wait(timeout=20) == 0
    assert (tmp_path / "finished").exists() == is_finished


def test_who_is_asked_to_end_just_after_its_fork_does_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has its parent's handlers for a moment, which on a busy machine is a long one."""
    monkeypatch.setenv("SLOW_FORK", "1")
    with supervised(tmp_path, "work", stop_delay_s=30) as process:
        wait_until((tmp_path / "forked").exists)
        process.terminate()
        process.wait(timeout=60)
    assert [path.name for path in tmp_path.iterdir()] == ["forked"]


def test_service_managers_are_more_patient() -> None:
    """They would kill what is still storing answers."""
    for file, words in (
        ("compose.yaml", "stop_grace_period: "),
        ("deploy/honne.service", "TimeoutStopSec="),
    ):
        found = re.search(rf"{words}(\d+)", (ROOT / file).read_text())
        assert found
        assert int(found[1]) > KILL_AFTER_S + DEFAULT_STOP_DELAY_S, file


def test_service_managers_allow_every_thread_that_may_start() -> None:
    """Python's, AnyIO's and uvloop's in each process, and Postgres with all of its processes."""
    unit = (ROOT / "deploy" / "honne.service").read_text()
    [workers], [most] = re.findall(r"--workers (\d+)", unit), re.findall(r"TasksMax=(\d+)", unit)
    threads = (1 + 32 + 40 + 4) * (int(workers) + 1)  # the last runs the jobs
    assert int(most) >= threads + 100 + 20  # connections, and what it does beside them


@pytest.mark.parametrize("programs", [["fail"], ["work", "fail"]])
def test_what_cannot_start_ends_all(tmp_path: Path, programs: list[str]) -> None:
    with supervised(tmp_path, *programs) as process:
        lines = process.communicate(timeout=20)[0]
        assert "before it was ready" in lines
        assert process.returncode == 2
    assert not any(map(lives, started(tmp_path)))
