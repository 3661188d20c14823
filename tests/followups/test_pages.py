"""The pages on which managers note what is done about the score."""

import re

import httpx
import psycopg

from app.accounts.models import Role
from app.foundation.database import Database
from app.foundation.paging import PAGE_SIZE
from app.foundation.settings import Settings
from tests.conftest import browser
from tests.factories import Cast, make_player
from tests.followups.conftest import home
from tests.reporting.test_pages import counted_statements
from tests.responses.scene import Scene

ACTION = {
    "kind": "action",
    "title": "Answer within a day",
    "begins_on": "2026-06-01",
    "due_on": "2026-06-30",
    "scope": "this",
}


async def headings(client: httpx.AsyncClient, address: str) -> dict[str, str]:
    """The text of each section of the page, by its heading."""
    text = (await client.get(address)).text
    found = re.findall(r"<h2[^>]*>([^<]+)</h2>(.*?)</section>", text, re.DOTALL)
    return {name: re.sub(r"<[^>]+>", " ", body) for name, body in found}


async def test_an_action_from_its_plan_to_its_end(
    as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient, scene: Scene, cast: Cast
) -> None:
    page = home(scene) + "/actions"
    assert "Nothing noted yet" in (await as_bob.get(page)).text
    sent = {**ACTION, "owner_id": str(cast.bob.user_id), "hypothesis": "They wait too long."}
    assert (await as_mona.post(page, data=sent)).status_code == 303
    overdue = (await headings(as_bob, page))["Overdue"]
    for text in ("Answer within a day", "Due on Jun 30, 2026", "Owner: Bob", "They wait too long."):
        assert text in overdue
    action = re.search(r'id="a-([0-9a-f-]+)"', (await as_bob.get(page)).text)
    assert action
    edited = {**sent, "due_on": "2026-08-31", "scope": "all"}
    await as_mona.post(f"{page}/{action[1]}", data=edited)
    assert "For all surveys" in (await headings(as_bob, page))["In progress"]
    done = await as_mona.post(f"{page}/{action[1]}/completion", follow_redirects=True)
    assert "Done on Jul 10, 2026" in done.text
    assert "No whole day has passed since it was done." in done.text
    await as_mona.post(f"{page}/{action[1]}/removal")
    assert "Nothing noted yet" in (await as_bob.get(page)).text


async def test_what_was_typed_is_shown_again_with_its_errors(
    as_mona: httpx.AsyncClient, scene: Scene
) -> None:
    page = home(scene) + "/actions"
    sent = {**ACTION, "title": " ", "link": "javascript:alert(1)", "due_on": "2026-05-01"}
    refused = await as_mona.post(page, data={**sent, "note": "<b>Kept</b>"})
    assert refused.status_code == 422
    assert "&lt;b&gt;Kept" in refused.text
    for text in (
        "Write something here.",
        "Write an address that begins with https:// or http://.",
        "Choose a day on or after the one it begins.",
        "<title>Error: New action",
    ):
        assert text in refused.text
    assert (await as_mona.post(page, data={**ACTION, "owner_id": "x"})).status_code == 422
    assert (await as_mona.post(page, data={**ACTION, "begins_on": "soon"})).status_code == 422


async def test_an_event_cannot_be_done(as_mona: httpx.AsyncClient, scene: Scene) -> None:
    page = home(scene) + "/actions"
    await as_mona.post(page, data={"kind": "event", "title": "Outage", "begins_on": "2026-06-01"})
    event = re.search(r'id="a-([0-9a-f-]+)"', (await as_mona.get(page)).text)
    assert event
    assert (await as_mona.post(f"{page}/{event[1]}/completion")).status_code == 422
    assert "Done on" not in (await as_mona.get(page)).text


async def test_a_link_cannot_break_out_of_the_page(
    as_mona: httpx.AsyncClient, scene: Scene
) -> None:
    page = home(scene) + "/actions"
    link = 'https://acme.example/"><script>alert(1)</script>'
    await as_mona.post(page, data={**ACTION, "link": link, "title": "<i>x</i>"})
    shown = (await as_mona.get(page)).text
    assert "<script>alert" not in shown
    assert "<i>x</i>" not in shown


