"""Which sites may show a form on their pages: how they are written, listed, taken off, noted."""

import uuid

import httpx
import psycopg
import pytest

from app.surveys.origins import MAX_ORIGINS, parse_origin
from tests.factories import Cast

GOOD = {
    "https://www.acme.example": "https://www.acme.example",
    " HTTPS://WWW.Acme.Example:443/ ": "https://www.acme.example",
    "https://acme.example:8443": "https://acme.example:8443",
    "https://日本.example": "https://xn--wgv71a.example",
    "https://192.0.2.7": "https://192.0.2.7",
    "http://localhost:3000": "http://localhost:3000",
    "http://127.0.0.1:80": "http://127.0.0.1",
}
BAD = (
    "",
    "acme.example",
    "//acme.example",
    "null",
    "*",
    "'self'",
    "https:",
    "https://",
    "https://*.acme.example",
    "http://acme.example",
    "http://192.0.2.7",
    "http://localhost.evil.example",
    "https://acme.example/page",
    "https://acme.example?x",
    "https://acme.example#",
    "https://acme.example:",
    "https://acme.example:99999",
    "https://user@acme.example",
    "https://acme.example;script-src *",
    "https://acme.example, https://evil.example",
    "https://acme.example\nX-Evil: 1",
    "https://acme..example",
    "https://-acme.example",
    "https://1.2.3.999",
    "https://[::1]",
    "https://" + "a" * 64 + ".example",
    "https://" + "a." * 200 + "example",
    "ftp://localhost",
    "javascript:alert(1)",
)


@pytest.mark.parametrize(("typed", "origin"), GOOD.items())
def test_an_origin_is_written_as_browsers_write_it(typed: str, origin: str) -> None:
    assert parse_origin(typed) == origin
    assert parse_origin(origin) == origin


@pytest.mark.parametrize("typed", BAD)
def test_what_is_no_origin_never_reaches_a_header(typed: str) -> None:
    assert parse_origin(typed) is None


async def make(acme_api: httpx.AsyncClient, **given: object) -> dict[str, object]:
    made = await acme_api.post("/api/v1/surveys", json={"name": "S", "subject": "Acme", **given})
    assert made.status_code == 201, made.text
    survey: dict[str, object] = made.json()
    return survey


def acts(owner: psycopg.Connection, start: str) -> list[tuple[str, dict[str, object]]]:
    rows = owner.execute(
        "SELECT action, details FROM audit_events WHERE starts_with(action, %s) ORDER BY number",
        [start],
    )
    return [(action, details) for action, details in rows]


