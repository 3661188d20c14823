"""The dashboard and the list as people see them."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
import psycopg
from sqlalchemy import event

from app.foundation.database import Database
from tests.factories import Cast
from tests.reporting.conftest import SECRET
from tests.reporting.data import make_survey
from tests.responses.scene import Scene

MOST_STATEMENTS = 12


def dashboard(scene: Scene) -> str:
    return f"/w/{scene.workspace_id}/surveys/{scene.survey_id}"


async def page(client: httpx.AsyncClient, address: str, **query: str) -> str:
    answer = await client.get(address, params=query)
    assert answer.status_code == 200, answer.text
    assert not re.search(r"\sstyle=", answer.text)
    return answer.text


@contextmanager
def counted_statements(database: Database) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_the_page_says_what_the_api_says(
    as_alice: httpx.AsyncClient, acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    found = (
        await acme_reader.get("/api/v1/metrics", params={"survey_id": str(scene.survey_id)})
    ).json()
    html = await page(as_alice, dashboard(scene), period="all")
    assert f"NPS from {found['response_count']} answers" in html
    for name in ("nps", "nps_low", "nps_high"):
        sign = "+" if found[name] > 0 else "\u2212"
        assert f"{sign}{round(abs(found[name]))}" in html


async def test_small_groups_are_named_without_a_number(
    as_bob: httpx.AsyncClient, scene: Scene
) -> None:
    html = await page(as_bob, dashboard(scene), period="all")
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert "Not given Hidden" not in text, "nor is it told whether anybody has no plan"
    assert "Pro Hidden to protect respondents" in text
    assert re.search(r"Free 20 \+\d+ .{,20} to \S+ (few answers )?100%", text)
    hidden = await page(as_bob, dashboard(scene), period="all", **{"segment.plan": "pro"})
    assert "Hidden to protect respondents" in hidden
    assert '<svg class="chart' not in hidden
    rows = await page(as_bob, dashboard(scene) + "/responses", **{"segment.age": "old"})
    assert SECRET not in rows


async def test_a_segment_shows_months(as_bob: httpx.AsyncClient, scene: Scene) -> None:
    html = await page(as_bob, dashboard(scene), period="all", **{"segment.plan": "free"})
    assert "NPS from 20 answers" in html
    assert "May 2026 – Jun 2026" in html
    assert "segment.plan=free" in html


async def test_an_empty_survey_says_what_to_do_next(
    as_bob: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    scene = await make_survey(database, cast.acme)
    html = await page(as_bob, dashboard(scene), period="all")
    assert "No answers yet" in html
    assert f"{dashboard(scene)}/share" in html
    assert "No answers in this period" in await page(as_bob, dashboard(scene), period="12m")
    for query in ({"since": "2026-07-01"}, {"period": "30d"}):
        html = await page(as_bob, dashboard(scene), **query, **{"segment.plan": "free"})
        assert "No complete month" in html
        rows = await page(as_bob, dashboard(scene) + "/responses", **query, channel="qr")
        assert "Hidden to protect respondents" in rows


async def test_a_change_is_told_in_words(as_bob: httpx.AsyncClient, scene: Scene) -> None:
    html = await page(as_bob, dashboard(scene))
    assert "the 90 before" not in html, "there is nothing before to compare with"
    june = await page(as_bob, dashboard(scene), since="2026-06-01", until="2026-06-30")
    assert "no clear change since the period before" in june
    assert "Few answers" in june


async def test_empty_parameters_of_a_form_are_none(as_bob: httpx.AsyncClient, scene: Scene) -> None:
    query = {"period": "90d", "since": "", "until": "", "segment.plan": "", "language": ""}
    assert "NPS from" in await page(as_bob, dashboard(scene), **query)


async def test_an_unknown_parameter_is_refused(as_bob: httpx.AsyncClient, scene: Scene) -> None:
    for query in ({"plan": "pro"}, {"period": "ever"}, {"segment.plan": "gold"}):
        for address in (dashboard(scene), dashboard(scene) + "/responses"):
            answer = await as_bob.get(address, params=query)
            assert answer.status_code == 422
            assert next(iter(query)) in answer.text


async def test_both_pages_read_in_japanese(
    as_alice: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE users SET locale = 'ja'")
    for address in (dashboard(scene), dashboard(scene) + "/responses"):
        html = await page(as_alice, address)
        assert '<html lang="ja"' in html
        assert '<blockquote lang="ja" dir="auto">本日の回答です。</blockquote>' in html


async def test_the_list_is_read_a_page_at_a_time(as_bob: httpx.AsyncClient, scene: Scene) -> None:
    html = await page(as_bob, dashboard(scene) + "/responses")
    assert html.count('<li class="comment"') == 39
    assert "Exclude from the figures" not in html
    passives = await page(as_bob, dashboard(scene) + "/responses", category="passive")
    assert passives.count('<li class="comment"') == 6
    july = await page(
        as_bob, dashboard(scene) + "/responses", since="2026-07-01", until="2026-07-31"
    )
    assert july.count('<li class="comment"') == 1


async def test_the_file_is_offered_and_recorded(
    as_bob: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    html = await page(as_bob, dashboard(scene) + "/responses", category="passive")
    (href,) = re.findall(r'href="([^"]*responses\.csv[^"]*)"', html)
    answer = await as_bob.get(href.replace("&amp;", "&"))
    assert len(answer.text.splitlines()) == 7
    assert owner.execute("SELECT action FROM audit_events").fetchall() == [("responses.exported",)]


async def test_a_manager_leaves_an_answer_out_and_takes_it_back(
    as_mona: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    address = f"{dashboard(scene)}/responses/{_any_answer(owner)}"
    refused = await as_mona.post(address + "/exclusion?category=passive", data={"reason": " "})
    assert refused.status_code == 422
    assert "<title>Error:" in refused.text
    sent = await as_mona.post(address + "/exclusion?category=passive", data={"reason": "a test"})
    assert (sent.status_code, sent.headers["location"]) == (
        303,
        f"{dashboard(scene)}/responses?category=passive",
    )
    html = await page(as_mona, dashboard(scene), period="all")
    assert "NPS from 38 answers" in html
    assert "1 excluded" in html
    assert "a test" in await page(as_mona, dashboard(scene) + "/responses", standing="excluded")
    sent = await as_mona.post(address + "/inclusion")
    assert sent.status_code == 303
    assert "NPS from 39 answers" in await page(as_mona, dashboard(scene), period="all")


async def test_a_viewer_leaves_nothing_out(
    as_bob: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    address = f"{dashboard(scene)}/responses/{_any_answer(owner)}"
    for action in ("exclusion", "inclusion"):
        sent = await as_bob.post(f"{address}/{action}", data={"reason": "no"})
        assert sent.status_code == 403
    assert "NPS from 39 answers" in await page(as_bob, dashboard(scene), period="all")


async def test_outsiders(
    client: httpx.AsyncClient,
    as_charlie: httpx.AsyncClient,
    cast: Cast,
    scene: Scene,
    owner: psycopg.Connection,
) -> None:
    answer_id = _any_answer(owner)
    for ending in ("", "/responses", "/responses.csv"):
        assert (await client.get(dashboard(scene) + ending)).status_code == 303
        assert (await as_charlie.get(dashboard(scene) + ending)).status_code == 404
        inside = f"/w/{cast.globex}/surveys/{scene.survey_id}{ending}"
        assert (await as_charlie.get(inside)).status_code == 404
    for action in ("exclusion", "inclusion"):
        ending = f"/responses/{answer_id}/{action}"
        for address in (dashboard(scene), f"/w/{cast.globex}/surveys/{scene.survey_id}"):
            sent = await as_charlie.post(address + ending, data={"reason": "no"})
            assert sent.status_code == 404


async def test_pages_take_few_statements(
    as_bob: httpx.AsyncClient, scene: Scene, database: Database
) -> None:
    for address, query in (
        (dashboard(scene), {"period": "all"}),
        (dashboard(scene), {"period": "all", "segment.plan": "free"}),
        (dashboard(scene) + "/responses", {"segment.plan": "free"}),
    ):
        await page(as_bob, address, **query)  # the first look publishes what has settled
        with counted_statements(database) as statements:
            await page(as_bob, address, **query)
        assert len(statements) <= MOST_STATEMENTS, statements


def _any_answer(owner: psycopg.Connection) -> UUID:
    row = owner.execute("SELECT id FROM responses WHERE score = 8 ORDER BY id LIMIT 1").fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


async def test_too_many_filters_keep_their_page(as_bob: httpx.AsyncClient, scene: Scene) -> None:
    three = {"segment.plan": "free", "segment.age": "old", "language": "ja"}
    html = await page(as_bob, dashboard(scene), period="all", **three)
    assert "Combine at most two of segments, language and channel." in html
    assert html.count(" selected") >= len(three), "what was chosen is kept, to be changed"
    assert "fewer filters" in await page(as_bob, dashboard(scene) + "/responses", **three)
