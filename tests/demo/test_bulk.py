"""Loading very many answers: the counts are exact, and nobody else's workspace is touched."""

from dataclasses import replace

import psycopg
import pytest

from app.demo.bulk import load_answers
from app.foundation.database import Database
from app.foundation.errors import StartupError
from app.foundation.settings import Settings
from tests.factories import Cast
from tests.responses.scene import recount, stored_counts


async def test_what_is_counted_is_what_was_loaded(
    database: Database, settings: Settings, owner: psycopg.Connection
) -> None:
    loaded = await load_answers(database, settings, answers=3_000, segments=40, days=10)
    counts = stored_counts(owner)
    assert counts == recount(owner)
    assert (len(counts), sum(map(sum, counts.values()))) == (loaded.counts, 3_000)
    found = owner.execute(
        "SELECT count(*), count(DISTINCT segment_set_id), count(DISTINCT answered_on), "
        "count(comment) FROM responses WHERE workspace_id = %s AND survey_id = %s",
        [loaded.workspace_id, loaded.survey_id],
    ).fetchone()
    assert found == (3_000, 40, 10, 1_200)
    lost = owner.execute(
        "SELECT count(*) FROM responses LEFT JOIN segment_sets "
        "ON segment_sets.workspace_id = responses.workspace_id "
        "AND segment_sets.id = segment_set_id WHERE segment_sets.id IS NULL"
    ).fetchone()
    assert lost == (0,), "keys were not checked while loading"


async def test_a_load_writes_into_a_workspace_of_its_own(
    database: Database, settings: Settings, cast: Cast, owner: psycopg.Connection
) -> None:
    loaded = [await load_answers(database, settings, 10, 2, 3) for _load in range(2)]
    mine = {found.workspace_id for found in loaded}
    assert len(mine) == 2
    assert not mine & {cast.acme, cast.globex}
    for table in ("surveys", "responses", "daily_counts", "segment_sets"):
        found = owner.execute(f"SELECT DISTINCT workspace_id FROM {table}").fetchall()  # noqa: S608
        assert {workspace_id for (workspace_id,) in found} == mine


async def test_without_a_superuser_nothing_is_loaded(
    database: Database, settings: Settings, owner: psycopg.Connection
) -> None:
    with pytest.raises(StartupError, match="superuser"):
        await load_answers(
            database, replace(settings, database_owner_url=settings.database_url), 10, 2, 3
        )
    assert owner.execute("SELECT count(*) FROM workspaces").fetchone() == (0,)
