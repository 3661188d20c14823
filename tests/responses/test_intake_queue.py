"""The intake: batches form by themselves, one bad answer fails alone, nothing is acknowledged
before it is durable."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from psycopg import AsyncConnection
from sqlalchemy import Connection, event
from sqlalchemy.exc import IntegrityError

from app.foundation import clock
from app.foundation.database import Database
from app.foundation.embedded import embedded_postgres
from app.foundation.errors import Unavailable
from app.foundation.line import Line
from app.foundation.migrate import migrate
from app.foundation.settings import Settings, read_settings
from app.foundation.tokens import new_id
from app.main import create_app
from app.responses.intake import Intake
from app.responses.models import COMMENT_MAX_LENGTH
from app.responses.schemas import NewAnswer
from app.surveys.models import Channel
from tests import factories
from tests.conftest import program, share_routes
from tests.responses.scene import Scene, make_scene, recount, stored_answers, stored_counts


def answer(scene: Scene, score: int, **values: Any) -> NewAnswer:
    day = clock.today("UTC")
    made = NewAnswer(scene.survey_id, scene.version_id, score, None, "en", Channel.LINK, day)
    return replace(made, **values)


@pytest.fixture
async def intake(database: Database) -> AsyncIterator[Intake]:
    intake = Intake(database, capacity=100, batch_size=20, writers=2)
    async with intake.running():
        yield intake


def transactions(owner: psycopg.Connection) -> int:
    """How many transactions wrote the answers there are."""
    row = owner.execute("SELECT count(DISTINCT xmin::text) FROM responses").fetchone()
    return int(row[0]) if row else 0


async def test_answers_that_arrive_together_are_committed_together(
    intake: Intake, scene: Scene, owner: psycopg.Connection
) -> None:
    stored = await asyncio.gather(
        *(intake.submit(scene.workspace_id, [answer(scene, n % 11)]) for n in range(60))
    )
    assert [found.score for [found] in stored] == [n % 11 for n in range(60)]
    assert len(stored_answers(owner)) == 60
    assert stored_counts(owner) == recount(owner)
    assert 3 <= transactions(owner) <= 6


async def test_one_bad_answer_fails_alone(
    intake: Intake, scene: Scene, owner: psycopg.Connection
) -> None:
    bad: dict[int, dict[str, Any]] = {
        3: {"score": 11},
        7: {"comment": "a\0b"},
        12: {"version_id": scene.survey_id},
    }

    async def submit(n: int) -> None:
        both = [answer(scene, 5), replace(answer(scene, 6), **bad.get(n, {}))]
        await intake.submit(scene.workspace_id, both)

    outcomes = await asyncio.gather(*map(submit, range(20)), return_exceptions=True)
    failed = [n for n, outcome in enumerate(outcomes) if isinstance(outcome, BaseException)]
    assert failed == [3, 7, 12]
    assert isinstance(outcomes[12], IntegrityError)
    assert len(stored_answers(owner)) == 2 * 17
    assert stored_counts(owner) == recount(owner)


@pytest.mark.parametrize("is_keyed", [False, True])
async def test_many_long_comments_are_stored_together(
    database: Database, scene: Scene, owner: psycopg.Connection, is_keyed: bool
) -> None:
    intake = Intake(database)
    comment = "あ" * COMMENT_MAX_LENGTH
    key = new_id if is_keyed else lambda: None

    async def submit(n: int) -> None:
        bad = {"version_id": scene.survey_id} if n == 300 else {}
        given = answer(scene, n % 11, comment=comment, submission_key=key(), **bad)
        await intake.submit(scene.workspace_id, [given])

    async with intake.running(), asyncio.timeout(20):
        outcomes = await asyncio.gather(*map(submit, range(500)), return_exceptions=True)
    assert [n for n, outcome in enumerate(outcomes) if outcome] == [300]
    assert stored_answers(owner).count((9, comment)) == 45
    assert len(stored_answers(owner)) == 499
    assert stored_counts(owner) == recount(owner)


async def test_an_answer_that_failed_leaves_no_belief_in_rows_that_are_not_there(
    intake: Intake, scene: Scene, owner: psycopg.Connection
) -> None:
    labels = {"plan": "pro"}
    bad = answer(scene, 9, labels=labels, comment="x" * (COMMENT_MAX_LENGTH + 1))
    with pytest.raises(IntegrityError):
        await intake.submit(scene.workspace_id, [bad])
    await intake.submit(scene.workspace_id, [answer(scene, 10, labels=labels)])
    assert stored_answers(owner) == [(10, None)]


async def test_a_full_queue_sends_callers_away(
    intake: Intake, scene: Scene, owner: psycopg.Connection
) -> None:
    waiting = [
        asyncio.create_task(intake.submit(scene.workspace_id, [answer(scene, 1)]))
        for _ in range(150)
    ]
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, Unavailable)]
    assert len(refused) == 50
    assert refused[0].headers == {"Retry-After": "5"}
    assert len(stored_answers(owner)) == 100


async def test_stopping_stores_what_waits_and_takes_no_more(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    intake = Intake(database, batch_size=5, writers=1)
    async with intake.running():
        waiting = [
            asyncio.create_task(intake.submit(scene.workspace_id, [answer(scene, 1)]))
            for _ in range(30)
        ]
        await asyncio.sleep(0)
    assert len(await asyncio.gather(*waiting)) == 30
    assert len(stored_answers(owner)) == 30
    with pytest.raises(Unavailable):
        await intake.submit(scene.workspace_id, [answer(scene, 1)])


async def test_a_caller_who_leaves_harms_nobody(
    intake: Intake, scene: Scene, owner: psycopg.Connection
) -> None:
    tasks = [
        asyncio.create_task(intake.submit(scene.workspace_id, [answer(scene, n)]))
        for n in range(10)
    ]
    await asyncio.sleep(0)
    tasks[4].cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert [n for n, outcome in enumerate(outcomes) if isinstance(outcome, BaseException)] == [4]
    assert len(stored_answers(owner)) == 10


@contextmanager
def before_commit(
    database: Database, act: Callable[[AsyncConnection[Any]], None]
) -> Iterator[None]:
    """Call `act` with the driver's connection once all is written, just before COMMIT is sent."""
    engine = database.engine.sync_engine
    finish = Line.finish

    def by_session(connection: Connection) -> None:
        driver = connection.connection.driver_connection
        assert isinstance(driver, AsyncConnection)
        act(driver)

    async def by_line(line: Line) -> None:
        await line.flush()
        act(line.driver)
        await finish(line)

    event.listen(engine, "commit", by_session)
    setattr(Line, "finish", by_line)  # noqa: B010
    try:
        yield
    finally:
        event.remove(engine, "commit", by_session)
        setattr(Line, "finish", finish)  # noqa: B010


