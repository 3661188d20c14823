"""`honne backup` and `honne restore`: the whole installation, to another server and back."""

import fcntl
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from app.accounts.audit_verification import verify_audit_log
from app.archiving.backup import (
    DUMP,
    MANIFEST,
    count_rows,
    make_backup,
    read_backup,
    require_restorable,
    restore_backup,
)
from app.archiving.dumping import dump_database, load_dump
from app.foundation.database import Database
from app.foundation.embedded import Addresses, embedded_postgres
from app.foundation.errors import StartupError
from app.foundation.settings import Settings
from tests.conftest import on_server
from tests.factories import Cast
from tests.processes import ROOT, environment, run_honne
from tests.reporting.data import TODAY, Answer, make_survey
from tests.responses.scene import recount, stored_counts

OTHER_OWNER, OTHER_LOGIN = "somebody_else", "other_app"
EMPTY = "restored"
STOPPED = "honne: stopped; look whether it was done before you repeat it\n"


@dataclass(frozen=True)
class Target:
    """An empty database whose owner is no superuser, and its addresses."""

    url: str
    owner_url: str
    admin_url: str

    def settings_of(self, settings: Settings) -> Settings:
        return settings.with_database(self.url, self.owner_url)


@pytest.fixture
def target(template: tuple[Settings, Addresses]) -> Iterator[Target]:
    _settings, addresses = template
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
    for role in (OTHER_OWNER, OTHER_LOGIN):
        on_server(addresses, sql.SQL("CREATE ROLE {} LOGIN CREATEROLE"), role)
    on_server(addresses, sql.SQL("GRANT honne_runtime TO {} WITH ADMIN OPTION"), OTHER_OWNER)
    on_server(addresses, sql.SQL("CREATE DATABASE {} OWNER {}"), EMPTY, OTHER_OWNER)
    url = addresses.owner_url.replace("/honne?", f"/{EMPTY}?")
    yield Target(
        url.replace("honne_owner", OTHER_LOGIN), url.replace("honne_owner", OTHER_OWNER), url
    )
    on_server(addresses, drop, EMPTY)
    # The migration let the login into the runtime role as the owner, who goes last hence.
    on_server(addresses, sql.SQL("DROP ROLE {}"), OTHER_LOGIN)
    on_server(addresses, sql.SQL("DROP OWNED BY {}"), OTHER_OWNER)
    on_server(addresses, sql.SQL("DROP ROLE {}"), OTHER_OWNER)


@pytest.fixture
async def backup(database: Database, cast: Cast, settings: Settings, tmp_path: Path) -> Path:
    """Of an installation with a few answers."""
    answers = [Answer(TODAY, score, {"plan": "pro"}, "なぜ") for score in (0, 9, 10)]
    await make_survey(database, cast.acme, answers)
    path = tmp_path / "monday"
    make_backup(settings, path)
    return path


def _restore(settings: Settings, path: Path, *, is_key_new: bool = False) -> None:
    manifest = read_backup(path)
    require_restorable(settings, manifest, is_key_new=is_key_new)
    restore_backup(settings, path, manifest)


async def test_a_backup_is_restored_under_other_logins(
    backup: Path, settings: Settings, target: Target, owner: psycopg.Connection, cast: Cast
) -> None:
    there = target.settings_of(settings)
    _restore(there, backup)
    with psycopg.connect(target.admin_url.replace("+psycopg", "")) as restored:
        assert count_rows(restored) == count_rows(owner)
        assert stored_counts(restored) == recount(restored) == recount(owner)
    with psycopg.connect(target.url.replace("+psycopg", "")) as runtime:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            runtime.execute("DROP TABLE responses")
        runtime.rollback()
        runtime.execute("SET LOCAL ROLE honne_runtime")
        assert runtime.execute("SELECT count(*) FROM responses").fetchone() == (0,)
        runtime.execute(f"SET LOCAL app.workspace_id = '{cast.acme}'")
        assert runtime.execute("SELECT count(*) FROM responses").fetchone() == (3,)
    elsewhere = Database(there.database_url)
    assert (await verify_audit_log(elsewhere, cast.acme)).fault is None
    await elsewhere.close()
    with pytest.raises(StartupError, match="not empty"):
        _restore(there, backup)
    path = backup.with_name("again")
    with pytest.raises(StartupError, match="a login that sees all rows"):
        make_backup(there, path)
    assert sorted(found.name for found in backup.parent.iterdir()) == [backup.name]


async def test_only_its_owner_may_read_it_and_nothing_is_written_over(
    backup: Path, settings: Settings
) -> None:
    for path in (backup, backup / DUMP, backup / MANIFEST):
        assert not path.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    assert settings.secret_key not in (backup / MANIFEST).read_text()
    with pytest.raises(StartupError, match="exists already"):
        make_backup(settings, backup)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"schema_revision": "ffff"}, "a newer Honne"),
        ({"format_version": 2}, "a newer Honne"),
        ({"format": "zip"}, "not the manifest of a backup"),
        ({"bytes": 7}, "is damaged"),
        ({"sha256": "0" * 64}, "is damaged"),
        ({"rows": {"responses": 4}}, "rows are missing"),
    ],
)
async def test_what_is_not_whole_is_refused(
    backup: Path, settings: Settings, target: Target, changes: dict[str, Any], reason: str
) -> None:
    manifest = json.loads((backup / MANIFEST).read_text())
    (backup / MANIFEST).write_text(json.dumps(manifest | changes))
    with pytest.raises(StartupError, match=reason):
        _restore(target.settings_of(settings), backup)


