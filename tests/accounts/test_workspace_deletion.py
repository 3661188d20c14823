"""A workspace goes with everything in it, and takes nothing of another with it."""

import asyncio
import re
import uuid
from datetime import timedelta

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from psycopg import sql
from psycopg.errors import QueryCanceled

import app.accounts.workspace_deletion as deletion
from app.accounts.members import accept_invitation, invite_member
from app.accounts.models import Role, Scope, User
from app.accounts.schemas import SYSTEM
from app.accounts.workspace_deletion import delete_marked_workspaces, delete_workspace
from app.foundation import clock
from app.foundation.database import Database, enter_workspace
from app.foundation.errors import Gone, HonneError
from app.foundation.settings import Settings
from app.foundation.tokens import new_id
from app.main import JOBS
from tests.accounts.conftest import ALICES_PASSWORD
from tests.conftest import browser, program
from tests.factories import Cast, make_api_key
from tests.responses.scene import Scene, make_scene

Owner = psycopg.Connection


@pytest.fixture
async def filled(
    database: Database, cast: Cast, app: FastAPI, as_alice: httpx.AsyncClient, owner: Owner
) -> Scene:
    """Acme and Globex have a row in every table of the catalogue."""
    scenes = []
    for workspace_id, key, slug in (
        (cast.acme, cast.acme_key, "acme"),
        (cast.globex, cast.globex_key, "globex"),
    ):
        async with database.transaction(workspace_id) as session:
            scenes.append(await make_scene(session, workspace_id, slug))
        async with program(app, key) as client:
            sent = await client.post(
                f"/api/v1/surveys/{scenes[-1].survey_id}/responses/batch",
                json={
                    "responses": [{"score": n % 11, "comment": f"{slug} {n}"} for n in range(23)]
                },
                headers={"Idempotency-Key": "one"},
            )
            assert sent.status_code == 201
        async with browser(app) as respondent:
            page = await respondent.get(f"/s/{slug}")
            ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
            assert ticket
            await respondent.post(f"/s/{slug}/responses", data={"ticket": ticket[1], "score": "9"})
        fill_the_rest(owner, scenes[-1])
    await as_alice.post(f"/w/{cast.acme}/invitations", data={"role": "viewer"})
    async with browser(app, cast.charlie.session_token) as as_charlie:
        await as_charlie.post(f"/w/{cast.globex}/invitations", data={"role": "viewer"})
    found = rows_of(owner, cast.acme)
    assert {table for table, rows in found.items() if not rows} == set(), "give it a row here"
    return scenes[0]


def fill_the_rest(owner: Owner, scene: Scene) -> None:
    """A row in each table that only time, an import or retention would fill."""
    ids = {"workspace_id": scene.workspace_id, "survey_id": scene.survey_id}
    edition = {"workspace_id": scene.workspace_id, "edition_id": new_id()}
    found = owner.execute(
        "SELECT segment_set_id FROM daily_counts WHERE workspace_id = %s", [scene.workspace_id]
    ).fetchone()
    assert found
    month = clock.today("UTC").replace(day=1)
    answer = owner.execute(
        "SELECT id FROM responses WHERE workspace_id = %s LIMIT 1", [scene.workspace_id]
    ).fetchone()
    assert answer
    insert(owner, "imports", **ids)
    insert(owner, "brands", workspace_id=scene.workspace_id)
    insert(owner, "day_totals", **ids, standing="counted")
    for table in ("response_contacts", "comment_terms"):
        insert(owner, table, workspace_id=scene.workspace_id, response_id=answer[0])
    tag = {"workspace_id": scene.workspace_id, "tag_id": new_id()}
    insert(owner, "tags", **ids, id=tag["tag_id"], name="Delivery")
    insert(owner, "response_tags", **tag, response_id=answer[0])
    insert(owner, "editions", **ids, id=edition["edition_id"])
    insert(owner, "closed_counts", **edition, segment_set_id=found[0], channel="link")
    insert(owner, "published_figures", **edition, survey_id=scene.survey_id)
    insert(owner, "deletions", **ids, reason="retention")
    insert(owner, "month_totals", **ids, month=month, standing="counted")
    insert(owner, "shared_reports", **ids, name="Board")
    insert(owner, "saved_views", **ids, name="Board")
    insert(owner, "annotations", **ids, kind="event", title="Price raised")
    insert(owner, "survey_goals", **ids)
    insert(owner, "benchmarks", **ids, name="Software", average=30, source="A study")
    insert(owner, "indicators", workspace_id=scene.workspace_id, metric="churn", percent=2)


