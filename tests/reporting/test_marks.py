"""Tags and stars in lists and figures: what they find, and that they never meet a label."""

import csv
import io
import re
import uuid
from datetime import date
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import text

from app.foundation.database import Database
from app.reporting.filters import ReportFilter
from app.reporting.finding import ListRequest
from app.reporting.listing import find_answers
from app.responses import marking
from app.surveys.queries import get_questionnaire
from tests.factories import Cast
from tests.reporting.data import TODAY, Answer, make_survey, spread
from tests.reporting.test_pages import page
from tests.reporting.test_responses_api import everything, listed
from tests.responses.scene import Scene
from tests.responses.test_tags import address, make_tag

MAY = date(2026, 5, 1)
TOGETHER = "Tags and stars cannot be combined with segments, language or channel."
LABELS = ({"segment.plan": "free"}, {"language": "en"}, {"channel": "link"})


@pytest.fixture
async def tag(acme_api: httpx.AsyncClient, scene: Scene) -> str:
    return await make_tag(acme_api, scene, "Delivery")


async def mark(client: httpx.AsyncClient, scene: Scene, **body: Any) -> int:
    answer = await client.put(address(scene, "marks"), json=body)
    assert answer.status_code == 200, answer.text
    number: int = answer.json()["response_count"]
    return number


def web(scene: Scene, *rest: str) -> str:
    return "/".join((f"/w/{scene.workspace_id}/surveys/{scene.survey_id}", *rest))


async def test_lists_and_files_are_narrowed_to_a_tag_and_to_stars(
    acme_api: httpx.AsyncClient, scene: Scene, tag: str
) -> None:
    ids = [row["id"] for row in await everything(acme_api, scene)]
    await mark(acme_api, scene, response_ids=ids[::3], add_tags=[tag])
    await mark(acme_api, scene, response_ids=ids[::2], starred=True)
    for query, found in (
        ({"tag": tag}, ids[::3]),
        ({"starred": "true"}, ids[::2]),
        ({"tag": tag, "starred": "true"}, ids[::6]),
        ({"tag": str(uuid.uuid4())}, []),
    ):
        rows = await everything(acme_api, scene, limit="4", **query)
        assert [row["id"] for row in rows] == found
        answer = await acme_api.get(address(scene, "responses.csv"), params=query)
        table = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        assert [row["id"] for row in table] == found
        assert [row["tags"] for row in table] == ["; ".join(row["tags"]) for row in rows]
        assert [row["starred"] for row in table] == [str(row["starred"]).lower() for row in rows]


async def test_the_order_and_its_cursors_know_nothing_of_marks(
    acme_api: httpx.AsyncClient, scene: Scene, tag: str
) -> None:
    before = await everything(acme_api, scene)
    first = await listed(acme_api, scene, limit="7")
    await mark(
        acme_api, scene, response_ids=[row["id"] for row in before[5:9]], add_tags=[tag],
        starred=True,
    )  # fmt: skip
    assert [row["id"] for row in await everything(acme_api, scene)] == [row["id"] for row in before]
    assert await listed(acme_api, scene, limit="7", cursor=first["meta"]["next_cursor"]) == (
        await listed(
            acme_api, scene, limit="7",
            cursor=(await listed(acme_api, scene, limit="7"))["meta"]["next_cursor"],
        )
    )  # fmt: skip
    other = {"tag": tag, "cursor": first["meta"]["next_cursor"]}
    assert (await acme_api.get(address(scene, "responses"), params=other)).status_code == 422


