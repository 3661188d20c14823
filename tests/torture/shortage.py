"""Ways to leave Postgres of no use: stopped, unreachable, out of connections, slow, its disk full;
and a server without room for temporary files."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from tests.torture.installation import Installation

Shortage = Callable[[Installation], AbstractContextManager[None]]
SOCKET = ".s.PGSQL.5432"
SLOW_S = 0.1


def _cluster_processes(found: Installation) -> list[int]:
    postmaster = found.postmaster()
    assert postmaster is not None
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
    return [postmaster, *map(int, children)]


@contextmanager
def stopped(found: Installation) -> Iterator[None]:
    """All of Postgres stands still, as on a disk or a machine that does; connections stay open."""
    processes = _cluster_processes(found)
    for pid in processes:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in processes:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


@contextmanager
def away(found: Installation) -> Iterator[None]:
    """Open connections end and new ones lead nowhere, as while a server is moved."""
    [folder] = [path.parent for path in found.folder.rglob(SOCKET)]
    with found.owner() as owner:
        (folder / SOCKET).rename(folder / "hidden")
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'honne_app'"
        )
    try:
        yield
    finally:
        (folder / "hidden").rename(folder / SOCKET)


@contextmanager
def out_of_connections(found: Installation) -> Iterator[None]:
    """Somebody else holds every connection that Postgres gives to a login like the server's."""
    url = found.settings.database_url.replace("+psycopg", "")
    with ExitStack() as held, found.owner() as owner:
        while True:
            with suppress(psycopg.OperationalError):
                held.enter_context(psycopg.connect(url, autocommit=True, connect_timeout=10))
                continue
            ended = owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE usename = 'honne_app' AND application_name = 'honne'"
            ).fetchall()
            if not ended:
                break
        yield


@contextmanager
def locked(found: Installation) -> Iterator[None]:
    """Whoever writes an answer waits; everything else goes on."""
    with found.owner() as owner, owner.transaction():
        owner.execute("LOCK TABLE responses IN EXCLUSIVE MODE")
        yield


@contextmanager
def slow(found: Installation) -> Iterator[None]:
    """Each commit takes a tenth of a second, as on a disk that is far away or worn out."""
    with found.owner() as owner:
        for setting in (f"commit_delay = {SLOW_S * 1e6:.0f}", "commit_siblings = 0"):
            owner.execute(f"ALTER SYSTEM SET {setting}")
        owner.execute("SELECT pg_reload_conf()")
        try:
            while _commit_seconds(owner) < SLOW_S:
                time.sleep(0.1)
            yield
        finally:
            for setting in ("commit_delay", "commit_siblings"):
                owner.execute(f"ALTER SYSTEM RESET {setting}")
            owner.execute("SELECT pg_reload_conf()")


def _commit_seconds(owner: psycopg.Connection) -> float:
    started = time.monotonic()
    owner.execute("SELECT pg_logical_emit_message(true, 'torture', '')")
    return time.monotonic() - started


def full_disk(found: Installation) -> AbstractContextManager[None]:
    """Not a byte is left where the data directory is."""
    return _filled(found.folder.parent)


def full_tmpdir(found: Installation) -> AbstractContextManager[None]:
    """Not a byte is left where exports and the server's numbers are written."""
    return _filled(Path(found.variables["TMPDIR"]))


@contextmanager
def _filled(folder: Path) -> Iterator[None]:
    ballast = folder / "ballast"
    with ballast.open("wb") as file, suppress(OSError):
        while True:
            os.write(file.fileno(), bytes(1 << 16))
    with ballast.open("ab") as file, suppress(OSError):
        while True:
            os.write(file.fileno(), bytes(512))
    try:
        yield
    finally:
        ballast.unlink()


@contextmanager
def small_disk(folder: Path, megabytes: int) -> Iterator[Path]:
    """A file system of its own in memory, which can be filled without harm."""
    if os.geteuid() != 0:
        pytest.fail("filling up a disk needs root, to mount a small tmpfs: run as root")
    folder.mkdir(exist_ok=True)
    size = f"size={megabytes}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        _unmount(folder)


def _unmount(folder: Path) -> None:
    """As soon as the last process has let go of it."""
    for _attempt in range(50):
        if (
            subprocess.run(["umount", str(folder)], capture_output=True, check=False).returncode
            == 0
        ):
            return
        time.sleep(0.2)
    subprocess.run(["umount", "--lazy", str(folder)], check=True)
