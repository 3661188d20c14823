"""Links that show a report to people who do not sign in."""

import re
from datetime import timedelta

import anyio.lowlevel
import httpx
import psycopg
import pytest
from fastapi import FastAPI

from app.accounts.delays import MAX_WAITING
from app.foundation import clock
from app.foundation.database import Database
from app.reporting.sharing import PREFIX
from app.responses.models import Standing
from tests.conftest import browser
from tests.factories import Cast
from tests.reporting.data import NOW, TODAY, Answer, make_survey, spread
from tests.reporting.test_pages import dashboard, page
from tests.responses.scene import Scene

PASSWORD = "seven blue herons at dusk"


async def share(
    client: httpx.AsyncClient, scene: Scene, query: str = "period=90d", **form: str
) -> str:
    """The path of a new link, as its maker reads it on the page."""
    given = {"name": "Board", "expires": "30", **form}
    answer = await client.post(f"{dashboard(scene)}/shared-reports?{query}", data=given)
    assert answer.status_code == 201, answer.text
    found = re.search(r'value="http://127.0.0.1:8000(/shared/[^"]+)"', answer.text)
    assert found
    return found[1]


async def test_whoever_has_the_link_sees_the_figures_and_no_way_on(
    as_mona: httpx.AsyncClient, client: httpx.AsyncClient, scene: Scene
) -> None:
    path = await share(as_mona, scene, "period=all")
    page = await client.get(path)
    assert page.status_code == 200
    assert "NPS from 39 answers" in page.text
    assert "Period: All time" in page.text
    hrefs = re.findall(r'<a\b[^>]*href="([^"]*)"', page.text)
    assert set(hrefs) == {"#main", f"{path}?lang=ja"}
    assert "<form" not in page.text
    assert str(scene.workspace_id) not in page.text
    assert "本日の回答です" not in page.text, "no comments without a tick"
    assert page.headers["x-robots-tag"] == "noindex, nofollow"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert '<meta name="robots" content="noindex">' in page.text
    assert "set-cookie" not in page.headers


async def test_comments_only_where_ticked(
    as_mona: httpx.AsyncClient, client: httpx.AsyncClient, scene: Scene
) -> None:
    page = await client.get(await share(as_mona, scene, "", with_comments="yes"))
    assert "本日の回答です" in page.text
    for of_members in ("All answers and comments", "Starred only", "Tags"):
        assert of_members not in page.text