@pytest.mark.parametrize("labels", LABELS, ids=lambda labels: next(iter(labels)))
async def test_no_mark_is_asked_for_beside_labels(
    acme_api: httpx.AsyncClient, as_bob: httpx.AsyncClient, scene: Scene, tag: str,
    labels: dict[str, str],
) -> None:  # fmt: skip
    for marks in ({"tag": tag}, {"starred": "true"}, {"tag": tag, "starred": "true"}):
        query = {**labels, **marks}
        for path in ("responses", "responses.csv"):
            answer = await acme_api.get(address(scene, path), params=query)
            assert answer.status_code == 422
            assert {
                (found["name"], found["reason"]) for found in answer.json()["invalid_params"]
            } == {(name, TOGETHER) for name in marks}
        assert (await as_bob.get(web(scene, "responses.csv"), params=query)).status_code == 422
        html = await page(as_bob, web(scene, "responses"), **query)
        assert "Tags and stars are seen by day only" in html
        assert '<li class="comment"' not in html
        for path in ("/api/v1/metrics", address(scene, "themes")):
            params = {**query, "survey_id": str(scene.survey_id)}
            assert (await acme_api.get(path, params=params)).status_code == 422


async def test_what_labels_show_is_the_same_whatever_is_marked(
    acme_api: httpx.AsyncClient, as_alice: httpx.AsyncClient, scene: Scene, tag: str
) -> None:
    """Every byte of it: rows, order, cursors, figures, themes, pages."""

    async def seen() -> list[str]:
        found = []
        for labels in LABELS:
            found.append(str(await listed(acme_api, scene, limit="2", **labels)))
            found.append(str(await listed(acme_api, scene, limit="100", **labels)))
            params = {**labels, "survey_id": str(scene.survey_id)}
            figures = (await acme_api.get("/api/v1/metrics", params=params)).json()
            found.append(str({**figures, "as_of": None}))
            found.append((await acme_api.get(address(scene, "themes"), params=labels)).text)
            file = await acme_api.get(address(scene, "responses.csv"), params=labels)
            found.append(file.text if file.status_code == 200 else str(file.status_code))
            found.append(_list_of(await page(as_alice, web(scene, "responses"), **labels)))
            found.append(_list_of(await page(as_alice, web(scene), period="all", **labels)))
        return found

    before = await seen()
    ids = [row["id"] for row in await everything(acme_api, scene)]
    await mark(acme_api, scene, response_ids=ids[::2], add_tags=[tag], starred=True)
    assert await seen() == before


def _list_of(html: str) -> str:
    return "".join(re.findall(r'<li class="comment".*?</li>', html, re.DOTALL))


async def test_what_labels_show_cannot_be_marked(
    acme_api: httpx.AsyncClient, as_mona: httpx.AsyncClient, scene: Scene,
    owner: psycopg.Connection,
) -> None:  # fmt: skip
    """Else a tag would carry the label into the list by day."""
    aliases = [row["id"] for row in await everything(acme_api, scene, **{"segment.plan": "free"})]
    assert aliases
    assert await mark(acme_api, scene, response_ids=aliases, starred=True) == 0
    star = await as_mona.post(web(scene, "responses", aliases[0], "star"))
    assert star.status_code == 404
    for labels in LABELS:
        given = {"act": "tag", "reach": "all", "name": "Free"}
        answer = await as_mona.post(web(scene, "marks"), params=labels, data=given)
        assert answer.status_code == 422
        assert TOGETHER in answer.text
    assert owner.execute("SELECT count(*) FROM response_tags").fetchone() == (0,)
    assert owner.execute("SELECT count(*) FROM responses WHERE is_starred").fetchone() == (0,)


