"""The form in a frame: whose pages may hold it, what they are told, and the script they load."""

import gzip
import re
import uuid
from urllib.parse import quote

import httpx
import psycopg
import pytest

from app.foundation.web.rendering import static_text
from tests.factories import Cast
from tests.responses.scene import Scene
from tests.responses.test_form import labels, ticket_in

SHOP = "https://shop.example"
EMBED = f"embed={quote(SHOP, safe='')}"
SCRIPT_BUDGET = 3_000  # bytes, compressed
FRAME_SCRIPT_BUDGET = 400


@pytest.fixture
def origins(scene: Scene, owner: psycopg.Connection) -> tuple[str, ...]:
    """The survey may be shown by two sites."""
    owner.execute(
        "UPDATE surveys SET embed_origins = %s::jsonb WHERE id = %s",
        [f'["{SHOP}", "https://help.example"]', scene.survey_id],
    )
    return (SHOP, "https://help.example")


def ancestors(answer: httpx.Response) -> str:
    policy = answer.headers["content-security-policy"]
    return str(re.fullmatch(r".*; frame-ancestors ([^;]+)", policy)[1])  # type: ignore[index]


def parent(answer: httpx.Response) -> str:
    found = re.search(r'data-parent="([^"]*)"', answer.text)
    assert found, answer.text
    return found[1]


async def test_only_listed_sites_may_hold_the_form(
    client: httpx.AsyncClient, origins: tuple[str, ...]
) -> None:
    page = await client.get(f"/s/cafe?{EMBED}&plan=pro")
    assert ancestors(page) == " ".join(origins)
    assert parent(page) == SHOP
    assert "x-frame-options" not in page.headers
    assert "set-cookie" not in page.headers
    assert page.headers["cache-control"] == "no-store"
    assert "script-src 'sha256-" in page.headers["content-security-policy"]


@pytest.mark.usefixtures("origins")
@pytest.mark.parametrize("word", ["https://evil.example", "1", "", "https://shop.example;x"])
async def test_any_other_site_is_told_nothing(client: httpx.AsyncClient, word: str) -> None:
    page = await client.get("/s/cafe", params={"embed": word})
    assert parent(page) == ""
    assert "evil" not in page.headers["content-security-policy"]


@pytest.mark.usefixtures("scene")
async def test_without_listed_sites_nobody_may(client: httpx.AsyncClient) -> None:
    page = await client.get(f"/s/cafe?{EMBED}")
    assert ancestors(page) == "'none'"
    assert page.headers["x-frame-options"] == "DENY"
    assert parent(page) == ""


@pytest.mark.usefixtures("origins")
async def test_other_pages_stay_out_of_frames(client: httpx.AsyncClient) -> None:
    """The form without the word, an unknown address, and pages that open on their own."""
    for path in ("cafe", f"nowhere?{EMBED}", f"cafe/privacy?{EMBED}", f"cafe/erasure?{EMBED}"):
        page = await client.get(f"/s/{path}")
        assert ancestors(page) == "'none'", path
        assert page.headers["x-frame-options"] == "DENY"
        assert "postMessage" not in page.text