async def test_nothing_is_acknowledged_where_the_connection_dies_before_the_commit(
    intake: Intake, database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    ends = 0

    def terminate(_connection: object) -> None:
        nonlocal ends
        ends += 1
        owner.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    async def submit(n: int) -> bool:
        # With keys no two batches travel together, so each has a moment before its COMMIT.
        given = answer(scene, n % 11, labels={"plan": "pro"}, submission_key=new_id())
        try:
            await intake.submit(scene.workspace_id, [given])
        except Unavailable:
            return False
        return True

    with before_commit(database, terminate):
        assert not any(await asyncio.gather(*map(submit, range(50))))
    assert ends > 0
    assert stored_answers(owner) == []
    assert all(await asyncio.gather(*map(submit, range(50))))
    assert len(stored_answers(owner)) == 50
    assert stored_counts(owner) == recount(owner)


@asynccontextmanager
async def own_server(folder: Path) -> AsyncIterator[tuple[Settings, FastAPI, Path]]:
    """The product on a Postgres of its own, with every safeguard on, that may be killed."""
    settings = read_settings({"HONNE_DATA_DIR": str(folder)})
    with embedded_postgres(folder) as addresses:
        settings = settings.with_database(addresses.runtime_url, addresses.owner_url)
        migrate(settings)
        app = share_routes(create_app(settings))
        async with app.router.lifespan_context(app):
            yield settings, app, folder / "postgres" / "cluster"


async def test_killing_postgres_between_flush_and_commit_yields_no_201(tmp_path: Path) -> None:
    async with own_server(tmp_path) as (settings, app, cluster):
        database: Database = app.state.database
        cast = await factories.make_cast(database, settings)
        async with database.transaction(cast.acme) as session:
            scene = await make_scene(session, cast.acme)
        url = f"/api/v1/surveys/{scene.survey_id}/responses"
        intake_database: Database = app.state.intake.database
        async with program(app, cast.acme_key) as client:

            async def post(n: int) -> httpx.Response:
                return await client.post(url, json={"score": n % 11, "comment": str(n)})

            before = await asyncio.gather(*map(post, range(20)))
            assert {answer.status_code for answer in before} == {201}
            with before_commit(intake_database, partial(kill, cluster)):
                during = await asyncio.gather(*map(post, range(20, 60)))
            assert {answer.status_code for answer in during} == {503}
        with (
            embedded_postgres(tmp_path) as addresses,
            psycopg.connect(addresses.owner_url.replace("+psycopg", "")) as owner,
        ):
            stored = {comment for _score, comment in stored_answers(owner)}
            assert stored == {answer.json()["comment"] for answer in before}
            assert stored_counts(owner) == recount(owner)


def kill(cluster: Path, session: AsyncConnection[Any]) -> None:
    """As a power cut would: neither the server nor the session's process writes another byte."""
    pid_file = cluster / "postmaster.pid"
    for pid in (int(pid_file.read_text().split()[0]), session.info.backend_pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
