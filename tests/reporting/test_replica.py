"""Figures come from a copy of the database where there is one, and from the database where the
copy cannot tell."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from fastapi import FastAPI

from app.foundation import clock
from app.foundation.database import Database
from app.foundation.settings import Settings
from app.foundation.tally import tally
from app.main import create_app
from tests.conftest import browser, program, share_routes
from tests.factories import Cast
from tests.processes import free_port
from tests.responses.scene import Scene, make_scene


@pytest.fixture
async def scene(database: Database, cast: Cast) -> Scene:
    async with database.transaction(cast.acme) as session:
        return await make_scene(session, cast.acme)


@asynccontextmanager
async def with_replica(settings: Settings, url: str) -> AsyncIterator[FastAPI]:
    app = share_routes(
        create_app(replace(settings, replica_url=url), 0, open_at_least=timedelta(0))
    )
    async with app.router.lifespan_context(app):
        yield app


def outcomes() -> Mapping[str, float]:
    return {key[1]: n for key, n in tally.counters.items() if key[0] == "honne_replica_reads"}


async def ask_all(client: httpx.AsyncClient, scene: Scene) -> list[httpx.Response]:
    return [
        await client.get("/api/v1/metrics", params={"survey_id": str(scene.survey_id)}),
        await client.get(f"/api/v1/surveys/{scene.survey_id}/responses"),
    ]


async def test_figures_and_lists_come_from_the_copy(
    settings: Settings, cast: Cast, scene: Scene
) -> None:
    # The same database read through the eyes of a copy: nothing can be written to it.
    async with with_replica(settings, settings.database_url) as app:
        async with program(app, cast.acme_key) as client:
            taken = await client.post(
                f"/api/v1/surveys/{scene.survey_id}/responses", json={"score": 9}
            )
            assert taken.status_code == 201
            before = dict(outcomes())
            figures, listed = await ask_all(client, scene)
        async with browser(app, cast.alice.session_token) as alice:
            board = await alice.get(f"/w/{cast.acme}/surveys/{scene.survey_id}")
    assert figures.json()["response_count"] == 1
    assert [row["score"] for row in listed.json()["data"]] == [9]
    assert board.status_code == 200
    assert outcomes()["answered"] - before.get("answered", 0) == 3


async def test_what_is_to_be_written_first_is_asked_of_the_database(
    settings: Settings, cast: Cast, scene: Scene
) -> None:
    before = dict(outcomes())
    address = f"/api/v1/surveys/{scene.survey_id}/responses"
    query = {"survey_id": str(scene.survey_id), "group_by": "plan"}
    async with (
        with_replica(settings, settings.database_url) as app,
        program(app, cast.acme_key) as client,
    ):
        for days in (100, 130):
            body = {"score": 9, "answered_on": str(clock.today("UTC") - timedelta(days))}
            assert (await client.post(address, json=body)).status_code == 201
        first = await client.get("/api/v1/metrics", params=query)
        second = await client.get("/api/v1/metrics", params=query)
    assert first.json()["response_count"] == 2
    assert second.json()["groups"] == first.json()["groups"]
    assert outcomes().get("to be written", 0) == before.get("to be written", 0) + 1
    assert outcomes()["answered"] == before.get("answered", 0) + 1


async def test_a_copy_that_is_away_is_left_alone_for_a_while(
    settings: Settings, cast: Cast, scene: Scene
) -> None:
    away = f"postgresql+psycopg://nobody@127.0.0.1:{free_port()}/honne"
    before = dict(outcomes())
    async with with_replica(settings, away) as app, program(app, cast.acme_key) as client:
        for _round in range(2):
            assert [one.status_code for one in await ask_all(client, scene)] == [200, 200]
    assert outcomes()["away"] == before.get("away", 0) + 1


async def test_what_the_copy_has_not_heard_of_is_asked_of_the_database(
    settings: Settings, cast: Cast, scene: Scene
) -> None:
    before = dict(outcomes())
    async with (
        with_replica(settings, settings.database_url) as app,
        program(app, cast.globex_key) as client,
    ):
        assert [one.status_code for one in await ask_all(client, scene)] == [404, 404]
    assert outcomes()["unknown"] == before.get("unknown", 0) + 2