async def test_what_pg_restore_cannot_read_is_said_in_a_line(
    backup: Path, settings: Settings, target: Target
) -> None:
    rubbish = b"rubbish " * 200_000
    (backup / DUMP).write_bytes(rubbish)
    manifest = json.loads((backup / MANIFEST).read_text())
    changes = {"bytes": len(rubbish), "sha256": sha256(rubbish).hexdigest()}
    (backup / MANIFEST).write_text(json.dumps(manifest | changes))
    with pytest.raises(StartupError, match=r"^pg_restore failed \([^\n]+\)\.$"):
        _restore(target.settings_of(settings), backup)


async def test_another_key_is_taken_only_where_that_is_said(
    backup: Path, settings: Settings, target: Target
) -> None:
    there = replace(target.settings_of(settings), secret_key="k" * 40)
    with pytest.raises(StartupError, match="another secret key"):
        _restore(there, backup)
    _restore(there, backup, is_key_new=True)


def _refusal(result: "subprocess.CompletedProcess[str]") -> str:
    assert result.returncode == 2, result.stdout + result.stderr
    assert result.stderr.count("\n") == 1, "one line, no traceback"
    return result.stderr


async def test_a_new_data_directory_needs_the_key_of_then(
    backup: Path, settings: Settings, tmp_path: Path
) -> None:
    data = tmp_path / "elsewhere"
    refused = run_honne("restore", str(backup), HONNE_DATA_DIR=str(data))
    assert "Copy the secret_key file" in _refusal(refused)
    assert not data.exists()
    data.mkdir()
    (data / "secret_key").write_text("of something else " * 3)
    refused = run_honne("restore", str(backup), HONNE_DATA_DIR=str(data))
    assert "another secret key" in _refusal(refused)
    assert [path.name for path in data.iterdir()] == ["secret_key"], "nothing was set up for it"
    (data / "secret_key").write_text(settings.secret_key)
    restored = run_honne("restore", str(backup), HONNE_DATA_DIR=str(data))
    assert restored.returncode == 0, restored.stderr
    assert restored.stdout.startswith("Restored: ")
    again = run_honne("backup", str(tmp_path / "again"), HONNE_DATA_DIR=str(data))
    assert again.returncode == 0, again.stderr
    assert f"Keep {data / 'secret_key'} too" in again.stdout
    assert read_backup(tmp_path / "again").rows == read_backup(backup).rows


def test_a_folder_without_a_database_is_said_in_a_line(tmp_path: Path) -> None:
    nothing = run_honne("backup", str(tmp_path / "x"), HONNE_DATA_DIR=str(tmp_path / "empty"))
    assert "There is no database in" in _refusal(nothing)
    assert list(tmp_path.iterdir()) == [], "a mistyped folder is not made"


def test_a_folder_that_cannot_be_looked_at_is_said_in_a_line(
    settings: Settings, tmp_path: Path
) -> None:
    with pytest.raises(StartupError, match="cannot be written"):
        make_backup(settings, tmp_path / ("long" * 100))


def test_no_backup_takes_the_place_of_everything(settings: Settings) -> None:
    with pytest.raises(StartupError, match="/ exists already; name a new folder"):
        make_backup(settings, Path("/"))


@pytest.mark.skipif(os.geteuid() != 0, reason="nothing is closed to others")
def test_a_folder_closed_to_the_account_is_said_in_a_line(settings: Settings) -> None:
    variables = {"DATABASE_URL": settings.database_url, "SECRET_KEY": settings.secret_key}
    with tempfile.TemporaryDirectory() as closed:
        for folder in (Path(closed) / "monday", Path(closed) / "backups" / "monday"):
            refused = run_honne("backup", str(folder), user="daemon", **variables)
            assert "cannot be written (Permission denied)" in _refusal(refused)