async def test_the_api_reads_and_changes_the_list(
    acme_api: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    assert (await make(acme_api))["embed_origins"] == []
    survey = await make(acme_api, embed_origins=["https://A.example/", "https://a.example"])
    assert survey["embed_origins"] == ["https://a.example"]
    address = f"/api/v1/surveys/{survey['id']}"
    changed = await acme_api.patch(address, json={"embed_origins": ["http://localhost:3000"]})
    assert changed.json()["embed_origins"] == ["http://localhost:3000"]
    assert acts(owner, "survey.edited") == [("survey.edited", {"changed": ["embed_origins"]})]
    renamed = await acme_api.patch(address, json={"name": "Other"})
    assert renamed.json()["embed_origins"] == ["http://localhost:3000"]
    emptied = await acme_api.patch(address, json={"embed_origins": []})
    assert emptied.json()["embed_origins"] == []


async def test_the_api_names_each_origin_it_refuses(acme_api: httpx.AsyncClient) -> None:
    origins = ["https://a.example", "http://a.example", "https://a.example/x"]
    given = {"name": "S", "subject": "Acme", "embed_origins": origins}
    refused = await acme_api.post("/api/v1/surveys", json=given)
    assert refused.status_code == 422
    names = [param["name"] for param in refused.json()["invalid_params"]]
    assert names == ["embed_origins.1", "embed_origins.2"]
    many = [f"https://{number}.example" for number in range(MAX_ORIGINS + 1)]
    refused = await acme_api.post("/api/v1/surveys", json={**given, "embed_origins": many})
    assert [param["name"] for param in refused.json()["invalid_params"]] == ["embed_origins"]


async def test_the_word_embed_names_no_dimension(acme_api: httpx.AsyncClient) -> None:
    """It is the form's own, in the address."""
    given = {"name": "S", "subject": "Acme", "dimensions": [{"key": "embed"}]}
    assert (await acme_api.post("/api/v1/surveys", json=given)).status_code == 422


def share(cast: Cast, survey_id: object, page: str = "/share") -> str:
    return f"/w/{cast.acme}/surveys/{survey_id}{page}"


async def test_a_manager_adds_and_removes_sites(
    as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient, acme_api: httpx.AsyncClient,
    cast: Cast, owner: psycopg.Connection,
) -> None:  # fmt: skip
    survey_id = (await make(acme_api))["id"]
    address = share(cast, survey_id, "/embed_origins")
    assert "None yet" in (await as_mona.get(share(cast, survey_id))).text
    added = await as_mona.post(address, data={"origin": "https://shop.example"})
    for origin in ("https://Shop.example/", "https://shop.example:443"):
        added = await as_mona.post(address, data={"origin": origin})
        assert (added.status_code, added.headers["location"]) == (
            303,
            share(cast, survey_id, "/share?done=allowed"),
        )
    page = await as_mona.get(added.headers["location"])
    assert "<code>https://shop.example</code>" in page.text
    assert "Pages of this site may show the form now." in page.text
    assert "<code>https://shop.example</code>" in (await as_bob.get(share(cast, survey_id))).text
    assert address not in (await as_bob.get(share(cast, survey_id))).text
    gone = await as_mona.post(f"{address}/removal", data={"origin": "https://shop.example"})
    again = await as_mona.post(f"{address}/removal", data={"origin": "https://shop.example"})
    assert (gone.status_code, again.status_code) == (303, 303)
    assert "None yet" in (await as_mona.get(gone.headers["location"])).text
    site = {"origin": "https://shop.example"}
    assert acts(owner, "embed_origin.") == [
        ("embed_origin.added", site),
        ("embed_origin.removed", site),
    ]
    log = (await as_mona.get(f"/w/{cast.acme}/audit?kind=surveys")).text
    assert "Let a site show a survey’s form" in log
    assert "No longer let a site show a survey’s form" in log


async def test_a_refused_site_is_kept_beside_the_reason(
    as_mona: httpx.AsyncClient, acme_api: httpx.AsyncClient, cast: Cast
) -> None:
    survey_id = (await make(acme_api))["id"]
    address = share(cast, survey_id, "/embed_origins")
    refused = await as_mona.post(address, data={"origin": 'http://shop.example/"><b>'})
    assert refused.status_code == 422
    assert 'value="http://shop.example/&#34;&gt;&lt;b&gt;"' in refused.text
    assert 'href="#f-origin"' in refused.text
    assert "without a path" in refused.text
    many = [f"https://{number}.example" for number in range(MAX_ORIGINS)]
    await acme_api.patch(f"/api/v1/surveys/{survey_id}", json={"embed_origins": many})
    refused = await as_mona.post(address, data={"origin": "https://one-more.example"})
    assert refused.status_code == 422
    assert "At most 20 sites." in refused.text


async def test_the_share_page_says_what_to_paste(
    as_bob: httpx.AsyncClient, acme_api: httpx.AsyncClient, cast: Cast
) -> None:
    survey = await make(acme_api, dimensions=[{"key": "plan", "values": [{"key": "pro"}]}])
    slug = str(survey["url"]).rpartition("/")[2]
    page = await as_bob.get(share(cast, survey["id"]))
    for line in (
        f"&lt;div data-honne-survey=&#34;{slug}&#34;&gt;&lt;/div&gt;",
        "&lt;script async src=&#34;http://127.0.0.1:8000/embed.v1.js&#34;&gt;&lt;/script&gt;",
        "data-honne-mode=&#34;popover&#34; data-honne-delay=&#34;10&#34;",
        f"&lt;button type=&#34;button&#34; data-honne-open=&#34;{slug}&#34;&gt;",
    ):
        assert line in page.text
    assert 'data-honne-segment-plan="pro"' in page.text
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'; script-src 'self'; frame-src 'self'"
    )


async def test_an_unknown_survey_lists_no_sites(as_mona: httpx.AsyncClient, cast: Cast) -> None:
    address = share(cast, uuid.uuid4(), "/embed_origins")
    assert (await as_mona.post(address, data={"origin": "https://a.example"})).status_code == 404
