"""API keys: made and shown once, scoped, expiring, revocable."""

import re
from datetime import timedelta

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from app.accounts.api_keys import create_api_key, revoke_keys_named
from app.accounts.schemas import SYSTEM
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.settings import Settings
from tests.conftest import program
from tests.factories import Cast

TYPED = {"name": "CRM", "scopes": ["read"], "expires": "30"}


async def _make(client: httpx.AsyncClient, cast: Cast, **changes: object) -> str:
    answer = await client.post(f"/w/{cast.acme}/api-keys", data={**TYPED, **changes})
    assert answer.status_code == 201, answer.text
    found = re.search(r"hn_live_\w{46}", answer.text)
    assert found
    return found[0]


async def _status(app: FastAPI, token: str, path: str = "/api/v1/workspace") -> int:
    async with program(app, token) as client:
        return (await client.get(path)).status_code


async def test_a_key_works_and_is_shown_once(
    app: FastAPI, as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    token = await _make(as_alice, cast)
    assert await _status(app, token) == 200
    page = await as_alice.get(f"/w/{cast.acme}/api-keys")
    assert token not in page.text
    assert token[-4:] in page.text
    for (row,) in owner.execute("SELECT api_keys::text FROM api_keys").fetchall():
        assert token not in row
    for (row,) in owner.execute("SELECT audit_events::text FROM audit_events").fetchall():
        assert token not in row


async def test_a_revoked_key_is_refused(
    app: FastAPI, as_alice: httpx.AsyncClient, cast: Cast
) -> None:
    token = await _make(as_alice, cast)
    page = await as_alice.get(f"/w/{cast.acme}/api-keys")
    found = re.search(r"/w/[\w-]+/api-keys/[\w-]+/revocation", page.text)
    assert found
    assert "CRM" in (await as_alice.get(found[0])).text
    assert (await as_alice.post(found[0])).status_code == 303
    assert await _status(app, token) == 401
    assert (await as_alice.post(found[0])).status_code == 404


async def test_an_expired_key_is_refused(
    app: FastAPI, as_alice: httpx.AsyncClient, cast: Cast
) -> None:
    token = await _make(as_alice, cast)
    with clock.fixed(clock.now() + timedelta(days=30, minutes=-1)):
        assert await _status(app, token) == 200
    with clock.fixed(clock.now() + timedelta(days=30, minutes=1)):
        assert await _status(app, token) == 401


async def test_a_key_without_an_end_keeps_working(
    app: FastAPI, as_alice: httpx.AsyncClient, cast: Cast
) -> None:
    token = await _make(as_alice, cast, expires="never")
    with clock.fixed(clock.now() + timedelta(days=3_650)):
        assert await _status(app, token) == 200


async def test_a_read_key_may_not_write(
    app: FastAPI, as_alice: httpx.AsyncClient, cast: Cast
) -> None:
    token = await _make(as_alice, cast)
    async with program(app, token) as client:
        answer = await client.post("/api/v1/surveys", json={})
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden"


async def test_a_write_key_alone_may_not_read(
    app: FastAPI, as_alice: httpx.AsyncClient, cast: Cast
) -> None:
    assert await _status(app, await _make(as_alice, cast, scopes=["write"])) == 403


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("name", ""),
        ("name", "x" * 101),
        ("name", "a\0b"),
        ("scopes", []),
        ("scopes", ["everything"]),
        ("scopes", ["read", "everything"]),
        ("expires", "31"),
        ("expires", ""),
        ("expires", "-1"),
    ],
)
async def test_refused_input_makes_no_key(
    as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection, name: str, value: object
) -> None:
    before = owner.execute("SELECT count(*) FROM api_keys").fetchone()
    answer = await as_alice.post(f"/w/{cast.acme}/api-keys", data={**TYPED, name: value})
    assert answer.status_code == 422
    assert f'id="f-{name}-error"' in answer.text
    assert owner.execute("SELECT count(*) FROM api_keys").fetchone() == before


