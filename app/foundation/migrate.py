"""Bring the schema up to the code, and refuse a schema that is ahead of it."""

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, create_engine, func, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from app.foundation import server_logs
from app.foundation.database import RUNTIME_ROLE
from app.foundation.errors import StartupError
from app.foundation.paths import ROOT
from app.foundation.settings import Settings

# Alembic is imported where there is something to migrate: that takes a tenth of a usual start.
if TYPE_CHECKING:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

MIGRATIONS = ROOT / "migrations"
MIGRATION_LOCK = 0x7363_6865_6D61  # "schema"


def migrate(settings: Settings) -> None:
    """Upgrade to the newest revision as the owner; the runtime login may then act as the app.

    Processes that start side by side do so one after the other.
    """
    with connected(settings.database_owner_url) as connection:
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        revision = _revision(connection)
        if revision != newest_revision():
            _refuse_newer(revision)
            _upgrade(connection)
        server_logs.quieten(connection)
        _admit(connection, settings.database_url)
        connection.commit()


def check_schema(settings: Settings) -> None:
    """Raise `StartupError` unless the schema is exactly the one this code was written for."""
    with connected(settings.database_url) as connection:
        revision = _revision(connection)
        if revision != newest_revision():
            _refuse_newer(revision)
            raise StartupError("The database has not been migrated; run: honne migrate")
        server_logs.warn(connection)


def connected(url: str) -> Connection:
    """A connection of its own; `StartupError` where there is no database at `url`."""
    engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 5})
    try:
        return engine.connect()
    except (OperationalError, ProgrammingError) as error:
        reason = str(error.orig).strip().splitlines()[0] if error.orig else "no reason given"
        raise StartupError(f"The database cannot be reached ({reason}).") from error


def is_known_revision(revision: str) -> bool:
    """False for a schema of a later version than this."""
    return revision in {script.revision for script in _scripts().walk_revisions()}


def _refuse_newer(revision: str | None) -> None:
    if revision is not None and not is_known_revision(revision):
        raise StartupError(
            f"The database is newer than this Honne (revision {revision}); "
            "install the newer version."
        )


def _revision(connection: Connection) -> str | None:
    if connection.scalar(text("SELECT to_regclass('alembic_version')")) is None:
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def newest_revision() -> str:
    """What the last migration, by its name, brings the schema to."""
    last = max((MIGRATIONS / "versions").glob("*.py"))
    found = re.search(r'^revision = "(\w+)"$', last.read_text(), re.MULTILINE)
    assert found, f"{last} names no revision"
    return found[1]


def _upgrade(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415

    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _admit(connection: Connection, runtime_url: str) -> None:
    """Let the runtime login take the runtime role, where it is another login than the owner."""
    login = unquote(urlsplit(runtime_url).username or "")
    if not login or login == connection.scalar(text("SELECT current_user")):
        return
    quoted = connection.dialect.identifier_preparer.quote(login)
    connection.execute(text(f"GRANT {RUNTIME_ROLE} TO {quoted}"))


def alembic_config() -> "Config":
    """Alembic's configuration, wherever the process was started."""
    from alembic.config import Config  # noqa: PLC0415

    config = Config(ROOT / "alembic.ini")
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


def _scripts() -> "ScriptDirectory":
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    return ScriptDirectory.from_config(alembic_config())
