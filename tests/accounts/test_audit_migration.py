"""Coming from the version before: the lines of every workspace that are there become a chain."""

import uuid
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from alembic import command
from psycopg import sql
from psycopg.types.json import Jsonb
from sqlalchemy import text

from app.accounts.audit import record_event
from app.accounts.audit_verification import verify_audit_log
from app.accounts.schemas import SYSTEM
from app.foundation.database import Database
from app.foundation.migrate import alembic_config, connected
from app.foundation.settings import Settings
from app.foundation.tokens import new_id

BEFORE = "da1da422cb10"
CHAINED = "3f0a6c1d7b21"
# More than are read at once.
LINES = 1_203


@pytest.fixture
def first_schema(settings: Settings, owner: psycopg.Connection) -> Iterator[Settings]:
    """A database as the version before left it, whose owner is no superuser: security binds it."""
    name = f"before_{uuid.uuid4().hex}"
    database, role = sql.Identifier(name), sql.Identifier(name)
    owner.execute(sql.SQL("CREATE DATABASE {}").format(database))
    owner.execute(sql.SQL("CREATE ROLE {}").format(role))
    here = settings.database_owner_url.replace(f"/{owner.info.dbname}?", f"/{name}?")
    before = replace(settings, database_owner_url=here, database_url=here)
    try:
        _upgrade(before, BEFORE)
        with psycopg.connect(here.replace("+psycopg", "")) as connection:
            connection.execute(sql.SQL("GRANT CREATE, USAGE ON SCHEMA public TO {}").format(role))
            tables = connection.execute(
                "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            ).fetchall()
            for (table,) in tables:
                connection.execute(
                    sql.SQL("ALTER TABLE {} OWNER TO {}").format(sql.Identifier(table), role)
                )
        yield before
    finally:
        owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(database))
        owner.execute(sql.SQL("DROP ROLE {}").format(role))


def _upgrade(settings: Settings, revision: str, role: str | None = None) -> None:
    with connected(settings.database_owner_url) as connection:
        if role:
            connection.execute(text(f'SET ROLE "{role}"'))
        config = alembic_config()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        connection.commit()


def _write_lines(connection: psycopg.Connection, workspace_id: uuid.UUID, lines: int) -> None:
    """Lines as the version before wrote them; every third moment holds two."""
    connection.execute(
        "INSERT INTO workspaces VALUES (%s, 'Acme', 'UTC', 'en', false, now())", [workspace_id]
    )
    with connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO audit_events VALUES (%s, %s, timestamptz '2026-03-29 00:59:59.999999+09'"
            " + %s * interval '1.000001 s', 'user', %s, 'act.done', %s, %s)",
            [
                (workspace_id, new_id(), turn - turn % 3 // 2, new_id(),
                 new_id() if turn % 2 else None,
                 Jsonb({"turn": turn, "名": "本音", "of": {"b": [1, None], "a": ""}}))
                for turn in range(lines)
            ],
        )  # fmt: skip


async def test_lines_of_the_version_before_are_chained(first_schema: Settings) -> None:
    url = first_schema.database_owner_url
    acme, globex, empty = new_id(), new_id(), new_id()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        for workspace_id, lines in ((acme, LINES), (globex, 2), (empty, 0)):
            _write_lines(connection, workspace_id, lines)
        role = connection.info.dbname
    _upgrade(first_schema, CHAINED, role)
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        disordered = connection.execute(
            "SELECT count(*) FROM (SELECT number, row_number() OVER "
            "(PARTITION BY workspace_id ORDER BY happened_at, id) AS place FROM audit_events) "
            "AS lines WHERE number <> place"
        ).fetchone()
        assert disordered == (0,)
    await _check(url, {acme: LINES, globex: 2, empty: 0})


async def _check(url: str, lengths: dict[uuid.UUID, int]) -> None:
    database = Database(url)
    try:
        for workspace_id, length in lengths.items():
            report = await verify_audit_log(database, workspace_id)
            assert (report.fault, report.intact.number) == (None, length)
            async with database.transaction(workspace_id) as session:
                record_event(session, workspace_id, SYSTEM, "act.next")
            report = await verify_audit_log(database, workspace_id)
            assert (report.fault, report.intact.number) == (None, length + 1)
    finally:
        await database.close()


def test_going_back_leaves_the_lines(first_schema: Settings) -> None:
    url, workspace_id = first_schema.database_owner_url, new_id()
    with psycopg.connect(url.replace("+psycopg", "")) as connection:
        _write_lines(connection, workspace_id, 3)
    _upgrade(first_schema, CHAINED)
    with connected(url) as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, BEFORE)
        assert connection.scalar(text("SELECT count(*) FROM audit_events")) == 3
