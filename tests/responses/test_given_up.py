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


async def test_a_first_answer_that_was_given_up_is_not_stored_after_all(
    settings: Settings, scene: Scene, owner: psycopg.Connection
) -> None:
    """It goes out together with its COMMIT, so it is the server that must stop waiting."""
    database = Database(settings.database_url, Pool(lock_ms=200))
    intake = Intake(database)
    async with intake.running():
        with owner.transaction():
            owner.execute("SELECT FROM surveys FOR NO KEY UPDATE")  # as somebody who edits it
            with pytest.raises(Unavailable):
                await intake.submit(scene.workspace_id, [answer(scene, 3)])
        [stored] = await intake.submit(scene.workspace_id, [answer(scene, 4)])
    await database.close()
    assert stored.score == 4
    assert stored_answers(owner) == [(4, None)]


async def test_many_that_wait_for_one_lock_are_sent_away_together(
    settings: Settings, scene: Scene, owner: psycopg.Connection
) -> None:
    database = Database(settings.database_url, Pool(lock_ms=200))
    intake = Intake(database)
    async with intake.running():
        with owner.transaction():
            owner.execute("SELECT FROM surveys FOR NO KEY UPDATE")
            sent = [intake.submit(scene.workspace_id, [answer(scene, 3)]) for _ in range(100)]
            async with asyncio.timeout(10):
                outcomes = await asyncio.gather(*sent, return_exceptions=True)
    await database.close()
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert stored_answers(owner) == []


def test_the_server_stops_waiting_for_a_lock_before_a_writer_gives_up() -> None:
    assert 0 < main._ANSWERS_POOL.lock_ms < intake_module.COMMIT_WITHIN_S * 1000 / 2
