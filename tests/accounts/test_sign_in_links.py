"""Links that sign in or set a password: good once, for an hour."""

from datetime import timedelta

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from app.accounts.models import LinkPurpose, User
from app.accounts.sign_in_links import make_sign_in_link, revoke_sign_in_links
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.settings import Settings
from tests.conftest import browser
from tests.factories import Cast

NEW_PASSWORD = "seven lanterns over water"


async def _make(
    database: Database,
    settings: Settings,
    cast: Cast,
    next_path: str = "/account",
    purpose: LinkPurpose = LinkPurpose.SIGN_IN,
) -> str:
    async with database.transaction() as session:
        alice = await session.get_one(User, cast.alice.user_id)
        return await make_sign_in_link(session, settings, alice, next_path, purpose)


async def test_get_shows_a_button_and_post_uses_the_link_up(
    client: httpx.AsyncClient,
    other_browser: httpx.AsyncClient,
    database: Database,
    settings: Settings,
    cast: Cast,
) -> None:
    url = await _make(database, settings, cast)
    for _ in range(2):
        page = await client.get(url)
        assert page.status_code == 200
        assert page.text.count("<button") == 1
        assert "set-cookie" not in page.headers
    answer = await client.post(url)
    assert (answer.status_code, answer.headers["location"]) == (303, "/account")
    assert "alice@acme.example" in (await client.get("/account")).text
    assert (await other_browser.get(url)).status_code == 410
    second = await other_browser.post(url)
    assert second.status_code == 410
    assert "set-cookie" not in second.headers


async def test_an_hour_later_the_link_is_dead(
    client: httpx.AsyncClient, database: Database, settings: Settings, cast: Cast
) -> None:
    url = await _make(database, settings, cast)
    with clock.fixed(clock.now() + timedelta(minutes=59)):
        assert (await client.get(url)).status_code == 200
    with clock.fixed(clock.now() + timedelta(minutes=61)):
        assert (await client.get(url)).status_code == 410
        assert (await client.post(url)).status_code == 410


async def test_revoked_links_are_dead(
    client: httpx.AsyncClient, database: Database, settings: Settings, cast: Cast
) -> None:
    old = await _make(database, settings, cast)
    async with database.transaction() as session:
        await revoke_sign_in_links(session, cast.alice.user_id, LinkPurpose.SIGN_IN)
    new = await _make(database, settings, cast)
    assert (await client.post(old)).status_code == 410
    assert (await client.post(new)).status_code == 303


@pytest.mark.parametrize("token", ["x", "a" * 43, "%00", "é" * 20])
async def test_unknown_tokens_are_dead(client: httpx.AsyncClient, token: str) -> None:
    assert (await client.get(f"/sign-in/links/{token}")).status_code == 410
    assert (await client.post(f"/sign-in/links/{token}")).status_code == 410


async def test_the_token_is_stored_only_hashed(
    database: Database, settings: Settings, cast: Cast, owner: psycopg.Connection
) -> None:
    token = (await _make(database, settings, cast)).rpartition("/")[2]
    (row,) = owner.execute("SELECT sign_in_links::text FROM sign_in_links").fetchall()
    assert token not in row[0]


async def test_a_link_never_leads_elsewhere(
    client: httpx.AsyncClient, database: Database, settings: Settings, cast: Cast
) -> None:
    url = await _make(database, settings, cast, "//evil.example")
    assert (await client.post(url)).headers["location"] == "/"


async def test_resetting_a_password(
    app: FastAPI, client: httpx.AsyncClient, database: Database, settings: Settings, cast: Cast
) -> None:
    url = await _make(database, settings, cast, purpose=LinkPurpose.RESET_PASSWORD)
    page = await client.get(url)
    assert 'autocomplete="new-password"' in page.text
    assert (await client.post(url)).status_code == 410, "it signs nobody in without a new password"
    weak = await client.post(f"{url}/password", data={"password": "password1234"})
    assert weak.status_code == 422
    assert "<title>Error:" in weak.text
    done = await client.post(f"{url}/password", data={"password": NEW_PASSWORD})
    assert done.status_code == 303
    assert (await client.get("/account")).status_code == 200
    async with browser(app, cast.alice.session_token) as before:
        assert (await before.get("/account")).status_code == 303
    assert (
        await client.post(f"{url}/password", data={"password": NEW_PASSWORD})
    ).status_code == 410
    async with browser(app) as fresh:
        typed = {"email": cast.alice.email, "password": NEW_PASSWORD}
        assert (await fresh.post("/sessions", data=typed)).status_code == 303


async def test_a_sign_in_link_sets_no_password(
    client: httpx.AsyncClient, database: Database, settings: Settings, cast: Cast
) -> None:
    url = await _make(database, settings, cast)
    answer = await client.post(f"{url}/password", data={"password": NEW_PASSWORD})
    assert answer.status_code == 410
