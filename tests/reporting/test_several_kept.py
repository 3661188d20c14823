"""Several surveys together: views of them that are kept, and links that show them."""

import re
from datetime import timedelta

import httpx
import psycopg
import pytest

from app.foundation import clock
from app.foundation.database import Database
from app.reporting.views import MAX_VIEWS
from tests.factories import Cast
from tests.reporting.data import NOW, make_survey
from tests.reporting.test_one_truth import Files, compare_headline
from tests.reporting.test_several import address, autumn, look, metrics
from tests.reporting.test_sharing import PASSWORD
from tests.responses.scene import Scene

__all__ = ["autumn"]  # the fixture

FREE = "&period=12m&segment.plan=free&against=previous"


async def save(client: httpx.AsyncClient, page: str, name: str = "Waves") -> httpx.Response:
    return await client.post(page.replace("/results?", "/results/views?"), data={"name": name})


async def share(client: httpx.AsyncClient, page: str, **form: str) -> str:
    answer = await client.post(
        page.replace("/results?", "/results/shared-reports?"),
        data={"name": "Board", "expires": "30", **form},
    )
    assert answer.status_code == 201, answer.text
    found = re.search(r'value="http://127.0.0.1:8000(/shared/[^"]+)"', answer.text)
    assert found
    return found[1]


def forget(owner: psycopg.Connection, scene: Scene) -> None:
    for statement in (
        "editions WHERE survey_id",
        "daily_counts WHERE survey_id",
        "responses WHERE survey_id",
        "surveys WHERE id",
    ):
        owner.execute(f"DELETE FROM {statement} = %s".encode(), [scene.survey_id])  # noqa: S608


def actions_of(html: str, ending: str) -> list[str]:
    return [
        found.replace("&amp;", "&")
        for found in re.findall(rf'action="([^"]+/{ending}[^"]*)"', html)
    ]


async def test_a_manager_saves_what_everybody_opens(
    as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient, scene: Scene, autumn: Scene
) -> None:
    page = address(scene, autumn) + FREE
    saved = await save(as_mona, page)
    assert saved.status_code == 303
    listed = await look(as_bob, f"/w/{scene.workspace_id}/results")
    (href,) = re.findall(r'<li><a href="([^"]+)">Waves</a>', listed)
    opened = await look(as_bob, href.replace("&amp;", "&"))
    assert 'aria-current="true">Waves</a>' in opened
    assert "NPS from 31 answers" in opened
    assert "/results/views" not in opened, "a viewer changes nothing"
    assert "/results/shared-reports" not in opened
    assert "Saved views of several surveys" in await look(
        as_bob, f"/w/{scene.workspace_id}/surveys"
    )


async def test_the_api_gives_the_same_figures(
    as_mona: httpx.AsyncClient,
    as_bob: httpx.AsyncClient,
    acme_reader: httpx.AsyncClient,
    scene: Scene,
    autumn: Scene,
    owner: psycopg.Connection,
) -> None:
    page = address(scene, autumn) + FREE
    await save(as_mona, page)
    (view,) = (await acme_reader.get("/api/v1/views")).json()["data"]
    assert set(view) == {"id", "name", "query", "metrics_query"}
    told = (await acme_reader.get(f"/api/v1/metrics?{view['metrics_query']}")).json()
    assert told["filters"]["against"] == "previous"
    assert f"NPS from {told['response_count']} answers" in await look(as_bob, page)
    of_one = await acme_reader.get(f"/api/v1/surveys/{scene.survey_id}/views")
    assert of_one.json()["data"] == []
    forget(owner, autumn)
    (view,) = (await acme_reader.get("/api/v1/views")).json()["data"]
    assert view["metrics_query"] is None


async def test_views_are_renamed_replaced_and_deleted(
    as_mona: httpx.AsyncClient,
    as_bob: httpx.AsyncClient,
    scene: Scene,
    autumn: Scene,
    owner: psycopg.Connection,
) -> None:
    page = address(scene, autumn)
    await save(as_mona, page)
    twice = await save(as_mona, page, "WAVES")
    assert twice.status_code == 422
    assert "<title>Error:" in twice.text
    assert 'value="WAVES"' in twice.text
    html = await look(as_mona, page + FREE)
    (rename,), (replace,), (delete,) = (
        actions_of(html, ending) for ending in ("name", "filters", "removal")
    )
    assert (await as_bob.post(replace)).status_code == 403
    back = await as_mona.post(replace)
    assert back.status_code == 303
    assert 'aria-current="true">Waves</a>' in await look(as_bob, back.headers["location"])
    for name, status in (("Free", 303), (" ", 422), ("\u202e\u200b", 422)):
        assert (await as_mona.post(rename, data={"name": name})).status_code == status
    bare = rename.partition("?")[0]
    refused = await as_mona.post(bare, data={"name": " "})
    assert refused.status_code == 422
    assert "Choose at least two surveys" in refused.text
    assert (await as_mona.post(delete)).status_code == 303
    assert (await as_mona.post(delete)).status_code == 404
    acts = owner.execute("SELECT action FROM audit_events ORDER BY number").fetchall()
    assert [act for (act,) in acts] == [
        "view.saved", "view.replaced", "view.renamed", "view.deleted",
    ]  # fmt: skip


