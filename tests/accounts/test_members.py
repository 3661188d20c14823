"""Who belongs to a workspace: invitations, roles, removal, and the last owner."""

import asyncio
import re
import uuid
from datetime import timedelta

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from app.accounts.members import change_role
from app.accounts.models import Role
from app.accounts.schemas import Actor
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.errors import Conflict
from tests.conftest import browser
from tests.factories import Cast

NEWCOMER = {"name": "Nina", "email": "nina@acme.example", "password": "violet tram crosses quietly"}


def _role_of(owner: psycopg.Connection, workspace_id: uuid.UUID, user_id: uuid.UUID) -> str | None:
    row = owner.execute(
        "SELECT role FROM memberships WHERE workspace_id = %s AND user_id = %s",
        [workspace_id, user_id],
    ).fetchone()
    return row[0] if row else None


async def _invite(client: httpx.AsyncClient, cast: Cast, role: str = "manager") -> str:
    answer = await client.post(f"/w/{cast.acme}/invitations", data={"role": role})
    assert answer.status_code == 201
    found = re.search(r"/join/hn_join_\w+", answer.text)
    assert found
    return found[0]


async def test_everybody_sees_who_belongs(as_bob: httpx.AsyncClient, cast: Cast) -> None:
    page = await as_bob.get(f"/w/{cast.acme}/members")
    assert page.status_code == 200
    for name in ("alice@acme.example", "mona@acme.example", "bob@acme.example"):
        assert name in page.text
    assert "charlie" not in page.text
    assert "/invitations" not in page.text
    assert "/removal" not in page.text


