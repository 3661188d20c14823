"""A workspace's settings and its owners."""

import httpx
import psycopg
import pytest

from app.accounts.workspaces import create_owner, create_workspace
from app.foundation.database import Database
from app.foundation.errors import Invalid, NotFound
from app.foundation.tokens import new_id
from tests.factories import Cast

TYPED = {"name": "Acme 2", "time_zone": "Europe/Paris", "locale": "ja"}


async def test_settings_are_changed(
    as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    path = f"/w/{cast.acme}/settings"
    assert 'value="Acme"' in (await as_alice.get(path)).text
    assert (await as_alice.post(path, data=TYPED)).status_code == 303
    rows = owner.execute("SELECT name, time_zone, locale FROM workspaces ORDER BY name").fetchall()
    assert rows == [("Acme 2", "Europe/Paris", "ja"), ("Globex", "Asia/Tokyo", "en")]


@pytest.mark.parametrize(
    ("name", "value"),
    [("name", " "), ("name", "x" * 101), ("time_zone", "Moon/Base"), ("locale", "tlh")],
)
async def test_refused_settings_change_nothing(
    as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection, name: str, value: str
) -> None:
    answer = await as_alice.post(f"/w/{cast.acme}/settings", data={**TYPED, name: value})
    assert answer.status_code == 422
    assert f'id="f-{name}-error"' in answer.text
    assert owner.execute("SELECT name FROM workspaces WHERE id = %s", [cast.acme]).fetchone() == (
        "Acme",
    )


async def test_a_hostile_workspace_name_is_harmless(
    as_alice: httpx.AsyncClient, cast: Cast
) -> None:
    name = '"><script>alert(1)</script>'
    await as_alice.post(f"/w/{cast.acme}/settings", data={**TYPED, "name": name})
    for page in ("settings", "members", "api-keys", "audit", "departure"):
        text = (await as_alice.get(f"/w/{cast.acme}/{page}")).text
        assert "<script" not in text
        assert "&lt;script&gt;" in text


async def test_an_owner_is_made_from_the_server(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    async with database.transaction() as session:
        workspace = await create_workspace(session, "Initech", "UTC", "en")
        await create_owner(
            session, workspace.id, name="Zed", email="zed@x.example", password=None, locale="en"
        )
        known = await create_owner(
            session, workspace.id, name="?", email="Bob@acme.example", password=None, locale="en"
        )
    assert known.id == cast.bob.user_id
    assert known.name == "Bob"
    rows = owner.execute(
        "SELECT role FROM memberships WHERE workspace_id = %s", [workspace.id]
    ).fetchall()
    assert rows == [("owner",), ("owner",)]


async def test_an_owner_of_nothing_is_refused(database: Database) -> None:
    with pytest.raises(NotFound):
        async with database.transaction() as session:
            await create_owner(
                session, new_id(), name="Zed", email="zed@x.example", password=None, locale="en"
            )


async def test_a_workspace_needs_a_real_time_zone(database: Database) -> None:
    with pytest.raises(Invalid):
        async with database.transaction() as session:
            await create_workspace(session, "Initech", "Mars/Olympus", "en")
