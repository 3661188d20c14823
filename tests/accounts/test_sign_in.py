"""Signing in and out with a password, and how long a session lives."""

from dataclasses import replace
from datetime import timedelta
from html import escape
from http.cookies import Morsel, SimpleCookie

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from app.accounts.access import SESSION_IDLE
from app.accounts.sign_in import SESSION_LIFE
from app.accounts.sign_in_links import local_path
from app.foundation import clock
from app.foundation.settings import Settings
from app.main import create_app
from tests.conftest import browser, share_routes
from tests.factories import Cast


async def _sign_in(
    client: httpx.AsyncClient, email: str, password: str, next_path: str = "/"
) -> httpx.Response:
    return await client.post(
        "/sessions", data={"email": email, "password": password, "next": next_path}
    )


def _cookie(answer: httpx.Response) -> Morsel[str]:
    found: SimpleCookie = SimpleCookie(answer.headers["set-cookie"])
    (morsel,) = found.values()
    return morsel


async def test_right_password_opens_the_workspace(
    client: httpx.AsyncClient, cast: Cast, alices_password: str
) -> None:
    path = f"/w/{cast.acme}/surveys?q=a%26b&q=%E6%9C%AC"
    first = await client.get(path)
    assert first.status_code == 303
    page = await client.get(first.headers["location"])
    assert f'name="next" value="{escape(path)}"' in page.text
    for longer in ("x" * 2_000, "本" * 700):
        bare = await client.get(f"/w/{cast.acme}/surveys", params={"q": longer})
        assert bare.headers["location"].startswith(f"/sign-in?next=/w/{cast.acme}/surveys")
        assert len(bare.headers["location"]) < 150
    answer = await _sign_in(client, " Alice@Acme.example ", alices_password, path)
    assert (answer.status_code, answer.headers["location"]) == (303, path)
    assert (await client.get(path)).status_code == 200


@pytest.mark.usefixtures("alices_password")
async def test_wrong_password_and_unknown_address_get_the_same_answer(
    client: httpx.AsyncClient,
) -> None:
    wrong = await _sign_in(client, "alice@acme.example", "not the password")
    unknown = await _sign_in(client, "zelda@acme.example", "not the password")
    passwordless = await _sign_in(client, "bob@acme.example", "not the password")
    assert wrong.status_code == unknown.status_code == passwordless.status_code == 422
    texts = [
        answer.text.replace("alice@", "?@").replace("zelda@", "?@").replace("bob@", "?@")
        .replace(answer.headers["x-request-id"], "")
        for answer in (wrong, unknown, passwordless)
    ]  # fmt: skip
    assert texts[0] == texts[1] == texts[2]
    assert "<title>Error:" in wrong.text
    assert "set-cookie" not in wrong.headers


@pytest.mark.parametrize(
    "email",
    ["", "a" * 5_000, "x\0y@acme.example", "'; drop table users; --", "é@日本.example", "@"],
)
async def test_odd_addresses_are_just_wrong(client: httpx.AsyncClient, email: str) -> None:
    assert (await _sign_in(client, email, "x" * 300)).status_code == 422


async def test_a_body_that_decodes_to_lone_surrogates_is_just_wrong(
    client: httpx.AsyncClient,
) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="email"\r\n\r\n\\ud800\r\n--b--\r\n'
    kind = "multipart/form-data; boundary=b; charset=unicode_escape"
    answer = await client.post("/sessions", content=body, headers={"content-type": kind})
    assert answer.status_code == 422


async def test_cookie_on_loopback(
    client: httpx.AsyncClient, cast: Cast, alices_password: str
) -> None:
    morsel = _cookie(await _sign_in(client, cast.alice.email, alices_password))
    assert morsel.key == "honne"
    assert morsel["httponly"]
    assert morsel["samesite"] == "lax"
    assert morsel["path"] == "/"
    assert not morsel["secure"]
    assert not morsel["domain"]
    assert len(morsel.value) == 43


async def test_cookie_under_https(settings: Settings, cast: Cast, alices_password: str) -> None:
    secure = share_routes(create_app(replace(settings, public_url="https://honne.example")))
    async with secure.router.lifespan_context(secure), browser(secure) as client:
        answer = await _sign_in(client, cast.alice.email, alices_password)
        morsel = _cookie(answer)
    assert morsel.key == "__Host-honne"
    assert morsel["secure"]
    assert morsel["httponly"]
    assert morsel["path"] == "/"
    assert not morsel["domain"]
    assert "max-age" in answer.headers["strict-transport-security"]


async def test_the_token_is_stored_only_hashed(
    client: httpx.AsyncClient, cast: Cast, alices_password: str, owner: psycopg.Connection
) -> None:
    token = _cookie(await _sign_in(client, cast.alice.email, alices_password)).value
    stored = owner.execute("SELECT sessions::text, token_hash FROM sessions").fetchall()
    assert all(token not in row and token.encode() not in hashed for row, hashed in stored)


