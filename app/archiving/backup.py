"""A copy of the whole database, made while it is used, and the way back.

A backup is a folder of two files that its owner alone may read: `database.dump`, which pg_dump made
of one snapshot, and `manifest.json`, which says what it is of, how many rows each table has and how
the dump is recognised. The folder gets its name when it is complete. The secret key is not in it.
"""

import fcntl
import json
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from hashlib import file_digest
from pathlib import Path
from typing import IO, Annotated, Final, Literal, LiteralString

import psycopg
from psycopg import sql
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.archiving.dumping import dump_database, load_dump
from app.foundation import clock
from app.foundation.database import RUNTIME_ROLE
from app.foundation.errors import StartupError
from app.foundation.migrate import is_known_revision, migrate
from app.foundation.settings import Settings
from app.foundation.tokens import digest
from app.foundation.version import VERSION

FORMAT: Final = "honne-backup"
DUMP = "database.dump"
MANIFEST = "manifest.json"
LOCK = "lock"
KEY_PURPOSE = "backup"
RESTORE_LOCK = 0x7265_7374_6F72_65  # "restore"


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class BackupManifest(_Shape):
    """`manifest.json`. `rows` maps each table to its rows; `made_at` is the UTC moment of the
    snapshot; `key_mark` tells whether a secret key is the one of then, and nothing else of it."""

    format: Literal["honne-backup"] = FORMAT
    format_version: Literal[1] = 1
    honne_version: str
    postgres_version: str
    schema_revision: str
    made_at: datetime
    key_mark: str
    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    rows: dict[str, int]

    @property
    def total(self) -> int:
        return sum(self.rows.values())


def make_backup(settings: Settings, folder: Path) -> BackupManifest:
    """Back the database up into a new `folder`. Honne may go on serving, and its schema may be of
    another version. Raises `StartupError`; then nothing stands at `folder`."""
    with _new_folder(folder) as unfinished, _connected(settings) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        _require_all_rows(connection)
        snapshot = _scalar(connection, "SELECT pg_export_snapshot()")
        made_at, rows = clock.now(), count_rows(connection)
        length, sha256 = dump_database(settings.database_owner_url, unfinished / DUMP, snapshot)
        manifest = BackupManifest(
            honne_version=VERSION,
            postgres_version=_scalar(connection, "SHOW server_version"),
            schema_revision=_scalar(connection, "SELECT version_num FROM alembic_version"),
            made_at=made_at,
            key_mark=_key_mark(settings),
            bytes=length,
            sha256=sha256,
            rows=rows,
        )
        _write_durably(unfinished / MANIFEST, manifest.model_dump_json(indent=2) + "\n")
    return manifest


def read_backup(folder: Path) -> BackupManifest:
    """The manifest of a backup that is whole: its dump has the length and the hash it should."""
    try:
        manifest = BackupManifest.model_validate_json((folder / MANIFEST).read_text())
        dump = folder / DUMP
        is_whole = dump.stat().st_size == manifest.bytes and _sha256(dump) == manifest.sha256
    except OSError as error:
        raise StartupError(f"{error.filename} cannot be read ({error.strerror}).") from error
    except (ValidationError, UnicodeDecodeError) as error:
        _refuse_later_format(folder)
        raise StartupError(f"{folder / MANIFEST} is not the manifest of a backup.") from error
    if not is_whole:
        raise StartupError(f"{dump} is damaged: it is not the file that was backed up.")
    return manifest


def require_restorable(
    settings: Settings, manifest: BackupManifest, *, is_key_new: bool = False
) -> None:
    """Raises `StartupError` where this Honne cannot restore the backup, or, unless `is_key_new`,
    where the secret key is not the one it was made under. Asks no database."""
    if not is_known_revision(manifest.schema_revision):
        raise StartupError(
            f"This backup was made by a newer Honne ({manifest.honne_version}); "
            "install that version first."
        )
    if not is_key_new and manifest.key_mark != _key_mark(settings):
        raise StartupError(
            "This backup was made under another secret key. Set that key as SECRET_KEY, or pass "
            "--new-secret-key: API keys, receipts of answers and open links then stop working."
        )


