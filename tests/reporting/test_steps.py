"""The steps of running a survey, ticked by what exists."""

import re

import httpx
import psycopg
import pytest

from tests.factories import Cast
from tests.reporting.test_pages import dashboard
from tests.responses.scene import Scene


def done_in(html: str) -> list[bool]:
    return [kind == "done" for kind in re.findall(r'<li class="(done|open)"', html)]


@pytest.fixture
async def new_survey(acme_api: httpx.AsyncClient, cast: Cast) -> str:
    made = await acme_api.post("/api/v1/surveys", json={"name": "New", "subject": "Acme"})
    return f"/w/{cast.acme}/surveys/{made.json()['id']}"


async def test_a_new_survey_walks_its_manager_through(
    new_survey: str, as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient,
    acme_api: httpx.AsyncClient,
) -> None:  # fmt: skip
    page = (await as_mona.get(new_survey)).text
    assert done_in(page) == [True] + [False] * 9
    assert '<details class="card checklist no-print" open>' in page
    assert "Next: Choose whom to ask" in page
    assert "checklist" not in (await as_bob.get(new_survey)).text, "a viewer runs no survey"
    survey_id = new_survey.rpartition("/")[2]
    await acme_api.post(
        f"/api/v1/surveys/{survey_id}/dimensions", json={"key": "plan", "values": [{"key": "pro"}]}
    )
    await acme_api.put(f"/api/v1/surveys/{survey_id}/publication")
    await acme_api.post(f"/api/v1/surveys/{survey_id}/responses", json={"score": 9})
    await as_mona.post(f"{new_survey}/shared-reports", data={"name": "Board", "expires": "7"})
    page = (await as_mona.get(new_survey)).text
    assert done_in(page) == [True, True, True, True, True, False, False, True, False, False]
    assert "1 of 30 answers" in page
    assert '<details class="card checklist no-print">' in page, "closed: there is something to see"


async def test_every_step_leads_somewhere(new_survey: str, as_mona: httpx.AsyncClient) -> None:
    page = (await as_mona.get(new_survey)).text
    steps = page[page.index("checklist") : page.index("steps/dismissal")]
    hrefs = re.findall(r'href="([^"]+)"', steps)
    assert len(hrefs) == 10
    for href in hrefs:
        assert (await as_mona.get(href)).status_code == 200, href


async def test_whoever_knows_the_steps_puts_them_away(
    new_survey: str, as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient
) -> None:
    assert (await as_bob.post(f"{new_survey}/steps/dismissal")).status_code == 403
    assert (await as_mona.post(f"{new_survey}/steps/dismissal")).status_code == 303
    assert "checklist" not in (await as_mona.get(new_survey)).text


async def test_they_are_gone_when_all_are_done(
    scene: Scene, as_mona: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE surveys SET shows_steps = true")
    await as_mona.post(f"{dashboard(scene)}/shared-reports", data={"name": "A", "expires": "7"})
    page = (await as_mona.get(dashboard(scene))).text
    assert done_in(page) == [True] * 8 + [False] * 2
    owner.execute("UPDATE responses SET answered_on = '2026-02-01' WHERE score = 1")
    owner.execute(
        "INSERT INTO annotations (workspace_id, id, survey_id, kind, title, begins_on, note, link,"
        " hypothesis, created_at) VALUES (%s, gen_random_uuid(), NULL, 'action', 'Better mails',"
        " '2026-06-01', '', '', '', now())",
        [scene.workspace_id],
    )
    assert "checklist" not in (await as_mona.get(dashboard(scene))).text
