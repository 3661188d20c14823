"""The audit log as a page: who sees it, what it says, and how it is narrowed down."""

import re
import uuid
from datetime import UTC, datetime

import httpx
import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from app.accounts.audit import record_event
from app.accounts.members import remove_member
from app.accounts.models import LinkPurpose, User
from app.accounts.pages.audit_wording import KINDS
from app.accounts.pages.wording import ACTIONS
from app.accounts.schemas import SYSTEM, Actor
from app.accounts.sign_in_links import make_sign_in_link
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.paging import PAGE_SIZE
from app.foundation.settings import Settings
from app.foundation.tokens import new_id
from tests.citus.recording import take_misfits
from tests.factories import Cast


async def _record(
    database: Database, cast: Cast, actor: Actor, action: str, **details: object
) -> None:
    async with database.transaction(cast.acme) as session:
        record_event(session, cast.acme, actor, action, None, details)


async def _read(client: httpx.AsyncClient, cast: Cast, **query: str) -> str:
    answer = await client.get(f"/w/{cast.acme}/audit", params=query)
    assert answer.status_code == 200
    return answer.text


def _acts(page: str) -> list[str]:
    return re.findall(r"<strong>([^<]+)</strong>", page)


async def test_the_latest_line_comes_first_and_none_is_left_out(
    as_mona: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    total = PAGE_SIZE * 2 + 3
    async with database.transaction(cast.acme) as session:
        for number in range(total):
            record_event(session, cast.acme, SYSTEM, f"act.{number:03}")
    async with database.transaction(cast.globex) as session:
        record_event(session, cast.globex, SYSTEM, "act.globex")
    path, seen = f"/w/{cast.acme}/audit?who=system", list[str]()
    while path:
        page = (await as_mona.get(path)).text
        seen += _acts(page)
        older = re.search(r'rel="next" href="([^"]+)"', page)
        path = older[1].replace("&amp;", "&") if older else ""
    assert seen == [f"act.{number:03}" for number in reversed(range(total))]


async def test_viewers_do_not_see_it(as_bob: httpx.AsyncClient, cast: Cast) -> None:
    assert (await as_bob.get(f"/w/{cast.acme}/audit")).status_code == 403


async def test_an_empty_log_says_so(as_alice: httpx.AsyncClient, cast: Cast) -> None:
    assert "Whatever is done" in await _read(as_alice, cast)
    assert "Nothing of this kind" in await _read(as_alice, cast, kind="keys")


async def test_it_names_people_and_keys(
    as_alice: httpx.AsyncClient, database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    row = owner.execute("SELECT id FROM api_keys WHERE workspace_id = %s", [cast.acme]).fetchone()
    assert row
    await _record(database, cast, Actor("user", cast.alice.user_id), "survey.published")
    await _record(database, cast, Actor("api_key", row[0]), "survey.closed")
    await _record(database, cast, Actor("user", new_id()), "survey.edited")
    await _record(database, cast, SYSTEM, "responses.expired", responses=1200, before="2025-01-01")
    page = await _read(as_alice, cast)
    for words in ("Alice", "API key “test”", "no account any more", "Published a survey"):
        assert words in page
    assert "1,200" in page
    assert "The server</a>" in page


async def test_it_shows_each_lines_number_and_the_start_of_its_hash(
    as_alice: httpx.AsyncClient, database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    await _record(database, cast, SYSTEM, "survey.published")
    await _record(database, cast, SYSTEM, "survey.closed")
    page = await _read(as_alice, cast)
    for number, sealed in owner.execute("SELECT number, hash FROM audit_events").fetchall():
        assert f"Line {number}</span><code>{sealed.hex()[:12]}</code>" in page


async def test_details_read_as_words(
    as_alice: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    async with database.transaction(cast.acme) as session:
        alice = Actor("user", cast.alice.user_id)
        await remove_member(session, cast.acme, alice, cast.bob.user_id)
        record_event(session, cast.acme, alice, "responses.exported", None, {"filter": "a=b&c=d"})
        subject = {"survey": str(new_id()), "": ""}
        record_event(session, cast.acme, alice, "link.created", new_id(), subject)
    page = await _read(as_alice, cast)
    for name, value in (("Member", "Bob"), ("Role", "Viewer"), ("Filter", "a=b, c=d")):
        assert f'<span class="soft">{name}:</span> {value}</span>' in page
    assert subject["survey"] not in page
    assert subject["survey"][:8] in page


async def test_a_link_to_somebodys_password_is_seen_by_the_owners(
    as_alice: httpx.AsyncClient, database: Database, cast: Cast, settings: Settings
) -> None:
    async with database.transaction() as session:
        bob = await session.get_one(User, cast.bob.user_id)
        await make_sign_in_link(session, settings, bob, purpose=LinkPurpose.RESET_PASSWORD)
        await make_sign_in_link(session, settings, bob)
    page = await _read(as_alice, cast, kind="sign-in")
    assert _acts(page) == ["Made a link to set a password, on the server"]
    assert "The server</a>" in page
    assert '<span class="soft">Member:</span> Bob</span>' in page


async def test_moments_are_those_of_the_workspace(
    as_alice: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    """Acme is in Tokyo, nine hours ahead of UTC."""
    for hour, action in ((14, "survey.published"), (15, "survey.closed")):
        with clock.fixed(datetime(2026, 3, 31, hour, 30, tzinfo=UTC)):
            await _record(database, cast, SYSTEM, action)
    page = await _read(as_alice, cast)
    days = re.findall(r'<h2 id="day-\d">([^<]+)</h2>', page)
    assert days == ["Wednesday, April 1, 2026", "Tuesday, March 31, 2026"]
    assert "12:30:00" in page
    assert "11:30:00" in page
    for query, acts in (
        ({"until": "2026-03-31"}, ["Published a survey"]),
        ({"since": "2026-04-01"}, ["Closed a survey"]),
        ({"since": "2026-03-31", "until": "2026-04-01"}, ["Closed a survey", "Published a survey"]),
        ({"until": "2026-03-30"}, []),
    ):
        assert _acts(await _read(as_alice, cast, **query)) == acts


async def test_it_is_narrowed_down_by_kind_and_actor(
    as_alice: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    gone = Actor("user", new_id())
    await _record(database, cast, Actor("user", cast.alice.user_id), "session.started")
    await _record(database, cast, Actor("user", cast.mona.user_id), "survey.published")
    await _record(database, cast, Actor("api_key", new_id()), "survey.closed")
    await _record(database, cast, gone, "api_key.revoked")
    for query, acts in (
        ({"kind": "sign-in"}, ["Signed in"]),
        ({"kind": "surveys"}, ["Closed a survey", "Published a survey"]),
        ({"kind": "surveys", "who": str(cast.mona.user_id)}, ["Published a survey"]),
        ({"who": "api_key"}, ["Closed a survey"]),
        ({"who": "system"}, []),
        ({"who": str(gone.id), "kind": "", "since": ""}, ["Revoked an API key"]),
    ):
        page = await _read(as_alice, cast, **query)
        assert _acts(page) == acts
        for value in filter(None, query.values()):
            assert f'value="{value}" selected' in page


async def test_every_act_is_of_one_kind() -> None:
    nouns = [noun for kind in KINDS.values() for noun in kind.nouns]
    assert sorted(nouns) == sorted({action.partition(".")[0] for action in ACTIONS})


@pytest.mark.parametrize(
    "query",
    [
        {"cursor": "x"},
        {"cursor": "WyJhIiwiYiJd"},
        {"cursor": "\x00"},
        {"cursor": "WyIxIiwiMiJd"},
        {"cursor": "WyLnt5EiXQ"},
        {"since": "1700000000"},
        {"since": "2026-02-30"},
        {"until": "9999-12-31"},
        {"since": "2026-02-02", "until": "2026-02-01"},
        {"who": "\x00"},
        {"who": "somebody"},
    ],
)
async def test_what_cannot_be_asked_is_refused(
    as_alice: httpx.AsyncClient, cast: Cast, query: dict[str, str]
) -> None:
    answer = await as_alice.get(f"/w/{cast.acme}/audit", params=query)
    assert answer.status_code == 422


async def test_the_log_cannot_be_rewritten(database: Database, cast: Cast) -> None:
    await _record(database, cast, SYSTEM, "act.one")
    for statement in (
        "UPDATE audit_events SET action = 'x'",
        "DELETE FROM audit_events",
        "DELETE FROM audit_heads",
    ):
        with pytest.raises(ProgrammingError, match="permission denied"):
            async with database.transaction(cast.acme) as session:
                await session.execute(text(statement))
    take_misfits()  # the workspace is left out on purpose


async def test_signing_out_is_recorded(
    as_alice: httpx.AsyncClient, cast: Cast, owner: psycopg.Connection
) -> None:
    assert (await as_alice.post("/account/other-sessions/end")).status_code == 303
    assert _recorded(owner) == []
    other = uuid.uuid4()
    for _turn in range(2):
        owner.execute(
            "INSERT INTO sessions SELECT gen_random_uuid(), user_id, "
            "sha256(gen_random_uuid()::text::bytea), created_at, last_seen_at, expires_at "
            "FROM sessions WHERE user_id = %s LIMIT 1",
            [cast.alice.user_id],
        )
    assert (await as_alice.post(f"/account/sessions/{other}/end")).status_code == 303
    assert (await as_alice.post("/account/other-sessions/end")).status_code == 303
    for _turn in range(2):
        assert (await as_alice.post("/sessions/current/end")).status_code == 303
    assert _recorded(owner) == [
        (cast.acme, cast.alice.user_id, "session.revoked", {"browsers": 2}),
        (cast.acme, cast.alice.user_id, "session.ended", {}),
    ]


def _recorded(owner: psycopg.Connection) -> list[tuple[object, ...]]:
    return owner.execute(
        "SELECT workspace_id, actor_id, action, details FROM audit_events ORDER BY number"
    ).fetchall()
