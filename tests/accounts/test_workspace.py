"""A workspace's settings and its audit log."""

import re
from datetime import timedelta

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.accounts.audit import record_event
from app.accounts.schemas import SYSTEM, Actor
from app.accounts.workspaces import create_owner, create_workspace
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.errors import Invalid, NotFound
from app.foundation.paging import PAGE_SIZE
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


async def test_the_audit_log_pages_newest_first(
    as_mona: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    total = PAGE_SIZE * 2 + 3
    async with database.transaction(cast.acme) as session:
        for number in range(total):
            with clock.fixed(clock.now() - timedelta(minutes=number // 2)):
                record_event(session, cast.acme, SYSTEM, f"act.{number:03}")
    async with database.transaction(cast.globex) as session:
        record_event(session, cast.globex, SYSTEM, "act.globex")
    path, seen = f"/w/{cast.acme}/audit", list[str]()
    while path:
        page = (await as_mona.get(path)).text
        assert "act.globex" not in page
        seen += re.findall(r"act\.\d{3}", page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1] if older else ""
    assert sorted(seen) == [f"act.{number:03}" for number in range(total)]
    assert [int(act[4:]) // 2 for act in seen] == sorted(int(act[4:]) // 2 for act in seen)


async def test_the_audit_log_names_people_and_keys(
    as_alice: httpx.AsyncClient, database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    row = owner.execute("SELECT id FROM api_keys WHERE workspace_id = %s", [cast.acme]).fetchone()
    assert row
    async with database.transaction(cast.acme) as session:
        record_event(session, cast.acme, Actor("user", cast.alice.user_id), "survey.published")
        record_event(session, cast.acme, Actor("api_key", row[0]), "survey.closed")
        record_event(session, cast.acme, Actor("user", new_id()), "survey.edited")
    page = (await as_alice.get(f"/w/{cast.acme}/audit")).text
    for words in ("Alice", "API key “test”", "no account any more", "Published a survey"):
        assert words in page


async def test_the_audit_log_cannot_be_rewritten(database: Database, cast: Cast) -> None:
    async with database.transaction(cast.acme) as session:
        record_event(session, cast.acme, SYSTEM, "act.one")
    for statement in ("UPDATE audit_events SET action = 'x'", "DELETE FROM audit_events"):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with database.transaction(cast.acme) as session:
                await session.execute(text(statement))


@pytest.mark.parametrize("cursor", ["x", "WyJhIiwiYiJd", "%00", "WyIyMDI2LTAxLTAxIiwgIngiXQ"])
async def test_forged_cursors_are_refused(
    as_alice: httpx.AsyncClient, cast: Cast, cursor: str
) -> None:
    assert (await as_alice.get(f"/w/{cast.acme}/audit?cursor={cursor}")).status_code == 422


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
