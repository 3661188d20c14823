"""One's own account: language, password, browsers."""

import re

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import browser
from tests.factories import Cast

NEW_PASSWORD = "seven lanterns over water"


@pytest.fixture
async def signed_in(
    other_browser: httpx.AsyncClient, cast: Cast, alices_password: str
) -> httpx.AsyncClient:
    """Alice's browser, signed in by password."""
    typed = {"email": cast.alice.email, "password": alices_password}
    assert (await other_browser.post("/sessions", data=typed)).status_code == 303
    return other_browser


async def test_language_is_kept(as_alice: httpx.AsyncClient) -> None:
    answer = await as_alice.post("/account/language", data={"locale": "ja"})
    assert answer.status_code == 303
    page = await as_alice.get("/account", headers={"Accept-Language": "en"})
    assert '<html lang="ja"' in page.text
    assert (await as_alice.post("/account/language", data={"locale": "xx"})).status_code == 422


async def test_changing_the_password_ends_other_sessions(
    app: FastAPI, signed_in: httpx.AsyncClient, cast: Cast, alices_password: str
) -> None:
    typed = {"email": cast.alice.email, "password": alices_password}
    async with browser(app) as elsewhere:
        assert (await elsewhere.post("/sessions", data=typed)).status_code == 303
        change = {"current": alices_password, "password": NEW_PASSWORD}
        assert (await signed_in.post("/account/password", data=change)).status_code == 303
        assert (await elsewhere.get("/account")).status_code == 303
        assert (await signed_in.get("/account")).status_code == 200
        assert (await elsewhere.post("/sessions", data=typed)).status_code == 422
        typed["password"] = NEW_PASSWORD
        assert (await elsewhere.post("/sessions", data=typed)).status_code == 303


@pytest.mark.parametrize(
    ("current", "password", "field"),
    [
        ("wrong", NEW_PASSWORD, "current"),
        ("", NEW_PASSWORD, "current"),
        ("violet tram crosses quietly", "short", "password"),
    ],
)
async def test_refused_password_changes(
    signed_in: httpx.AsyncClient, current: str, password: str, field: str
) -> None:
    change = {"current": current, "password": password}
    answer = await signed_in.post("/account/password", data=change)
    assert answer.status_code == 422
    assert f'id="f-{field}-error"' in answer.text


async def test_guessing_the_present_password_is_slowed(signed_in: httpx.AsyncClient) -> None:
    change = {"current": "wrong", "password": NEW_PASSWORD}
    for _ in range(10):
        await signed_in.post("/account/password", data=change)
    answer = await signed_in.post("/account/password", data=change)
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0


async def test_browsers_are_listed_and_revoked(
    app: FastAPI, signed_in: httpx.AsyncClient, cast: Cast, alices_password: str
) -> None:
    typed = {"email": cast.alice.email, "password": alices_password}
    async with browser(app) as second, browser(app) as third:
        await second.post("/sessions", data=typed)
        await third.post("/sessions", data=typed)
        page = await signed_in.get("/account")
        ends = re.findall(r"/account/sessions/[\w-]+/end", page.text)
        assert len(ends) == 2
        assert (await signed_in.post(ends[0])).status_code == 303
        gone = [(await other.get("/account")).status_code for other in (second, third)]
        assert sorted(gone) == [200, 303]
        assert (await signed_in.post("/account/other-sessions/end")).status_code == 303
        for other in (second, third):
            assert (await other.get("/account")).status_code == 303
        assert (await signed_in.get("/account")).status_code == 200


async def test_nobody_ends_somebody_elses_session(
    signed_in: httpx.AsyncClient, as_bob: httpx.AsyncClient, as_charlie: httpx.AsyncClient,
    cast: Cast, app: FastAPI, alices_password: str,
) -> None:  # fmt: skip
    typed = {"email": cast.alice.email, "password": alices_password}
    async with browser(app) as second:
        await second.post("/sessions", data=typed)
        page = await signed_in.get("/account")
        (end,) = re.findall(r"/account/sessions/[\w-]+/end", page.text)
        for other in (as_bob, as_charlie):
            await other.post(end)
        assert (await second.get("/account")).status_code == 200