async def test_figures_of_a_tag_are_shown_from_the_group_minimum_on(
    acme_api: httpx.AsyncClient, as_bob: httpx.AsyncClient, scene: Scene, tag: str
) -> None:
    rows = await everything(acme_api, scene)
    chosen = [row["id"] for row in rows if row["score"] == 10][:4]
    await mark(acme_api, scene, response_ids=chosen, add_tags=[tag])
    [found] = (await acme_api.get(address(scene, "tags"))).json()["data"]
    assert found == {
        "id": tag, "name": "Delivery", "suppressed": True, "response_count": None, "share": None,
        "nps": None, "nps_low": None, "nps_high": None,
    }  # fmt: skip
    html = await page(as_bob, web(scene, "tags"))
    assert "Fewer than 5 answers" in html
    detractor = next(row["id"] for row in rows if row["score"] == 0)
    await mark(acme_api, scene, response_ids=[detractor], add_tags=[tag])
    await acme_api.put(address(scene, "responses", rows[-1]["id"], "exclusion"),
                       json={"reason": "test"})  # fmt: skip
    [found] = (await acme_api.get(address(scene, "tags"))).json()["data"]
    assert (found["response_count"], found["nps"]) == (5, 60.0)
    assert found["share"] == pytest.approx(100 * 5 / (len(rows) - 1))
    html = await page(as_bob, web(scene, "tags"))
    assert "+60 (" in html
    assert "Create a tag" not in html, "Bob only reads"


