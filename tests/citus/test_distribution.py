"""`honne db distribute`: which tables, in which order, and when it refuses."""

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table

import app.main  # noqa: F401  # so that every model is known
from app.foundation.database import Base
from app.foundation.distribution import NO_CITUS, NO_RIGHT, distribute, plan
from app.foundation.errors import StartupError
from app.foundation.settings import Settings
from tests.citus.recording import tenant_tables
from tests.processes import run_honne


def spread(connection: psycopg.Connection) -> dict[str, str]:
    rows = connection.execute("SELECT logicalrelid::text, kind FROM pg_dist_partition").fetchall()
    return dict(rows)


def test_every_table_is_spread_and_a_workspace_stays_together(
    settings: Settings, citus: psycopg.Connection
) -> None:
    tables = distribute(settings)
    kinds = spread(citus)
    assert set(tables) == set(kinds) == set(Base.metadata.tables)
    by_workspace = {name for name, kind in kinds.items() if kind == "distributed"}
    assert by_workspace == tenant_tables(), "a table's rows lie with their workspace, or everywhere"
    together = citus.execute(
        "SELECT count(DISTINCT colocation) FROM pg_dist_partition WHERE kind = 'distributed'"
    ).fetchone()
    assert together == (1,)


def test_the_workspace_of_a_transaction_travels_along(
    settings: Settings, citus: psycopg.Connection
) -> None:
    distribute(settings)
    [name] = citus.execute("SELECT current_database()").fetchone() or ()
    stored = citus.execute(
        "SELECT setconfig FROM pg_db_role_setting JOIN pg_database ON oid = setdatabase"
        " WHERE datname = %s AND setrole = 0",
        [name],
    ).fetchone()
    assert stored is not None
    assert "citus.propagate_set_commands=local" in stored[0]


def test_it_can_be_run_again_and_takes_in_new_tables(
    settings: Settings, citus: psycopg.Connection
) -> None:
    distribute(settings)
    assert distribute(settings) == []
    citus.execute("DELETE FROM pg_dist_partition WHERE logicalrelid = 'submission_keys'::regclass")
    assert distribute(settings) == ["submission_keys"]


def test_a_refusal_leaves_everything_as_it_was(
    settings: Settings, citus: psycopg.Connection
) -> None:
    citus.execute("CREATE UNIQUE INDEX ON submission_keys (key)")
    with pytest.raises(Exception, match="a unique index without workspace_id"):
        distribute(settings)
    assert spread(citus) == {}


def test_tables_follow_those_they_refer_to() -> None:
    statements = plan(Base.metadata)
    places = {
        table: place for place, statement in enumerate(statements)
        for table in Base.metadata.tables if f"('{table}'" in statement
    }  # fmt: skip
    assert len(places) == len(statements) == len(Base.metadata.tables)
    for table in Base.metadata.tables.values():
        for key in table.foreign_key_constraints:
            if key.referred_table is not table:
                assert places[key.referred_table.name] < places[table.name]


def test_new_tables_join_those_that_are_spread() -> None:
    metadata = MetaData()
    Table("everywhere", metadata, Column("id", Integer, primary_key=True))
    for name in ("new", "old"):
        Table(
            name, metadata,
            Column("workspace_id", ForeignKey("everywhere.id"), primary_key=True),
        )  # fmt: skip
    assert plan(metadata, {"everywhere", "old"}) == [
        "SELECT create_distributed_table('new', 'workspace_id', colocate_with => 'old')"
    ]


def test_without_the_extension_the_operator_is_told(settings: Settings) -> None:
    done = run_honne(
        "db",
        "distribute",
        DATABASE_URL=settings.database_url,
        DATABASE_OWNER_URL=settings.database_owner_url,
        SECRET_KEY=settings.secret_key,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.strip() == f"honne: {NO_CITUS}"


def test_with_the_postgres_that_comes_along_the_operator_is_told(tmp_path: Path) -> None:
    done = run_honne("db", "distribute", HONNE_DATA_DIR=str(tmp_path / "data"))
    assert (done.returncode, done.stdout) == (2, "")
    assert "set DATABASE_URL" in done.stderr
    assert not (tmp_path / "data").exists()


def test_a_login_that_row_level_security_binds_is_refused(
    settings: Settings, citus: psycopg.Connection
) -> None:
    citus.execute("CREATE ROLE mover LOGIN PASSWORD 'm'")
    try:
        parts = urlsplit(settings.database_owner_url)
        address = parts.netloc.rpartition("@")[2]
        url = urlunsplit(parts._replace(netloc=f"mover:m@{address}"))
        mover = settings.with_database(settings.database_url, url)
        with pytest.raises(StartupError, match="row-level security"):
            distribute(mover)
        citus.execute("ALTER ROLE mover BYPASSRLS")
        with pytest.raises(StartupError) as refused:
            distribute(mover)
        assert str(refused.value) == NO_RIGHT, "it owns nothing"
    finally:
        citus.execute("DROP ROLE mover")
