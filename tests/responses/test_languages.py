"""The respondent's pages in every language there is a catalogue for."""

import re
import uuid
import zlib
from html import unescape

import httpx
import psycopg
import pytest

from app.accounts.schemas import SYSTEM
from app.foundation.database import Database
from app.foundation.translation import form_languages, gettext, text_direction
from app.surveys.actions import close_survey, create_survey, publish_survey
from app.surveys.inputs import SurveyInput
from app.surveys.listings import list_links
from app.surveys.wording import default_texts
from tests.factories import Cast
from tests.responses.test_form import database_away

LANGUAGES = form_languages()
BUDGET = 6_000  # Bytes of the compressed form: HTML, styles and scripts.
SUBJECT = "Acme"
DIMENSION = {
    "key": "plan",
    "label": dict.fromkeys(LANGUAGES, "Plan"),
    "values": [{"key": "free"}, {"key": "pro"}],
    "source": "question",
}


@pytest.fixture
async def survey_id(database: Database, cast: Cast) -> uuid.UUID:
    """A published survey in all languages, with a question about the respondent."""
    given = SurveyInput.model_validate(
        {
            "name": "World",
            "subject": SUBJECT,
            "languages": LANGUAGES,
            "default_language": "ja",
            "contact": "+81 3-1234-5678",
            "privacy_url": "https://acme.example/privacy",
            "dimensions": [DIMENSION],
        }
    )
    async with database.transaction(cast.acme) as session:
        survey = await create_survey(session, cast.acme, SYSTEM, given)
        await publish_survey(session, cast.acme, SYSTEM, survey.id)
    return survey.id


@pytest.fixture
async def address(database: Database, cast: Cast, survey_id: uuid.UUID) -> str:
    async with database.transaction(cast.acme) as session:
        return f"/s/{(await list_links(session, cast.acme, survey_id, 1)).rows[0].slug}"


def words(page: httpx.Response) -> str:
    """What is read on a page, without markup."""
    return unescape(re.sub(r"<(style|script)>.*?</\1>|<[^>]+>", "", page.text, flags=re.DOTALL))


async def test_the_form_speaks_every_language_and_stays_light(
    client: httpx.AsyncClient, address: str
) -> None:
    english = words(await client.get(f"{address}?lang=en"))
    sentences = [line for line in english.splitlines() if len(line.split()) > 6]
    for language in LANGUAGES:
        page = await client.get(f"{address}?lang={language}")
        assert f'<html lang="{language}" dir="{text_direction(language)}"' in page.text
        assert default_texts(language)["question"].replace("{X}", SUBJECT) in words(page)
        assert len(zlib.compress(page.content, 9)) <= BUDGET, language
        cells = re.findall(r'value="(\d+)"[^>]*><span>([^<]+)</span>', page.text)
        assert [shown for _value, shown in cells] == [str(score) for score in range(11)]
        # Among Arabic words a telephone number would otherwise begin at its wrong end.
        contact = "\u2068+81 3-1234-5678\u2069" if language == "ar" else "+81 3-1234-5678"
        assert f"{contact}</p>" in page.text
        privacy = await client.get(f"{address}/privacy?lang={language}")
        assert contact in privacy.text
        if language != "en":
            assert [line for line in sentences if line in words(page)] == [], language


async def test_every_page_around_the_form_speaks_every_language(
    client: httpx.AsyncClient,
    address: str,
    database: Database,
    cast: Cast,
    survey_id: uuid.UUID,
) -> None:
    titles = {
        "/privacy": "What happens with your answer",
        "/erasure": "Delete your answer",
        "/erasure/done": "Your answer is deleted",
        "/thanks": "Thank you. Your answer has been saved.",
    }
    for language in LANGUAGES:
        for path, title in titles.items():
            page = await client.get(f"{address}{path}?lang={language}")
            assert page.status_code == 200
            assert f"<title>{gettext(title, language)}</title>" in page.text
    async with database.transaction(cast.acme) as session:
        await close_survey(session, cast.acme, SYSTEM, survey_id)
    for language in LANGUAGES:
        closed = await client.get(f"{address}?lang={language}")
        unknown = await client.get("/s/unknown", headers={"Accept-Language": language})
        assert (closed.status_code, unknown.status_code) == (410, 404)
        assert f"<title>{gettext('This survey is closed', language)}</title>" in closed.text
        title = gettext("There is no survey at this address", language)
        assert f"<title>{title}</title>" in unknown.text


async def test_what_is_wrong_is_said_in_the_readers_language(
    client: httpx.AsyncClient, address: str
) -> None:
    for language in LANGUAGES:
        sent = await client.post(f"{address}/responses?lang={language}", data={"comment": "x"})
        assert sent.status_code == 422
        assert gettext("Choose a number from 0 to 10.", language) in words(sent)
        assert sent.text.split("<title>")[1].startswith(gettext("Error:", language))


async def test_a_text_comes_back_in_the_readers_language(
    client: httpx.AsyncClient, address: str, owner: psycopg.Connection
) -> None:
    with database_away(owner):
        sent = await client.post(
            f"{address}/responses?lang=ko", data={"score": "3", "comment": "mine"}
        )
    assert sent.status_code == 503
    assert '<html lang="ko"' in sent.text
    assert gettext("Try again", "ko") in sent.text
    assert "mine</textarea>" in sent.text


@pytest.mark.parametrize(
    ("query", "accepted", "language"),
    [
        ("?lang=ko", "fr", "ko"),
        ("?lang=zh-TW", "fr", "zh-Hant"),
        ("?lang=nn", "fr-CA, en;q=0.5", "fr"),
        ("", "zh-HK, en;q=0.9", "zh-Hant"),
        ("", "zh-CN, en;q=0.9", "zh-Hans"),
        ("", "pt-BR, en;q=0.9", "pt"),
        ("", "ar-EG", "ar"),
        ("", "nn, is;q=0.9", "ja"),
        ("", "", "ja"),
    ],
)
async def test_the_reader_gets_a_language_of_the_surveys(
    client: httpx.AsyncClient, address: str, query: str, accepted: str, language: str
) -> None:
    page = await client.get(f"{address}{query}", headers={"Accept-Language": accepted})
    assert f'<html lang="{language}"' in page.text


async def test_japanese_lines_break_between_phrases(
    client: httpx.AsyncClient, address: str
) -> None:
    page = await client.get(f"{address}?lang=ja")
    assert f"<h1>{SUBJECT}を<wbr>友人や<wbr>同僚に<wbr>薦める<wbr>可能性は" in page.text
    assert "<wbr>" not in page.text.split("<title>")[1].split("</title>")[0]
    assert page.text.count("<wbr>") > 30
    assert "<wbr>" not in (await client.get(f"{address}?lang=zh-Hans")).text


async def test_arabic_counts_months_in_its_own_way(
    client: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    for months, said in {
        1: "شهر واحد",
        2: "شهرين",
        3: "3 أشهر",
        24: "24 شهرًا",
        100: "100 شهر؛",
    }.items():
        given = SurveyInput.model_validate(
            {"name": "x", "subject": "x", "languages": ["ar"], "retention_months": months}
        )
        async with database.transaction(cast.acme) as session:
            survey = await create_survey(session, cast.acme, SYSTEM, given)
            await publish_survey(session, cast.acme, SYSTEM, survey.id)
            slug = (await list_links(session, cast.acme, survey.id, 1)).rows[0].slug
        assert f"تُحذف إجابتكم بعد {said}" in (await client.get(f"/s/{slug}")).text