async def test_a_manager_marks_in_the_list_and_stays_where_she_was(
    as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    html = await page(as_mona, web(scene, "responses"), search="no 1")
    actions = re.findall(r'action="([^"]+/(?:star|tags)\?[^"]*)"', html)
    for action in actions[:2]:
        sent = await as_mona.post(action.replace("&amp;", "&"), data={"name": "Staff"})
        assert sent.status_code == 303
        there, _hash, place = sent.headers["location"].partition("#")
        assert "search=no+1" in there
        assert f'id="{place}"' in (await as_mona.get(there)).text
    html = await page(as_bob, web(scene, "responses"), starred="true")
    assert html.count('<li class="comment"') == 1
    assert 'aria-label="Starred"' in html
    assert ">Staff</a>" in html
    assert 'name="answers"' not in html, "Bob only reads"
    refused = await as_mona.post(actions[1].replace("&amp;", "&"), data={"name": "a;b"})
    assert refused.status_code == 422
    assert "other than a semicolon" in refused.text
    assert 'value="a;b"' in refused.text
    assert owner.execute("SELECT name FROM tags").fetchall() == [("Staff",)]


async def test_several_are_marked_at_once_and_all_that_the_list_shows(
    as_mona: httpx.AsyncClient, acme_api: httpx.AsyncClient, scene: Scene,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    rows = await everything(acme_api, scene)
    ticked = [rows[0]["id"], rows[3]["id"]]

    async def act(**given: Any) -> httpx.Response:
        return await as_mona.post(web(scene, "marks"), params={"search": "no 1"}, data=given)

    async def tagged() -> set[str]:
        return {row["id"] for row in await everything(acme_api, scene) if row["tags"] == ["Staff"]}

    sent = await act(act="tag", reach="ticked", answers=ticked, name="Staff")
    assert sent.headers["location"].endswith("?search=no+1&marked=2")
    assert "2 answers were marked." in (await as_mona.get(sent.headers["location"])).text
    assert await tagged() == set(ticked)
    await act(act="untag", reach="ticked", answers=ticked[:1], name="STAFF")
    assert await tagged() == set(ticked[1:])
    shown = {row["id"] for row in await everything(acme_api, scene, search="no 1")}
    await act(act="tag", reach="all", name="staff")
    assert await tagged() == shown | set(ticked[1:])
    await act(act="star", reach="all")
    assert {row["id"] for row in await everything(acme_api, scene, starred="true")} == shown
    await act(act="unstar", reach="all")
    assert not await everything(acme_api, scene, starred="true")
    monkeypatch.setattr("app.reporting.pages.marks.MOST_AT_ONCE", len(shown) - 1)
    monkeypatch.setattr(marking, "MOST_AT_ONCE", len(shown) - 1)
    for given in ({"reach": "all", "act": "star"}, {"reach": "ticked", "act": "star"},
                  {"act": "untag", "answers": ticked, "name": "unknown"}):  # fmt: skip
        refused = await act(**given)
        assert refused.status_code == 422
        assert "error-summary" in refused.text


async def test_tags_are_kept_in_order_on_their_page(
    as_mona: httpx.AsyncClient, acme_api: httpx.AsyncClient, scene: Scene, tag: str
) -> None:
    tags = web(scene, "tags")
    assert (await as_mona.post(tags, data={"name": "Staf"})).headers["location"].endswith("created")
    again = await as_mona.post(tags, data={"name": "STAF"})
    assert again.status_code == 422
    assert "has a tag with this name" in again.text
    found = {
        row["name"]: row["id"]
        for row in (await acme_api.get(address(scene, "tags"))).json()["data"]
    }
    assert set(found) == {"Delivery", "Staf"}
    renamed = await as_mona.post(f"{tags}/{found['Staf']}/name", data={"name": "Staff"})
    assert renamed.headers["location"].endswith("renamed")
    for given in ({}, {"tag": tag}, {"tag": tag, "into": tag}):
        assert (await as_mona.post(f"{tags}/mergers", data=given)).status_code == 422
    merged = await as_mona.post(f"{tags}/mergers", data={"tag": tag, "into": found["Staf"]})
    assert "The tags are one now." in (await as_mona.get(merged.headers["location"])).text
    await as_mona.post(f"{tags}/{found['Staf']}/removal")
    assert "No tags yet" in await page(as_mona, tags)


async def test_stars_come_first_on_the_dashboard_for_everybody_only(
    acme_api: httpx.AsyncClient, as_bob: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    scene = await make_survey(
        database, cast.acme,
        [*spread(MAY, [9] * 9, plan="free"), Answer(TODAY, 3, {"plan": "free"}, "of today")],
    )  # fmt: skip
    rows = await everything(acme_api, scene)
    oldest = rows[-4:]
    await mark(acme_api, scene, response_ids=[row["id"] for row in oldest], starred=True)
    html = await page(as_bob, web(scene), period="all")
    shown = re.findall(r"<blockquote[^>]*>(.*?)</blockquote>", html)
    wanted = [row["comment"] for row in (*oldest[:3], *rows[:2])]
    assert [text.replace("&#39;", "'") for text in shown] == wanted


async def test_a_tag_finds_its_answers_by_an_index(
    database: Database, cast: Cast, acme_api: httpx.AsyncClient,
    owner: psycopg.Connection,
) -> None:  # fmt: skip
    answers = [Answer(MAY.replace(day=1 + at % 28), at % 11) for at in range(3_000)]
    scene = await make_survey(database, cast.acme, answers)
    tag = await make_tag(acme_api, scene, "Rare")
    row_ids = owner.execute("SELECT id FROM responses ORDER BY id LIMIT 5").fetchall()
    await mark(acme_api, scene, response_ids=[str(id_) for (id_,) in row_ids], add_tags=[tag])
    owner.execute(
        "INSERT INTO response_tags SELECT workspace_id, id, %s FROM responses",
        [await make_tag(acme_api, scene, "Common")],
    )
    for table in ("responses", "response_tags"):
        owner.execute(f"ANALYZE {table}")
    async with database.transaction(cast.acme) as session:
        questionnaire = await get_questionnaire(session, cast.acme, scene.survey_id)
        asked = ReportFilter(scene.survey_id, tag=uuid.UUID(tag))
        found = await find_answers(session, questionnaire, ListRequest(asked, "key", 50))
        assert found
        plan = "\n".join(await _explain(session, found.statement.params(found.values).limit(51)))
    assert "ix_response_tags_workspace_id_tag_id_response_id" in plan, plan
    assert "Seq Scan on responses" not in plan, plan


async def _explain(session: Any, statement: Any) -> list[str]:
    sql = statement.compile(session.bind, compile_kwargs={"literal_binds": True})
    return list(await session.scalars(text(f"EXPLAIN {sql}".replace(":", r"\:"))))
