"""What every request passes: ids, headers, caps, and the check of where a form came from."""

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import BASE_URL
from tests.factories import Cast

KIB = 1024


async def test_every_answer_has_an_id_and_its_headers(client: httpx.AsyncClient) -> None:
    for path in ("/sign-in", "/nowhere", "/api/v1/nowhere", "/health/live"):
        answer = await client.get(path)
        assert len(answer.headers["x-request-id"]) == 32
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "same-origin"
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("path", "cap"),
    [("/s/any/responses", 64 * KIB), ("/api/v1/surveys", 1024 * KIB), ("/sessions", 256 * KIB)],
)
async def test_bodies_are_refused_above_their_cap(
    client: httpx.AsyncClient, path: str, cap: int
) -> None:
    declared = await client.post(path, content=b"x" * (cap + 1))
    assert declared.status_code == 413

    async def chunks() -> object:
        for _ in range(cap // KIB + 2):
            yield b"x" * KIB

    streamed = await client.post(path, content=chunks())  # type: ignore[arg-type]
    assert streamed.status_code == 413


@pytest.mark.parametrize(
    ("headers", "passes"),
    [
        ({"Sec-Fetch-Site": "same-origin"}, True),
        ({"Sec-Fetch-Site": "none"}, True),
        ({"Sec-Fetch-Site": "cross-site"}, False),
        ({"Sec-Fetch-Site": "same-site"}, False),
        ({"Origin": BASE_URL}, True),
        ({"Origin": "https://evil.example"}, False),
        ({"Origin": "null"}, False),
        ({"Cookie": "honne=x"}, False),
        ({}, True),
        ({"Sec-Fetch-Site": "cross-site", "Origin": BASE_URL}, False),
    ],
)
async def test_a_form_from_elsewhere_is_refused(
    app: FastAPI, headers: dict[str, str], passes: bool
) -> None:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app), base_url=BASE_URL
    ) as client:
        answer = await client.post("/nowhere", headers=headers)
    assert answer.status_code == (404 if passes else 403)


async def test_a_form_in_an_encoding_that_reads_nothing_is_refused(
    as_alice: httpx.AsyncClient, cast: Cast
) -> None:
    answer = await as_alice.post(
        f"/w/{cast.acme}/surveys",
        content=b'--b\r\nContent-Disposition: form-data; name="name"\r\n\r\nx\r\n--b--\r\n',
        headers={"Content-Type": "multipart/form-data; boundary=b; charset=undefined"},
    )
    assert answer.status_code == 400


async def test_people_are_told_in_their_language(client: httpx.AsyncClient) -> None:
    japanese = await client.get("/nowhere", headers={"Accept-Language": "ja,en;q=0.5"})
    english = await client.get("/nowhere?lang=en", headers={"Accept-Language": "ja"})
    assert 'lang="ja"' in japanese.text
    assert 'lang="en"' in english.text


async def test_programs_are_told_as_a_problem(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/v1/workspace")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["status"] == 401
    assert problem["code"] == "unauthorized"
    assert problem["request_id"] == answer.headers["x-request-id"]


async def test_a_mistyped_page_address_is_simply_not_found(as_alice: httpx.AsyncClient) -> None:
    assert (await as_alice.get("/w/not-an-id/surveys")).status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/api/v1/surveys", "GET, POST"),
        ("OPTIONS", "/api/v1/surveys/x/responses", "GET, POST"),
        ("GET", "/sessions", "POST"),
        ("POST", "/static/app.css", "GET, HEAD"),
    ],
)
async def test_another_method_is_told_all_that_the_address_takes(
    client: httpx.AsyncClient, method: str, path: str, allowed: str
) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["allow"]) == (405, allowed)