def insert(owner: Owner, table: str, **given: object) -> None:
    """A row with the values given, and with others that fit their types where one is needed."""
    fitting = {
        "uuid": new_id(),
        "date": clock.today("UTC").replace(day=1),
        "timestamp with time zone": clock.now(),
        "smallint": 1,
        "integer": 1,
        "bigint": 1,
        "double precision": 1.0,
        "jsonb": "{}",
        "boolean": False,
        "bytea": b"",
        "text": "",
        "ARRAY": [],
    }
    needed = owner.execute(
        "SELECT column_name, data_type FROM information_schema.columns"
        " WHERE table_name = %s AND is_nullable = 'NO' AND column_default IS NULL",
        [table],
    ).fetchall()
    row = {name: fitting[kind] for name, kind in needed} | given
    owner.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(
            sql.Identifier(table),
            sql.SQL(", ").join(map(sql.Identifier, row)),
            sql.SQL(", ").join(sql.Placeholder() * len(row)),
        ),
        list(row.values()),
    )


def tables_of_workspaces(owner: Owner) -> list[str]:
    found = owner.execute(
        "SELECT table_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND column_name = 'workspace_id' ORDER BY 1"
    )
    return [table for (table,) in found.fetchall()]


def rows_of(owner: Owner, workspace_id: uuid.UUID) -> dict[str, list[str]]:
    """Every row of the workspace, as text, by table of the catalogue."""
    select = "SELECT t::text FROM {} t WHERE workspace_id = %s ORDER BY 1"
    return {
        table: [
            row
            for (row,) in owner.execute(
                sql.SQL(select).format(sql.Identifier(table)), [workspace_id]
            ).fetchall()
        ]
        for table in tables_of_workspaces(owner)
    }


def everything(owner: Owner) -> str:
    tables = owner.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    select = "SELECT t::text FROM {} t"
    return "\n".join(
        row
        for (table,) in tables
        for (row,) in owner.execute(sql.SQL(select).format(sql.Identifier(table))).fetchall()
    )


async def end(client: httpx.AsyncClient, cast: Cast, name: str = "Acme") -> httpx.Response:
    return await client.post(f"/w/{cast.acme}/deletion", data={"name": name})


async def test_nothing_of_it_is_left_and_nothing_else_is_touched(
    filled: Scene, as_alice: httpx.AsyncClient, cast: Cast, owner: Owner, database: Database
) -> None:
    globex = rows_of(owner, cast.globex)
    answer = await end(as_alice, cast)
    assert (answer.status_code, answer.headers["location"]) == (303, "/workspace-deleted")
    assert await delete_marked_workspaces(database) > 23
    assert {table: rows for table, rows in rows_of(owner, cast.acme).items() if rows} == {}
    stored = everything(owner)
    for trace in (cast.acme, filled.survey_id, filled.version_id, "acme 7", "alice@acme.example"):
        assert str(trace) not in stored
    assert rows_of(owner, cast.globex) == globex
    assert await delete_marked_workspaces(database) == 0


async def test_it_is_out_of_reach_at_once(
    filled: Scene, as_alice: httpx.AsyncClient, as_bob: httpx.AsyncClient,
    client: httpx.AsyncClient, acme_api: httpx.AsyncClient, cast: Cast,
) -> None:  # fmt: skip
    assert (await client.get("/s/acme")).status_code == 200
    assert (await acme_api.get("/api/v1/workspace")).status_code == 200
    await end(as_alice, cast)
    for path in ("/s/acme", "/s/acme/thanks", "/s/acme/erasure"):
        assert (await client.get(path)).status_code == 404
    assert (await acme_api.get("/api/v1/workspace")).status_code == 401
    sent = await acme_api.post(f"/api/v1/surveys/{filled.survey_id}/responses", json={"score": 1})
    assert sent.status_code == 401
    # Their accounts are gone, and with them the browsers they were signed in with.
    for member in (as_alice, as_bob):
        assert (await member.get(f"/w/{cast.acme}/surveys")).status_code == 303
    assert (await client.get("/workspace-deleted")).status_code == 200


