"""Two on one cluster destroy it: a postmaster that is seen under another number, or not at all, as
in another container on the same volume, or whose folder has two names, is never taken for dead."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from app.foundation import embedded, embedded_postmaster
from app.foundation.embedded import Addresses, embedded_postgres
from app.foundation.embedded_postmaster import LOCK
from app.foundation.errors import StartupError
from tests.processes import ROOT, environment

AS_IN_ANOTHER_CONTAINER = ["unshare", "--pid", "--ipc", "--fork", "--mount-proc"]
AS_IN_MOST_CONTAINERS = ["setpriv", "--bounding-set=-sys_ptrace", "--inh-caps=-sys_ptrace"]
USER = """
import sys
from pathlib import Path
import psycopg
from app.foundation.embedded import embedded_postgres
from app.foundation.errors import StartupError
try:
    with embedded_postgres(Path(sys.argv[1])) as addresses:
        with psycopg.connect(addresses.owner_url.replace("+psycopg", "")) as connection:
            connection.execute(sys.argv[2])
        print("up", flush=True)
        sys.stdin.read()
except StartupError as error:
    print(error)
"""


@pytest.fixture
def tmp_path() -> Iterator[Path]:
    """Its name is short: under a long one the socket lies elsewhere."""
    with tempfile.TemporaryDirectory(prefix="honne-test-") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


only_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root may make namespaces")


def _user(
    folder: Path, statement: str = "SELECT 1", before: tuple[str, ...] | list[str] = (), **env: str
) -> "subprocess.Popen[str]":
    """A user of the server, until its input ends."""
    return subprocess.Popen(
        [*before, sys.executable, "-P", "-c", USER, str(folder), statement],
        cwd=ROOT, env=environment(PYTHONPATH=str(ROOT), **env),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip


def _said(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _execute(addresses: Addresses, statement: str) -> list[tuple[object, ...]]:
    url = addresses.owner_url.replace("+psycopg", "")
    with psycopg.connect(url, autocommit=True) as connection:
        result = connection.execute(statement)
        return result.fetchall() if result.description else []


def _locks(folder: Path) -> dict[str, tuple[int, str]]:
    """The files by which a living postmaster is known: which they are, and what they say."""
    home = folder / "postgres"
    found = [*home.glob("cluster/postmaster.pid"), *home.glob("socket/.s.*.lock")]
    return {path.name: (path.stat().st_ino, path.read_text().split("\n")[0]) for path in found}


@only_as_root
def test_from_another_container_the_same_server_is_used(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path) as addresses:
        _execute(addresses, "CREATE TABLE kept AS SELECT 1 AS n")
        before = _locks(tmp_path)
        other = _user(tmp_path, "INSERT INTO kept VALUES (2)", AS_IN_ANOTHER_CONTAINER)
        assert _said(other) == "up\n"
        assert _locks(tmp_path) == before
        _execute(addresses, "INSERT INTO kept VALUES (3)")
        other.communicate()
        assert _locks(tmp_path) == before, "its own user goes on"
        assert _execute(addresses, "SELECT n FROM kept ORDER BY n") == [(1,), (2,), (3,)]
    with embedded_postgres(tmp_path) as addresses:
        assert _execute(addresses, "SELECT n FROM kept ORDER BY n") == [(1,), (2,), (3,)]


@only_as_root
def test_no_container_stops_it_under_the_other(tmp_path: Path) -> None:
    first = _user(tmp_path, "CREATE TABLE kept (n int)")
    assert _said(first) == "up\n"
    before = _locks(tmp_path)
    other = _user(tmp_path, "INSERT INTO kept VALUES (2)", AS_IN_ANOTHER_CONTAINER)
    assert _said(other) == "up\n"
    first.communicate()
    assert _locks(tmp_path) == before, "it is in use, though by nobody here"
    other.communicate()
    assert _locks(tmp_path) == before, "from there nobody can stop it"
    with embedded_postgres(tmp_path) as addresses:
        assert _locks(tmp_path) == before
        assert _execute(addresses, "SELECT n FROM kept") == [(2,)]
    assert _locks(tmp_path) == {}, "from here one can"


@only_as_root
def test_one_that_ended_with_its_container_is_started_here(tmp_path: Path) -> None:
    other = _user(tmp_path, "CREATE TABLE kept AS SELECT 7 AS n", AS_IN_ANOTHER_CONTAINER)
    assert _said(other) == "up\n"
    with embedded_postgres(tmp_path):
        pass
    other.kill()
    other.communicate()
    with embedded_postgres(tmp_path) as addresses:
        assert _execute(addresses, "SELECT n FROM kept") == [(7,)]
    assert _locks(tmp_path) == {}


@only_as_root
def test_one_that_cannot_be_reached_from_there_is_left_alone(tmp_path: Path) -> None:
    """A long path: the socket is among the temporary files, and each container has its own."""
    folder, elsewhere = tmp_path / ("long" * 25), tmp_path / "tmp"
    elsewhere.mkdir(mode=0o755)
    with embedded_postgres(folder) as addresses:
        before = _locks(folder)
        other = _user(folder, "SELECT 1", AS_IN_ANOTHER_CONTAINER, TMPDIR=str(elsewhere))
        assert "in the same container" in _said(other)
        other.communicate()
        assert _locks(folder) == before
        assert _execute(addresses, "SELECT 1") == [(1,)]


def test_one_that_nobody_sees_but_that_answers_is_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same without the rights that a namespace takes."""
    first = _user(tmp_path)
    assert _said(first) == "up\n"
    before = _locks(tmp_path)
    with monkeypatch.context() as patch:
        (tmp_path / "proc").mkdir()
        patch.setattr(embedded_postmaster, "PROCESSES", tmp_path / "proc")
        with embedded_postgres(tmp_path) as addresses:
            assert _execute(addresses, "SELECT 1") == [(1,)]
            assert _locks(tmp_path) == before
        first.communicate()
    assert _locks(tmp_path) == {}


