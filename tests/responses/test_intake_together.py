"""Answers to several workspaces travel together, and stay each workspace's own affair."""

import asyncio
import gc
import sys
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from app.accounts.workspaces import create_workspace
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.errors import Unavailable
from app.foundation.line import Line
from app.foundation.tokens import new_id
from app.responses import intake as intake_module
from app.responses.inputs import ResponseInput
from app.responses.intake import Intake
from app.responses.models import COMMENT_MAX_LENGTH
from tests.responses.scene import Scene, make_scene, recount, stored_answers, stored_counts
from tests.responses.test_intake_queue import answer, transactions


@pytest.fixture
async def intake(database: Database) -> AsyncIterator[Intake]:
    intake = Intake(database, capacity=100, batch_size=20, writers=2)
    async with intake.running():
        yield intake


@pytest.fixture
async def unanswered(database: Database) -> list[Scene]:
    """Surveys in several workspaces."""
    scenes = []
    for n in range(6):
        async with database.transaction() as session:
            workspace = await create_workspace(session, f"Workspace {n}", "UTC", "en")
            scenes.append(await make_scene(session, workspace.id, f"slug-{n}"))
    return scenes


@pytest.fixture
async def many(unanswered: list[Scene], intake: Intake) -> list[Scene]:
    """The same, once each has been answered."""
    for scene in unanswered:
        await intake.submit(scene.workspace_id, [answer(scene, 10)])
    return unanswered


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many workspaces' answers each round trip took, of those that took several."""
    trips = []
    store = Line.store

    async def noted(line: Line, works: Any) -> Any:
        trips.append(len(works))
        return await store(line, works)

    monkeypatch.setattr(Line, "store", noted)
    return trips


async def test_first_answers_travel_together_too(
    intake: Intake, unanswered: list[Scene], owner: psycopg.Connection, trips: list[int]
) -> None:
    assert failed(await submit_all(intake, unanswered)) == []
    assert max(trips) >= 5
    assert transactions(owner) == len(unanswered)
    answered = owner.execute("SELECT count(*) FROM surveys WHERE has_answers").fetchone()
    sets = owner.execute("SELECT count(*) FROM segment_sets").fetchone()
    assert answered == sets == (len(unanswered),)
    assert stored_counts(owner) == recount(owner)


async def test_a_first_answer_that_is_refused_leaves_no_belief_behind(
    intake: Intake, unanswered: list[Scene], owner: psycopg.Connection
) -> None:
    bad = {"comment": "x" * (COMMENT_MAX_LENGTH + 1)}
    assert failed(await submit_all(intake, unanswered, at_2=bad)) == [2]
    assert failed(await submit_all(intake, unanswered)) == []
    assert [new_answers(owner, scene) for scene in unanswered] == [2, 2, 1, 2, 2, 2]


async def test_answers_to_several_workspaces_travel_together(
    intake: Intake, many: list[Scene], owner: psycopg.Connection, trips: list[int]
) -> None:
    stored = await asyncio.gather(
        *(intake.submit(scene.workspace_id, [answer(scene, n)]) for scene in many for n in (1, 2))
    )
    assert [found.score for [found] in stored] == [1, 2] * 6
    assert max(trips) >= 5
    assert transactions(owner) == 12, "each workspace's is one of its own"
    assert stored_counts(owner) == recount(owner)


async def test_those_that_travel_together_are_hardly_more_than_a_batch(
    intake: Intake, many: list[Scene], trips: list[int]
) -> None:
    """While they are prepared, nobody else of this process is served."""
    trips.clear()
    given = ((scene, [answer(scene, 3)] * 8) for scene in many)
    await asyncio.gather(*(intake.submit(scene.workspace_id, some) for scene, some in given))
    assert max(trips) == 3, "of 20 answers at a time, and what is needed to fill them"


async def test_of_several_workspaces_only_the_refused_one_is_told(
    intake: Intake, many: list[Scene], owner: psycopg.Connection
) -> None:
    bad: dict[int, dict[str, Any]] = {
        2: {"version_id": many[0].survey_id},
        4: {"comment": "a\0b"},
        5: {"answered_on": clock.today("UTC") - timedelta(days=1)},
    }
    outcomes = await asyncio.gather(
        *(
            intake.submit(scene.workspace_id, [answer(scene, 3, **bad.get(n, {}))])
            for n, scene in enumerate(many)
        ),
        return_exceptions=True,
    )
    failed = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, BaseException)]
    assert failed == [2, 4]
    assert len(stored_answers(owner)) == 6 + 4
    assert stored_counts(owner) == recount(owner)


