"""What the tables can hold about an answer at all, and what is left of one that has changed."""

import ast
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql
from sqlalchemy import text

from app.foundation import clock
from app.foundation.database import Database
from app.foundation.migrate import check_schema, connected, migrate
from app.foundation.server_logs import warn
from app.main import create_app
from app.responses.jobs import expire_submission_keys
from tests.citus.recording import take_misfits
from tests.conftest import program, share_routes
from tests.privacy.conftest import RESPONDENTS, Aftermath

ROOT = Path(__file__).resolve().parents[2]
# Beside `responses`, its counts and what points at it: what is written with an answer.
WITH_AN_ANSWER = {"daily_counts", "idempotency_records", "responses", "segment_sets"}
FINER_THAN_A_DAY = ("timestamp", "time", "interval")


def _pointing_at(owner: psycopg.Connection, table: str) -> set[str]:
    """The tables that refer to a row of `table`, directly or by way of others."""
    found, more = set[str](), {table}
    while more:
        found |= more
        rows = owner.execute(
            "SELECT conrelid::regclass::text FROM pg_constraint"
            " WHERE contype = 'f' AND confrelid = ANY(%s::regclass[])",
            [list(more)],
        )
        more = {name for (name,) in rows} - found
    return found


def test_no_column_beside_an_answer_is_finer_than_the_day(owner: psycopg.Connection) -> None:
    tables = WITH_AN_ANSWER | _pointing_at(owner, "responses")
    assert "submission_keys" in tables
    columns = owner.execute(
        "SELECT table_name, column_name, data_type FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = ANY(%s)",
        [list(tables)],
    ).fetchall()
    fine = [row for row in columns if row[2].startswith(FINER_THAN_A_DAY)]
    assert not fine, "a moment beside an answer tells who was at it then; store the day"
    # A default or a sequence would say in which order answers came.
    numbered = owner.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND table_name = ANY(%s)"
        " AND (is_identity = 'YES' OR column_default LIKE '%%nextval%%'"
        " OR column_default LIKE '%%now()%%' OR column_default LIKE '%%uuidv7%%')",
        [list(tables)],
    ).fetchall()
    assert numbered == []


def test_what_an_answer_refers_to_is_no_person(owner: psycopg.Connection) -> None:
    """Neither member nor key nor session: an answer leads to what was asked, and no further."""
    targets = owner.execute(
        "SELECT DISTINCT confrelid::regclass::text FROM pg_constraint"
        " WHERE contype = 'f' AND conrelid = ANY(%s::regclass[]) ORDER BY 1",
        [["responses", "submission_keys", "daily_counts", "segment_sets"]],
    ).fetchall()
    assert {name for (name,) in targets} == {
        "imports",
        "responses",
        "segment_sets",
        "survey_versions",
        "surveys",
        "workspaces",
    }


def test_postgres_keeps_no_moment_of_a_commit(witness: psycopg.Connection) -> None:
    assert witness.execute("SHOW track_commit_timestamp").fetchone() == ("off",)


def test_answering_leaves_no_line_in_the_record_of_acts(witness: psycopg.Connection) -> None:
    assert witness.execute("SELECT count(*) FROM audit_events").fetchone() == (0,)
    assert witness.execute("SELECT count(*) FROM responses").fetchone() == (RESPONDENTS + 1,)


async def test_an_amended_answer_has_no_older_version(
    aftermath: Aftermath, answered: Database
) -> None:
    """Each of the ten was sent twice. The application's role reads one row, with the later words,
    and there is no other table in which the earlier could be."""
    async with answered.transaction(aftermath.cast.acme) as session:
        readable = await session.scalars(
            text(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind IN ('r', 'v', 'm', 'p')"
                " AND relnamespace = 'public'::regnamespace AND has_table_privilege(oid, 'SELECT')"
            )
        )
        for table in readable.all():
            rows = await session.scalars(text(f"SELECT row::text FROM {table} AS row"))  # noqa: S608
            held = "\n".join(rows.all())
            assert aftermath.canary.comment not in held, table
            assert held.count(aftermath.canary.amended) == (
                RESPONDENTS if table == "responses" else 0
            )
    take_misfits()  # the workspace is left out on purpose


