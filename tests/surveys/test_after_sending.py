"""What managers say about thanks, links, help and addresses, by the API and on the pages."""

import uuid
from html import unescape

import httpx
import psycopg
import pytest

from app.accounts.schemas import SYSTEM
from app.foundation.database import Database
from app.surveys.actions import create_survey, mark_answered
from app.surveys.inputs import SurveyInput
from app.surveys.ways import clean_email, href_of
from tests.factories import Cast

TEXTS = {"thanks_detractor": "Sorry.\nMay we help?", "thanks_link_detractor": "Talk to us"}
URL = "https://acme.example/help"


async def _make(database: Database, cast: Cast, **given: object) -> uuid.UUID:
    survey = SurveyInput.model_validate({"name": "Spring", "subject": "Acme", **given})
    async with database.transaction(cast.acme) as session:
        return (await create_survey(session, cast.acme, SYSTEM, survey)).id


async def test_the_api_takes_and_tells_it(acme_api: httpx.AsyncClient) -> None:
    given = {
        "name": "Spring",
        "subject": "Acme",
        "wording": {"en": TEXTS},
        "asks_contact": True,
        "thanks_urls": {"detractor": f" {URL} ", "promoter": ""},
        "support": " +81 3-1234 ",
    }
    made = (await acme_api.post("/api/v1/surveys", json=given)).json()
    assert made["thanks_urls"] == {"detractor": URL}
    assert (made["support"], made["asks_contact"]) == ("+81 3-1234", True)
    assert made["wording"]["en"]["thanks_detractor"] == TEXTS["thanks_detractor"]
    assert "thanks_promoter" not in made["wording"]["en"]
    path = f"/api/v1/surveys/{made['id']}"
    changes = {"thanks_urls": {"promoter": URL, "detractor": ""}, "asks_contact": False,
               "wording": {"en": {"thanks_detractor": ""}}}  # fmt: skip
    changed = (await acme_api.patch(path, json=changes)).json()
    assert changed["thanks_urls"] == {"promoter": URL}
    assert changed["asks_contact"] is False
    assert "thanks_detractor" not in changed["wording"]["en"]
    assert changed["wording"]["en"]["thanks_link_detractor"] == "Talk to us"


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({"thanks_urls": {"promoter": "http://acme.example"}}, "thanks_urls.promoter"),
        ({"thanks_urls": {"passive": "javascript:alert(1)"}}, "thanks_urls.passive"),
        ({"thanks_urls": {"passive": "https://acme.example/a b"}}, "thanks_urls.passive"),
        ({"thanks_urls": {"passive": "https://" + "x" * 2_000}}, "thanks_urls.passive"),
        ({"thanks_urls": {"passive": "mailto:nobody"}}, "thanks_urls.passive"),
        ({"thanks_urls": {"passive": "tel:help"}}, "thanks_urls.passive"),
        ({"thanks_urls": {"neutral": URL}}, "thanks_urls.neutral"),
        ({"support": "x" * 201}, "support"),
        ({"support": "two\nlines"}, "support"),
        ({"asks_contact": "yes"}, "asks_contact"),
        ({"wording": {"en": {"thanks_promoter": "x" * 1_001}}}, "wording.en.thanks_promoter"),
        ({"wording": {"en": {"thanks_link_passive": "a\nb"}}}, "wording.en.thanks_link_passive"),
        ({"wording": {"en": {"thanks_neutral": "x"}}}, "wording.en.thanks_neutral"),
    ],
)
async def test_what_is_refused_is_named(
    acme_api: httpx.AsyncClient, given: dict[str, object], name: str
) -> None:
    made = await acme_api.post("/api/v1/surveys", json={"name": "a", "subject": "b", **given})
    assert made.status_code == 422
    assert [param["name"] for param in made.json()["invalid_params"]] == [name]


@pytest.mark.parametrize(
    ("text", "href"),
    [
        ("help@acme.example", "mailto:help@acme.example"),
        ("a?b@acme.example", "mailto:a%3Fb@acme.example"),
        (URL, URL),
        ("+81 (3) 1234-5678", "tel:+81312345678"),
        ("http://acme.example", None),
        ("javascript:alert(1)", None),
        ("Ask at the desk", None),
        ("", None),
    ],
)
def test_what_a_click_leads_to(text: str, href: str | None) -> None:
    assert href_of(text) == href


