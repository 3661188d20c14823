"""The first start: only whoever reads the console, and only once."""

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from app.accounts.workspaces import first_run_token
from app.foundation.settings import Settings
from tests.conftest import browser

TYPED = {
    "workspace_name": "Acme 株式会社",
    "time_zone": "Asia/Tokyo",
    "name": "Alice",
    "email": "Alice@Acme.example",
    "password": "violet tram crosses quietly",
}


async def test_the_console_token_makes_the_first_owner(
    app: FastAPI, settings: Settings, owner: psycopg.Connection
) -> None:
    async with browser(app) as client:
        assert (await client.get("/")).headers["location"] == "/first-run"
        assert (await client.get("/first-run")).status_code == 200
        token = first_run_token(settings)
        answer = await client.post("/first-run", data={**TYPED, "token": token})
        assert answer.status_code == 303
        members = answer.headers["location"].replace("surveys", "members")
        page = await client.get(members)
        assert "Acme 株式会社" in page.text
        assert "alice@acme.example" in page.text
        assert (await client.get("/first-run")).status_code == 404
        assert (await client.post("/first-run", data={**TYPED, "token": token})).status_code == 404
    assert owner.execute("SELECT role FROM memberships").fetchall() == [("owner",)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("token", "wrong"),
        ("token", ""),
        ("token", "é"),
        ("workspace_name", " "),
        ("workspace_name", "x" * 101),
        ("workspace_name", "a\0b"),
        ("time_zone", "Mars/Olympus"),
        ("time_zone", "../../etc/passwd"),
        ("name", ""),
        ("email", "nobody"),
        ("password", "short"),
    ],
)
async def test_refused_input_makes_nothing(
    client: httpx.AsyncClient, settings: Settings, owner: psycopg.Connection, name: str, value: str
) -> None:
    typed = {**TYPED, "token": first_run_token(settings), name: value}
    answer = await client.post("/first-run", data=typed)
    assert answer.status_code == 422
    assert f'id="f-{name}-error"' in answer.text
    assert TYPED["password"] not in answer.text
    assert owner.execute(
        "SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM workspaces)"
    ).fetchone() == (0,)


async def test_all_that_is_wrong_is_said_at_once(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    answer = await client.post("/first-run", data={"token": first_run_token(settings)})
    for name in ("workspace_name", "time_zone", "name", "email", "password"):
        assert f'href="#f-{name}"' in answer.text


@pytest.mark.usefixtures("cast")
async def test_closed_once_anybody_has_an_account(
    client: httpx.AsyncClient, settings: Settings
) -> None:
    assert (await client.get("/first-run")).status_code == 404
    typed = {**TYPED, "token": first_run_token(settings)}
    assert (await client.post("/first-run", data=typed)).status_code == 404
