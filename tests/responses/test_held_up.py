"""Behind a lock: the workspace whose lock it is waits, for a while, and no other."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from app import main
from app.foundation.database import Database, Pool
from app.foundation.errors import Unavailable
from app.foundation.line import Line
from app.foundation.settings import Settings
from app.foundation.tokens import new_id
from app.responses import intake as intake_module
from app.responses.intake import Intake
from app.responses.models import COMMENT_MAX_LENGTH
from app.responses.schemas import NewAnswer, StoredAnswer
from app.responses.segment_sets import segment_set_id
from tests.responses.scene import Scene, recount, stored_answers, stored_counts
from tests.responses.test_intake_queue import answer
from tests.responses.test_intake_together import failed, hold_counts, submit_all, unanswered

__all__ = ["unanswered"]

LOCK_MS = 200


@pytest.fixture
async def impatient(settings: Settings) -> AsyncIterator[Database]:
    """As the intake has it, with less patience for each lock."""
    database = Database(settings.database_url, Pool(6, overflow=0, lock_ms=LOCK_MS))
    yield database
    await database.close()


@pytest.fixture
async def intake(impatient: Database) -> AsyncIterator[Intake]:
    """With a single writer: whoever keeps it, keeps all."""
    intake = Intake(impatient, writers=1)
    async with intake.running():
        yield intake


@pytest.fixture
async def many(unanswered: list[Scene], intake: Intake) -> list[Scene]:
    assert failed(await submit_all(intake, unanswered)) == []
    return unanswered


@pytest.fixture
def tried(monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """Grows by one for each transaction of a single workspace."""
    tried: list[object] = []
    begin_transaction = Line.transaction

    def note(line: Line, *of: Any) -> object:
        tried.append(of)
        return begin_transaction(line, *of)

    monkeypatch.setattr(Line, "transaction", note)
    return tried


def keyed(scene: Scene, score: int) -> list[NewAnswer]:
    return [answer(scene, score, submission_key=new_id())]


async def begin(
    intake: Intake, scene: Scene, scores: Sequence[int]
) -> list[asyncio.Task[list[StoredAnswer]]]:
    submissions = (intake.submit(scene.workspace_id, keyed(scene, score)) for score in scores)
    tasks = [asyncio.create_task(submission) for submission in submissions]
    await asyncio.sleep(0)
    return tasks


async def until(intake: Intake, waiting: int) -> None:
    async with asyncio.timeout(10):
        while intake.waiting != waiting:  # noqa: ASYNC110 (the intake has no event)
            await asyncio.sleep(0.01)


async def until_locked(intake: Intake, scene: Scene) -> None:
    async with asyncio.timeout(10):
        while scene.workspace_id not in intake._locked:  # noqa: ASYNC110 (as above)
            await asyncio.sleep(0.01)


async def test_one_that_is_locked_keeps_no_writer(
    intake: Intake, many: list[Scene], owner: psycopg.Connection
) -> None:
    await hold_counts(owner, many[0])
    held_up = await begin(intake, many[0], [1])
    for n in range(1, 6):
        await asyncio.sleep(0.1)
        held_up += await begin(intake, many[0], [n])
        async with asyncio.timeout(5):
            await intake.submit(many[n].workspace_id, keyed(many[n], n))
    assert not any(task.done() for task in held_up)
    owner.execute("COMMIT")
    await asyncio.gather(*held_up)
    assert len(stored_answers(owner)) == 6 + 6 + 5
    assert stored_counts(owner) == recount(owner)
    assert failed(await submit_all(intake, many)) == []
    assert not intake._locked, "and all take turns again"


async def test_those_behind_a_lock_are_sent_away_in_time(
    intake: Intake, many: list[Scene], owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "BEGIN_WITHIN_S", 1.0)
    before = stored_answers(owner)
    await hold_counts(owner, many[0])
    sent = await begin(intake, many[0], [3] * 10)
    await until(intake, 0)  # a writer has them
    sent += await begin(intake, many[0], [3] * 600)
    await until_locked(intake, many[0])
    await asyncio.sleep(0.05)
    assert not intake._writers, "what waits behind it is set aside as well"
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*sent, return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert stored_answers(owner) == before
    [late] = await begin(intake, many[0], [4])
    await until(intake, 0)
    assert not intake._writers, "nobody but who is patient tries it, until some of it gets through"
    owner.execute("COMMIT")
    await late
    assert failed(await submit_all(intake, many)) == []


async def test_locks_leave_room_for_other_workspaces(
    impatient: Database, unanswered: list[Scene], owner: psycopg.Connection
) -> None:
    locked, free = unanswered[:2]
    intake = Intake(impatient, capacity=20, writers=1)
    async with intake.running():
        assert failed(await submit_all(intake, [locked, free])) == []
        await hold_counts(owner, locked)
        sent = await begin(intake, locked, [1])
        await until_locked(intake, locked)
        sent += await begin(intake, locked, [3] * 20)
        await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
        told = failed([task.done() and task.exception() for task in sent])
        assert len(told) in {10, 11}, "one of them may be under way"
        assert failed(await submit_all(intake, [free])) == []
        owner.execute("COMMIT")
        assert failed(await asyncio.gather(*sent, return_exceptions=True)) == told


async def test_a_bad_answer_behind_a_lock_fails_alone(
    intake: Intake, many: list[Scene], owner: psycopg.Connection
) -> None:
    scene = many[0]
    await hold_counts(owner, scene)
    bad = {7: {"version_id": scene.survey_id}}
    sent = [
        asyncio.create_task(intake.submit(scene.workspace_id, [answer(scene, 4, **bad.get(n, {}))]))
        for n in range(64)
    ]
    await asyncio.sleep(1)
    assert failed([task.done() and task.exception() for task in sent]) in ([], [7])
    owner.execute("COMMIT")
    assert failed(await asyncio.gather(*sent, return_exceptions=True)) == [7]
    assert stored_counts(owner) == recount(owner)


@pytest.mark.parametrize("is_prepared", [True, False])
async def test_nobody_waits_for_the_locks_of_all(
    intake: Intake, many: list[Scene], owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch,
    tried: list[object], is_prepared: bool,
) -> None:  # fmt: skip
    """A table that is locked holds up every workspace, and one after the other is too long. On a
    new connection it also keeps the statements from being prepared."""
    if not is_prepared:
        await intake.database.lines.close()
        await intake.database.engine.dispose()
    monkeypatch.setattr(intake_module, "BEGIN_WITHIN_S", 0.5)
    before = stored_answers(owner)
    tried.clear()
    with owner.transaction():
        owner.execute("LOCK TABLE responses")
        assert failed(await submit_all(intake, many)) == [0, 1, 2, 3, 4, 5]
    assert len(tried) <= 3, "no writer, and who is patient only until all have waited for 0.5 s"
    assert stored_answers(owner) == before
    assert failed(await submit_all(intake, many)) == []


async def test_what_was_sent_last_is_kept(
    impatient: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    """Who comes later under a key waits for the first, though that one stands behind a lock."""
    key = new_id()
    sent = []
    intake = Intake(impatient)
    async with intake.running():
        await intake.submit(scene.workspace_id, [answer(scene, 5)])
        await hold_counts(owner, scene)
        for score in (1, 2, 3):
            given = answer(scene, score, submission_key=key)
            sent.append(asyncio.create_task(intake.submit(scene.workspace_id, [given])))
            await asyncio.sleep(0.1)
        await asyncio.sleep(1)
        owner.execute("COMMIT")
        await asyncio.gather(*sent)
    assert sorted(score for score, _comment in stored_answers(owner)) == [3, 5]
    assert stored_counts(owner) == recount(owner)


@pytest.mark.parametrize("lock_ms", [LOCK_MS, 5_000])
@pytest.mark.parametrize("beside", ["nobody", "a stranger", "a bad answer"])
async def test_what_comes_before_the_key_changes_no_order(
    settings: Settings, scene: Scene, owner: psycopg.Connection, beside: str, lock_ms: int
) -> None:
    """The first, or who shares its transaction, has a combination of segments that somebody else is
    just making; what comes later under its key has not."""
    database = Database(settings.database_url, Pool(6, overflow=0, lock_ms=lock_ms))
    key, labels = new_id(), {"plan": "pro"}
    first = answer(scene, 1, submission_key=key)
    others = {
        "nobody": [],
        "a stranger": [answer(scene, 9, labels=labels)],
        "a bad answer": [answer(scene, 9, labels=labels, version_id=scene.survey_id)],
    }[beside]
    if not others:
        first = replace(first, labels=labels)
    intake = Intake(database)
    async with intake.running():
        await intake.submit(scene.workspace_id, [answer(scene, 5)])
        with owner.transaction():
            make_set(owner, scene, labels)
            sent = [await begin_with(intake, scene, one) for one in (first, *others)]
            await asyncio.sleep(0.3)
            sent.append(await begin_with(intake, scene, answer(scene, 2, submission_key=key)))
            await asyncio.sleep(0.6)
        outcomes = await asyncio.gather(*sent, return_exceptions=True)
    await database.close()
    assert failed(outcomes) == ([1] if beside == "a bad answer" else [])
    assert sorted(score for score, _ in stored_answers(owner) if score < 9) == [2, 5]
    assert stored_counts(owner) == recount(owner)


async def test_several_keys_at_once_change_no_order_either(
    settings: Settings, scene: Scene, owner: psycopg.Connection
) -> None:
    database = Database(settings.database_url, Pool(6, overflow=0, lock_ms=5_000))
    one, other = new_id(), new_id()
    sent = []
    intake = Intake(database)
    async with intake.running():
        await intake.submit(scene.workspace_id, [answer(scene, 5)])
        await hold_counts(owner, scene)
        for score, keys in ((1, [one]), (2, [one, other]), (3, [other])):
            given = [answer(scene, score, submission_key=key) for key in keys]
            sent.append(asyncio.create_task(intake.submit(scene.workspace_id, given)))
            await asyncio.sleep(0.2)
        owner.execute("COMMIT")
        await asyncio.gather(*sent)
    await database.close()
    assert sorted(score for score, _comment in stored_answers(owner)) == [2, 3, 5]


async def test_a_lock_on_one_answer_keeps_no_others_that_came_with_it(
    impatient: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    key = new_id()
    first = answer(scene, 1, submission_key=key)
    intake = Intake(impatient)
    async with intake.running():
        await intake.submit(scene.workspace_id, [first])
        owner.execute("BEGIN")
        owner.execute("SELECT FROM submission_keys FOR UPDATE")
        amended = replace(first, id=new_id(), score=2)
        again = asyncio.create_task(intake.submit(scene.workspace_id, [amended]))
        others = await begin(intake, scene, [3] * 20)
        async with asyncio.timeout(10):
            await asyncio.gather(*others)
        assert not again.done()
        owner.execute("COMMIT")
        await again
    assert sorted(score for score, _comment in stored_answers(owner)) == [2] + [3] * 20


def make_set(owner: psycopg.Connection, scene: Scene, labels: dict[str, str]) -> None:
    set_id = segment_set_id(scene.survey_id, labels)
    row = [scene.workspace_id, set_id, scene.survey_id, Jsonb(labels)]
    owner.execute(
        "INSERT INTO segment_sets (workspace_id, id, survey_id, labels) VALUES (%s, %s, %s, %s)",
        row,
    )


async def begin_with(
    intake: Intake, scene: Scene, given: NewAnswer
) -> asyncio.Task[list[StoredAnswer]]:
    task = asyncio.create_task(intake.submit(scene.workspace_id, [given]))
    await asyncio.sleep(0)
    return task


async def test_stopping_waits_for_those_behind_a_lock(
    impatient: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    intake = Intake(impatient, writers=1)
    async with intake.running():
        await intake.submit(scene.workspace_id, keyed(scene, 1))
        await hold_counts(owner, scene)
        held_up = await begin(intake, scene, [2])
        await until(intake, 0)
        held_up += await begin(intake, scene, [3])
        asyncio.get_running_loop().call_later(1, owner.execute, "COMMIT")
    await asyncio.gather(*held_up)
    assert len(stored_answers(owner)) == 3


async def test_what_waits_for_a_moment_needs_no_second_writer(
    database: Database, scene: Scene, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "LONG_S", 1.0)
    intake = Intake(database)
    async with intake.running():
        await intake.submit(scene.workspace_id, keyed(scene, 1))
        await asyncio.sleep(1.1)  # until nobody looks any more
        await hold_counts(owner, scene)
        sent = await begin(intake, scene, [2])
        await asyncio.sleep(0.7)
        sent += await begin(intake, scene, [3])
        await asyncio.sleep(0.6)
        assert len(intake._writers) <= 1
        owner.execute("COMMIT")
        await asyncio.gather(*sent)


async def test_of_many_answers_the_bad_one_is_found_soon(
    intake: Intake, scene: Scene, owner: psycopg.Connection, tried: list[object]
) -> None:
    bad = answer(scene, 3, comment="x" * (COMMENT_MAX_LENGTH + 1))
    given = [bad if n == 77 else answer(scene, 3) for n in range(256)]
    outcomes = await asyncio.gather(
        *(intake.submit(scene.workspace_id, [one]) for one in given), return_exceptions=True
    )
    assert failed(outcomes) == [77]
    assert len(stored_answers(owner)) == 255
    assert len(tried) <= 1 + 2 * 8, "it is halved eight times"


async def test_what_cannot_even_be_sent_stops_no_other_workspace(
    intake: Intake, many: list[Scene], owner: psycopg.Connection
) -> None:
    outcomes = await submit_all(intake, many, at_2={"comment": "\ud800"})
    assert failed(outcomes) == [2]
    assert stored_counts(owner) == recount(owner)


def test_a_lock_is_given_up_before_the_transaction_is() -> None:
    assert 0 < main._ANSWERS_POOL.lock_ms < intake_module.COMMIT_WITHIN_S * 1000 / 2