def test_an_address_is_one_address() -> None:
    assert clean_email("Rita@Customer.Example") == "Rita@Customer.Example"
    for text in ("", "a@b", "a@b.c d", "a@b.example\nc@d.example", "a,b@c.example", "@b.example"):
        assert clean_email(text) is None, text


async def test_once_answered_wording_stands_and_links_and_help_move(
    acme_api: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    survey_id = await _make(database, cast)
    async with database.transaction(cast.acme) as session:
        await mark_answered(session, cast.acme, survey_id)
    path = f"/api/v1/surveys/{survey_id}"
    for refused in ({"asks_contact": True}, {"wording": {"en": TEXTS}}):
        assert (await acme_api.patch(path, json=refused)).status_code == 409
    free = {"thanks_urls": {"promoter": URL}, "support": "help@acme.example", "name": "Autumn"}
    assert (await acme_api.patch(path, json=free)).json()["thanks_urls"] == {"promoter": URL}
    worded = await acme_api.post(f"{path}/versions", json={"wording": {"en": TEXTS}})
    assert worded.json()["wording"]["en"]["thanks_link_detractor"] == "Talk to us"
    kept = (await acme_api.get(path)).json()
    assert (kept["thanks_urls"], kept["support"]) == ({"promoter": URL}, "help@acme.example")


FIELDS = {
    "name": "Spring", "subject": "Acme", "languages": "en", "default_language": "en",
    "min_group_size": "5", "retention_months": "24", "support": "help@acme.example",
    "thanks_urls.detractor": URL, "wording.en.thanks_detractor": "Sorry.",
    "wording.en.thanks_link_detractor": "Talk to us",
}  # fmt: skip
STORED = "SELECT asks_contact, support, thanks_urls FROM surveys"


async def test_the_pages_take_it_and_show_it_again(
    as_mona: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    surveys = f"/w/{cast.acme}/surveys"
    ticked = {**FIELDS, "asks_contact": ["", "yes"]}
    made = await as_mona.post(surveys, data=ticked)
    assert made.status_code == 303, made.text
    stored = (True, "help@acme.example", {"detractor": URL})
    assert owner.execute(STORED).fetchone() == stored
    base = made.headers["location"].split("/share")[0]
    page = await as_mona.get(f"{base}/edit")
    assert 'id="f-asks_contact" name="asks_contact" value="yes" checked' in page.text
    assert f'value="{URL}"' in page.text
    assert "Sorry.</textarea>" in page.text
    saved = await as_mona.post(f"{base}/content", data={**FIELDS, "asks_contact": ""})
    assert saved.status_code == 303
    assert owner.execute(STORED).fetchone() == (False, *stored[1:])
    again = await as_mona.post(f"{base}/content", data=FIELDS | {"thanks_urls.detractor": ""})
    assert again.status_code == 303
    assert owner.execute(STORED).fetchone() == (False, "help@acme.example", {})


async def test_refused_links_are_named_beside_their_controls(
    as_mona: httpx.AsyncClient, cast: Cast
) -> None:
    fields = {**FIELDS, "thanks_urls.detractor": "www.acme.example"}
    page = await as_mona.post(f"/w/{cast.acme}/surveys", data=fields)
    assert page.status_code == 422
    text = unescape(page.text)
    assert 'href="#f-thanks_urls.detractor"' in text
    assert "Where the link for detractors leads: Write an address that begins with" in text
    assert 'id="f-thanks_urls.detractor-error"' in text
    assert 'value="www.acme.example"' in text


async def test_once_answered_the_page_says_whether_it_is_asked(
    as_mona: httpx.AsyncClient, cast: Cast, database: Database
) -> None:
    survey_id = await _make(database, cast, asks_contact=True, wording={"en": TEXTS})
    async with database.transaction(cast.acme) as session:
        await mark_answered(session, cast.acme, survey_id)
    base = f"/w/{cast.acme}/surveys/{survey_id}"
    page = await as_mona.get(f"{base}/edit")
    assert "Respondents may leave one" in page.text
    assert 'name="asks_contact"' not in page.text
    saved = await as_mona.post(
        f"{base}/content", data={"name": "Spring", "thanks_urls.passive": URL, "support": "us"}
    )
    assert saved.status_code == 303, saved.text
    version = await as_mona.get(f"{base}/versions/new")
    assert "May we help?</textarea>" in version.text