async def test_nobody_else_reads_them_not_even_by_leaving_out_the_workspace(
    aftermath: Aftermath, answered: Database
) -> None:
    for workspace in (None, aftermath.cast.globex):
        async with answered.transaction(workspace) as session:
            assert await session.scalar(text("SELECT count(*) FROM responses")) == 0
    take_misfits()  # the workspace is left out on purpose


async def test_what_makes_a_retry_harmless_goes_after_the_next_day(
    answered: Database, witness: psycopg.Connection
) -> None:
    counted = "SELECT (SELECT count(*) FROM submission_keys), count(*) FROM idempotency_records"
    with clock.fixed(clock.now() + timedelta(days=1)):
        await expire_submission_keys(answered)
    assert witness.execute(counted).fetchone() == (RESPONDENTS, 1)
    with clock.fixed(clock.now() + timedelta(days=2)):
        await expire_submission_keys(answered)
    assert witness.execute(counted).fetchone() == (0, 0)


async def test_lists_follow_the_day_and_the_random_id(aftermath: Aftermath) -> None:
    """The ten came at once and at one day: whoever reads the list learns no order of arrival."""
    app = share_routes(create_app(aftermath.settings, memory_seconds=0))
    address = f"/api/v1/surveys/{aftermath.scene.survey_id}/responses"
    async with (
        app.router.lifespan_context(app),
        program(app, aftermath.cast.acme_read_key) as reader,
    ):
        listed = await _all_pages(reader, address)
    assert len(listed) == RESPONDENTS + 1
    ids = [row["id"] for row in listed]
    assert ids in (sorted(ids), sorted(ids, reverse=True))
    assert {row["answered_on"] for row in listed} == {listed[0]["answered_on"]}


async def _all_pages(reader: httpx.AsyncClient, address: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    cursor = None
    while True:
        given = {"limit": "4"} | ({"cursor": cursor} if cursor else {})
        answer = (await reader.get(address, params=given)).json()
        rows += answer["data"]
        cursor = answer["meta"]["next_cursor"]
        if cursor is None:
            return rows


def test_no_statement_reads_where_or_when_a_row_was_written() -> None:
    """Postgres knows the place of a row and the transaction that wrote it; nothing may ask it."""
    for path in sorted((ROOT / "app").rglob("*.py")):
        words = {
            word
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
            for word in node.value.lower().replace("(", " ").replace(".", " ").split()
        }
        found = words & {"ctid", "xmin", "cmin", "pg_xact_commit_timestamp", "pg_current_xact_id"}
        assert not found, f"{path.name}: {found} says in which order people answered"


def test_who_may_not_quieten_the_server_is_told_so(
    aftermath: Aftermath, witness: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """An owner without the right to these settings still migrates, and hears it at every start."""
    witness.execute("CREATE ROLE plain LOGIN CREATEROLE")
    witness.execute("CREATE DATABASE borrowed OWNER plain")
    witness.execute("GRANT honne_runtime TO plain WITH ADMIN OPTION")
    owner_url = aftermath.settings.database_owner_url
    url = owner_url.replace("honne_owner@/honne?", "plain@/borrowed?")
    assert url != owner_url
    try:
        borrowed = aftermath.settings.with_database(url, url)
        migrate(borrowed)
        check_schema(borrowed)
        assert "keeps more than promised" in caplog.text
        with connected(url) as connection:
            assert "log_parameter_max_length" in warn(connection)
        with connected(aftermath.settings.database_url) as connection:
            assert warn(connection) == [], "our own database is not as quiet as promised"
    finally:
        witness.execute(sql.SQL("DROP DATABASE borrowed WITH (FORCE)"))
        witness.execute("DROP OWNED BY plain")
        witness.execute("DROP ROLE plain")
