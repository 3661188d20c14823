"""The embedded Postgres starts where it stands, is shared, and survives a killed user."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from app.foundation.embedded import Addresses, embedded_postgres, keep_running
from app.foundation.errors import StartupError

USER = """
import sys, time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from app.foundation.embedded import embedded_postgres
with embedded_postgres(Path(sys.argv[1])):
    print("up", flush=True)
    time.sleep(60)
"""


def _query(addresses: Addresses, statement: str) -> object:
    with psycopg.connect(addresses.owner_url.replace("+psycopg", "")) as connection:
        row = connection.execute(statement).fetchone()
    assert row is not None
    return row[0]


def _other_user(folder: Path) -> "subprocess.Popen[str]":
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(folder)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "up\n"
    return process


def test_data_outlives_a_stop_and_answers_are_durable(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path) as addresses:
        with psycopg.connect(addresses.owner_url.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        assert _query(addresses, "SHOW fsync") == "on"
        assert _query(addresses, "SHOW synchronous_commit") == "on"
        assert _query(addresses, "SHOW listen_addresses") == ""
    with pytest.raises(psycopg.OperationalError):
        _query(addresses, "SELECT 1")
    with embedded_postgres(tmp_path) as addresses:
        assert _query(addresses, "SELECT n FROM kept") == 7


def test_logs_never_hold_parameters_or_statements(tmp_path: Path) -> None:
    with (
        embedded_postgres(tmp_path) as addresses,
        psycopg.connect(addresses.owner_url.replace("+psycopg", "")) as connection,
        pytest.raises(psycopg.errors.DivisionByZero),
    ):
        connection.execute("SELECT %s::text, 1 / (length(%s) - 6)", ["canary", "canary"])
    log = (tmp_path / "postgres" / "server.log").read_text()
    assert "division by zero" in log
    assert "canary" not in log


def _end(process: "subprocess.Popen[str]", number: int) -> None:
    process.send_signal(number)
    process.wait(timeout=60)
    assert process.stdout is not None
    process.stdout.close()


def test_the_last_user_stops_the_server(tmp_path: Path) -> None:
    other = _other_user(tmp_path)
    with embedded_postgres(tmp_path) as addresses:
        pass
    assert _query(addresses, "SELECT 1") == 1
    _end(other, signal.SIGINT)
    with pytest.raises(psycopg.OperationalError):
        _query(addresses, "SELECT 1")


def test_a_killed_user_and_a_killed_server_are_recovered_from(tmp_path: Path) -> None:
    other = _other_user(tmp_path)
    _end(other, signal.SIGKILL)
    with embedded_postgres(tmp_path) as addresses:
        assert _query(addresses, "SELECT 1") == 1
    other = _other_user(tmp_path)
    pid = int((tmp_path / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])
    _end(other, signal.SIGKILL)
    os.kill(pid, signal.SIGKILL)
    with embedded_postgres(tmp_path) as addresses:
        assert _query(addresses, "SELECT 1") == 1


def test_a_user_who_gives_up_leaves_no_half_started_server(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", USER, str(tmp_path)], stderr=subprocess.PIPE)
    started = tmp_path / "postgres" / "cluster" / "postmaster.pid"
    while not started.exists():
        time.sleep(0.005)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert not started.exists()


@pytest.mark.parametrize("name", ["o'brien", "a,b", "with blank", "日本"])
def test_a_folder_of_any_name(tmp_path: Path, name: str) -> None:
    with embedded_postgres(tmp_path / name) as addresses:
        assert _query(addresses, "SELECT 1") == 1


def test_a_path_too_long_for_a_socket_still_works(tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 25)
    with embedded_postgres(folder) as addresses:
        assert _query(addresses, "SELECT 1") == 1


def test_a_folder_that_cannot_be_made_is_said_in_a_line() -> None:
    with (
        pytest.raises(StartupError, match="HONNE_DATA_DIR"),
        embedded_postgres(Path("/proc/nowhere")),
    ):
        pass


def _postmaster(folder: Path) -> int:
    return int((folder / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0])


def _wait_for_another(folder: Path, killed: int) -> None:
    for _ in range(200):
        with suppress(OSError, ValueError, IndexError):
            if _postmaster(folder) != killed:
                return
        time.sleep(0.05)
    raise AssertionError("nobody started it again")


@contextmanager
def _watched(folder: Path) -> Iterator[None]:
    is_over = threading.Event()
    watch = threading.Thread(target=keep_running, args=(folder, is_over.is_set))
    watch.start()
    yield
    is_over.set()
    watch.join()


def test_a_server_that_dies_while_it_is_used_is_started_again(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path) as addresses, _watched(tmp_path):
        with psycopg.connect(addresses.owner_url.replace("+psycopg", "")) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
        killed = _postmaster(tmp_path)
        os.kill(killed, signal.SIGKILL)
        _wait_for_another(tmp_path, killed)
        with embedded_postgres(tmp_path):  # waits until it takes connections again
            assert _query(addresses, "SELECT n FROM kept") == 7


def test_a_server_that_was_asked_to_stop_is_started_again(tmp_path: Path) -> None:
    """By `killall postgres`: it would wait for those who are connected, and take nobody else."""
    with embedded_postgres(tmp_path) as addresses, _watched(tmp_path):
        url = addresses.owner_url.replace("+psycopg", "")
        with psycopg.connect(url, autocommit=True) as stays:
            asked = _postmaster(tmp_path)
            os.kill(asked, signal.SIGTERM)
            _wait_for_another(tmp_path, asked)
            with pytest.raises(psycopg.OperationalError):
                stays.execute("SELECT 1")
        with embedded_postgres(tmp_path):
            assert _query(addresses, "SELECT 1") == 1


def test_a_command_does_not_wait_for_a_server_that_was_asked_to_stop(tmp_path: Path) -> None:
    with (
        embedded_postgres(tmp_path) as addresses,
        psycopg.connect(addresses.owner_url.replace("+psycopg", "")),
    ):
        os.kill(_postmaster(tmp_path), signal.SIGTERM)
        with embedded_postgres(tmp_path):  # nobody watches it here
            assert _query(addresses, "SELECT 1") == 1


def test_locks_that_name_somebody_elses_process_are_taken_away(tmp_path: Path) -> None:
    """As after a restart of the machine: the number of the dead postmaster is given anew."""
    other = _other_user(tmp_path)
    killed = _postmaster(tmp_path)
    _end(other, signal.SIGKILL)
    os.kill(killed, signal.SIGKILL)
    home = tmp_path / "postgres"
    owner = (home / "cluster").stat()
    with subprocess.Popen(["sleep", "60"], user=owner.st_uid, group=owner.st_gid) as stranger:
        for lock in (home / "cluster" / "postmaster.pid", home / "socket" / ".s.PGSQL.5432.lock"):
            lock.write_text(lock.read_text().replace(str(killed), str(stranger.pid), 1))
        with embedded_postgres(tmp_path) as addresses:
            assert _query(addresses, "SELECT 1") == 1
        assert stranger.poll() is None
        stranger.kill()