@pytest.mark.usefixtures("origins")
async def test_an_answer_from_a_frame_stays_there_and_counts_as_embedded(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    page = await client.get(f"/s/cafe?{EMBED}&lang=ja&plan=pro")
    action = re.search(r'<form method="post" action="([^"]+)" target="_self"', page.text)
    assert action
    address = action[1].replace("&amp;", "&")
    assert address == f"/s/cafe/responses?lang=ja&{EMBED}"
    refused = await client.post(address, data={"ticket": ticket_in(page)})
    assert (refused.status_code, parent(refused)) == (422, SHOP)
    assert 'href="#f-score" target="_self"' in refused.text
    sent = await client.post(address, data={"ticket": ticket_in(page), "score": "9"})
    assert sent.status_code == 303
    assert sent.headers["location"].endswith(f"&{EMBED}")
    thanks = await client.get(sent.headers["location"])
    assert (ancestors(thanks), parent(thanks)) == (f"{SHOP} https://help.example", SHOP)
    assert 'data-state="answered"' in thanks.text
    assert owner.execute("SELECT score, channel FROM responses").fetchall() == [(9, "embed")]
    assert labels(owner) == [{"plan": "pro"}]


@pytest.mark.usefixtures("origins")
async def test_a_frame_sends_as_its_own_page_and_its_surroundings_may_not(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    page = await client.get(f"/s/cafe?{EMBED}")
    fields = {"ticket": ticket_in(page), "score": "9"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        sent = await client.post(f"/s/cafe/responses?{EMBED}", data=fields, headers=headers)
        assert sent.status_code == 403
    assert owner.execute("SELECT count(*) FROM responses").fetchone() == (0,)


async def test_a_closed_survey_says_so_in_the_frame(
    client: httpx.AsyncClient, origins: tuple[str, ...], owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE surveys SET state = 'closed'")
    page = await client.get(f"/s/cafe?{EMBED}")
    assert page.status_code == 410
    assert ancestors(page) == " ".join(origins)
    assert 'data-state="shut"' in page.text


@pytest.mark.usefixtures("origins")
async def test_the_ordinary_form_is_none_the_heavier(client: httpx.AsyncClient) -> None:
    page = await client.get("/s/cafe")
    for word in ("data-parent", "<base", "target=", "postMessage"):
        assert word not in page.text.replace('target="_blank"', "")


async def test_the_script_is_public_lasting_and_small(client: httpx.AsyncClient) -> None:
    plain = await client.get("/embed.v1.js", headers={"Accept-Encoding": "identity"})
    assert plain.status_code == 200
    assert plain.text == static_text("embed.v1.js")
    expected = {
        "content-type": "text/javascript; charset=utf-8",
        "cache-control": "public, max-age=604800, stale-while-revalidate=86400",
        "access-control-allow-origin": "*",
        "cross-origin-resource-policy": "cross-origin",
        "x-content-type-options": "nosniff",
        "vary": "Accept-Encoding",
    }
    assert {name: plain.headers[name] for name in expected} == expected
    assert "set-cookie" not in plain.headers
    packed = await client.get("/embed.v1.js", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.text == plain.text
    assert int(packed.headers["content-length"]) <= SCRIPT_BUDGET
    again = await client.get("/embed.v1.js", headers={"If-None-Match": plain.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert len(gzip.compress(static_text("frame.js").encode())) <= FRAME_SCRIPT_BUDGET


def test_the_script_keeps_to_what_a_strict_page_allows() -> None:
    script = static_text("embed.v1.js")
    for word in ("eval(", "new Function", "innerHTML", 'setAttribute("style', "cookie=", "fetch("):
        assert word not in script


def preview(cast: Cast, survey_id: uuid.UUID) -> str:
    return f"/w/{cast.acme}/surveys/{survey_id}/preview/form"


async def test_the_preview_asks_and_thanks_but_keeps_nothing(
    as_bob: httpx.AsyncClient, client: httpx.AsyncClient, cast: Cast, scene: Scene,
    owner: psycopg.Connection,
) -> None:  # fmt: skip
    page = await as_bob.get(f"{preview(cast, scene.survey_id)}?lang=ja")
    assert page.status_code == 200
    assert (ancestors(page), parent(page)) == ("'self'", "/")
    assert "x-frame-options" not in page.headers
    assert "友人や同僚に薦める" in page.text.replace("<wbr>", "")
    assert page.text.count("<script") == 1, "only the one that tells the height: none that saves"
    assert f'action="{preview(cast, scene.survey_id)}?lang=ja"' in page.text
    fields = {"ticket": ticket_in(page), "comment": "abc"}
    refused = await as_bob.post(preview(cast, scene.survey_id), data=fields)
    assert refused.status_code == 422
    assert "abc" in refused.text
    thanks = await as_bob.post(preview(cast, scene.survey_id), data={**fields, "score": "9"})
    assert thanks.status_code == 200
    assert 'data-state="answered"' in thanks.text
    # Nor is its ticket good for the form itself.
    sent = await client.post("/s/cafe/responses", data={**fields, "score": "9"})
    assert sent.status_code == 422
    assert owner.execute("SELECT count(*) FROM responses").fetchone() == (0,)
    assert owner.execute("SELECT has_answers FROM surveys").fetchone() == (False,)


async def test_a_draft_can_be_previewed(
    as_bob: httpx.AsyncClient, cast: Cast, scene: Scene, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE surveys SET state = 'draft'")
    assert (await as_bob.get(preview(cast, scene.survey_id))).status_code == 200
