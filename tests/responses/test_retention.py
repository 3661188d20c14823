"""Answers go when their survey's retention is over; what they were counted as stays."""

import asyncio
from datetime import UTC, date, datetime

import psycopg
import pytest

from app.accounts.schemas import SYSTEM
from app.foundation import clock
from app.foundation.database import Database
from app.responses import retention
from app.responses.jobs import enforce_retention
from app.responses.retention import Keeping, delete_expired
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.surveys.holds import hold_survey
from app.surveys.models import Channel
from tests.factories import Cast
from tests.responses.scene import Scene, stored_counts

NOW = datetime(2026, 8, 31, 12, tzinfo=UTC)
KEPT_FROM = date(2024, 8, 31)  # 24 months earlier


async def _store(database: Database, scene: Scene, *days: date) -> None:
    async with database.transaction(scene.workspace_id) as session:
        answers = [
            NewAnswer(scene.survey_id, scene.version_id, 9, "Gone?", "en", Channel.IMPORT, day)
            for day in days
        ]
        await store_answers(session, scene.workspace_id, answers)


def _days(owner: psycopg.Connection) -> list[date]:
    return [day for (day,) in owner.execute("SELECT answered_on FROM responses ORDER BY 1")]


async def test_old_answers_go_and_their_counts_stay(
    database: Database, scene: Scene, cast: Cast, owner: psycopg.Connection
) -> None:
    await _store(database, scene, date(2024, 8, 30), KEPT_FROM, date(2026, 8, 30))
    counts = stored_counts(owner)
    with clock.fixed(NOW):
        assert await enforce_retention(database) == 1
        assert await enforce_retention(database) == 0
    assert _days(owner) == [KEPT_FROM, date(2026, 8, 30)]
    assert stored_counts(owner) == counts
    events = owner.execute(
        "SELECT workspace_id, actor_kind, details FROM audit_events "
        "WHERE action = 'responses.expired'"
    ).fetchall()
    assert events == [(cast.acme, "system", {"responses": 1, "before": "2024-08-31"})]


async def test_a_large_survey_goes_in_parts(
    database: Database, scene: Scene, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _store(database, scene, *[date(2020, 1, day) for day in range(1, 8)])
    monkeypatch.setattr(retention, "DELETED_AT_ONCE", 3)
    with clock.fixed(NOW):
        assert await enforce_retention(database) == 7
    assert _days(owner) == []


async def test_two_runs_at_once_count_each_answer_once(
    database: Database, scene: Scene, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _store(database, scene, *[date(2020, 1, day) for day in range(1, 21)])
    monkeypatch.setattr(retention, "DELETED_AT_ONCE", 3)
    with clock.fixed(NOW):
        runs = await asyncio.gather(*(enforce_retention(database) for _run in range(2)))
    assert sum(runs) == 20
    assert _deletions(owner) == [(date(2026, 8, 31), "retention", 20)]


async def test_a_hold_stops_a_run_between_two_parts(
    database: Database, scene: Scene, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await _store(database, scene, *[date(2020, 1, day) for day in range(1, 8)])
    monkeypatch.setattr(retention, "DELETED_AT_ONCE", 3)
    keeping = Keeping(scene.workspace_id, scene.survey_id, KEPT_FROM)
    with clock.fixed(NOW):
        for gone in (3, 0):
            async with database.transaction(scene.workspace_id) as session:
                assert await delete_expired(session, keeping) == gone
            async with database.transaction(scene.workspace_id) as session:
                await hold_survey(session, scene.workspace_id, SYSTEM, scene.survey_id)
    assert len(_days(owner)) == 4
    assert _deletions(owner) == [(date(2026, 8, 31), "retention", 3)]


async def test_the_day_is_the_workspaces(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    """Nine hours ahead of Greenwich the first of September has begun."""
    await _store(database, scene, KEPT_FROM)
    with clock.fixed(datetime(2026, 8, 31, 14, 59, tzinfo=UTC)):
        assert await enforce_retention(database) == 0
    with clock.fixed(datetime(2026, 8, 31, 15, tzinfo=UTC)):
        assert await enforce_retention(database) == 1
    assert _deletions(owner) == [(date(2026, 9, 1), "retention", 1)]


def _deletions(owner: psycopg.Connection) -> list[tuple[object, ...]]:
    return owner.execute("SELECT deleted_on, reason, responses FROM deletions").fetchall()
