"""The respondent's pages: nothing is recorded by looking, nothing typed is lost."""

import base64
import hashlib
import html
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import psycopg
import pytest
from psycopg import sql

from app.accounts.schemas import SYSTEM
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.settings import Settings
from app.responses.tickets import Ticket, sign_ticket
from app.surveys.actions import make_version
from app.surveys.inputs import VersionInput
from app.surveys.models import Channel
from tests.factories import Cast
from tests.responses.scene import (
    Scene,
    add_link,
    make_scene,
    recount,
    stored_answers,
    stored_counts,
)

pytestmark = pytest.mark.usefixtures("scene")

FORM = "application/x-www-form-urlencoded"


def ticket_in(page: httpx.Response) -> str:
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found, page.text
    return html.unescape(found[1])


async def fill_in(
    client: httpx.AsyncClient, address: str = "/s/cafe", **fields: str
) -> httpx.Response:
    """Open the form and send it with `fields`."""
    page = await client.get(address)
    assert page.status_code == 200, page.text
    return await client.post(
        "/s/cafe/responses?lang=en", data={"ticket": ticket_in(page), **fields}
    )


def labels(owner: psycopg.Connection) -> list[dict[str, str]]:
    rows = owner.execute(
        "SELECT labels FROM responses JOIN segment_sets s ON s.id = segment_set_id ORDER BY s.id"
    )
    return [row[0] for row in rows]


