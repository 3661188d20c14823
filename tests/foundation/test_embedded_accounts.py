"""Whose the embedded Postgres is: nobody, root neither, touches what is another account's."""

import os
import pwd
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.foundation.embedded import embedded_postgres
from app.foundation.errors import StartupError
from tests.processes import ROOT, environment, run_honne

SERVICE = "daemon"
USER = """
import sys
from pathlib import Path
from app.foundation.embedded import embedded_postgres
with embedded_postgres(Path(sys.argv[1])):
    print("up", flush=True)
    sys.stdin.read()
"""

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root may be somebody else")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A data directory of the service's account. Not in pytest's, which is closed to it."""
    account = pwd.getpwnam(SERVICE)
    with tempfile.TemporaryDirectory(prefix="honne-of-") as above:
        Path(above).chmod(0o755)
        path = Path(above) / "data"
        path.mkdir(mode=0o700)
        os.chown(path, account.pw_uid, account.pw_gid)
        yield path


def _as_service(folder: Path) -> "subprocess.Popen[str]":
    """A user of the server, until its input ends."""
    account = pwd.getpwnam(SERVICE)
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", USER, str(folder)],
        cwd=ROOT, user=account.pw_uid, group=account.pw_gid, extra_groups=[],
        env=environment(PYTHONPATH=str(ROOT)),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def _state(folder: Path) -> dict[str, tuple[int, int]]:
    """Whose each file and folder is that a start makes, and its mode."""
    postgres = folder / "postgres"
    places = [folder, *folder.iterdir()]
    places += postgres.iterdir() if postgres.exists() else []
    return {path.name: (path.stat().st_uid, path.stat().st_mode) for path in places}


def _refused(
    folder: Path, user: str | None, command: list[str], why: str = "", **values: str
) -> None:
    done = run_honne(*command, user=user, HONNE_DATA_DIR=str(folder), **values)
    assert done.returncode == 2, done
    assert done.stderr.count("\n") == 1, done.stderr
    assert (why or f"belong to the account {SERVICE}") in done.stderr


def test_a_server_of_another_account_is_left_alone(folder: Path) -> None:
    service = _as_service(folder)
    before = _state(folder)
    for user in (None, "nobody"):
        for mode in (0o700, 0o755):
            folder.chmod(mode)
            _refused(folder, user, ["audit", "verify"])
            _refused(folder, user, ["backup", str(folder.parent / "never")], SECRET_KEY="k" * 40)
    folder.chmod(0o700)
    assert _state(folder) == before, "nothing is made there, and nothing given away"
    service.communicate()
    _as_service(folder).communicate()


def test_root_sets_nothing_up_in_a_folder_of_another_account(folder: Path) -> None:
    """The account would be refused there ever after."""
    _refused(folder, None, ["migrate"])
    assert list(folder.iterdir()) == []


def test_root_gives_what_it_makes_to_an_account_without_rights(folder: Path) -> None:
    os.chown(folder, 0, 0)
    with embedded_postgres(folder):
        names = ("", "cluster", "socket", "running.lock")
        owners = {(folder / "postgres" / name).owner() for name in names}
        assert len(owners) == 1
        assert owners <= {"postgres", "nobody"}
        pid = int((folder / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
    with embedded_postgres(folder):
        assert folder.owner() == "root"
    _refused(folder, SERVICE, ["audit", "verify"], "belong to the account root;")


def test_a_lock_that_another_account_made_is_said_in_a_line(folder: Path) -> None:
    _as_service(folder).communicate()
    os.chown(folder / "postgres" / "running.lock", 0, 0)
    _refused(folder, SERVICE, ["audit", "verify"], "cannot be written to")


def test_a_socket_folder_that_somebody_else_made_first_is_not_used(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.chown(folder, 0, 0)
    deep = folder / ("long" * 25)
    temporary = folder.parent / "tmp"
    temporary.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    with embedded_postgres(deep):
        [socket] = temporary.iterdir()
    left_over = list(socket.iterdir())
    assert left_over == []
    socket.rmdir()
    socket.symlink_to(tmp_path)
    with pytest.raises(StartupError, match="remove it"), embedded_postgres(deep):
        pass
    assert tmp_path.owner() == "root"
    socket.unlink()
    socket.mkdir()
    os.chown(socket, pwd.getpwnam(SERVICE).pw_uid, -1)
    with pytest.raises(StartupError, match="remove it"), embedded_postgres(deep):
        pass
    assert socket.owner() == SERVICE