def restore_backup(settings: Settings, folder: Path, manifest: BackupManifest) -> None:
    """Load a backup that `read_backup` found whole and `require_restorable` good into an empty
    database, all or nothing, then bring its schema up to this version. Raises `StartupError`."""
    with _alone(settings):
        with _connected(settings) as connection:
            _refuse_data(connection)
            _make_runtime_role(connection)
        load_dump(settings.database_owner_url, folder / DUMP)
        with _connected(settings) as connection:
            _refuse_difference(count_rows(connection), manifest)
        migrate(settings)
        with _connected(settings) as connection:
            connection.execute("ANALYZE")


def count_rows(connection: psycopg.Connection) -> dict[str, int]:
    """How many rows each of Honne's tables has, also for a login that is bound by row-level
    security and so sees one workspace at a time."""
    tables = connection.execute(
        """
        SELECT relname, relrowsecurity FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname
        """
    ).fetchall()
    if _sees_all_rows(connection):
        return {name: _count(connection, name) for name, _is_bound in tables}
    counts = {name: 0 if is_bound else _count(connection, name) for name, is_bound in tables}
    for (workspace_id,) in connection.execute("SELECT id::text FROM workspaces").fetchall():
        connection.execute("SELECT set_config('app.workspace_id', %s, true)", [workspace_id])
        for name, is_bound in tables:
            counts[name] += _count(connection, name) if is_bound else 0
    return counts


def _count(connection: psycopg.Connection, table: str) -> int:
    query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
    return int(_scalar(connection, query))


def _sees_all_rows(connection: psycopg.Connection) -> bool:
    query = "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user"
    return _scalar(connection, query) == "True"


def _scalar(connection: psycopg.Connection, query: LiteralString | sql.Composed) -> str:
    row = connection.execute(query).fetchone()
    if row is None:
        raise StartupError("The database has not been migrated; run: honne migrate")
    return str(row[0])


@contextmanager
def _connected(settings: Settings) -> Iterator[psycopg.Connection]:
    """A transaction as the owner; what the database refuses is one line."""
    url = settings.database_owner_url.replace("+psycopg", "", 1)
    try:
        with psycopg.connect(url, connect_timeout=5) as connection:
            yield connection
    except psycopg.errors.UndefinedTable as error:
        raise StartupError("This database holds no data of Honne.") from error
    except psycopg.Error as error:
        reason = str(error).strip().splitlines()[0]
        raise StartupError(f"The database refused ({reason}).") from error


def _require_all_rows(connection: psycopg.Connection) -> None:
    """Row-level security binds an owner too: what it hides from one would not be backed up."""
    if not _sees_all_rows(connection):
        raise StartupError(
            "A backup needs a login that sees all rows. Let DATABASE_OWNER_URL name a superuser or "
            "one with BYPASSRLS (ALTER ROLE … BYPASSRLS), or use your provider's snapshots."
        )
    if connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'").fetchone():
        raise StartupError(
            "This database is spread over machines by Citus; back up each of its nodes instead."
        )


@contextmanager
def _alone(settings: Settings) -> Iterator[None]:
    """Nobody else restores into this database meanwhile."""
    with _connected(settings) as connection:
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        query = sql.SQL("SELECT pg_try_advisory_xact_lock({})").format(RESTORE_LOCK)
        if _scalar(connection, query) != "True":
            raise StartupError("Another restore into this database is under way.")
        yield


def _refuse_data(connection: psycopg.Connection) -> None:
    """Whatever is there that an extension did not bring along."""
    found = connection.execute(
        """
        SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_'
        AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')
        ORDER BY c.relname LIMIT 1
        """
    ).fetchone()
    if found:
        raise StartupError(
            "This database is not empty; restore into a new HONNE_DATA_DIR or a new database."
        )


