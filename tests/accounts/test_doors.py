"""Every page and endpoint of this feature as nobody, as an outsider, and with too small a role."""

import uuid

import httpx
import pytest
from fastapi import FastAPI

from tests.conftest import browser
from tests.factories import Cast

ANY_ID = uuid.UUID(int=1)
# (method, path under the workspace, who may come in at least)
PAGES = [
    ("GET", "members", "viewer"),
    ("GET", "departure", "viewer"),
    ("POST", "departure", "viewer"),
    ("GET", "audit", "manager"),
    ("GET", "brand", "manager"),
    ("POST", "brand", "manager"),
    ("GET", "brand/logo", "manager"),
    ("POST", "brand/logo", "manager"),
    ("POST", "brand/logo/removal", "manager"),
    ("POST", "invitations", "owner"),
    ("POST", f"invitations/{ANY_ID}/revocation", "owner"),
    ("POST", f"members/{ANY_ID}/role", "owner"),
    ("GET", f"members/{ANY_ID}/removal", "owner"),
    ("POST", f"members/{ANY_ID}/removal", "owner"),
    ("GET", "api-keys", "owner"),
    ("POST", "api-keys", "owner"),
    ("GET", f"api-keys/{ANY_ID}/revocation", "owner"),
    ("POST", f"api-keys/{ANY_ID}/revocation", "owner"),
    ("GET", "settings", "owner"),
    ("POST", "settings", "owner"),
]
OWN_PAGES = [
    ("GET", "/account"),
    ("POST", "/account/language"),
    ("POST", "/account/password"),
    ("POST", "/account/other-sessions/end"),
    ("POST", f"/account/sessions/{ANY_ID}/end"),
]


@pytest.mark.parametrize(("method", "path", "role"), PAGES)
async def test_workspace_pages(
    client: httpx.AsyncClient,
    as_bob: httpx.AsyncClient,
    as_mona: httpx.AsyncClient,
    as_charlie: httpx.AsyncClient,
    cast: Cast,
    method: str,
    path: str,
    role: str,
) -> None:
    url = f"/w/{cast.acme}/{path}"
    nobody = await client.request(method, url)
    assert nobody.status_code == 303
    assert nobody.headers["location"].startswith("/sign-in?next=")
    assert (await as_charlie.request(method, url)).status_code == 404
    if role == "owner":
        assert (await as_mona.request(method, url)).status_code == 403
    if role != "viewer":
        answer = await as_bob.request(method, url)
        assert answer.status_code == 403
        assert "Your role does not allow this" in answer.text


@pytest.mark.parametrize(("method", "path"), OWN_PAGES)
async def test_own_pages_need_a_sign_in(client: httpx.AsyncClient, method: str, path: str) -> None:
    answer = await client.request(method, path)
    assert (answer.status_code, answer.headers["location"][:14]) == (303, "/sign-in?next=")


async def test_a_workspace_that_does_not_exist_is_not_found(as_alice: httpx.AsyncClient) -> None:
    assert (await as_alice.get(f"/w/{ANY_ID}/members")).status_code == 404


async def test_another_persons_token_is_worth_nothing_elsewhere(app: FastAPI, cast: Cast) -> None:
    for token in ("", "x" * 43, cast.alice.session_token[:-1], cast.acme_key):
        async with browser(app, token) as client:
            assert (await client.get("/account")).status_code == 303


@pytest.mark.parametrize("path", ["/api/v1/workspace", "/api/v1/api_keys"])
async def test_the_api_asks_for_a_key(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert answer.status_code == 401
    assert answer.json()["code"] == "unauthorized"


async def test_navigation_offers_what_the_role_allows(
    as_alice: httpx.AsyncClient, as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient, cast: Cast
) -> None:
    home = f"/w/{cast.acme}"
    expected = {
        as_alice: {"surveys", "members", "api-keys", "audit", "brand", "settings"},
        as_mona: {"surveys", "members", "audit", "brand"},
        as_bob: {"surveys", "members"},
    }
    for client, pages in expected.items():
        text = (await client.get(f"{home}/members")).text
        nav = text.partition('<nav class="site-nav"')[2].partition("</nav>")[0]
        offered = {part.partition('"')[0] for part in nav.split(f'href="{home}/')[1:]}
        assert offered == pages
        assert nav.count('aria-current="page"') == 1
