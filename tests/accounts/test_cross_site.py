"""Forms sent from other sites do nothing."""

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import BASE_URL
from tests.factories import Cast


async def _send(
    app: FastAPI, headers: dict[str, str], token: str | None, path: str = "/account/language"
) -> int:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url=BASE_URL,
        cookies={"honne": token} if token else None,
    ) as client:
        answer = await client.post(path, data={"locale": "ja"}, headers=headers)
    return answer.status_code


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": ""},
        {"Sec-Fetch-Site": "cross-site", "Origin": BASE_URL},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "https://127.0.0.1:8000"},
        {},
    ],
)
async def test_refused_with_a_cookie(app: FastAPI, cast: Cast, headers: dict[str, str]) -> None:
    assert await _send(app, headers, cast.alice.session_token) == 403


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}, {"Origin": BASE_URL}],
)
async def test_our_own_pages_pass(app: FastAPI, cast: Cast, headers: dict[str, str]) -> None:
    assert await _send(app, headers, cast.alice.session_token) == 303


async def test_programs_without_a_cookie_pass_the_check(app: FastAPI) -> None:
    assert await _send(app, {}, None, "/sessions") == 422


async def test_signing_somebody_in_from_another_site_is_refused(app: FastAPI) -> None:
    assert await _send(app, {"Sec-Fetch-Site": "cross-site"}, None, "/sessions") == 403
