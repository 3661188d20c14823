"""Saved views: filters under a name, shared with the workspace, one of which may open first."""

import re
from typing import Any
from uuid import UUID

import httpx
import psycopg

from app.reporting.views import MAX_VIEWS
from tests.factories import Cast
from tests.reporting.test_pages import dashboard, page
from tests.responses.scene import Scene

FREE = "period=90d&compare=year&segment.plan=free"


async def save(client: httpx.AsyncClient, scene: Scene, query: str, **form: str) -> httpx.Response:
    return await client.post(f"{dashboard(scene)}/views?{query}", data=form)


def view_id(owner: psycopg.Connection, name: str) -> UUID:
    row = owner.execute("SELECT id FROM saved_views WHERE name = %s", [name]).fetchone()
    assert row is not None
    found: UUID = row[0]
    return found


async def listed(client: httpx.AsyncClient, scene: Scene) -> list[dict[str, Any]]:
    answer = await client.get(f"/api/v1/surveys/{scene.survey_id}/views")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["data"]
    return found


async def test_a_manager_saves_what_everybody_sees(
    as_mona: httpx.AsyncClient,
    as_bob: httpx.AsyncClient,
    acme_reader: httpx.AsyncClient,
    scene: Scene,
) -> None:
    sent = await save(as_mona, scene, FREE, name="Free plan")
    assert (sent.status_code, sent.headers["location"]) == (303, f"{dashboard(scene)}?{FREE}")
    html = (await as_bob.get(f"{dashboard(scene)}?{FREE}")).text
    assert 'aria-current="true">Free plan</a>' in html
    assert "/views" not in html, "a viewer changes nothing"
    assert 'aria-current="true">Everything</a>' in await page(
        as_bob, dashboard(scene), period="all"
    )
    (view,) = await listed(acme_reader, scene)
    assert (view["name"], view["query"], view["is_default"]) == ("Free plan", FREE, False)