async def test_what_waits_for_review_is_told_to_members_only(
    as_mona: httpx.AsyncClient, client: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    held = Answer(TODAY, 0, standing=Standing.HELD)
    scene = await make_survey(database, cast.acme, [*spread(TODAY, [10] * 8), held])
    assert "1 held for review" in await page(as_mona, dashboard(scene))
    shared = await client.get(await share(as_mona, scene))
    assert "NPS from 8 answers" in shared.text
    assert "held for review" not in shared.text


async def test_subgroups_obey_the_same_rule(
    as_mona: httpx.AsyncClient, client: httpx.AsyncClient, scene: Scene
) -> None:
    hidden = await client.get(await share(as_mona, scene, "period=all&segment.age=old"))
    assert "Hidden to protect respondents" in hidden.text
    assert "headline-score" not in hidden.text
    shown = await client.get(await share(as_mona, scene, "period=all&segment.plan=free"))
    assert "NPS from 20 answers" in shown.text


async def test_a_period_moves_with_the_calendar(
    as_mona: httpx.AsyncClient, client: httpx.AsyncClient, scene: Scene
) -> None:
    path = await share(as_mona, scene, "period=30d")
    assert "Jul 10, 2026" in (await client.get(path)).text
    with clock.fixed(NOW + timedelta(days=3)):
        later = (await client.get(path)).text
    assert "Jun 14, 2026 – Jul 13, 2026" in later


async def test_the_reader_of_the_link_chooses_nothing(
    as_mona: httpx.AsyncClient, client: httpx.AsyncClient, scene: Scene
) -> None:
    path = await share(as_mona, scene, "period=all")
    other = await client.get(path, params={"segment.plan": "free", "period": "30d"})
    assert "NPS from 39 answers" in other.text


async def test_a_password_is_asked_for_and_kept_for_this_link_alone(
    as_mona: httpx.AsyncClient, app: FastAPI, scene: Scene
) -> None:
    path = await share(as_mona, scene, password=PASSWORD)
    other = await share(as_mona, scene, password=PASSWORD)
    async with browser(app) as client:
        asked = await client.get(path)
        assert "Café" not in asked.text
        assert asked.headers["referrer-policy"] == "same-origin"
        wrong = await client.post(f"{path}/password", data={"password": "wrong"})
        assert wrong.status_code == 422
        assert "set-cookie" not in wrong.headers
        right = await client.post(f"{path}/password", data={"password": PASSWORD})
        assert (right.status_code, right.headers["location"]) == (303, f"{path}?lang=en")
        cookie = right.headers["set-cookie"]
        for part in ("HttpOnly", "SameSite=lax", f"Path={path}", "Max-Age=43200"):
            assert part in cookie
        assert "Café" in (await client.get(path)).text
        kept = re.search(r"honne-report=([^;]+)", cookie)
        assert kept
        forged = await client.get(other, headers={"Cookie": f"honne-report={kept[1]}"})
        assert "Café" not in forged.text


async def test_what_a_browser_keeps_ends_with_the_day(
    as_mona: httpx.AsyncClient, app: FastAPI, scene: Scene
) -> None:
    path = await share(as_mona, scene, password=PASSWORD)
    async with browser(app) as client:
        await client.post(f"{path}/password", data={"password": PASSWORD})
        assert "Café" in (await client.get(path)).text
        with clock.fixed(NOW + timedelta(hours=12)):
            assert "Café" not in (await client.get(path)).text


async def test_passwords_are_not_tried_from_elsewhere(
    as_mona: httpx.AsyncClient, client: httpx.AsyncClient, scene: Scene
) -> None:
    path = await share(as_mona, scene, password=PASSWORD)
    sent = await client.post(
        f"{path}/password", data={"password": PASSWORD}, headers={"Sec-Fetch-Site": "cross-site"}
    )
    assert sent.status_code == 403


async def test_wrong_passwords_have_to_wait(
    as_mona: httpx.AsyncClient, app: FastAPI, scene: Scene, owner: psycopg.Connection
) -> None:
    path = await share(as_mona, scene, password=PASSWORD)
    (report_id,) = owner.execute("SELECT id::text FROM shared_reports").fetchone() or ("",)
    for _ in range(4):
        assert app.state.report_delays.begin(report_id, "") == 0
    assert app.state.report_delays.begin(report_id, "") > 0
    app.state.report_delays.succeed(report_id, "")
    async with browser(app) as client:
        sent = await client.post(f"{path}/password", data={"password": PASSWORD})
    assert sent.status_code == 303


async def test_a_guest_whom_others_keep_waiting_is_told_so_in_words_of_a_report(
    as_mona: httpx.AsyncClient, app: FastAPI, scene: Scene, owner: psycopg.Connection
) -> None:
    path = await share(as_mona, scene, password=PASSWORD)
    (report_id,) = owner.execute("SELECT id::text FROM shared_reports").fetchone() or ("",)
    delays = app.state.report_delays
    for _ in range(9):  # so that the first of the others waits as long as the last, 8 s
        delays.begin(report_id, "")
    async with browser(app) as client, anyio.create_task_group() as others:
        for _ in range(MAX_WAITING):
            others.start_soon(delays.wait_turn, report_id, "")
        await anyio.lowlevel.checkpoint()
        sent = await client.post(f"{path}/password?lang=en", data={"password": PASSWORD})
        japanese = await client.post(f"{path}/password?lang=ja", data={"password": PASSWORD})
        others.cancel_scope.cancel()
    assert (sent.status_code, sent.headers["retry-after"]) == (429, "10")
    assert "The password cannot be checked just now" in sent.text
    assert "sign-in" not in sent.text.lower()
    assert sent.headers["x-robots-tag"] == "noindex, nofollow"
    assert sent.headers["cache-control"] == "no-store"
    assert japanese.status_code == 429
    assert '<html lang="ja"' in japanese.text
    assert "パスワード" in japanese.text


async def test_what_is_stored_opens_nothing_and_says_nothing_of_readers(
    as_mona: httpx.AsyncClient, client: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    path = await share(as_mona, scene, password=PASSWORD)
    await client.get(path)
    rows = str(owner.execute("SELECT t::text FROM shared_reports t").fetchall())
    rows += str(owner.execute("SELECT t::text FROM audit_events t").fetchall())
    token = path.removeprefix("/shared/")
    assert token.startswith(PREFIX)
    random = token[len(PREFIX) + 22 : -6]
    assert len(random) >= 22  # 62 ** 22 is more than 2 ** 128
    assert random not in rows
    assert PASSWORD not in rows
    assert owner.execute("SELECT openings FROM shared_reports").fetchone() == (0,), "not unlocked"


async def test_openings_are_counted(
    as_mona: httpx.AsyncClient, client: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    path = await share(as_mona, scene)
    for _ in range(3):
        await client.get(path)
    assert owner.execute("SELECT openings FROM shared_reports").fetchone() == (3,)
    listed = (await as_mona.get(f"{dashboard(scene)}/shared-reports")).text
    assert '<td class="num">3</td>' in listed
    assert path not in listed


async def test_a_revoked_link_is_gone(
    as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient, client: httpx.AsyncClient,
    scene: Scene, owner: psycopg.Connection,
) -> None:  # fmt: skip
    path = await share(as_mona, scene)
    page = (await as_mona.get(f"{dashboard(scene)}/shared-reports")).text
    (action,) = re.findall(r'action="([^"]+/revocation)"', page)
    assert (await as_bob.post(action)).status_code == 403
    assert (await as_mona.post(action)).status_code == 303
    gone = await client.get(path)
    assert gone.status_code == 410
    assert "This report is not shared any more" in gone.text
    assert (await as_mona.post(action)).status_code == 404
    acts = owner.execute("SELECT action FROM audit_events ORDER BY number").fetchall()
    assert acts == [("report.shared",), ("report.revoked",)]
    japanese = await client.get(path, headers={"Accept-Language": "ja"})
    assert '<html lang="ja"' in japanese.text
    assert "not shared any more" not in japanese.text


async def test_a_link_ends_with_its_last_day(
    as_mona: httpx.AsyncClient, client: httpx.AsyncClient, scene: Scene
) -> None:
    path = await share(as_mona, scene, expires="day", expires_on=TODAY.isoformat())
    with clock.fixed(NOW + timedelta(hours=11)):  # 23:00 in Tokyo
        assert (await client.get(path)).status_code == 200
    with clock.fixed(NOW + timedelta(hours=13)):
        assert (await client.get(path)).status_code == 410


@pytest.mark.parametrize(
    "form",
    [
        {"name": " "},
        {"expires": "day", "expires_on": "2026-07-09"},
        {"expires": "day", "expires_on": "2027-08-01"},
        {"expires": "forever"},
        {"password": "short"},
    ],
)
async def test_what_is_refused(
    as_mona: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection, form: dict[str, str]
) -> None:
    given = {"name": "Board", "expires": "7", **form}
    answer = await as_mona.post(f"{dashboard(scene)}/shared-reports?period=30d", data=given)
    assert answer.status_code == 422
    assert "<title>Error:" in answer.text
    assert 'class="error"' in answer.text
    assert owner.execute("SELECT count(*) FROM shared_reports").fetchone() == (0,)


async def test_nobody_guesses(client: httpx.AsyncClient, cast: Cast) -> None:
    for token in ("x", PREFIX + "0" * 50, f"{PREFIX}{'é' * 50}", str(cast.acme)):
        answer = await client.get(f"/shared/{token}")
        assert answer.status_code == 404
        assert "There is no report at this address" in answer.text
        assert 'href="/"' not in answer.text
    for _ in range(120):
        await client.get("/shared/x")
    answer = await client.get("/shared/x")
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) <= 60


async def test_a_deleted_workspace_shows_nothing(
    as_mona: httpx.AsyncClient, as_alice: httpx.AsyncClient, client: httpx.AsyncClient,
    scene: Scene, cast: Cast, owner: psycopg.Connection,
) -> None:  # fmt: skip
    path = await share(as_mona, scene)
    owner.execute("UPDATE surveys SET state = 'closed'")
    assert (await client.get(path)).status_code == 200, "a closed survey still has a score"
    gone = await as_alice.post(f"/w/{cast.acme}/deletion", data={"name": "Acme"})
    assert gone.status_code == 303
    assert (await client.get(path)).status_code == 404


async def test_a_segment_that_is_gone_ends_the_link(
    as_mona: httpx.AsyncClient, client: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    path = await share(as_mona, scene, "segment.region=east")
    owner.execute("DELETE FROM segment_dimensions WHERE key = 'region'")
    assert (await client.get(path)).status_code == 410
    listed = (await as_mona.get(f"{dashboard(scene)}/shared-reports")).text
    assert "the survey has no such segment any more" in listed


async def test_viewers_and_outsiders_share_nothing(
    as_bob: httpx.AsyncClient, as_charlie: httpx.AsyncClient, scene: Scene
) -> None:
    for client, status in ((as_bob, 403), (as_charlie, 404)):
        path = f"{dashboard(scene)}/shared-reports"
        assert (await client.get(path)).status_code == status
        assert (await client.post(path, data={"name": "Mine"})).status_code == status
    assert "shared-reports" not in (await as_bob.get(dashboard(scene))).text
