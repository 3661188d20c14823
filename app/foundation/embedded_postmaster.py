"""The first process of the embedded Postgres: whether it lives, here or in another container, and
what it left where it does not.

The number in its lock file is good where it was given only: in another container that shares the
data it is nobody's, or somebody else's. Two postmasters on one cluster destroy it, so nothing is
taken away before `replaced` holds the lock that each process of a living one holds; only orphans
are ended to get it.
"""

import fcntl
import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.foundation.embedded_account import ROOT_UID
from app.foundation.errors import StartupError

PROCESSES = Path("/proc")
STATE_LINE = 7  # of postmaster.pid, where the postmaster says what it is at
SOCKET = ".s.PGSQL.5432"
LOCK = "running.lock"
SEEN_OR_GONE_WITHIN_S = 5  # one just started, one just killed
LOOK_EVERY_S = 0.05


@dataclass(frozen=True, slots=True)
class Postmaster:
    """Of the cluster in the folder `cluster`; it listens in the folder `socket_dir`."""

    cluster: Path
    socket_dir: Path

    def is_running(self) -> bool:
        return self.is_here() or self._answers()

    def is_here(self) -> bool:
        """Whether the process that the lock file names is this cluster's postmaster.

        Its number may be another program's by now, after a restart of the machine or container;
        and where no init reaps, a killed postmaster lives on as a process without a command.
        """
        try:
            pid = abs(int((self.cluster / "postmaster.pid").read_text().split()[0]))
            if not PROCESSES.is_dir():
                os.kill(pid, 0)
                return True
        except (OSError, ValueError, IndexError):
            return False
        return self._is_postmaster(pid)

    def wait_until_seen(self) -> None:
        """One that was started just now holds the lock before its lock file names it: only then
        can it be stopped. Waits, but not for long, until it runs or nobody holds the lock."""
        patient_until = time.monotonic() + SEEN_OR_GONE_WITHIN_S
        while self._is_held() and not self.is_running() and time.monotonic() < patient_until:
            time.sleep(LOOK_EVERY_S)

    def is_stopping(self) -> bool:
        """Whether it takes nobody any more. Who asks a postmaster to end (`kill`, `killall`) makes
        it wait for all who are connected, and they stay for as long as Honne serves."""
        try:
            lines = (self.cluster / "postmaster.pid").read_text().splitlines()
        except OSError:
            return False
        return lines[STATE_LINE:] == ["stopping"]

    @contextmanager
    def replaced(self) -> Iterator[IO[str] | None]:
        """Take away what a dead postmaster left: its children, who would keep the next one from
        starting, and its locks, which may name a process that is somebody else's by now.

        Yields the lock, for the next one to inherit: it is held for as long as one of its processes
        lives, wherever that is. Yields None where one runs after all that could not be seen yet.
        Raises `StartupError` where the lock stays held.
        """
        # Closed, never unlocked: that would take it from all who inherited it.
        with (self.cluster.parent / LOCK).open("a") as lock:
            if not self._take(lock):
                yield None
                return
            (self.cluster / "postmaster.pid").unlink(missing_ok=True)
            for left_over in self.socket_dir.glob(".s.PGSQL.*"):
                left_over.unlink(missing_ok=True)
            yield lock

    def _take(self, lock: IO[str]) -> bool:
        """Whether the lock is ours now; not where a postmaster runs after all."""
        patient_until = time.monotonic() + SEEN_OR_GONE_WITHIN_S
        while not _lock(lock):
            if self.is_running():
                return False
            if time.monotonic() > patient_until:
                raise StartupError(
                    f"A Postgres that cannot be reached from here works on {self.cluster}; "
                    "run this where it runs (in the same container), or stop it first."
                )
            self._end_orphans()
            time.sleep(LOOK_EVERY_S)
        return True

    def _is_held(self) -> bool:
        try:
            with (self.cluster.parent / LOCK).open() as lock:
                return not _lock(lock)
        except OSError:  # there is no such folder yet, or it is somebody else's
            return False

    def _answers(self) -> bool:
        """Whether somebody listens on its socket, which leads into other containers, too."""
        with socket.socket(socket.AF_UNIX) as probe:
            probe.setblocking(False)
            try:
                probe.connect(str(self.socket_dir / SOCKET))
            except BlockingIOError:  # many wait there already
                return True
            except OSError:
                return False
            return True

    def _is_cluster(self, path: str) -> bool:
        """By whatever name: the folder may be mounted twice, or linked to."""
        try:
            return path.startswith("/") and self.cluster.samefile(path)
        except OSError:
            return False

    def _is_postmaster(self, pid: int) -> bool:
        """Its children give themselves other names."""
        try:
            command = (PROCESSES / str(pid) / "cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        program, *arguments = map(os.fsdecode, command)
        return Path(program).name == "postgres" and any(map(self._is_cluster, arguments))

    def _end_orphans(self) -> None:
        """Nobody is one whose postmaster lives, though it has lost its lock file."""
        with _acting_as_owner(self.cluster):
            workers = list(self._workers())
        if not any(map(self._is_postmaster, workers)):
            for worker in workers:
                with suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)

    def _workers(self) -> Iterator[int]:
        """Postgres processes that work in the cluster's folder, but for those of a container in
        here: only who is in there knows whether their postmaster lives."""
        for process in PROCESSES.glob("[0-9]*"):
            try:
                is_ours = (process / "cwd").samefile(self.cluster)
                is_from_here = (process / "ns/pid").samefile(PROCESSES / "self/ns/pid")
                is_postgres = (process / "comm").read_text().strip() == "postgres"
            except OSError:
                continue
            if is_ours and is_from_here and is_postgres:
                yield int(process.name)


@contextmanager
def _acting_as_owner(folder: Path) -> Iterator[None]:
    """Where root has not all of its rights, as in most containers, it may not see which folder
    another account's process works in. That account may."""
    if os.geteuid() != ROOT_UID:
        yield
        return
    owner, group = folder.stat(), os.getegid()
    try:
        os.setegid(owner.st_gid)
        os.seteuid(owner.st_uid)
        yield
    finally:
        os.seteuid(ROOT_UID)
        os.setegid(group)


def _lock(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