def test_one_that_holds_the_lock_is_left_alone_though_it_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = _user(tmp_path)
    assert _said(first) == "up\n"
    home = tmp_path / "postgres"
    before = _locks(tmp_path)
    with monkeypatch.context() as patch:
        (tmp_path / "proc").mkdir()
        patch.setattr(embedded_postmaster, "PROCESSES", tmp_path / "proc")
        patch.setattr(embedded_postmaster, "SOCKET", "nowhere")
        patch.setattr(embedded_postmaster, "SEEN_OR_GONE_WITHIN_S", 0.2)
        with pytest.raises(StartupError, match="in the same container"):
            embedded_postgres(tmp_path).__enter__()
    assert _locks(tmp_path) == before
    assert (home / LOCK).exists()
    first.communicate()
    assert _locks(tmp_path) == {}


def test_one_that_has_lost_its_lock_file_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded_postgres(tmp_path) as addresses:
        lock_file = tmp_path / "postgres" / "cluster" / "postmaster.pid"
        said = lock_file.read_text()
        lock_file.unlink()
        with monkeypatch.context() as patch:
            patch.setattr(embedded_postmaster, "SOCKET", "nowhere")
            patch.setattr(embedded_postmaster, "SEEN_OR_GONE_WITHIN_S", 0.2)
            with pytest.raises(StartupError, match="in the same container"):
                embedded_postgres(tmp_path).__enter__()
        lock_file.write_text(said)
        assert _execute(addresses, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("is_long", [False, True])
def test_a_folder_of_two_names_has_one_server(
    tmp_path: Path, is_long: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where it is mounted a second time. Under a long name each has its own socket folder."""
    folder = tmp_path / ("long" * 25 if is_long else "data")
    folder.mkdir()
    other_name = tmp_path / ("link" * 25 if is_long else "link")
    other_name.symlink_to(folder)
    first = _user(folder)
    assert _said(first) == "up\n"
    before = _locks(folder)
    monkeypatch.setattr(embedded, "CONNECT_WITHIN_S", 1)
    if is_long:
        with pytest.raises(StartupError, match="cannot be reached"):
            embedded_postgres(other_name).__enter__()
    else:
        with embedded_postgres(other_name) as addresses:
            assert _execute(addresses, "SELECT 1") == [(1,)]
    assert _locks(folder) == before
    first.communicate()
    assert _locks(folder) == {}


@only_as_root
def test_a_folder_that_is_mounted_twice_has_one_server(tmp_path: Path) -> None:
    folder, other_name = tmp_path / "data", tmp_path / "mounted"
    other_name.mkdir()
    with embedded_postgres(folder) as addresses:
        before = _locks(folder)
        mount = 'mount --bind "$0" "$1" && shift && exec "$@"'
        there = ["unshare", "--mount", "sh", "-c", mount, str(folder), str(other_name)]
        other = _user(other_name, "SELECT 1", there)
        assert _said(other) == "up\n"
        other.communicate()
        assert _locks(folder) == before
        assert _execute(addresses, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("before", [[], pytest.param(AS_IN_MOST_CONTAINERS, marks=only_as_root)])
def test_children_of_a_dead_one_hold_the_lock_no_longer_than_they_are_let(
    tmp_path: Path, before: list[str]
) -> None:
    first = _user(tmp_path)
    assert _said(first) == "up\n"
    pid = int((tmp_path / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])
    first.kill()
    first.communicate()
    [socket] = (tmp_path / "postgres" / "socket").glob(".s.PGSQL.*[0-9]")
    url = f"postgresql://honne_owner@/postgres?host={socket.parent}"
    with closing(psycopg.connect(url, autocommit=True)) as busy:
        busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 1000000000000)")
        time.sleep(0.2)
        os.kill(pid, signal.SIGKILL)
        other = _user(tmp_path, before=before)
        assert _said(other) == "up\n"
        other.communicate()