async def test_keys_of_other_workspaces_are_not_found(
    as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    row = owner.execute("SELECT id FROM api_keys WHERE workspace_id = %s", [cast.globex]).fetchone()
    assert row
    path = f"/w/{cast.acme}/api-keys/{row[0]}/revocation"
    assert (await as_alice.get(path)).status_code == 404
    assert (await as_alice.post(path)).status_code == 404
    assert owner.execute("SELECT revoked_at FROM api_keys WHERE id = %s", [row[0]]).fetchone() == (
        None,
    )


async def test_revoking_by_name_spares_other_names(
    app: FastAPI, database: Database, settings: Settings, cast: Cast
) -> None:
    async with database.transaction(cast.acme) as session:
        tokens = [
            (
                await create_api_key(
                    session, settings, cast.acme, SYSTEM, name=name, scopes=["read"]
                )
            )[1]
            for name in ("Demo", "Demo", "CRM")
        ]
        assert await revoke_keys_named(session, cast.acme, SYSTEM, "Demo") == 2
        assert await revoke_keys_named(session, cast.acme, SYSTEM, "Demo") == 0
    assert [await _status(app, token) for token in tokens] == [401, 401, 200]


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer hn_live_x",
        "Bearer hn_live_" + "0" * 46,
        "Bearer hn_live_" + "z" * 40 + "000000",
        "Basic aG46bGl2ZQ==",
        "Bearer \xe9",
    ],
)
async def test_other_credentials_are_refused(app: FastAPI, header: str) -> None:
    async with program(app, "") as client:
        answer = await client.get(
            "/api/v1/workspace", headers={b"Authorization": header.encode("latin-1")}
        )
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"


async def test_a_mistyped_key_is_refused(app: FastAPI, cast: Cast) -> None:
    flipped = cast.acme_key[:-1] + ("0" if cast.acme_key[-1] != "0" else "1")
    assert await _status(app, flipped) == 401


async def test_the_api_ignores_cookies(as_alice: httpx.AsyncClient) -> None:
    assert (await as_alice.get("/api/v1/workspace")).status_code == 401


async def test_a_key_in_the_address_is_no_key(app: FastAPI, cast: Cast) -> None:
    async with program(app, "") as client:
        answer = await client.get(f"/api/v1/workspace?key={cast.acme_key}")
    assert answer.status_code in (401, 422)


async def test_the_workspace_of_a_key(
    acme_api: httpx.AsyncClient, globex_api: httpx.AsyncClient, cast: Cast
) -> None:
    found = (await acme_api.get("/api/v1/workspace")).json()
    assert found["id"] == str(cast.acme)
    assert (found["name"], found["time_zone"]) == ("Acme", "Asia/Tokyo")
    assert (await globex_api.get("/api/v1/workspace")).json()["id"] == str(cast.globex)


async def test_listing_keys_page_by_page(
    acme_reader: httpx.AsyncClient, as_alice: httpx.AsyncClient, cast: Cast
) -> None:
    tokens = [await _make(as_alice, cast, name=f"key {number}") for number in range(3)]
    seen: list[str] = []
    cursor: str | None = None
    while True:
        query = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        answer = await acme_reader.get("/api/v1/api_keys", params=query)
        assert answer.status_code == 200
        assert not any(token in answer.text for token in [*tokens, cast.acme_key])
        seen += [key["name"] for key in answer.json()["data"]]
        cursor = answer.json()["meta"]["next_cursor"]
        if cursor is None:
            break
    assert seen == ["key 2", "key 1", "key 0", "test", "test"]


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=201",
        "limit=x",
        "limit=1.5",
        "cursor=x",
        "cursor=%00",
        "cursor=WyJhIiwiYiJd",
        "cursor=é",
        "cursor=" + "W" * 400,
        "unknown=1",
    ],
)
async def test_bad_queries_are_refused(acme_reader: httpx.AsyncClient, query: str) -> None:
    answer = await acme_reader.get(f"/api/v1/api_keys?{query}")
    assert answer.status_code == 422
    (param,) = answer.json()["invalid_params"]
    assert param["name"] == query.partition("=")[0]


async def test_the_day_of_use_is_noted(acme_reader: httpx.AsyncClient) -> None:
    with clock.fixed(clock.now().replace(year=2030, month=1, day=2, hour=20)):
        await acme_reader.get("/api/v1/workspace")
        found = (await acme_reader.get("/api/v1/api_keys")).json()["data"]
    assert "2030-01-03" in {key["last_used_on"] for key in found}, "the day in Tokyo"
