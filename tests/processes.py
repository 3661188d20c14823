"""Honne as a process of its own, as `make run` starts it."""

import os
import pwd
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STOP_WITHIN_S = 30


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(**values: str) -> dict[str, str]:
    """This process's environment without Honne's settings, and `values`."""
    kept = {"PATH", "HOME", "LANG", "TMPDIR", "SYSTEMROOT"}
    return {name: value for name, value in os.environ.items() if name in kept} | values


def run_honne(
    *arguments: str, user: str | None = None, **values: str
) -> "subprocess.CompletedProcess[str]":
    """One command, run to its end; by root also as another `user`."""
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *arguments],
        cwd=ROOT,
        user=user,
        group=user and pwd.getpwnam(user).pw_gid,
        extra_groups=None if user is None else [],
        env=environment(**values),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@contextmanager
def demo_process(folder: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    """`honne demo` on a data directory, as soon as it was started."""
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "demo"],
        cwd=ROOT,
        env=environment(HONNE_DATA_DIR=str(folder), PORT=str(port)),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=STOP_WITHIN_S)
        assert process.stdout is not None
        process.stdout.close()


@contextmanager
def demo(folder: Path, port: int) -> Iterator[tuple["subprocess.Popen[str]", Mapping[str, str]]]:
    """`honne demo` that is ready, and the lines it printed as name → value."""
    with demo_process(folder, port) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(4)]
        pairs = (line.rstrip("\n").partition(":") for line in lines)
        yield process, {name: value.strip() for name, _colon, value in pairs}
