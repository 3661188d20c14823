"""After sending: each group is thanked in its own words, and everybody learns where help is."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import httpx
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation import clock
from app.foundation.database import Database
from app.responses.receipts import SHOWN_FOR
from app.surveys.models import Survey, SurveyVersion
from tests.factories import Cast
from tests.responses.scene import Scene, make_scene
from tests.responses.test_form import fill_in

REVIEW = "https://reviews.example/acme?from=form&lang=en"
THANKS = {
    "thanks_promoter": "That makes our day!\nTell others about {X}.",
    "thanks_link_promoter": "Write a <review>",
    "thanks_link_passive": "Write a review",
    "thanks_detractor": "Thank you for being frank.",
    "thanks_link_detractor": "Talk to us",
}
URLS = {"promoter": REVIEW, "detractor": "mailto:help@acme.example"}


async def _thank(session: AsyncSession, scene: Scene, urls: dict[str, str], **texts: str) -> None:
    survey = await session.get_one(Survey, (scene.workspace_id, scene.survey_id))
    version = await session.get_one(SurveyVersion, (scene.workspace_id, scene.version_id))
    survey.thanks_urls = urls
    version.wording = {**version.wording, "en": {**version.wording["en"], **texts}}


@pytest.fixture
async def scene(database: Database, cast: Cast) -> Scene:
    async with database.transaction(cast.acme) as session:
        scene = await make_scene(session, cast.acme)
        await _thank(session, scene, URLS, **THANKS)
    return scene


async def _sent(client: httpx.AsyncClient, score: int) -> httpx.Response:
    sent = await fill_in(client, score=str(score))
    assert sent.status_code == 303, sent.text
    return await client.get(sent.headers["location"])


def _links(page: httpx.Response) -> list[tuple[str, str]]:
    found = re.findall(
        r'<a class="btn" href="([^"]+)" rel="noreferrer"[^>]*>([^<]+)</a>', page.text
    )
    return [(unescape(url), unescape(words)) for url, words in found]


@pytest.mark.parametrize(
    ("score", "headline", "links"),
    [
        (10, "That makes our day!", [(REVIEW, "Write a <review>")]),
        (9, "That makes our day!", [(REVIEW, "Write a <review>")]),
        (8, "Thank you. Your answer has been saved.", []),
        (7, "Thank you. Your answer has been saved.", []),
        (6, "Thank you for being frank.", [("mailto:help@acme.example", "Talk to us")]),
        (0, "Thank you for being frank.", [("mailto:help@acme.example", "Talk to us")]),
    ],
)
@pytest.mark.usefixtures("scene")
async def test_each_group_reads_its_own_words(
    client: httpx.AsyncClient, score: int, headline: str, links: list[tuple[str, str]]
) -> None:
    """Passives have words for a link and no address: then there is no link."""
    page = await _sent(client, score)
    assert f"<h1>{headline}</h1>" in page.text
    assert ("Tell others about Café Acme." in page.text) == (score >= 9)
    assert _links(page) == links
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.usefixtures("scene")
async def test_after_ten_minutes_the_page_knows_nobody(client: httpx.AsyncClient) -> None:
    sent = await fill_in(client, score="2")
    for query in ("", "&receipt=AAAA", f"&receipt={'A' * 44}"):
        page = await client.get(f"/s/cafe/thanks?lang=en{query}")
        assert "<h1>Thank you. Your answer has been saved.</h1>" in page.text
        assert _links(page) == []
    with clock.fixed(clock.now() + SHOWN_FOR + timedelta(seconds=1)):
        page = await client.get(sent.headers["location"])
    assert "being frank" not in page.text
    assert _links(page) == []


@pytest.mark.usefixtures("scene")
async def test_other_languages_thank_in_general(client: httpx.AsyncClient) -> None:
    sent = await fill_in(client, score="2")
    page = await client.get(sent.headers["location"].replace("lang=en", "lang=ja"))
    assert "being frank" not in page.text
    assert _links(page) == []


async def test_without_words_of_their_own_all_groups_read_the_same(
    client: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    async with database.transaction(cast.acme) as session:
        await make_scene(session, cast.acme, thanks_urls=URLS)
    pages = [re.sub(r'<p class="receipt".*', "", (await _sent(client, score)).text)
             for score in (0, 7, 10)]  # fmt: skip
    assert pages[0] == pages[1] == pages[2]


@pytest.mark.parametrize(
    ("support", "link"),
    [
        ("help@acme.example", 'href="mailto:help@acme.example"'),
        ("https://acme.example/help?a=1&b=2", 'href="https://acme.example/help?a=1&amp;b=2"'),
        ("+81 3-1234-5678", 'href="tel:+81312345678"'),
        ("Ask <b>at</b> the desk", "Ask &lt;b&gt;at&lt;/b&gt; the desk"),
        ("javascript:alert(1)", "javascript:alert(1)</p>"),
    ],
)
async def test_form_and_thanks_say_where_help_is(
    client: httpx.AsyncClient, database: Database, cast: Cast, support: str, link: str
) -> None:
    async with database.transaction(cast.acme) as session:
        await make_scene(session, cast.acme, support=support)
    form = await client.get("/s/cafe?lang=en")
    thanks = await _sent(client, 1)
    privacy = await client.get("/s/cafe/privacy?lang=en")
    for page in (form, thanks):
        assert "This form cannot answer. If you need help: " in page.text
        assert link in page.text
    assert "Somebody who helps" in privacy.text


@pytest.mark.usefixtures("scene")
async def test_nothing_is_said_of_help_where_there_is_none(client: httpx.AsyncClient) -> None:
    for page in (await client.get("/s/cafe?lang=en"), await _sent(client, 1)):
        assert "This form cannot answer" not in page.text


async def test_the_preview_shows_what_a_group_would_read(
    as_bob: httpx.AsyncClient, scene: Scene, cast: Cast
) -> None:
    base = f"/w/{cast.acme}/surveys/{scene.survey_id}/preview"
    tried: Any = await as_bob.post(f"{base}/form?lang=en", data={"score": "3"})
    assert "Thank you for being frank." in tried.text
    listed = await as_bob.get(base)
    for words in ("That makes our day!", "Talk to us", "Detractors (0–6)"):
        assert words in listed.text