async def test_whoever_belongs_elsewhere_keeps_the_account(
    as_alice: httpx.AsyncClient, as_bob: httpx.AsyncClient, cast: Cast, owner: Owner
) -> None:
    owner.execute(
        "INSERT INTO memberships VALUES (%s, %s, 'viewer', now())",
        [cast.globex, cast.bob.user_id],
    )
    page = (await as_alice.get(f"/w/{cast.acme}/deletion")).text
    assert "The memberships of 3 people" in page
    assert "2 accounts belong to no other workspace" in page
    await end(as_alice, cast)
    users = owner.execute("SELECT email FROM users ORDER BY email").fetchall()
    assert users == [("bob@acme.example",), ("charlie@globex.example",)]
    assert (await as_bob.get(f"/w/{cast.acme}/surveys")).status_code == 404
    assert (await as_bob.get(f"/w/{cast.globex}/surveys")).status_code == 200
    page = (await as_bob.get("/workspace-deleted")).text
    assert "To your other workspaces" in page


@pytest.mark.usefixtures("filled")
async def test_it_is_said_what_goes(as_alice: httpx.AsyncClient, cast: Cast) -> None:
    page = (await as_alice.get(f"/w/{cast.acme}/deletion")).text
    for line in ("Delete Acme?", "1 survey with", "24 answers, with", "2 API keys", "of 3 people"):
        assert line in page
    assert "Your password" not in page, "she has none"


@pytest.mark.parametrize("typed", ["", "acme", "Acme 2", "Globex"])
async def test_the_name_must_be_typed(
    as_alice: httpx.AsyncClient, cast: Cast, owner: Owner, typed: str
) -> None:
    answer = await end(as_alice, cast, typed)
    assert answer.status_code == 422
    assert 'id="f-name-error"' in answer.text
    assert f'value="{typed}"' in answer.text or not typed
    assert owner.execute("SELECT count(*) FROM workspaces WHERE deleted_at IS NULL").fetchone() == (
        2,
    )


async def test_the_password_is_asked_for(
    alices_password: str, client: httpx.AsyncClient, cast: Cast
) -> None:
    signed_in = await client.post(
        "/sessions", data={"email": cast.alice.email, "password": alices_password}
    )
    assert signed_in.status_code == 303
    path = f"/w/{cast.acme}/deletion"
    assert "Your password" in (await client.get(path)).text
    refused = await client.post(path, data={"name": "Acme", "current": "wrong"})
    assert refused.status_code == 422
    assert 'id="f-current-error"' in refused.text
    assert ALICES_PASSWORD not in refused.text
    with clock.fixed(clock.now() + timedelta(minutes=5)):  # once the delay is over
        answer = await client.post(path, data={"name": "Acme", "current": alices_password})
    assert answer.status_code == 303
    assert not client.cookies


async def test_a_legal_hold_stands_in_the_way(
    filled: Scene, as_alice: httpx.AsyncClient, cast: Cast, owner: Owner
) -> None:
    owner.execute("UPDATE surveys SET held_since = '2026-01-01' WHERE id = %s", [filled.survey_id])
    before = rows_of(owner, cast.acme)
    answer = await end(as_alice, cast)
    assert answer.status_code == 409
    assert "under legal hold" in answer.text
    assert rows_of(owner, cast.acme) == before


