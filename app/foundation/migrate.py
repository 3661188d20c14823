"""Bring the schema up to the code, and refuse a schema that is ahead of it."""

from urllib.parse import unquote, urlsplit

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, create_engine, func, select, text
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.pool import NullPool

from app.foundation import server_logs
from app.foundation.database import RUNTIME_ROLE
from app.foundation.errors import StartupError
from app.foundation.paths import ROOT
from app.foundation.settings import Settings

MIGRATION_LOCK = 0x7363_6865_6D61  # "schema"


def migrate(settings: Settings) -> None:
    """Upgrade to the newest revision as the owner; the runtime login may then act as the app.

    Processes that start side by side do so one after the other.
    """
    with connected(settings.database_owner_url) as connection:
        _refuse_newer(connection)
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        server_logs.quieten(connection)
        _admit(connection, settings.database_url)
        connection.commit()


def check_schema(settings: Settings) -> None:
    """Raise `StartupError` unless the schema is exactly the one this code was written for."""
    with connected(settings.database_url) as connection:
        _refuse_newer(connection)
        if _revision(connection) != _scripts().get_current_head():
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


def _refuse_newer(connection: Connection) -> None:
    revision = _revision(connection)
    if revision is not None and not is_known_revision(revision):
        raise StartupError(
            f"The database is newer than this Honne (revision {revision}); "
            "install the newer version."
        )


def _revision(connection: Connection) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    connection.commit()
    return revision


def _admit(connection: Connection, runtime_url: str) -> None:
    """Let the runtime login take the runtime role, where it is another login than the owner."""
    login = unquote(urlsplit(runtime_url).username or "")
    if not login or login == connection.scalar(text("SELECT current_user")):
        return
    quoted = connection.dialect.identifier_preparer.quote(login)
    connection.execute(text(f"GRANT {RUNTIME_ROLE} TO {quoted}"))


def alembic_config() -> Config:
    """Alembic's configuration, wherever the process was started."""
    config = Config(ROOT / "alembic.ini")
    config.set_main_option("script_location", str(ROOT / "migrations"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config())
