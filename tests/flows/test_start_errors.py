"""What the operator has to mend is one line and exit code 2, never a traceback."""

import socket
from pathlib import Path
from subprocess import CompletedProcess

import psycopg
import pytest

from app.foundation.embedded import embedded_postgres
from app.foundation.errors import StartupError
from app.foundation.settings import read_settings
from app.foundation.web.server import take_port
from tests.processes import free_port, run_honne

KEY = "k" * 32


def _assert_one_line(done: "CompletedProcess[str]", hint: str) -> None:
    assert done.returncode == 2, done
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("honne: ")
    assert hint in lines[0]


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        _assert_one_line(run_honne("serve", PORT=port, HONNE_DATA_DIR=str(tmp_path)), "in use")
    assert not (tmp_path / "postgres").exists(), "nothing was started for it"


def test_a_port_taken_by_another_start_that_is_not_ready_yet(tmp_path: Path) -> None:
    settings = read_settings({"PORT": str(free_port()), "HONNE_DATA_DIR": str(tmp_path)})
    with take_port(settings), pytest.raises(StartupError, match="in use"):
        take_port(settings)


def test_a_metrics_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        values = {"PORT": str(free_port()), "METRICS_PORT": str(taken.getsockname()[1])}
        done = run_honne("serve", HONNE_DATA_DIR=str(tmp_path), **values)
    _assert_one_line(done, "METRICS_PORT")


def test_more_workers_than_connections(tmp_path: Path) -> None:
    done = run_honne("serve", "--workers", "9", HONNE_DATA_DIR=str(tmp_path))
    _assert_one_line(done, "DATABASE_CONNECTIONS")


def test_an_unreachable_database() -> None:
    url = f"postgresql://honne@127.0.0.1:{free_port()}/honne"
    done = run_honne("serve", PORT=str(free_port()), DATABASE_URL=url, SECRET_KEY=KEY)
    _assert_one_line(done, "cannot be reached")


def test_a_data_directory_that_cannot_be_written_to() -> None:
    done = run_honne("serve", PORT=str(free_port()), HONNE_DATA_DIR="/proc/honne")
    _assert_one_line(done, "HONNE_DATA_DIR")


def test_a_database_newer_than_the_code(tmp_path: Path) -> None:
    assert run_honne("migrate", HONNE_DATA_DIR=str(tmp_path)).returncode == 0
    with (
        embedded_postgres(tmp_path) as addresses,
        psycopg.connect(addresses.owner_url.replace("+psycopg", "")) as connection,
    ):
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
    done = run_honne("serve", PORT=str(free_port()), HONNE_DATA_DIR=str(tmp_path))
    _assert_one_line(done, "newer")


def test_a_database_that_was_not_migrated(tmp_path: Path) -> None:
    with embedded_postgres(tmp_path) as addresses:
        url = addresses.owner_url.replace("+psycopg", "")
        done = run_honne("serve", PORT=str(free_port()), DATABASE_URL=url, SECRET_KEY=KEY)
        _assert_one_line(done, "honne migrate")
        with_one_login = {"DATABASE_URL": url, "SECRET_KEY": KEY}
        assert run_honne("migrate", **with_one_login).returncode == 0
        made = run_honne("create-workspace", "Acme", "--time-zone", "Asia/Tokyo", **with_one_login)
        assert made.returncode == 0, made.stderr
        owner = run_honne(
            "create-owner", "a@acme.example", "--workspace", made.stdout.strip(), **with_one_login
        )
        assert owner.returncode == 0, owner.stderr
        assert "/sign-in/links/" in owner.stdout or "/password" in owner.stdout


def test_an_address_may_be_typed_as_it_is_read(tmp_path: Path) -> None:
    data = {"HONNE_DATA_DIR": str(tmp_path)}
    made = run_honne("create-workspace", "Acme", **data)
    owner = run_honne("create-owner", "A@例え.example", "--workspace", made.stdout.strip(), **data)
    assert "/sign-in/links/" in owner.stdout, owner.stderr


def test_nonsense_is_refused_in_one_line(tmp_path: Path) -> None:
    done = run_honne(
        "create-workspace", "Acme", "--time-zone", "Mars", HONNE_DATA_DIR=str(tmp_path)
    )
    _assert_one_line(done, "time zone")