async def test_signing_in_again_ends_the_session_before(
    client: httpx.AsyncClient, app: FastAPI, cast: Cast, alices_password: str
) -> None:
    first = _cookie(await _sign_in(client, cast.alice.email, alices_password)).value
    second = _cookie(await _sign_in(client, cast.alice.email, alices_password)).value
    assert first != second
    async with browser(app, first) as stale, browser(app, second) as fresh:
        assert (await stale.get("/account")).status_code == 303
        assert (await fresh.get("/account")).status_code == 200


async def test_signing_out_ends_the_session_on_the_server(
    app: FastAPI, as_alice: httpx.AsyncClient, cast: Cast
) -> None:
    answer = await as_alice.post("/sessions/current/end")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
    assert _cookie(answer)["max-age"] == "0"
    async with browser(app, cast.alice.session_token) as again:
        assert (await again.get("/account")).status_code == 303


async def test_signing_out_twice_is_no_error(client: httpx.AsyncClient) -> None:
    assert (await client.post("/sessions/current/end")).status_code == 303


async def test_a_session_ends_when_idle(as_alice: httpx.AsyncClient) -> None:
    with clock.fixed(clock.now() + SESSION_IDLE - timedelta(minutes=1)):
        assert (await as_alice.get("/account")).status_code == 200
    with clock.fixed(clock.now() + 2 * SESSION_IDLE - timedelta(minutes=10)):
        assert (await as_alice.get("/account")).status_code == 200, "its use was noted"
    with clock.fixed(clock.now() + 3 * SESSION_IDLE):
        assert (await as_alice.get("/account")).status_code == 303


async def test_a_session_ends_after_seven_days_of_use(as_alice: httpx.AsyncClient) -> None:
    started = clock.now()
    moment = started
    while moment < started + SESSION_LIFE - timedelta(hours=11):
        moment += timedelta(hours=10)
        with clock.fixed(moment):
            assert (await as_alice.get("/account")).status_code == 200
    with clock.fixed(started + SESSION_LIFE + timedelta(seconds=1)):
        assert (await as_alice.get("/account")).status_code == 303


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "//evil.example/",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        " //evil.example",
        "javascript:alert(1)",
        "/ok\r\nSet-Cookie: x=y",
        "evil.example",
        "",
        "/" + "a" * 3_000,
    ],
)
async def test_next_never_leads_elsewhere(
    client: httpx.AsyncClient, cast: Cast, alices_password: str, target: str
) -> None:
    assert local_path(target) == "/"
    answer = await _sign_in(client, cast.alice.email, alices_password, target)
    assert answer.headers["location"] == "/"
    already = await client.get("/sign-in", params={"next": target})
    assert already.headers["location"] == "/"


async def test_next_keeps_local_paths() -> None:
    path = "/w/0/surveys?since=2026-01-01&name=%E6%9C%AC#top"
    assert local_path(path) == path


async def test_repeated_failures_slow_down_and_success_still_comes_through(
    client: httpx.AsyncClient, cast: Cast, alices_password: str
) -> None:
    for _ in range(5):
        assert (await _sign_in(client, cast.alice.email, "wrong")).status_code == 422
    answer = await _sign_in(client, cast.alice.email, alices_password)
    assert answer.status_code == 303


async def test_sign_in_is_recorded_in_each_workspace(
    client: httpx.AsyncClient, cast: Cast, alices_password: str, owner: psycopg.Connection
) -> None:
    owner.execute(
        "INSERT INTO memberships (workspace_id, user_id, role, created_at)"
        " VALUES (%s, %s, 'viewer', now())",
        [cast.globex, cast.alice.user_id],
    )
    await _sign_in(client, cast.alice.email, alices_password)
    rows = owner.execute(
        "SELECT workspace_id, actor_id FROM audit_events WHERE action = 'session.started'"
    ).fetchall()
    assert set(rows) == {(cast.acme, cast.alice.user_id), (cast.globex, cast.alice.user_id)}


async def test_the_page_comes_in_japanese(client: httpx.AsyncClient) -> None:
    page = await client.get("/sign-in", headers={"Accept-Language": "ja,en;q=0.5"})
    assert '<html lang="ja"' in page.text


async def test_start_page_leads_on(
    client: httpx.AsyncClient, as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    assert (await client.get("/")).headers["location"] == "/sign-in"
    assert (await as_alice.get("/")).headers["location"] == f"/w/{cast.acme}/surveys"
    owner.execute("UPDATE memberships SET workspace_id = %s WHERE user_id = %s", [
        cast.globex, cast.alice.user_id,
    ])  # fmt: skip
    assert (await as_alice.get("/")).headers["location"] == f"/w/{cast.globex}/surveys"
    owner.execute(
        "INSERT INTO memberships (workspace_id, user_id, role, created_at)"
        " VALUES (%s, %s, 'viewer', now())",
        [cast.acme, cast.alice.user_id],
    )
    chooser = await as_alice.get("/")
    assert chooser.status_code == 200
    assert f"/w/{cast.acme}/surveys" in chooser.text
    assert f"/w/{cast.globex}/surveys" in chooser.text
    owner.execute("DELETE FROM memberships WHERE user_id = %s", [cast.alice.user_id])
    assert "You belong to no workspace" in (await as_alice.get("/")).text