async def test_an_answer_goes_in_and_the_thank_you_page_follows(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    sent = await fill_in(
        client, score="9", comment="とても良い\r\nでした", **{"segment.age": "young"}
    )
    assert (sent.status_code, sent.headers["location"][:22]) == (303, "/s/cafe/thanks?lang=en")
    thanks = await client.get(sent.headers["location"])
    assert thanks.status_code == 200
    assert "Thank you" in thanks.text
    assert stored_answers(owner) == [(9, "とても良い\nでした")]
    assert labels(owner) == [{"age": "young"}]
    assert stored_counts(owner) == recount(owner)
    row = owner.execute("SELECT language, channel, answered_on FROM responses").fetchone()
    assert row == ("en", "link", clock.today("Asia/Tokyo"))


@pytest.mark.parametrize("address", ["/s/cafe", "/s/cafe/thanks", "/s/cafe?score=9&comment=x"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_records_nothing(
    client: httpx.AsyncClient, owner: psycopg.Connection, address: str, method: str
) -> None:
    answer = await client.request(method, address)
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert stored_answers(owner) == []


async def test_a_double_click_is_one_answer_and_later_words_win(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    ticket = ticket_in(await client.get("/s/cafe"))
    for fields in ({"score": "2"}, {"score": "2"}, {"score": "8", "comment": "On second thought"}):
        sent = await client.post("/s/cafe/responses", data={"ticket": ticket, **fields})
        assert sent.status_code == 303
    assert stored_answers(owner) == [(8, "On second thought")]
    assert stored_counts(owner) == recount(owner)


async def test_a_new_page_is_a_new_answer(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    await fill_in(client, score="1")
    await fill_in(client, score="2")
    assert sorted(stored_answers(owner)) == [(1, None), (2, None)]


async def test_a_multipart_form_is_read_too(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    ticket = ticket_in(await client.get("/s/cafe"))
    fields = {"ticket": (None, ticket), "score": (None, "4"), "comment": (None, "部分")}
    assert (await client.post("/s/cafe/responses", files=fields)).status_code == 303
    assert stored_answers(owner) == [(4, "部分")]
    with_file = await client.post(
        "/s/cafe/responses", files={"ticket": (None, ticket), "comment": ("a.txt", b"x")}
    )
    assert with_file.status_code == 400
    broken = await client.post(
        "/s/cafe/responses", content=b"--x", headers={"Content-Type": "multipart/form-data"}
    )
    assert broken.status_code == 400


async def test_an_answer_keeps_the_wording_that_was_read(
    client: httpx.AsyncClient, database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    kept, shown_again = [ticket_in(await client.get("/s/cafe")) for _time in range(2)]
    reworded = VersionInput.model_validate({"wording": {"en": {"reason_question": "Why so?"}}})
    async with database.transaction(scene.workspace_id) as session:
        version = await make_version(session, scene.workspace_id, SYSTEM, scene.survey_id, reworded)
    page = await client.post("/s/cafe/responses", data={"ticket": shown_again})
    assert "Why so?" in page.text
    for score, ticket in (("1", kept), ("2", ticket_in(page))):
        sent = await client.post("/s/cafe/responses", data={"ticket": ticket, "score": score})
        assert sent.status_code == 303
    stored = owner.execute("SELECT score, version_id FROM responses ORDER BY score").fetchall()
    assert stored == [(1, scene.version_id), (2, version.id)]


@pytest.mark.parametrize("kind", ["missing", "forged", "old", "other survey", "other link"])
async def test_a_ticket_that_does_not_hold_costs_no_text(
    client: httpx.AsyncClient,
    scene: Scene,
    settings: Settings,
    owner: psycopg.Connection,
    kind: str,
) -> None:
    survey_id = scene.workspace_id if kind == "other survey" else scene.survey_id
    slug = "elsewhere" if kind == "other link" else "cafe"
    with clock.fixed(clock.now() - timedelta(hours=25 if kind == "old" else 1)):
        ticket = sign_ticket(
            settings.secret_key, Ticket(slug, survey_id, scene.version_id, {"plan": "pro"})
        )
    ticket = {"missing": "", "forged": ticket[:-2] + "xx"}.get(kind, ticket)
    fields = {"ticket": ticket, "score": "6", "comment": "mine", "segment.age": "old"}
    sent = await client.post("/s/cafe/responses?lang=en", data=fields)
    assert sent.status_code == 422
    assert "mine</textarea>" in sent.text
    assert re.search(r'value="6"[^>]* checked', sent.text)
    assert re.search(r'value="old"[^>]* checked', sent.text)
    assert stored_answers(owner) == []
    again = await client.post("/s/cafe/responses", data={**fields, "ticket": ticket_in(sent)})
    assert again.status_code == 303
    assert stored_answers(owner) == [(6, "mine")]
    assert labels(owner) == [{"plan": "pro", "age": "old"} if kind == "old" else {"age": "old"}]


@pytest.mark.parametrize(
    ("query", "sent", "expected"),
    [
        ("plan=pro", {}, {"plan": "pro"}),
        ("plan=customer-4711", {}, {"plan": "other"}),
        ("customer=4711&region=east", {}, {}),
        ("", {"segment.age": "none"}, {}),
        ("", {"segment.age": "ancient"}, {"age": "other"}),
        ("", {"segment.plan": "pro", "segment.x": "y"}, {}),
        ("plan=free", {"segment.plan": "pro"}, {"plan": "free"}),
    ],
)
async def test_only_declared_segment_values_are_kept(
    client: httpx.AsyncClient,
    owner: psycopg.Connection,
    query: str,
    sent: dict[str, str],
    expected: dict[str, str],
) -> None:
    assert (await fill_in(client, f"/s/cafe?{query}", score="9", **sent)).status_code == 303
    assert labels(owner) == [expected]


async def test_a_link_presets_values_and_channel(
    client: httpx.AsyncClient, database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    async with database.transaction(scene.workspace_id) as session:
        await add_link(session, scene, "poster", Channel.QR, preset={"plan": "pro"})
    ticket = ticket_in(await client.get("/s/poster?plan=free"))
    await client.post("/s/poster/responses", data={"ticket": ticket, "score": "10"})
    assert labels(owner) == [{"plan": "pro"}]
    assert owner.execute("SELECT channel FROM responses").fetchone() == ("qr",)


async def test_the_language_is_asked_for_or_accepted_or_the_surveys_own(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    question = "アクメ珈琲を友人や同僚に薦める可能性は？"
    assert question in (await client.get("/s/cafe?lang=ja")).text
    accepted = await client.get("/s/cafe", headers={"Accept-Language": "ja-JP,en;q=0.5"})
    assert question in accepted.text
    assert '<html lang="ja"' in accepted.text
    assert question in (await client.get("/s/cafe?lang=JA")).text
    assert question in (await client.get("/s/cafe", headers={"Accept-Language": "JA-jp"})).text
    other = await client.get("/s/cafe?lang=xx_%00", headers={"Accept-Language": "fr"})
    assert "How likely are you to recommend Café Acme" in other.text
    ticket = ticket_in(accepted)
    sent = await client.post("/s/cafe/responses?lang=ja", data={"ticket": ticket, "score": "3"})
    assert sent.headers["location"].startswith("/s/cafe/thanks?lang=ja&receipt=")
    assert owner.execute("SELECT language FROM responses").fetchone() == ("ja",)


async def test_the_notice_says_what_the_survey_does(
    client: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    async with database.transaction(cast.acme) as session:
        await make_scene(
            session, cast.acme, "other", min_group_size=17, retention_months=31,
            privacy_url="https://acme.example/p", contact="dpo@acme.example",
        )  # fmt: skip
    text = (await client.get("/s/other?plan=pro")).text
    for words in ("Acme asks", "at least 17 people", "after 31 months", "dpo@acme.example"):
        assert words in text
    assert 'href="https://acme.example/p"' in text
    assert "the day, and also: “Plan”, “Age”.</p>" in text
    assert "Not stored are your name" in text


@pytest.mark.parametrize(
    ("change", "status", "words"),
    [
        ("state = 'closed'", 410, "This survey is closed"),
        ("closes_on = '2020-01-01'", 410, "This survey is closed"),
        ("state = 'draft'", 403, "not open yet"),
        ("opens_on = '2999-01-31'", 403, "January 31, 2999"),
    ],
)
async def test_a_survey_that_takes_no_answers_says_so(
    client: httpx.AsyncClient,
    owner: psycopg.Connection,
    change: str,
    status: int,
    words: str,
) -> None:
    ticket = ticket_in(await client.get("/s/cafe"))
    owner.execute(f"UPDATE surveys SET {change}")  # noqa: S608
    page = await client.get("/s/cafe")
    assert page.status_code == status
    assert words in page.text
    sent = await client.post("/s/cafe/responses", data={"ticket": ticket, "score": "1"})
    assert sent.status_code == status
    assert (await client.get("/s/cafe/thanks")).status_code == 200
    assert stored_answers(owner) == []


async def test_unknown_and_revoked_links(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    for slug in ("nowhere", "%00", "a" * 500, "%ED%A0%80", "caf%C3%A9"):
        for path in (f"/s/{slug}", f"/s/{slug}/thanks"):
            page = await client.get(path, headers={"Accept-Language": "en"})
            assert page.status_code == 404
            assert "There is no survey at this address" in page.text
        assert (await client.post(f"/s/{slug}/responses", data={"score": "1"})).status_code == 404
    owner.execute("UPDATE survey_links SET revoked_at = now()")
    page = await client.get("/s/cafe")
    assert page.status_code == 410
    assert "no longer in use" in page.text


def digest_of(text: str) -> str:
    """How a policy names a style or a script that stands on the page."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


async def test_the_pages_allow_nothing_but_themselves(
    client: httpx.AsyncClient,
) -> None:
    page = await client.get("/s/cafe")
    [style] = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    [script] = re.findall(r"<script>(.*?)</script>", page.text, re.DOTALL)
    assert page.headers["content-security-policy"] == (
        f"default-src 'none'; script-src {digest_of(script)}; connect-src 'self'; "
        f"style-src {digest_of(style)}; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert page.headers["cache-control"] == "no-store"
    assert " style=" not in page.text
    assert re.search(r'name="ticket"[^>]* autocomplete="off"', page.text)
    assert len(re.findall(r'type="radio" name="score"', page.text)) == 11
    assert not re.search(r'name="score"[^>]* checked', page.text)


async def test_the_form_is_light(
    client: httpx.AsyncClient,
) -> None:
    page = await client.get("/s/cafe?lang=ja")
    assert len(zlib.compress(page.content, 9)) <= 6_000


@contextmanager
def database_away(owner: psycopg.Connection) -> Iterator[None]:
    """Within, nobody can reach the test's database, and those who had are thrown out."""
    name = sql.Identifier(owner.info.dbname)
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(host=owner.info.host, user=owner.info.user, dbname="postgres",
                         autocommit=True) as server:  # fmt: skip
        server.execute(allow.format(name, sql.SQL("false")))
        server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
            [owner.info.dbname],
        )
        try:
            yield
        finally:
            server.execute(allow.format(name, sql.SQL("true")))
