"""A database that says nothing, or has no connection left: respondents keep what they wrote, others
are told when to come back, and all goes on by itself."""

import asyncio
import html
import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.foundation.database import Database, Pool
from app.foundation.settings import Settings
from app.main import create_app
from app.responses import intake
from tests.citus.recording import take_misfits
from tests.conftest import browser, share_routes
from tests.factories import Cast
from tests.responses.scene import Scene, recount, stored_answers, stored_counts


@contextmanager
def silence(owner: psycopg.Connection, table: str = "responses") -> Iterator[None]:
    """Whoever touches `table` waits for the end of this."""
    with owner.transaction():
        owner.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        yield


async def send(client: httpx.AsyncClient, ticket: str, score: int) -> httpx.Response:
    return await client.post(
        "/s/cafe/responses",
        data={"ticket": ticket, "score": str(score), "comment": f"words {score}"},
    )


async def ticket_of(client: httpx.AsyncClient) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', (await client.get("/s/cafe")).text)
    assert found
    return html.unescape(found[1])


@pytest.mark.usefixtures("scene")
async def test_respondents_keep_their_words_and_nothing_is_stored_twice(
    client: httpx.AsyncClient, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    tickets = [await ticket_of(client) for _one in range(11)]
    monkeypatch.setattr(intake, "COMMIT_WITHIN_S", 0.3)
    with silence(owner):
        answers = await asyncio.gather(
            *(send(client, ticket, score) for score, ticket in enumerate(tickets))
        )
        for score, answer in enumerate(answers):
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
            assert f"words {score}" in answer.text
    monkeypatch.setattr(intake, "COMMIT_WITHIN_S", 20)
    again = await asyncio.gather(
        *(send(client, ticket, score) for score, ticket in enumerate(tickets))
    )
    assert {answer.status_code for answer in again} == {303}
    assert len(stored_answers(owner)) == len(tickets)
    assert stored_counts(owner) == recount(owner)


async def test_without_a_connection_left_dashboards_say_when_to_come_back(
    settings: Settings, cast: Cast, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = share_routes(create_app(settings, memory_seconds=0))
    async with app.router.lifespan_context(app), browser(app, cast.alice.session_token) as alice:
        crowded = Database(settings.database_url, Pool(1, overflow=0, wait_s=0.05))
        monkeypatch.setattr(app.state, "database", crowded)
        address = f"/w/{cast.acme}/surveys/{scene.survey_id}"
        async with crowded.transaction():
            page = await alice.get(address)
            program = await alice.get(
                "/api/v1/metrics",
                params={"survey_id": str(scene.survey_id)},
                headers={"Authorization": f"Bearer {cast.acme_key}"},
            )
            form = await alice.get("/s/cafe")
        assert (page.status_code, page.headers["retry-after"]) == (503, "5")
        assert "text/html" in page.headers["content-type"]
        assert program.status_code == 503
        assert program.headers["content-type"] == "application/problem+json"
        assert form.status_code == 503
        assert (await alice.get(address)).status_code == 200, "it goes on by itself"
        await crowded.close()


async def test_a_lock_is_not_waited_for_for_ever(
    settings: Settings, owner: psycopg.Connection
) -> None:
    impatient = Database(settings.database_url, Pool(1, overflow=0, lock_ms=50))

    async def count() -> None:
        async with impatient.transaction() as session:
            await session.execute(text("SELECT count(*) FROM surveys"))

    with silence(owner, "surveys"), pytest.raises(DBAPIError, match="lock timeout"):
        await count()
    await impatient.close()
    take_misfits()  # the workspace is left out on purpose
