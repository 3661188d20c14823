"""Settings say in one line what is wrong with the environment."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.foundation.embedded import CONFIGURATION
from app.foundation.errors import StartupError
from app.foundation.settings import (
    LEAST_CONNECTIONS,
    MOST_EMBEDDED_CONNECTIONS,
    is_loopback,
    read_settings,
)
from app.responses.intake import WRITERS

KEY = "k" * 32


def test_the_defaults_need_nothing(tmp_path: Path) -> None:
    settings = read_settings({"HONNE_DATA_DIR": str(tmp_path)})
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.public_url == "http://127.0.0.1:8000"
    assert settings.is_embedded


def test_the_secret_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    first = read_settings({"HONNE_DATA_DIR": str(tmp_path)})
    second = read_settings({"HONNE_DATA_DIR": str(tmp_path)})
    assert first.secret_key == second.secret_key
    assert len(first.secret_key) >= 32
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_processes_that_start_side_by_side_share_one_key(tmp_path: Path) -> None:
    for attempt in range(20):
        folder = tmp_path / str(attempt)
        environ = {"HONNE_DATA_DIR": str(folder)}
        with ThreadPoolExecutor(8) as starting:
            found = starting.map(read_settings, [environ] * 8)
        assert len({settings.secret_key for settings in found}) == 1
        assert [path.name for path in folder.iterdir()] == ["secret_key"]


def test_the_public_address_is_written_as_browsers_do(tmp_path: Path) -> None:
    environ = {"HONNE_DATA_DIR": str(tmp_path), "PUBLIC_URL": "https://Survey.Example/"}
    assert read_settings(environ).public_url == "https://survey.example"


def test_a_database_url_takes_psycopg_and_owns_itself() -> None:
    settings = read_settings({"DATABASE_URL": "postgres://u@h/d", "SECRET_KEY": KEY})
    assert settings.database_url == "postgresql+psycopg://u@h/d"
    assert settings.database_owner_url == settings.database_url
    assert not settings.is_embedded


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p%40%2Fw@h/d?application_name=a@b",
        "postgresql://u:p#w?[:@h:5432/d",
        "postgresql://u@/d?host=%2Fvar%2Frun%2Fpostgresql",
        "postgresql:///d?host=/var/run/postgresql&user=a@b",
        "postgresql://h/d",
    ],
)
def test_other_database_urls_are_taken(url: str) -> None:
    settings = read_settings({"DATABASE_URL": url, "SECRET_KEY": KEY})
    assert settings.database_url == url.replace("postgresql", "postgresql+psycopg", 1)


@pytest.mark.parametrize(
    ("environ", "hint"),
    [
        ({"PORT": "0"}, "PORT"),
        ({"PORT": "eight"}, "PORT"),
        ({"PORT": "65536"}, "PORT"),
        ({"PUBLIC_URL": "ftp://x"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "http://survey.example"}, "https"),
        ({"PUBLIC_URL": "https://survey.example/honne"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://me:secret@survey.example"}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "http://["}, "PUBLIC_URL"),
        ({"PUBLIC_URL": "https://survey.example:https"}, "PUBLIC_URL"),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://u:p#w@h:x/d", "SECRET_KEY": KEY}, "password as %XX"),
        ({"DATABASE_OWNER_URL": "postgresql://u:p@h:port/d"}, "DATABASE_OWNER_URL"),
        ({"DATABASE_URL": "postgresql://u:p@w@h/d", "SECRET_KEY": KEY}, "password as %XX"),
        ({"DATABASE_URL": "postgresql://u:p/w@h/d", "SECRET_KEY": KEY}, "password as %XX"),
        ({"DATABASE_URL": "postgresql://u:p%w@h/d", "SECRET_KEY": KEY}, "password as %XX"),
        ({"DATABASE_URL": "postgresql://x/y"}, "SECRET_KEY"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"TRUSTED_PROXIES": "everybody"}, "TRUSTED_PROXIES"),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL"),
        ({"DATABASE_REPLICA_URL": "mysql://x"}, "DATABASE_REPLICA_URL"),
        ({"DATABASE_CONNECTIONS": "7"}, "DATABASE_CONNECTIONS"),
        ({"DATABASE_CONNECTIONS": "61"}, "Set DATABASE_URL for more"),
        ({"METRICS_PORT": "many"}, "METRICS_PORT"),
        ({"SLOW_STATEMENT_MS": "-1"}, "SLOW_STATEMENT_MS"),
        ({"STOP_DELAY_S": "1.5"}, "STOP_DELAY_S"),
        ({"HONNE_DATA_DIR": "/proc/nowhere"}, "HONNE_DATA_DIR"),
    ],
)
def test_what_is_wrong_is_named(environ: dict[str, str], hint: str, tmp_path: Path) -> None:
    with pytest.raises(StartupError, match=hint):
        read_settings({"HONNE_DATA_DIR": str(tmp_path), **environ})


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_addresses(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["10.0.0.1", "survey.example", "::2", "0.0.0.0"])  # noqa: S104
def test_other_addresses(host: str) -> None:
    assert not is_loopback(host)


def test_the_embedded_postgres_has_room_for_all_that_may_be_asked_for() -> None:
    """Each intake opens as many again as it has, while it waits for locks."""
    configured = re.search(r"max_connections = (\d+)", CONFIGURATION)
    assert configured is not None
    usable = int(configured[1]) - 3  # which Postgres keeps for superusers
    processes = MOST_EMBEDDED_CONNECTIONS // LEAST_CONNECTIONS
    assert MOST_EMBEDDED_CONNECTIONS + processes * WRITERS + 12 <= usable


def test_workers_share_the_connections(tmp_path: Path) -> None:
    settings = read_settings({"HONNE_DATA_DIR": str(tmp_path), "DATABASE_CONNECTIONS": "20"})
    assert settings.with_workers(2).workers == 2
    with pytest.raises(StartupError, match="DATABASE_CONNECTIONS"):
        settings.with_workers(3)
    with pytest.raises(StartupError, match="At least one"):
        settings.with_workers(0)
