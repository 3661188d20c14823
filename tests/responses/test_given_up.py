"""What was given up while the database was silent is not stored after all: it could be older than
what its sender has sent since."""

import asyncio
from dataclasses import replace

import psycopg
import pytest

from app import main
from app.foundation.database import Database, Pool
from app.foundation.errors import Unavailable
from app.foundation.settings import Settings
from app.foundation.tokens import new_id
from app.responses import intake as intake_module
from app.responses.intake import Intake
from tests.responses.scene import Scene, recount, stored_answers, stored_counts
from tests.responses.test_intake_queue import answer
from tests.responses.test_intake_together import blocked

LOCK_SURVEYS = "SELECT FROM surveys FOR NO KEY UPDATE"  # as somebody who edits them


async def test_what_was_given_up_overwrites_nothing(
    database: Database, scene: Scene, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "COMMIT_WITHIN_S", 0.5)
    key = new_id()
    first = answer(scene, 3, comment="first", submission_key=key, labels={"plan": "pro"})
    changed = replace(first, id=new_id(), score=9, comment="changed", labels={})
    intake = Intake(database, writers=2)
    async with intake.running():
        await intake.submit(scene.workspace_id, [answer(scene, 5)])
        with owner.transaction():
            # The first has a combination of segments that is new, and waits for this table.
            owner.execute("LOCK TABLE segment_sets IN SHARE ROW EXCLUSIVE MODE")
            with pytest.raises(Unavailable):
                await intake.submit(scene.workspace_id, [first])
            [stored] = await intake.submit(scene.workspace_id, [changed])
            assert stored.comment == "changed"
        await asyncio.sleep(0.5)
    assert stored_answers(owner).count((9, "changed")) == 1
    assert len(stored_answers(owner)) == 2
    assert stored_counts(owner) == recount(owner)


async def test_the_server_stops_what_was_given_up(
    settings: Settings, scene: Scene, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many locks, each held for a short time, can take longer than any of them may."""
    monkeypatch.setattr(intake_module, "COMMIT_WITHIN_S", 0.3)
    database = Database(settings.database_url, replace(main._ANSWERS_POOL, lock_ms=0))
    intake = Intake(database)
    async with intake.running():
        with owner.transaction():
            owner.execute(LOCK_SURVEYS)
            with pytest.raises(Unavailable):
                await intake.submit(scene.workspace_id, [answer(scene, 3)])
            async with asyncio.timeout(10):
                while blocked(owner):  # noqa: ASYNC110 (the server has no event)
                    await asyncio.sleep(0.05)
    await database.close()
    assert stored_answers(owner) == []


async def test_what_was_given_up_keeps_no_connection(
    settings: Settings, scene: Scene, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also while the server says nothing: others need it."""
    monkeypatch.setattr(intake_module, "COMMIT_WITHIN_S", 0.2)
    database = Database(settings.database_url, Pool(1, overflow=0, lock_ms=10_000))
    intake = Intake(database)
    async with intake.running():
        with owner.transaction():
            owner.execute(LOCK_SURVEYS)
            with pytest.raises(Unavailable):
                await intake.submit(scene.workspace_id, [answer(scene, 3)])
            async with asyncio.timeout(2), database.engine.connect():
                pass
    await database.close()
