"""Spread a migrated database over several machines with the Citus extension.

Rows of a workspace lie together, on the machine that its id leads to; the small global tables stand
on every machine. The schema and the statements are the same as on one Postgres.
"""

from collections.abc import Collection, Iterable, Iterator

from sqlalchemy import Connection, MetaData, Table, func, select, text

from app.foundation.database import Base
from app.foundation.errors import StartupError
from app.foundation.migrate import MIGRATION_LOCK, connected
from app.foundation.settings import Settings

BY = "workspace_id"
NO_CITUS = (
    "The database has no citus extension; install it on every machine, then run there and in this "
    "database: CREATE EXTENSION citus"
)
NO_RIGHT = (
    "The login of DATABASE_OWNER_URL may not do this: row-level security would hide the rows that "
    "have to move. Use the owner of the tables with BYPASSRLS, or a superuser."
)


def distribute(settings: Settings) -> list[str]:
    """Spread every table that is not spread yet, in one transaction; their names.

    Safe to run again, for instance after an upgrade that brought tables. Others wait meanwhile.
    Raises StartupError where the extension or the right to do it is missing.
    """
    with connected(settings.database_owner_url) as connection:
        _require_extension(connection)
        _require_right(connection, Base.metadata)
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))
        done = set(connection.scalars(_SPREAD))
        for statement in (*_settings(connection), *plan(Base.metadata, done)):
            connection.execute(text(statement))
        connection.commit()
    return [table.name for table in Base.metadata.sorted_tables if table.name not in done]


def plan(metadata: MetaData, done: Collection[str] = ()) -> list[str]:
    """The statements that spread what is not `done`: a table after those it refers to."""
    tables = metadata.sorted_tables
    left = [table for table in tables if table.name not in done]
    shared = [table.name for table in left if not is_by_workspace(table)]
    spread = [table.name for table in left if is_by_workspace(table)]
    whole = [table.name for table in tables if is_by_workspace(table)]
    anchor = next((name for name in whole if name in done), whole[0])
    return [
        *(f"SELECT create_reference_table('{name}')" for name in shared),
        *_distributing(spread, anchor),
    ]


def _distributing(names: Iterable[str], anchor: str) -> Iterator[str]:
    for name in names:
        beside = "none" if name == anchor else anchor
        yield f"SELECT create_distributed_table('{name}', '{BY}', colocate_with => '{beside}')"


def is_by_workspace(table: Table) -> bool:
    """Whether the rows are a workspace's own; tables for global look-ups have other keys."""
    return next(iter(table.primary_key.columns)).name == BY and table.name not in GLOBAL


# Who belongs to which workspaces is asked before anybody has entered one.
GLOBAL = frozenset({"memberships"})

_SPREAD = text("SELECT logicalrelid::regclass::text FROM pg_dist_partition")


def _settings(connection: Connection) -> tuple[str, str]:
    """Tables that refer to one on every machine are moved one after the other; and from now on the
    role and the workspace of a transaction travel to the machine that works on it."""
    name = connection.scalar(text("SELECT current_database()"))
    quoted = connection.dialect.identifier_preparer.quote(str(name))
    return (
        "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'",
        f"ALTER DATABASE {quoted} SET citus.propagate_set_commands TO 'local'",
    )


def _require_extension(connection: Connection) -> None:
    if connection.scalar(text("SELECT to_regclass('pg_dist_partition')")) is None:
        raise StartupError(NO_CITUS)


def _require_right(connection: Connection, metadata: MetaData) -> None:
    may = connection.scalar(
        text(
            """
            SELECT rolsuper OR rolbypassrls AND NOT EXISTS (
                SELECT FROM pg_class
                WHERE oid = ANY(CAST(CAST(:tables AS text[]) AS regclass[]))
                AND NOT pg_has_role(current_user, relowner, 'USAGE')
            ) FROM pg_roles WHERE rolname = current_user
            """
        ),
        {"tables": [table.name for table in metadata.sorted_tables]},
    )
    if not may:
        raise StartupError(NO_RIGHT)