async def test_only_several_surveys_that_there_are_are_kept(
    as_mona: httpx.AsyncClient, scene: Scene, autumn: Scene, owner: psycopg.Connection
) -> None:
    both = address(scene, autumn)
    for page in (
        address(scene),
        both + "&plan=pro",
        both + "&since=2026-07-01&until=2026-06-01",
        f"{address(scene)}&survey={scene.workspace_id}",
        f"/w/{scene.workspace_id}/results?period=12m",
    ):
        assert (await save(as_mona, page)).status_code == 422
        link = page.replace("/results?", "/results/shared-reports?")
        sent = await as_mona.post(link, data={"name": "Board", "expires": "7"})
        assert sent.status_code == 422
    for table in ("saved_views", "shared_reports"):
        assert owner.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608
    owner.execute(
        "INSERT INTO saved_views SELECT %s, gen_random_uuid(), NULL, 'view ' || n, 'period=all',"
        " false FROM generate_series(1, %s) n",
        [scene.workspace_id, MAX_VIEWS],
    )
    refused = await save(as_mona, both)
    assert refused.status_code == 409
    assert f"at most {MAX_VIEWS} saved views of several" in re.sub(r"\s+", " ", refused.text)


async def test_a_survey_that_is_gone_is_left_out_of_a_view_and_named_as_gone(
    as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient, database: Database, cast: Cast,
    scene: Scene, autumn: Scene, owner: psycopg.Connection,
) -> None:  # fmt: skip
    third = await make_survey(database, cast.acme, (), "third")
    page = address(scene, autumn, third)
    await save(as_mona, page)
    owner.execute("UPDATE surveys SET state = 'closed' WHERE id = %s", [third.survey_id])
    assert "Left out" not in await look(as_bob, page), "closed, it still has its score"
    forget(owner, third)
    html = await look(as_bob, page)
    assert "Left out: 1 survey that is not in this workspace any more." in html
    assert "NPS from 61 answers" in html
    file = await as_bob.get(page.replace("?", "/figures.csv?"))
    assert "filter,Left out,1 survey that is not in this workspace any more" in file.text
    forget(owner, autumn)
    html = await look(as_bob, page)
    assert "Left out: 2 surveys that are not in this workspace any more." in html
    forget(owner, scene)
    gone = await as_bob.get(page)
    assert gone.status_code == 404
    assert "The surveys that were to be shown are not in this workspace any more." in gone.text
    assert "Waves</a>" in gone.text


@pytest.mark.parametrize("asked", ["&period=all", FREE, "&period=all&segment.plan=pro"])
async def test_a_guest_sees_what_the_page_shows_and_no_way_on(
    as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient, client: httpx.AsyncClient,
    acme_reader: httpx.AsyncClient, scene: Scene, autumn: Scene, asked: str,
) -> None:  # fmt: skip
    page = address(scene, autumn) + asked
    path = await share(as_mona, page)
    guest = await client.get(path, params={"period": "30d", "segment.age": "old"})
    assert guest.status_code == 200
    hrefs = re.findall(r'<a\b[^>]*href="([^"]*)"', guest.text)
    assert set(hrefs) == {"#main", f"{path}?lang=ja"}
    for word in ("<form", "<button", str(scene.workspace_id), str(scene.survey_id), "held for"):
        assert word not in guest.text
    assert guest.headers["x-robots-tag"] == "noindex, nofollow"
    assert guest.headers["cache-control"] == "no-store"
    own = await look(as_bob, page)
    assert _figures(guest.text) == _figures(own)
    query = dict(
        httpx.QueryParams(asked.replace("period=12m", "since=2025-08-10&until=2026-07-10"))
    )
    query.pop("period", None)
    told = await metrics(acme_reader, scene, autumn, **query)
    files = Files.of(
        await as_bob.get(page.replace("?", "/figures.csv?")),
        await as_bob.get(page.replace("?", "/figures.xlsx?")),
    )
    compare_headline(told, files, guest.text)


