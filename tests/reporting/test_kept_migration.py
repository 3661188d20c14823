"""Going to the schema that keeps views and links of several surveys, and back, with rows in it."""

import uuid
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from alembic import command
from psycopg import sql

from app.foundation.migrate import alembic_config, connected
from app.foundation.settings import Settings
from app.foundation.tokens import new_id
from tests.accounts.test_workspace_deletion import insert

BEFORE, AFTER = "c5e924b6bf75", "c6fa35d07e86"


@pytest.fixture
def url(settings: Settings, owner: psycopg.Connection) -> Iterator[str]:
    """A database of the version before."""
    name = sql.Identifier(f"before_{uuid.uuid4().hex}")
    owner.execute(sql.SQL("CREATE DATABASE {}").format(name))
    part = name.as_string(owner).strip('"')
    here = settings.database_owner_url.replace(f"/{owner.info.dbname}?", f"/{part}?")
    try:
        _go(replace(settings, database_owner_url=here), BEFORE)
        yield here
    finally:
        owner.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _go(settings: Settings, revision: str, *, is_down: bool = False) -> None:
    with connected(settings.database_owner_url) as connection:
        config = alembic_config()
        config.attributes["connection"] = connection
        (command.downgrade if is_down else command.upgrade)(config, revision)


def test_what_is_of_one_survey_stays_both_ways(settings: Settings, url: str) -> None:
    here = replace(settings, database_owner_url=url)
    ids = {"workspace_id": new_id(), "survey_id": new_id()}
    tables = ("saved_views", "shared_reports")
    with psycopg.connect(url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # rows without a survey
        for table in tables:
            insert(connection, table, **ids, name="Board")
        _go(here, AFTER)
        for table in tables:
            # The other one's token is empty.
            token = {"token_hash": b"1"} if table == "shared_reports" else {}
            insert(connection, table, workspace_id=ids["workspace_id"], name="Waves", **token)
        with pytest.raises(psycopg.errors.UniqueViolation):
            insert(connection, "saved_views", workspace_id=ids["workspace_id"], name="Waves")
        for table, column in (("saved_views", "is_default"), ("shared_reports", "with_comments")):
            more = {"workspace_id": ids["workspace_id"], "name": "Odd", column: True}
            with pytest.raises(psycopg.errors.CheckViolation):
                insert(connection, table, **more)
        _go(here, BEFORE, is_down=True)
        for table in tables:
            found = connection.execute(f"SELECT name FROM {table}".encode()).fetchall()  # noqa: S608
            assert found == [("Board",)]
        _go(here, AFTER)