def _make_runtime_role(connection: psycopg.Connection) -> None:
    """Roles belong to the server, so no dump of a database holds them."""
    role = sql.Identifier(RUNTIME_ROLE)
    if not connection.execute(
        "SELECT 1 FROM pg_roles WHERE rolname = %s", [RUNTIME_ROLE]
    ).fetchone():
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(role))
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(role))


def _refuse_difference(found: dict[str, int], manifest: BackupManifest) -> None:
    differing = [
        f"{table}: {found.get(table, 0)} instead of {rows}"
        for table, rows in manifest.rows.items()
        if found.get(table) != rows
    ]
    if differing:
        raise StartupError(f"Do not use this database; rows are missing ({'; '.join(differing)}).")


def _key_mark(settings: Settings) -> str:
    return digest(settings.secret_key, KEY_PURPOSE).hex()


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _refuse_later_format(folder: Path) -> None:
    with suppress(ValueError, KeyError, TypeError, OSError):
        given = json.loads((folder / MANIFEST).read_text())
        if given["format"] == FORMAT and given["format_version"] > 1:
            raise StartupError(
                f"This backup was made by a newer Honne ({given['honne_version']}); "
                "install that version first."
            )


@contextmanager
def _new_folder(folder: Path) -> Iterator[Path]:
    """A folder beside the one to be; renamed where all went well, else removed."""
    try:
        _refuse_existing(folder)  # such as /, which stands beside nothing
        unfinished = folder.with_name(f"{folder.name}.unfinished")
        _make_private(unfinished)
        # A file, not the folder: over NFS only what is open for writing can be locked.
        with open(unfinished / LOCK, "a", opener=_open_no_link) as lock:
            _take(lock, folder)
            try:
                _clear(unfinished)
                yield unfinished
                unfinished.rename(folder)
            except BaseException:
                shutil.rmtree(unfinished, ignore_errors=True)
                raise
            # Not before it has its name: whoever came meanwhile would take it for a dead run's.
            (folder / LOCK).unlink()
            _sync(folder.parent)
    except OSError as error:
        raise StartupError(f"{folder} cannot be written ({error.strerror}).") from error


def _refuse_existing(folder: Path) -> None:
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise StartupError(f"{folder} exists already; name a new folder.")


def _make_private(unfinished: Path) -> None:
    """Make the folder, or take the one of a run that was killed; never somebody else's: whoever may
    write there may exchange what is backed up."""
    try:
        unfinished.mkdir(mode=0o700, parents=True)
        return
    except FileExistsError:
        found = unfinished.lstat()
    is_closed = stat.S_ISDIR(found.st_mode) and not found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    if found.st_uid != os.geteuid() or not is_closed:
        raise StartupError(f"{unfinished} is open to others, or somebody else's; remove it.")


def _open_no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, mode=0o600)


def _clear(unfinished: Path) -> None:
    """Of what a killed run left, whatever it is: the folder becomes the backup."""
    for left_over in unfinished.iterdir():
        if left_over.is_dir() and not left_over.is_symlink():
            shutil.rmtree(left_over)
        elif left_over.name != LOCK:
            left_over.unlink()


def _take(lock: IO[str], folder: Path) -> None:
    """Hold the lock of an unfinished backup to `folder`, or refuse."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        # Who held it may have finished just now, or given up: then it is at its place no more.
        is_held = os.path.samestat(os.fstat(lock.fileno()), Path(lock.name).stat())
    except (BlockingIOError, FileNotFoundError):
        is_held = False
    if not is_held:
        raise StartupError(f"Another backup to {folder} is being made.")


def _write_durably(path: Path, text: str) -> None:
    path.touch(mode=0o600, exist_ok=False)
    with path.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    _sync(path.parent)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