def _figures(html: str) -> list[str]:
    """Every number below the filters, in order."""
    main = html[html.index('<section class="card') :]
    main = re.sub(r"<form\b.*?</form>|<nav\b.*?</nav>", "", main, flags=re.DOTALL)
    return re.findall(r"[+−]?\d+(?:\.\d+)?", re.sub(r"<[^>]+>", " ", main))


async def test_a_link_has_a_password_an_end_and_a_number_of_openings(
    as_mona: httpx.AsyncClient, client: httpx.AsyncClient, scene: Scene, autumn: Scene,
    owner: psycopg.Connection,
) -> None:  # fmt: skip
    path = await share(as_mona, address(scene, autumn), password=PASSWORD, with_comments="yes")
    assert "Spring" not in (await client.get(path)).text
    wrong = await client.post(f"{path}/password", data={"password": "wrong"})
    assert wrong.status_code == 422
    assert (await client.post(f"{path}/password", data={"password": PASSWORD})).status_code == 303
    assert "Spring" in (await client.get(path)).text
    listed = await look(as_mona, f"/w/{scene.workspace_id}/results/shared-reports")
    assert "Spring, Autumn" in listed
    assert '<td class="num">1</td>' in listed
    assert path not in listed
    assert 'name="expires_on"' not in listed, "no surveys are chosen"
    found = owner.execute("SELECT survey_id, with_comments FROM shared_reports").fetchall()
    assert found == [(None, False)]
    with clock.fixed(NOW + timedelta(days=31)):
        assert (await client.get(path)).status_code == 410


async def test_a_link_is_revoked_by_managers_of_its_workspace(
    as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient, as_charlie: httpx.AsyncClient,
    client: httpx.AsyncClient, cast: Cast, scene: Scene, autumn: Scene, owner: psycopg.Connection,
) -> None:  # fmt: skip
    page = address(scene, autumn)
    path = await share(as_mona, page)
    await save(as_mona, page)
    html = await look(as_mona, f"/w/{scene.workspace_id}/results/shared-reports")
    (revoke,) = actions_of(html, "revocation")
    views = actions_of(await look(as_mona, page + FREE), "(?:name|removal|filters)")
    assert len(views) == 3
    for action in (revoke, *views):
        inside = action.replace(str(cast.acme), str(cast.globex)).partition("?")[0]
        for form_client, address_, status in (
            (as_bob, action, 403), (as_charlie, action, 404), (as_charlie, inside, 404),
        ):  # fmt: skip
            sent = await form_client.post(address_, data={"name": "Mine"})
            assert sent.status_code == status or (status == 404 and "filters" in inside)
    for ending in ("/shared-reports", "/views"):
        inside = page.replace(str(cast.acme), str(cast.globex)).replace("?", f"{ending}?")
        sent = await as_charlie.post(inside, data={"name": "Mine", "expires": "7"})
        assert sent.status_code == 404
    theirs = await as_charlie.get(f"/w/{cast.globex}/results/shared-reports")
    assert "Board" not in theirs.text
    assert (await client.get(path)).status_code == 200
    gone = await as_mona.post(revoke)
    assert gone.headers["location"].endswith("/results/shared-reports?done=revoked")
    assert "The link shows nothing any more" in await look(as_mona, gone.headers["location"])
    assert (await client.get(path)).status_code == 410
    acts = owner.execute("SELECT action FROM audit_events ORDER BY number").fetchall()
    assert [act for (act,) in acts] == ["report.shared", "view.saved", "report.revoked"]


async def test_a_link_shows_all_that_it_was_made_for_or_nothing(
    as_mona: httpx.AsyncClient, client: httpx.AsyncClient, scene: Scene, autumn: Scene,
    database: Database, cast: Cast, owner: psycopg.Connection,
) -> None:  # fmt: skip
    third = await make_survey(database, cast.acme, (), "third")
    narrow = await share(as_mona, address(scene, autumn) + "&segment.region=east")
    of_three = await share(as_mona, address(scene, autumn, third))
    owner.execute("DELETE FROM segment_dimensions WHERE key = 'region'")
    forget(owner, third)
    for path in (narrow, of_three):
        assert (await client.get(path)).status_code == 410
    listed = await look(as_mona, f"/w/{scene.workspace_id}/results/shared-reports")
    assert listed.count("one of the surveys, or a segment of theirs, is not there any more") == 2
    # What the page left out when the link was made is no part of it.
    path = await share(as_mona, address(scene, autumn) + "&segment.region=east")
    assert "Left out" not in (await client.get(path)).text
