"""Behind a lock: the workspace whose lock it is waits, for a while, and no other."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any

import psycopg
import pytest

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
from tests.responses.scene import Scene, recount, stored_answers, stored_counts
from tests.responses.test_intake_queue import answer
from tests.responses.test_intake_together import failed, hold_counts, submit_all, unanswered

__all__ = ["unanswered"]


@pytest.fixture
def lock_ms() -> int:
    return 10_000


@pytest.fixture
async def impatient(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, lock_ms: int
) -> AsyncIterator[Database]:
    """As the intake has it, with writers that are stuck after 0.2 s."""
    monkeypatch.setattr(intake_module, "STUCK_S", 0.2)
    database = Database(settings.database_url, Pool(6, overflow=0, lock_ms=lock_ms))
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
    assert failed(await submit_all(intake, many)) == [], "and all take turns again"


@pytest.mark.parametrize("lock_ms", [500])
async def test_those_behind_a_lock_are_sent_away_together(
    intake: Intake, many: list[Scene], owner: psycopg.Connection
) -> None:
    before = stored_answers(owner)
    await hold_counts(owner, many[0])
    sent = await begin(intake, many[0], [3] * 10)
    await until(intake, 0)  # a writer has them
    sent += await begin(intake, many[0], [3] * 600)
    async with asyncio.timeout(5):
        outcomes = await asyncio.gather(*sent, return_exceptions=True)
    owner.execute("COMMIT")
    assert {type(outcome) for outcome in outcomes} == {Unavailable}
    assert stored_answers(owner) == before
    assert failed(await submit_all(intake, many)) == []


@pytest.mark.parametrize("lock_ms", [600])
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
    monkeypatch.setattr(intake_module, "BEGIN_WITHIN_S", 0.8)
    before = stored_answers(owner)
    tried.clear()
    with owner.transaction():
        owner.execute("LOCK TABLE responses")
        assert failed(await submit_all(intake, many)) == [0, 1, 2, 3, 4, 5]
    assert len(tried) <= 2, "no writer, and who is patient only until all have waited for 0.8 s"
    assert stored_answers(owner) == before
    assert failed(await submit_all(intake, many)) == []


async def test_what_was_sent_last_is_kept(
    impatient: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    """Who comes later under a key waits for the first, though that one is stuck."""
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
        await until(intake, 1)
        asyncio.get_running_loop().call_later(1, owner.execute, "COMMIT")
    await asyncio.gather(*held_up)
    assert len(stored_answers(owner)) == 3


async def test_what_waits_for_a_moment_needs_no_second_writer(
    database: Database, scene: Scene, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake_module, "LONG_S", 2.0)
    intake = Intake(database)
    async with intake.running():
        await intake.submit(scene.workspace_id, keyed(scene, 1))
        await asyncio.sleep(2.1)  # until nobody looks any more
        await hold_counts(owner, scene)
        sent = await begin(intake, scene, [2])
        await asyncio.sleep(1.5)
        sent += await begin(intake, scene, [3])
        await asyncio.sleep(1.0)
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