def test_of_two_backups_to_one_folder_the_second_is_refused(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "monday"
    refusals = []

    def dump(url: str, file: Path, snapshot: str) -> tuple[int, str]:
        found = dump_database(url, file, snapshot)
        with pytest.raises(StartupError) as refused:
            make_backup(settings, path)
        refusals.append(str(refused.value))
        return found

    monkeypatch.setattr("app.archiving.backup.dump_database", dump)
    manifest = make_backup(settings, path)
    assert refusals == [f"Another backup to {path} is being made."]
    assert read_backup(path) == manifest
    assert manifest.bytes == (path / DUMP).stat().st_size > 0
    assert sorted(found.name for found in path.iterdir()) == [DUMP, MANIFEST]
    assert [found.name for found in tmp_path.iterdir()] == ["monday"]


async def test_of_two_restores_into_one_database_the_second_is_refused(
    backup: Path, settings: Settings, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = target.settings_of(settings)
    refusals = []

    def load(url: str, file: Path) -> None:
        with pytest.raises(StartupError) as refused:
            _restore(there, backup)
        refusals.append(str(refused.value))
        load_dump(url, file)

    monkeypatch.setattr("app.archiving.backup.load_dump", load)
    _restore(there, backup)
    assert refusals == ["Another restore into this database is under way."]


def test_what_a_killed_run_left_is_replaced(settings: Settings, tmp_path: Path) -> None:
    left_over = tmp_path / "monday.unfinished"
    left_over.mkdir(mode=0o700)
    (left_over / "folder").mkdir()
    for name in (DUMP, MANIFEST, "lock", "something else", "folder/file"):
        (left_over / name).write_text("half of i")
    path = tmp_path / "monday"
    path.mkdir()  # an empty one, as `mktemp -d` makes it
    make_backup(settings, path)
    read_backup(path)
    assert sorted(found.name for found in path.iterdir()) == [DUMP, MANIFEST]
    assert [found.name for found in tmp_path.iterdir()] == ["monday"]


def test_an_unfinished_folder_that_others_may_write_to_is_not_taken(
    settings: Settings, tmp_path: Path
) -> None:
    unfinished = tmp_path / "monday.unfinished"
    unfinished.mkdir()
    unfinished.chmod(0o770)
    _refuses_unfinished(settings, tmp_path)
    unfinished.rmdir()
    (tmp_path / "theirs").mkdir(mode=0o700)
    unfinished.symlink_to(tmp_path / "theirs")
    _refuses_unfinished(settings, tmp_path)
    unfinished.unlink()
    unfinished.mkdir(mode=0o700)
    (unfinished / "lock").symlink_to(tmp_path / "made")
    with pytest.raises(StartupError, match="cannot be written"):
        make_backup(settings, tmp_path / "monday")
    assert not (tmp_path / "made").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder away")
def test_an_unfinished_folder_of_another_account_is_not_taken(
    settings: Settings, tmp_path: Path
) -> None:
    unfinished = tmp_path / "monday.unfinished"
    unfinished.mkdir(mode=0o700)
    shutil.chown(unfinished, "daemon")
    _refuses_unfinished(settings, tmp_path)
    assert unfinished.owner() == "daemon"


def _refuses_unfinished(settings: Settings, above: Path) -> None:
    before = sorted(above.rglob("*"))
    with pytest.raises(StartupError, match=r"monday\.unfinished is .* remove it"):
        make_backup(settings, above / "monday")
    assert sorted(above.rglob("*")) == before


def test_a_command_that_is_stopped_says_so(
    settings: Settings, owner: psycopg.Connection, tmp_path: Path
) -> None:
    path = tmp_path / "monday"
    variables = {
        "DATABASE_URL": settings.database_url,
        "DATABASE_OWNER_URL": settings.database_owner_url,
        "SECRET_KEY": settings.secret_key,
    }
    for command in (["backup", str(path)], ["migrate"]):
        with owner.transaction():
            # Both wait for it, however fast the machine is.
            owner.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", *command],
                cwd=ROOT, env=environment(**variables), stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            _wait_for_waiting(owner)
            process.terminate()
            _out, said = process.communicate(timeout=30)
        assert (process.returncode, said) == (143, STOPPED), command
    assert list(tmp_path.iterdir()) == []


def test_what_is_done_is_not_said_to_be_undone(tmp_path: Path) -> None:
    """SIGTERM after the work, while the command leaves the Postgres that came along."""
    data, command = tmp_path / "data", ["create-workspace", "Acme"]
    assert run_honne(*command, HONNE_DATA_DIR=str(data)).returncode == 0
    with (
        embedded_postgres(data) as addresses,
        (data / "starting.lock").open() as starting,
        psycopg.connect(addresses.owner_url.replace("+psycopg", "")) as owner,
    ):
        with owner.transaction():
            owner.execute("LOCK TABLE workspaces")
            process = subprocess.Popen(
                [sys.executable, "-m", "app.cli", *command], cwd=ROOT, text=True,
                env=environment(HONNE_DATA_DIR=str(data), PYTHONUNBUFFERED="1"),
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            )  # fmt: skip
            _wait_for_waiting(owner)
            fcntl.flock(starting, fcntl.LOCK_EX)  # which it needs to leave
        assert process.stdout is not None
        assert process.stdout.readline().strip(), "the id of a second workspace"
        process.terminate()
        fcntl.flock(starting, fcntl.LOCK_UN)
        _out, said = process.communicate(timeout=30)
    assert (process.returncode, said) in ((143, STOPPED), (0, ""))


def _wait_for_waiting(owner: psycopg.Connection) -> None:
    query = "SELECT 1 FROM pg_locks WHERE NOT granted"
    for _ in range(1500):
        if owner.execute(query).fetchone():
            return
        time.sleep(0.02)
    raise AssertionError("nobody waits")
