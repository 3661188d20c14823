"""The privacy page of a survey: for anybody with the link, in their language, and light."""

import html
import re

import httpx
import psycopg
import pytest

from app.foundation.database import Database
from app.foundation.translation import gettext
from app.responses.stored import things_stored
from tests.factories import Cast
from tests.responses.scene import Scene, make_scene

ADDRESS = "/s/cafe/privacy"
# Each rule as it stands on the page: a sentence, and below it the rule's number and name.
RULE = re.compile(r'<li id="rule-(\d+)">\s*<p>(.+?)</p>\s*<p class="rule">(.+?)</p>\s*</li>')


@pytest.fixture(autouse=True)
async def scene(database: Database, cast: Cast) -> Scene:
    async with database.transaction(cast.acme) as session:
        return await make_scene(session, cast.acme, retention_months=1)


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_every_sentence_names_its_rule(client: httpx.AsyncClient, language: str) -> None:
    page = await client.get(ADDRESS, headers={"Accept-Language": language})
    assert page.status_code == 200
    assert f'<html lang="{language}"' in page.text
    rules = RULE.findall(page.text)
    assert len(rules) == page.text.count('<li id="rule-') >= 17
    for number, sentence, name in rules:
        assert sentence
        assert re.fullmatch(
            {"en": rf"Rule {number}: .+", "ja": rf"ルール{number}：.+"}[language], name
        )
        if language == "ja":
            assert re.search(r"[ぁ-ん]", sentence)
    assert len({number for number, _sentence, _name in rules}) == len(rules)


@pytest.mark.parametrize("language", ["en", "ja"])
async def test_all_that_is_stored_is_listed(client: httpx.AsyncClient, language: str) -> None:
    text = html.unescape((await client.get(f"{ADDRESS}?lang={language}")).text)
    for words, _kept in things_stored(asks_contact=False):
        assert f"<li>{gettext(words, language)}</li>" in text
    assert {"en": "1 month from the day of your answer", "ja": "回答日から1か月"}[language] in text


async def test_it_is_light_and_loads_nothing(client: httpx.AsyncClient) -> None:
    page = await client.get(ADDRESS)
    assert "set-cookie" not in page.headers
    assert page.headers["cache-control"] == "no-store"
    policy = page.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "<script" not in page.text
    assert not re.search(r"(src|href)=\"(?!/s/|https://acme\.example/privacy\")", page.text)


async def test_the_form_leads_there(client: httpx.AsyncClient) -> None:
    form = await client.get("/s/cafe?lang=ja")
    assert 'href="/s/cafe/privacy?lang=ja" target="_blank"' in form.text


@pytest.mark.parametrize(("state", "status"), [("draft", 403), ("published", 200), ("closed", 200)])
async def test_it_stays_as_long_as_answers_do(
    client: httpx.AsyncClient, owner: psycopg.Connection, state: str, status: int
) -> None:
    owner.execute("UPDATE surveys SET state = %s", [state])
    assert (await client.get(ADDRESS)).status_code == status


async def test_there_is_none_of_an_unknown_survey(client: httpx.AsyncClient) -> None:
    assert (await client.get("/s/nowhere/privacy")).status_code == 404


async def test_opening_it_records_nothing(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    for method in ("GET", "HEAD"):
        assert (await client.request(method, ADDRESS)).status_code == 200
    assert owner.execute("SELECT count(*) FROM responses").fetchone() == (0,)