async def submit_all(intake: Intake, many: Sequence[Scene], **bad: dict[str, Any]) -> list[Any]:
    """What became of one answer to each; `bad` has values by place, such as `at_2`."""
    return await asyncio.gather(
        *(
            intake.submit(scene.workspace_id, [answer(scene, 3, **bad.get(f"at_{n}", {}))])
            for n, scene in enumerate(many)
        ),
        return_exceptions=True,
    )


def failed(outcomes: Sequence[Any]) -> list[int]:
    return [n for n, outcome in enumerate(outcomes) if isinstance(outcome, BaseException)]


def new_answers(owner: psycopg.Connection, scene: Scene) -> int:
    row = owner.execute(
        "SELECT count(*) FROM responses WHERE survey_id = %s AND score = 3", [scene.survey_id]
    ).fetchone()
    assert row
    return int(row[0])


async def test_on_a_new_connection_the_refused_one_takes_nobody_with_it(
    database: Database, intake: Intake, many: list[Scene], owner: psycopg.Connection
) -> None:
    """Statements that were not prepared yet would be missing for all that follow."""
    await database.lines.close()
    await database.engine.dispose()
    outcomes = await submit_all(intake, many, at_0={"version_id": many[1].survey_id})
    assert failed(outcomes) == [0]
    assert [new_answers(owner, scene) for scene in many] == [0, 1, 1, 1, 1, 1]


async def hold_counts(owner: psycopg.Connection, scene: Scene) -> None:
    owner.execute("BEGIN")
    owner.execute("SELECT FROM daily_counts WHERE survey_id = %s FOR UPDATE", [scene.survey_id])


async def test_a_lock_in_one_workspace_stops_no_other_for_long(
    intake: Intake, many: list[Scene], owner: psycopg.Connection
) -> None:
    await hold_counts(owner, many[2])
    sent = [asyncio.create_task(submit_all(intake, [scene])) for scene in many]
    async with asyncio.timeout(10):
        others = await asyncio.gather(*(task for n, task in enumerate(sent) if n != 2))
    assert failed([outcome for [outcome] in others]) == []
    assert not sent[2].done()
    owner.execute("COMMIT")
    assert failed(await sent[2]) == []
    assert [new_answers(owner, scene) for scene in many] == [1] * 6
    assert stored_counts(owner) == recount(owner)


async def test_who_comes_behind_a_lock_need_not_wait_for_it(
    intake: Intake, many: list[Scene], owner: psycopg.Connection
) -> None:
    """A single writer is busy then, and hardly anything waits."""
    await hold_counts(owner, many[2])
    keyed = answer(many[2], 3, submission_key=new_id())
    stuck = asyncio.create_task(intake.submit(many[2].workspace_id, [keyed]))
    async with asyncio.timeout(10):
        while not blocked(owner):  # noqa: ASYNC110 (the server has no event)
            await asyncio.sleep(0.01)
        assert failed(await submit_all(intake, [many[0]])) == []
    assert not stuck.done()
    owner.execute("COMMIT")
    await stuck


async def test_few_answers_share_a_writer(
    intake: Intake, many: list[Scene], owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "LONG_S", 60)
    before = transactions(owner)
    await hold_counts(owner, many[2])
    sent = []
    for n in range(10):
        given = answer(many[2], n, submission_key=new_id())
        sent.append(asyncio.create_task(intake.submit(many[2].workspace_id, [given])))
        await asyncio.sleep(0.01)
    owner.execute("COMMIT")
    await asyncio.gather(*sent)
    assert transactions(owner) - before == 2, "the first, and all that came meanwhile"


async def test_whoever_was_answered_before_the_connection_died_is_told_so(
    intake: Intake, many: list[Scene], owner: psycopg.Connection
) -> None:
    await hold_counts(owner, many[3])
    sent = asyncio.create_task(submit_all(intake, many))
    async with asyncio.timeout(10):
        while not (waiting := blocked(owner)):  # noqa: ASYNC110 (the server has no event)
            await asyncio.sleep(0.01)
    owner.execute("SELECT pg_terminate_backend(%s, 5000)", [waiting[0]])
    outcomes = await sent
    owner.execute("COMMIT")
    away = failed(outcomes)
    assert 3 in away
    assert all(isinstance(outcomes[n], Unavailable) for n in away)
    stored = [new_answers(owner, scene) for scene in many]
    assert stored == [0 if n in away else 1 for n in range(6)]
    assert stored_counts(owner) == recount(owner)


def blocked(owner: psycopg.Connection) -> list[int]:
    rows = owner.execute(
        "SELECT pid FROM pg_stat_activity WHERE pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    return [pid for (pid,) in rows]


def test_the_parser_keeps_no_comment() -> None:
    comment = ResponseInput.model_validate_json('{"score": 9, "comment": "Only once."}').comment
    gc.collect()
    assert sys.getrefcount(comment) == 2, "this name, and the question itself"
