"""What is wrong for Citus is seen; and what the app sends while it is tested is looked at."""

import uuid

import httpx
import pytest
from sqlalchemy import select, text

from app.foundation.copying import copy_csv, copy_into, csv_query
from app.foundation.database import Database
from app.foundation.questions import bind
from app.surveys.models import Survey
from tests.citus.recording import recorded, take_misfits, tenant_tables
from tests.citus.statements import find_misfits
from tests.factories import Cast

MISFITS = {
    "a read of every shard": "SELECT 1 FROM responses WHERE id = %(id)s",
    "a lock on all": "SELECT 1 FROM responses WHERE workspace_id = %(w)s OR true FOR UPDATE",
    "a condition that says nothing": "SELECT 1 FROM responses WHERE workspace_id = workspace_id",
    "not this one": "SELECT 1 FROM responses WHERE NOT workspace_id = %(w)s",
    "a join of all": "SELECT 1 FROM responses r JOIN surveys s ON s.workspace_id = r.workspace_id",
    "a join by id": "SELECT 1 FROM responses r JOIN surveys s ON s.id = r.survey_id"
    " WHERE r.workspace_id = %(w)s",
    "a subquery": "DELETE FROM surveys WHERE workspace_id = %(w)s"
    " AND id IN (SELECT survey_id FROM responses)",
    "a row without a shard": "INSERT INTO responses (id) VALUES (%(id)s)",
    "a moment in an upsert": "INSERT INTO surveys (workspace_id) VALUES (%(w)s)"
    " ON CONFLICT (workspace_id, id) DO UPDATE SET created_at = now()",
    "an id made on a shard": "INSERT INTO surveys (workspace_id, id)"
    " SELECT %(w)s, gen_random_uuid() FROM responses WHERE workspace_id = %(w)s",
    "a moment given back": "DELETE FROM surveys WHERE workspace_id = %(w)s RETURNING now()",
    "chance": "UPDATE surveys SET name = random()::text WHERE workspace_id = %(w)s",
    "a delete that feeds an insert": "WITH gone AS"
    " (DELETE FROM surveys WHERE workspace_id = %(w)s RETURNING *)"
    " INSERT INTO responses (workspace_id) SELECT %(w)s FROM gone",
    "numbered": "SELECT 1 FROM responses WHERE id = $1::UUID",
    "a copy of every shard": "COPY (SELECT id FROM responses) TO STDOUT (FORMAT csv)",
    "a copy of a table": "COPY responses (id, score) TO STDOUT",
    "a copy into a table": 'COPY "responses" ("workspace_id", "id") FROM STDIN',
}
FITTING = {
    "by workspace": "SELECT 1 FROM responses WHERE workspace_id = %(w)s AND id = %(id)s FOR UPDATE",
    "joined": "SELECT 1 FROM responses r JOIN surveys s"
    " ON s.workspace_id = r.workspace_id AND s.id = r.survey_id WHERE r.workspace_id = %(w)s",
    "correlated": "SELECT (SELECT count(*) FROM responses r WHERE r.workspace_id = s.workspace_id)"
    " FROM surveys AS s WHERE s.workspace_id = %(w)s",
    "many rows": "INSERT INTO responses (workspace_id, id) SELECT %(w)s, row.*"
    " FROM unnest(CAST(%(ids)s AS uuid[])) AS row ON CONFLICT (workspace_id, id) DO NOTHING",
    "changed in place": "UPDATE responses SET score = given.score FROM unnest(CAST(%(s)s AS int[]))"
    " AS given (score) WHERE responses.workspace_id = %(w)s",
    "nothing of its kind": "SELECT 1 FROM imports WHERE workspace_id = %(w)s AND NOT EXISTS"
    " (SELECT 1 FROM editions WHERE editions.workspace_id = %(w)s)",
    "an id made here": "INSERT INTO surveys (workspace_id, id)"
    " SELECT %(w)s, gen_random_uuid() FROM pg_temp.imported",
    "whole rows": "INSERT INTO surveys SELECT * FROM"
    " json_populate_recordset(NULL::surveys, CAST(%(rows)s AS json))",
    "global": "SELECT workspace_id FROM links WHERE slug = %(slug)s",
    "a delete that is counted": "WITH gone AS"
    " (DELETE FROM surveys WHERE workspace_id = %(w)s RETURNING id)"
    " SELECT count(*) FROM gone",
    "numbered": "SELECT score, count(*) FROM responses WHERE workspace_id = $1::UUID"
    " AND id = ANY(CAST($2 AS uuid[])) GROUP BY score",
    "a copy of rows": "COPY (SELECT 100 %% score FROM responses WHERE workspace_id = %(w)s)"
    " TO STDOUT (FORMAT csv, ENCODING 'UTF8')",
    "a copy into a table of one's own": 'COPY "pg_temp"."responses" ("id") FROM STDIN',
    "no table": "SET LOCAL app.workspace_id = 'x'",
}


@pytest.mark.parametrize("statement", MISFITS.values(), ids=MISFITS)
def test_a_misfit_is_seen(statement: str) -> None:
    assert find_misfits(statement, tenant_tables())


@pytest.mark.parametrize("statement", FITTING.values(), ids=FITTING)
def test_what_fits_passes(statement: str) -> None:
    assert find_misfits(statement, tenant_tables()) == []


async def test_what_the_app_sends_is_looked_at(
    database: Database, cast: Cast, acme_api: httpx.AsyncClient
) -> None:
    survey = await acme_api.post("/api/v1/surveys", json={"name": "A", "subject": "A"})
    assert survey.status_code == 201
    assert any("INSERT INTO surveys" in statement for statement in recorded())
    async with database.transaction(cast.acme) as session:
        nobody = uuid.uuid4()
        found = await session.execute(text("SELECT 1 FROM surveys WHERE id = :id"), {"id": nobody})
        assert found.all() == []
    [misfit] = take_misfits()
    assert misfit.startswith("surveys has no `workspace_id =` of its own")


async def test_what_travels_on_a_line_is_looked_at(database: Database, cast: Cast) -> None:
    line = database.lines.take()
    unnamed = text("SELECT 2 FROM surveys WHERE id = :id")
    async with line.transaction(cast.acme):
        assert list(await line.execute(unnamed, {"id": uuid.uuid4()})) == []
    look_ups = await line.ask([(cast.acme, bind(text("SELECT 3 FROM surveys"), {}))])
    await line.close()
    assert list(look_ups) == [[]]
    by_id, all_of_them = take_misfits()
    assert by_id.endswith("SELECT 2 FROM surveys WHERE id = $1")
    assert all_of_them.endswith("SELECT 3 FROM surveys")


async def test_what_is_copied_is_looked_at(database: Database, cast: Cast) -> None:
    async with database.transaction(cast.acme) as session:
        names = csv_query(session, select(Survey.name))
        assert [rows async for rows in copy_csv(session, names, {}, 10)] == []
        session_own = "CREATE TEMPORARY TABLE own (id text) ON COMMIT DROP"
        await session.execute(text(session_own))
        await copy_into(session, "own", ["id"], ["1\n"])
    [misfit] = take_misfits()
    assert "COPY (SELECT surveys.name" in misfit
    assert 'COPY "pg_temp"."own" ("id") FROM STDIN' in recorded()