@pytest.mark.usefixtures("filled")
async def test_a_crash_is_taken_up_where_it_happened(
    as_alice: httpx.AsyncClient, cast: Cast, owner: Owner, database: Database,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    globex = rows_of(owner, cast.globex)
    await end(as_alice, cast)
    monkeypatch.setattr(deletion, "FIRST_BATCH", 4)
    monkeypatch.setattr(deletion, "LARGEST_BATCH", 8)
    delete_batch, batches = deletion._delete_batch, 0

    async def crash_later(*arguments: object) -> int:
        nonlocal batches
        gone = await delete_batch(*arguments)  # type: ignore[arg-type]
        batches += gone > 0
        if gone and batches % 4 == 0:
            raise QueryCanceled
        return gone

    monkeypatch.setattr(deletion, "_delete_batch", crash_later)
    crashes = 0
    while True:
        left = sum(map(len, rows_of(owner, cast.acme).values()))
        try:
            await delete_marked_workspaces(database)
        except QueryCanceled:
            crashes += 1
            assert sum(map(len, rows_of(owner, cast.acme).values())) < left
        else:
            break
    assert crashes > 1
    assert not any(rows_of(owner, cast.acme).values())
    assert rows_of(owner, cast.globex) == globex


def test_the_job_is_run() -> None:
    assert delete_marked_workspaces in JOBS


async def test_somebody_joins_just_then(
    settings: Settings, database: Database, cast: Cast, owner: Owner
) -> None:
    """Either they were a member and it is over, or the link was spent before they came."""
    async with database.transaction(cast.acme) as session:
        charlie = await session.get_one(User, cast.charlie.user_id)
        link = await invite_member(session, settings, cast.acme, SYSTEM, Role.VIEWER)

    async def join() -> str:
        try:
            async with database.transaction(cast.acme) as session:
                token = link.rpartition("/")[2]
                await accept_invitation(session, settings, cast.acme, token, charlie)
        except Gone:
            return "too late"
        return "joined"

    async def leave() -> None:
        async with database.transaction(cast.acme) as session:
            await delete_workspace(session, cast.acme, "Acme")

    outcome, _none = await asyncio.gather(join(), leave())
    assert outcome in ("joined", "too late")
    members = "SELECT count(*) FROM memberships WHERE workspace_id = %s"
    assert owner.execute(members, [cast.acme]).fetchone() == (0,)
    assert owner.execute("SELECT email FROM users").fetchall() == [(cast.charlie.email,)]


async def test_a_program_may_with_a_key_of_its_own(
    app: FastAPI, database: Database, settings: Settings, cast: Cast, owner: Owner
) -> None:  # fmt: skip
    async with database.transaction() as session:
        key = await make_api_key(session, settings, cast.acme, [Scope.ADMIN])
        lesser: list[Scope] = [scope for scope in Scope if scope is not Scope.ADMIN]
        lesser_key = await make_api_key(session, settings, cast.acme, lesser)
    async with program(app, lesser_key) as client:
        assert (await client.delete("/api/v1/workspace?name=Acme")).status_code == 403
    async with program(app, key) as client:
        for query in ("", "?name=", "?name=Globex", "?name=Acme&force=1", "?name=Acme&name=Acme"):
            refused = await client.delete(f"/api/v1/workspace{query}")
            assert refused.status_code == 422, query
        gone = await client.delete("/api/v1/workspace?name=Acme")
        assert gone.status_code == 202
        assert gone.json() == {"id": str(cast.acme), "name": "Acme", "accounts_deleted": 3}
        assert (await client.delete("/api/v1/workspace?name=Acme")).status_code == 401
    await delete_marked_workspaces(database)
    assert not any(rows_of(owner, cast.acme).values())


async def test_only_an_owner_may(
    cast: Cast, owner: Owner, client: httpx.AsyncClient, as_mona: httpx.AsyncClient,
    as_bob: httpx.AsyncClient, as_charlie: httpx.AsyncClient,
) -> None:  # fmt: skip
    for other, status in ((as_mona, 403), (as_bob, 403), (as_charlie, 404), (client, 303)):
        assert (await end(other, cast)).status_code == status
    living = owner.execute("SELECT count(*) FROM workspaces WHERE deleted_at IS NULL")
    assert living.fetchone() == (2,)


async def test_deleting_twice_finds_nothing(database: Database, cast: Cast) -> None:
    async def once() -> str:
        try:
            async with database.transaction() as session:
                await enter_workspace(session, cast.acme)
                await delete_workspace(session, cast.acme, "Acme")
        except HonneError as error:
            return error.code
        return "deleted"

    assert sorted(await asyncio.gather(once(), once())) == ["deleted", "not_found"]
