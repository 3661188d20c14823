"""Ways to kill a running Honne; each returns once the blow has fallen."""

import os
import random
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg

from tests.torture import crashing
from tests.torture.installation import Installation

Blow = Callable[[Installation, random.Random], None]
OBEYED_WITHIN_S = 60


def _send(pid: int | None, number: int) -> None:
    if pid is not None:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def kill_server(found: Installation, _chance: random.Random) -> None:
    """All processes of Honne at once; Postgres goes on."""
    found.kill()


def kill_parent(found: Installation, _chance: random.Random) -> None:
    """Its children must not go on without it."""
    parent, *children = found.processes()
    os.kill(parent, signal.SIGKILL)
    deadline = time.monotonic() + 10
    assert found.process is not None
    found.process.wait(10)
    while any(map(_is_alive, children)):
        assert time.monotonic() < deadline, "children outlive their parent"
        time.sleep(0.02)


def _is_alive(pid: int) -> bool:
    with suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def kill_child(found: Installation, chance: random.Random) -> None:
    """Any of: the server process, the one for jobs, the one that watches Postgres."""
    _send(chance.choice(found.processes()[1:]), signal.SIGKILL)


def kill_postmaster(found: Installation, _chance: random.Random) -> None:
    _send(found.postmaster(), signal.SIGKILL)


def ask_postmaster(found: Installation, _chance: random.Random) -> None:
    """As `killall postgres` does: it keeps those who are connected, and takes nobody else."""
    asked = found.postmaster()
    _send(asked, signal.SIGTERM)
    _wait_for_another(found, asked)


def kill_postmaster_twice(found: Installation, chance: random.Random) -> None:
    """And the next one while it still recovers, or soon after."""
    first = found.postmaster()
    _send(first, signal.SIGKILL)
    second = _wait_for_another(found, first)
    time.sleep(chance.random() * 0.3)
    _send(second, signal.SIGKILL)


def _wait_for_another(found: Installation, before: int | None) -> int:
    """The postmaster that was started in the place of the one `before`."""
    deadline = time.monotonic() + 60
    while (pid := found.postmaster()) in (None, before):
        assert time.monotonic() < deadline, "nobody started Postgres again"
        time.sleep(0.01)
    return pid


def cut_power(found: Installation, _chance: random.Random) -> None:
    """Server and Postgres in the same moment."""
    postmaster = found.postmaster()
    for pid in found.processes():
        _send(pid, signal.SIGKILL)
    _send(postmaster, signal.SIGKILL)
    found.kill()


def _backends(found: Installation, condition: str) -> list[int]:
    with found.owner() as owner:
        query = f"SELECT pid FROM pg_stat_activity WHERE {condition}"  # noqa: S608
        return [row[0] for row in owner.execute(query)]


def kill_backend(found: Installation, chance: random.Random) -> None:
    """One of the server's connections: Postgres then restarts them all."""
    _send(chance.choice(_backends(found, "usename = 'honne_app'") or [0]) or None, signal.SIGKILL)


def kill_writer(found: Installation, chance: random.Random) -> None:
    """A process in Postgres's background: who writes its log or its tables."""
    kinds = "('walwriter', 'checkpointer', 'background writer')"
    _send(chance.choice(_backends(found, f"backend_type IN {kinds}")), signal.SIGKILL)


def end_connections(found: Installation, _chance: random.Random) -> None:
    """As an administrator would, or a proxy that restarts: the others notice nothing."""
    with suppress(psycopg.OperationalError), found.owner() as owner:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'honne_app'"
        )


def crash(point: str, most: int) -> Blow:
    """The server kills itself when it has come to `point` for the nth time, at `most`."""

    def blow(found: Installation, chance: random.Random) -> None:
        found.order.write_text(f"{point} {chance.randint(1, most)}")
        deadline = time.monotonic() + OBEYED_WITHIN_S
        while found.order.exists():
            assert time.monotonic() < deadline, f"never came to: {point}"
            time.sleep(0.01)

    return blow


BLOWS: dict[str, Blow] = {
    "server": kill_server,
    "postmaster": kill_postmaster,
    "crash after commit": crash(crashing.AFTER_COMMIT, 20),
    "backend": kill_backend,
    "crash between statements": crash(crashing.BETWEEN_STATEMENTS, 60),
    "power cut": cut_power,
    "crash before answer": crash(crashing.BEFORE_ANSWER, 30),
    "child": kill_child,
    "crash before commit": crash(crashing.BEFORE_COMMIT, 20),
    "connections ended": end_connections,
    "postmaster twice": kill_postmaster_twice,
    "crash in half an answer": crash(crashing.HALF_ANSWER, 30),
    "parent": kill_parent,
    "postgres writer": kill_writer,
    "postmaster asked": ask_postmaster,
}
SHORT = ("server", "postmaster", "crash after commit", "backend")