async def test_a_newcomer_joins_with_a_new_account(
    as_alice: httpx.AsyncClient, client: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    path = await _invite(as_alice, cast)
    page = await client.get(path)
    assert "Acme" in page.text
    answer = await client.post(f"{path}/accounts", data=NEWCOMER)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/w/{cast.acme}/surveys")
    members = await client.get(f"/w/{cast.acme}/members")
    assert "nina@acme.example" in members.text
    (user_id,) = owner.execute("SELECT id FROM users WHERE email = 'nina@acme.example'").fetchone()  # type: ignore[misc]
    assert _role_of(owner, cast.acme, user_id) == "manager"


async def test_an_invitation_is_good_once(
    as_alice: httpx.AsyncClient, client: httpx.AsyncClient, cast: Cast
) -> None:
    path = await _invite(as_alice, cast)
    assert (await client.post(f"{path}/accounts", data=NEWCOMER)).status_code == 303
    client.cookies.clear()
    assert (await client.get(path)).status_code == 410
    second = {**NEWCOMER, "email": "second@acme.example"}
    assert (await client.post(f"{path}/accounts", data=second)).status_code == 410


async def test_an_invitation_ends_after_seven_days(
    as_alice: httpx.AsyncClient, client: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    path = await _invite(as_alice, cast)
    with clock.fixed(clock.now() + timedelta(days=7, minutes=-1)):
        assert (await client.get(path)).status_code == 200
    with clock.fixed(clock.now() + timedelta(days=7, minutes=1)):
        assert (await client.get(path)).status_code == 410
        assert (await client.post(f"{path}/accounts", data=NEWCOMER)).status_code == 410
    assert owner.execute("SELECT count(*) FROM users WHERE name = 'Nina'").fetchone() == (0,)


async def test_a_revoked_invitation_is_dead(
    as_alice: httpx.AsyncClient, client: httpx.AsyncClient, cast: Cast
) -> None:
    path = await _invite(as_alice, cast)
    page = await as_alice.get(f"/w/{cast.acme}/members")
    found = re.search(r"/w/[\w-]+/invitations/[\w-]+/revocation", page.text)
    assert found
    assert (await as_alice.post(found[0])).status_code == 303
    assert (await client.get(path)).status_code == 410
    assert (await as_alice.post(found[0])).status_code == 404


async def test_somebody_with_an_account_joins_with_it(
    as_alice: httpx.AsyncClient, as_charlie: httpx.AsyncClient, cast: Cast,
    owner: psycopg.Connection,
) -> None:  # fmt: skip
    path = await _invite(as_alice, cast, "viewer")
    assert "Charlie" in (await as_charlie.get(path)).text
    answer = await as_charlie.post(f"{path}/members")
    assert answer.status_code == 303
    assert _role_of(owner, cast.acme, cast.charlie.user_id) == "viewer"


async def test_a_new_account_ends_the_session_that_the_browser_had(
    app: FastAPI, as_alice: httpx.AsyncClient, cast: Cast
) -> None:
    path = await _invite(as_alice, cast)
    assert (await as_alice.post(f"{path}/accounts", data=NEWCOMER)).status_code == 303
    async with browser(app, cast.alice.session_token) as stolen:
        assert (await stolen.get("/account")).status_code == 303


async def test_joining_needs_a_sign_in(
    as_alice: httpx.AsyncClient, client: httpx.AsyncClient, cast: Cast
) -> None:
    path = await _invite(as_alice, cast)
    assert (await client.post(f"{path}/members")).headers["location"].startswith("/sign-in")


async def test_a_member_who_opens_the_link_does_not_spend_it_or_gain_by_it(
    as_alice: httpx.AsyncClient, as_bob: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    path = await _invite(as_alice, cast, "owner")
    assert (await as_bob.post(f"{path}/members")).status_code == 409
    assert _role_of(owner, cast.acme, cast.bob.user_id) == "viewer"
    assert (await as_bob.get(path)).status_code == 200


async def test_an_address_with_an_account_is_refused_for_a_new_one(
    as_alice: httpx.AsyncClient, client: httpx.AsyncClient, cast: Cast
) -> None:
    path = await _invite(as_alice, cast)
    taken = {**NEWCOMER, "email": "CHARLIE@globex.example"}
    answer = await client.post(f"{path}/accounts", data=taken)
    assert answer.status_code == 422
    assert "sign in with it instead" in answer.text
    assert 'value="Nina"' in answer.text
    assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("token", ["x", "hn_join_" + "0" * 46, "hn_live_" + "0" * 46])
async def test_unknown_invitations_are_dead(client: httpx.AsyncClient, token: str) -> None:
    assert (await client.get(f"/join/{token}")).status_code == 410


async def test_only_known_roles_are_offered(as_alice: httpx.AsyncClient, cast: Cast) -> None:
    answer = await as_alice.post(f"/w/{cast.acme}/invitations", data={"role": "god"})
    assert answer.status_code == 422
    path = f"/w/{cast.acme}/members/{cast.bob.user_id}/role"
    assert (await as_alice.post(path, data={"role": "god"})).status_code == 422


async def test_an_owner_changes_a_role(
    as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    path = f"/w/{cast.acme}/members/{cast.bob.user_id}/role"
    # The role that somebody has already is no change.
    for role in ("viewer", "manager", "manager"):
        assert (await as_alice.post(path, data={"role": role})).status_code == 303
    assert _role_of(owner, cast.acme, cast.bob.user_id) == "manager"
    events = owner.execute(
        "SELECT details FROM audit_events WHERE action = 'member.role_changed'"
    ).fetchall()
    assert events == [({"from": "viewer", "to": "manager"},)]


async def test_a_removed_member_is_out_at_once(
    as_alice: httpx.AsyncClient, as_bob: httpx.AsyncClient, cast: Cast
) -> None:
    path = f"/w/{cast.acme}/members/{cast.bob.user_id}/removal"
    assert "Bob" in (await as_alice.get(path)).text
    assert (await as_alice.post(path)).status_code == 303
    assert (await as_bob.get(f"/w/{cast.acme}/members")).status_code == 404
    assert (await as_alice.post(path)).status_code == 404


async def test_people_of_other_workspaces_are_not_found(
    as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    home = f"/w/{cast.acme}/members/{cast.charlie.user_id}"
    assert (await as_alice.get(f"{home}/removal")).status_code == 404
    assert (await as_alice.post(f"{home}/removal")).status_code == 404
    assert (await as_alice.post(f"{home}/role", data={"role": "viewer"})).status_code == 404
    assert _role_of(owner, cast.globex, cast.charlie.user_id) == "owner"


async def test_the_last_owner_stays(
    as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    home = f"/w/{cast.acme}/members/{cast.alice.user_id}"
    assert (await as_alice.post(f"{home}/removal")).status_code == 409
    assert (await as_alice.post(f"{home}/role", data={"role": "viewer"})).status_code == 409
    assert (await as_alice.post(f"/w/{cast.acme}/departure")).status_code == 409
    assert _role_of(owner, cast.acme, cast.alice.user_id) == "owner"


async def test_an_owner_may_leave_once_there_is_another(
    as_alice: httpx.AsyncClient, cast: Cast
) -> None:
    path = f"/w/{cast.acme}/members/{cast.mona.user_id}/role"
    await as_alice.post(path, data={"role": "owner"})
    assert (await as_alice.post(f"/w/{cast.acme}/departure")).status_code == 303
    assert (await as_alice.get(f"/w/{cast.acme}/members")).status_code == 404


async def test_a_viewer_may_leave(as_bob: httpx.AsyncClient, cast: Cast) -> None:
    assert (await as_bob.get(f"/w/{cast.acme}/departure")).status_code == 200
    assert (await as_bob.post(f"/w/{cast.acme}/departure")).status_code == 303
    assert (await as_bob.get(f"/w/{cast.acme}/members")).status_code == 404


async def test_two_owners_who_demote_each_other_leave_one(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE memberships SET role = 'owner' WHERE user_id = %s", [cast.mona.user_id])

    async def demote(actor: uuid.UUID, other: uuid.UUID) -> None:
        async with database.transaction(cast.acme) as session:
            await change_role(session, cast.acme, Actor("user", actor), other, Role.VIEWER)
            await asyncio.sleep(0.2)

    outcomes = await asyncio.gather(
        demote(cast.alice.user_id, cast.mona.user_id),
        demote(cast.mona.user_id, cast.alice.user_id),
        return_exceptions=True,
    )
    assert [type(outcome) for outcome in outcomes if outcome] == [Conflict]
    owners = owner.execute(
        "SELECT count(*) FROM memberships WHERE workspace_id = %s AND role = 'owner'", [cast.acme]
    )
    assert owners.fetchone() == (1,)


async def test_two_people_with_one_link_make_one_member(
    app: FastAPI, as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    path = await _invite(as_alice, cast)

    async def join(email: str) -> int:
        async with browser(app) as client:
            data = {**NEWCOMER, "email": email}
            return (await client.post(f"{path}/accounts", data=data)).status_code

    statuses = await asyncio.gather(join("one@acme.example"), join("two@acme.example"))
    assert sorted(statuses) == [303, 410]
    assert owner.execute("SELECT count(*) FROM users WHERE name = 'Nina'").fetchone() == (1,)


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>'])
async def test_hostile_names_are_harmless(
    as_alice: httpx.AsyncClient, client: httpx.AsyncClient, cast: Cast, name: str
) -> None:
    path = await _invite(as_alice, cast)
    assert (
        await client.post(f"{path}/accounts", data={**NEWCOMER, "name": name})
    ).status_code == 303
    for page in (f"/w/{cast.acme}/members", "/account", f"/w/{cast.acme}/audit"):
        text = (await client.get(page)).text
        assert name not in text
        assert "&lt;" in text
    pages = await as_alice.get(f"/w/{cast.acme}/members")
    assert name not in pages.text


@pytest.mark.parametrize("name", ["a\0b", "a\nb", "\u2028", "x" * 101, "   "])
async def test_unreadable_names_are_refused(
    as_alice: httpx.AsyncClient, client: httpx.AsyncClient, cast: Cast, name: str
) -> None:
    path = await _invite(as_alice, cast)
    answer = await client.post(f"{path}/accounts", data={**NEWCOMER, "name": name})
    assert answer.status_code == 422