async def test_a_view_asks_the_api_for_the_same_figures(
    as_mona: httpx.AsyncClient, acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    query = "since=2026-05-01&until=2026-06-30&segment.plan=free&category=promoter&interval=month"
    await save(as_mona, scene, query, name="Free in spring")
    (view,) = await listed(acme_reader, scene)
    found = await acme_reader.get(
        f"/api/v1/metrics?survey_id={scene.survey_id}&{view['metrics_query']}"
    )
    html = (await as_mona.get(f"{dashboard(scene)}?{query}")).text
    assert f"NPS from {found.json()['response_count']} answers" in html


async def test_the_default_view_opens_where_nothing_is_asked_for(
    as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    await save(as_mona, scene, FREE, name="Free plan", is_default="yes")
    await save(as_mona, scene, "period=30d", name="Month", is_default="yes")
    opened = await as_bob.get(dashboard(scene))
    assert (opened.status_code, opened.headers["location"]) == (
        303,
        f"{dashboard(scene)}?period=30d",
    )
    everything = await page(as_bob, dashboard(scene), period="all")
    assert "NPS from 39 answers" in everything
    assert everything.count("(opens first)") == 1
    address = f"{dashboard(scene)}/views/{view_id(owner, 'Free plan')}"
    assert (await as_mona.post(f"{address}/default")).status_code == 303
    assert FREE in (await as_bob.get(dashboard(scene))).headers["location"]
    assert (await as_mona.post(f"{address}/default/removal")).status_code == 303
    assert (await as_bob.get(dashboard(scene))).status_code == 200


async def test_a_default_view_that_the_survey_has_outgrown_does_not_stand_in_the_way(
    as_mona: httpx.AsyncClient,
    as_bob: httpx.AsyncClient,
    acme_reader: httpx.AsyncClient,
    scene: Scene,
    owner: psycopg.Connection,
) -> None:
    await save(as_mona, scene, FREE, name="Free plan", is_default="yes")
    owner.execute("UPDATE saved_views SET query = 'segment.size=big'")
    assert (await as_bob.get(dashboard(scene))).status_code == 200
    (view,) = await listed(acme_reader, scene)
    assert view["metrics_query"] is None


async def test_every_link_of_a_refused_page_leads_to_the_dashboard(
    as_mona: httpx.AsyncClient, scene: Scene
) -> None:
    refused = await save(as_mona, scene, "period=all&sort=-n", name=" ")
    assert refused.status_code == 422
    assert f'href="{dashboard(scene)}?period=all&amp;sort=' in refused.text
    assert not re.findall(r'href="\?', refused.text)
    assert f'<form class="filters no-print" method="get" action="{dashboard(scene)}">' in (
        refused.text
    )


async def test_a_view_of_a_group_asks_the_api_for_no_pair(
    as_mona: httpx.AsyncClient, acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    await save(as_mona, scene, "segment.plan=free&pair=age,region", name="A pair")
    three = "segment.plan=free&segment.age=old&segment.region=east"
    await save(as_mona, scene, three, name="Too many")
    pair, too_many = await listed(acme_reader, scene)
    assert pair["metrics_query"] == "segment.plan=free"
    assert too_many["metrics_query"] is None


async def test_views_are_renamed_and_deleted(
    as_mona: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    await save(as_mona, scene, FREE, name="Free plan")
    await save(as_mona, scene, "", name="All")
    address = f"{dashboard(scene)}/views/{view_id(owner, 'Free plan')}"
    for name in ("all", " ", "x" * 101):
        refused = await as_mona.post(f"{address}/name?{FREE}", data={"name": name})
        assert refused.status_code == 422
        assert "<title>Error:" in refused.text
        assert 'aria-invalid="true"' in refused.text
    again = await save(as_mona, scene, FREE, name="ALL", is_default="yes")
    assert again.status_code == 422
    assert 'value="ALL"' in again.text
    renamed = await as_mona.post(f"{address}/name?{FREE}", data={"name": "Free <plan>"})
    assert renamed.headers["location"] == f"{dashboard(scene)}?{FREE}"
    assert "Free &lt;plan&gt;</a>" in await page(as_mona, dashboard(scene), period="all")
    assert (await as_mona.post(f"{address}/removal")).status_code == 303
    assert (await as_mona.post(f"{address}/removal")).status_code == 404
    kept = owner.execute("SELECT name, query FROM saved_views").fetchall()
    assert kept == [("All", "period=all")]
    acts = [
        action for (action,) in owner.execute("SELECT action FROM audit_events ORDER BY number")
    ]
    assert acts == ["view.saved", "view.saved", "view.renamed", "view.deleted"]


async def test_only_what_the_dashboard_understands_is_saved(
    as_mona: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    for query in (
        "segment.size=big",
        "plan=pro",
        "period=ever",
        "since=2026-07-01&until=2026-06-01",
    ):
        assert (await save(as_mona, scene, query, name="Odd")).status_code == 422
    assert owner.execute("SELECT count(*) FROM saved_views").fetchone() == (0,)


async def test_views_are_not_too_many(
    as_mona: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    owner.execute(
        "INSERT INTO saved_views SELECT %s, gen_random_uuid(), %s, 'view ' || n, 'period=all',"
        " false FROM generate_series(1, %s) n",
        [scene.workspace_id, scene.survey_id, MAX_VIEWS],
    )
    refused = await save(as_mona, scene, FREE, name="One more")
    assert refused.status_code == 409
    assert f"at most {MAX_VIEWS}" in re.sub(r"\s+", " ", refused.text)


async def test_viewers_and_outsiders_change_nothing(
    as_mona: httpx.AsyncClient,
    as_bob: httpx.AsyncClient,
    as_charlie: httpx.AsyncClient,
    globex_api: httpx.AsyncClient,
    cast: Cast,
    scene: Scene,
    owner: psycopg.Connection,
) -> None:
    await save(as_mona, scene, FREE, name="Free plan")
    address = f"{dashboard(scene)}/views/{view_id(owner, 'Free plan')}"
    inside = address.replace(str(cast.acme), str(cast.globex))
    for ending in ("/name", "/removal", "/default", "/default/removal"):
        form = {"name": "Mine"}
        assert (await as_bob.post(address + ending, data=form)).status_code == 403
        assert (await as_charlie.post(address + ending, data=form)).status_code == 404
        assert (await as_charlie.post(inside + ending, data=form)).status_code == 404
    assert (await save(as_bob, scene, FREE, name="Mine")).status_code == 403
    theirs = await globex_api.get(f"/api/v1/surveys/{scene.survey_id}/views")
    assert theirs.status_code == 404
    assert owner.execute("SELECT name FROM saved_views").fetchall() == [("Free plan",)]