async def test_a_goal_and_a_benchmark_by_hand(
    as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient, scene: Scene
) -> None:
    page = home(scene) + "/goals"
    refused = await as_mona.post(home(scene) + "/goal", data={"nps": "forty"})
    assert refused.status_code == 422
    assert "Write a whole number." in refused.text
    sent = {"nps": "＋４０", "reach_by": "2026-12-31"}
    assert (await as_mona.post(home(scene) + "/goal", data=sent)).status_code == 303
    assert "NPS +40" in (await as_bob.get(page)).text
    benchmarks = home(scene) + "/benchmarks"
    typed = {"name": "Others", "median": "−5.5", "source": "A study", "as_of": "2026-01-31"}
    assert (await as_mona.post(benchmarks, data=typed)).status_code == 303
    shown = (await as_mona.get(page)).text
    found = re.search(r"/benchmarks/([0-9a-f-]+)/edit", shown)
    assert found
    assert 'value="-5.5"' in (await as_mona.get(f"{benchmarks}/{found[1]}/edit")).text
    refused = await as_mona.post(f"{benchmarks}/{found[1]}", data={**typed, "median": ""})
    assert "Give at least one of the four figures." in refused.text
    changed = {**typed, "name": "All others"}
    assert (await as_mona.post(f"{benchmarks}/{found[1]}", data=changed)).status_code == 303
    assert "All others" in (await as_bob.get(page)).text
    assert '/edit">Edit' not in (await as_bob.get(page)).text
    await as_mona.post(f"{benchmarks}/{found[1]}/removal")
    await as_mona.post(home(scene) + "/goal/removal")
    empty = (await as_bob.get(page)).text
    assert "No goal is set." in empty
    assert "No benchmark is entered." in empty


async def test_the_pages_take_few_statements(
    as_bob: httpx.AsyncClient, acme_api: httpx.AsyncClient, database: Database, scene: Scene
) -> None:
    for day in ("2026-05-01", "2026-05-20", "2026-06-01"):
        given = {"kind": "action", "title": "Done", "begins_on": day, "done_on": day}
        await acme_api.post("/api/v1/annotations", json=given)
    for page in ("/actions", "/goals", "/indicators"):
        await as_bob.get(home(scene) + page)
        with counted_statements(database) as statements:
            await as_bob.get(home(scene) + page)
        assert len(statements) <= 10, (page, statements)


async def test_the_pages_speak_japanese(
    app: object, database: Database, settings: Settings, cast: Cast, scene: Scene
) -> None:
    async with database.transaction() as session:
        hana = await make_player(
            session, settings, cast.acme, "hana@acme.example", Role.MANAGER, "ja"
        )
    async with browser(app, hana.session_token) as as_hana:  # type: ignore[arg-type]
        for page, word in (
            ("/actions", "まだ何も記録されていません"),
            ("/goals", "自社の目標"),
            ("/indicators", "解約率"),
            ("/actions/new", "仮説"),
            ("/indicators/file", "列"),
        ):
            assert word in (await as_hana.get(home(scene) + page)).text, page


async def test_every_mark_of_the_trend_leads_to_its_place_in_the_list(
    as_bob: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    owner.execute(
        "INSERT INTO annotations (workspace_id, id, kind, title, begins_on, note, link, hypothesis,"
        " created_at) SELECT %s, gen_random_uuid(), 'event', 'No ' || at, DATE '2026-06-10' - at,"
        " '', '', '', now() FROM generate_series(0, %s) AS at",
        [scene.workspace_id, PAGE_SIZE + 9],
    )
    page = (await as_bob.get(home(scene), params={"period": "all"})).text
    marks = re.findall(rf'href="({home(scene)}/actions[^"#]*)#(a-[0-9a-f-]+)"', page)
    assert len(marks) == PAGE_SIZE + 10
    for address, place in (marks[0], marks[9], marks[-1]):
        shown = await as_bob.get(address)
        assert f'id="{place}"' in shown.text
    gone = await as_bob.get(f"{home(scene)}/actions?at={scene.survey_id}")
    assert gone.status_code == 200
    assert f'id="{marks[-1][1]}"' in gone.text, "the first page, where it is not there any more"


async def test_the_forms_say_what_guests_of_a_shared_report_see(
    as_mona: httpx.AsyncClient, scene: Scene
) -> None:
    for page in ("actions/new", "actions/new?kind=event", "goals", "benchmarks/new"):
        assert (
            "guests of a shared report" in (await as_mona.get(f"{home(scene)}/{page}")).text.lower()
        )
    sharing = (await as_mona.get(f"{home(scene)}/shared-reports")).text
    assert "Guests also see the goal, the benchmarks, and the titles" in sharing
