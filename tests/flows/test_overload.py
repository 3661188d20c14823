"""More dashboards than can be shown at once: answers are taken all the same."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from app.foundation.database import Database
from app.foundation.settings import Settings
from app.main import create_app
from tests.conftest import browser, program, share_routes
from tests.factories import Cast
from tests.responses.scene import Scene, make_scene, recount, stored_counts

DASHBOARDS = 160
ANSWERS = 60
FEW_CONNECTIONS = 8


@pytest.fixture
async def scene(database: Database, cast: Cast) -> Scene:
    async with database.transaction(cast.acme) as session:
        return await make_scene(session, cast.acme)


async def test_a_flood_of_dashboards_turns_no_answer_away(
    settings: Settings, cast: Cast, scene: Scene, owner: psycopg.Connection
) -> None:
    app = share_routes(
        create_app(replace(settings, connections=FEW_CONNECTIONS), open_at_least=timedelta(0))
    )
    board = f"/w/{cast.acme}/surveys/{scene.survey_id}"
    answers = f"/api/v1/surveys/{scene.survey_id}/responses"
    async with (
        app.router.lifespan_context(app),
        browser(app, cast.alice.session_token) as alice,
        program(app, cast.acme_key) as client,
    ):
        shown = [asyncio.create_task(alice.get(board)) for _one in range(DASHBOARDS)]
        exported = asyncio.create_task(alice.get(f"{board}/responses.csv"))
        taken = await asyncio.gather(
            *(client.post(answers, json={"score": n % 11}) for n in range(ANSWERS))
        )
        file, *pages = await asyncio.gather(exported, *shown)
        assert (await alice.get(board)).status_code == 200, "the flood is over"
    assert {one.status_code for one in taken} == {201}
    assert (file.status_code, file.headers["retry-after"]) == (503, "60")
    statuses = {page.status_code for page in pages}
    assert statuses == {200, 503}
    assert {page.headers["retry-after"] for page in pages if page.status_code == 503} == {"10"}
    assert owner.execute("SELECT count(*) FROM responses").fetchone() == (ANSWERS,)
    assert stored_counts(owner) == recount(owner)
