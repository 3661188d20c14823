"""An address is kept only where it was asked for and left, beside its answer and no longer."""

import asyncio
import csv
import io
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from sqlalchemy import event

from app.foundation import clock
from app.foundation.database import Database
from app.foundation.tokens import new_id
from app.responses.erasure import erase_response
from app.responses.models import FINAL, DeletionReason
from app.responses.retention import delete_expired, unscoped_list_keepings
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.surveys.models import Channel
from tests.conftest import browser, program
from tests.factories import Cast
from tests.responses.scene import Scene, make_scene, stored_answers
from tests.responses.test_form import fill_in, ticket_in

RITA = "rita@customer.example"


@pytest.fixture
async def scene(database: Database, cast: Cast) -> Scene:
    async with database.transaction(cast.acme) as session:
        return await make_scene(session, cast.acme, asks_contact=True)


def left(owner: psycopg.Connection) -> list[str]:
    """The addresses that are stored; each belongs to an answer, or the database would not have
    taken it."""
    rows = owner.execute("SELECT address FROM response_contacts ORDER BY address")
    return [address for (address,) in rows]


def _answer(scene: Scene, address: str | None, **more: Any) -> NewAnswer:
    return NewAnswer(
        scene.survey_id, scene.version_id, 3, "Slow", "en", Channel.LINK,
        clock.today("Asia/Tokyo"), labels={"plan": "pro"}, address=address, **more,
    )  # fmt: skip


async def _store(database: Database, scene: Scene, *answers: NewAnswer) -> list[uuid.UUID]:
    async with database.transaction(scene.workspace_id) as session:
        stored = await store_answers(session, scene.workspace_id, answers)
    return [answer.id for answer in stored]


@pytest.mark.usefixtures("scene")
async def test_the_form_asks_and_says_who_will_see_it(client: httpx.AsyncClient) -> None:
    page = await client.get("/s/cafe?lang=en")
    assert 'id="f-email" name="email" type="email" autocomplete="email"' in page.text
    assert "The team will then see this answer together with your address." in page.text
    assert "This survey is anonymous, unless you leave your address." in page.text
    assert "Not stored are your name, your device or the time." in page.text
    privacy = await client.get("/s/cafe/privacy?lang=en")
    assert "An address only if you leave it" in privacy.text
    assert "Your e-mail address, if you left one, beside your answer" in privacy.text
    assert "If you left an e-mail address" in (await client.get("/s/cafe/erasure?lang=en")).text


async def test_other_forms_neither_ask_nor_store(
    client: httpx.AsyncClient, database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    async with database.transaction(cast.acme) as session:
        await make_scene(session, cast.acme)
    page = await client.get("/s/cafe?lang=en")
    assert 'name="email"' not in page.text
    assert "This survey is anonymous. " in page.text
    assert (await fill_in(client, score="5", email=RITA)).status_code == 303
    assert (await fill_in(client, score="5", email="no address")).status_code == 303
    assert len(stored_answers(owner)) == 2
    assert left(owner) == []
    privacy = (await client.get("/s/cafe/privacy?lang=en")).text
    assert "if you left one" not in privacy


@pytest.mark.usefixtures("scene")
@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        (RITA, RITA),
        (f"  {RITA}\t", RITA),
        ("ｒｉｔａ＠ｃｕｓｔｏｍｅｒ．ｅｘａｍｐｌｅ", RITA),
        ("o'neill+nps@mail.customer.example", "o'neill+nps@mail.customer.example"),
        ("rita@例え.jp", "rita@例え.jp"),
    ],
)
async def test_an_address_stands_beside_its_answer(
    client: httpx.AsyncClient, owner: psycopg.Connection, typed: str, stored: str
) -> None:
    assert (await fill_in(client, score="9", email=typed)).status_code == 303
    assert left(owner) == [stored]
    same = owner.execute(
        "SELECT c.xmin = r.xmin FROM response_contacts c JOIN responses r ON r.id = c.response_id"
    ).fetchall()
    assert same == [(True,)], "written in one transaction"


@pytest.mark.usefixtures("scene")
@pytest.mark.parametrize(
    "typed",
    ["rita", "rita@", "@customer.example", "rita@customer", "a b@customer.example",
     "rita@customer.example, bob@customer.example", "<rita@customer.example>",
     f"{'x' * 65}@customer.example", f"rita@{'x.' * 130}example", "rita@customer.example\0",
     "rita@customer..example"],
)  # fmt: skip
async def test_what_is_no_address_is_shown_again_and_all_is_kept(
    client: httpx.AsyncClient, owner: psycopg.Connection, typed: str
) -> None:
    sent = await fill_in(
        client, score="4", comment="keep me", email=typed, **{"segment.age": "old"}
    )
    assert sent.status_code == 422
    assert 'href="#f-email"' in sent.text
    assert sent.text.count("Check your e-mail address, or leave the field empty.") == 2
    assert "keep me</textarea>" in sent.text
    assert 'value="old" id="f-segment.age-1" checked' in sent.text
    assert 'id="f-score-4" checked' in sent.text
    assert (stored_answers(owner), left(owner)) == ([], [])


@pytest.mark.usefixtures("scene")
async def test_the_error_is_in_the_readers_language(client: httpx.AsyncClient) -> None:
    ticket = ticket_in(await client.get("/s/cafe"))
    data = {"ticket": ticket, "score": "4", "email": "rita"}
    sent = await client.post("/s/cafe/responses?lang=ja", data=data)
    assert "メールアドレスをご確認いただくか、空欄にしてください。" in sent.text


@pytest.mark.usefixtures("scene")
async def test_sending_again_replaces_or_deletes_the_address(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    ticket = ticket_in(await client.get("/s/cafe"))
    for typed, kept in ((RITA, [RITA]), ("r@other.example", ["r@other.example"]), ("", []),
                        (RITA, [RITA])):  # fmt: skip
        data = {"ticket": ticket, "score": "4", "email": typed}
        assert (await client.post("/s/cafe/responses", data=data)).status_code == 303
        assert left(owner) == kept
    assert len(stored_answers(owner)) == 1


async def test_what_says_nothing_of_an_address_leaves_it(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    """An early save that comes late, and whatever has no box for an address."""
    key = new_id()
    sent = _answer(scene, RITA, submission_key=key)
    await _store(database, scene, sent)
    for address in (None, "", "late@customer.example"):
        await _store(database, scene, replace(sent, id=new_id(), address=address, number=FINAL - 1))
        assert left(owner) == [RITA]
    await _store(database, scene, replace(sent, id=new_id(), address=None))
    assert left(owner) == [RITA]


async def test_the_last_word_of_a_batch_counts(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    one, two, three = new_id(), new_id(), new_id()
    batch = [
        _answer(scene, RITA, submission_key=one),
        _answer(scene, "b@customer.example", submission_key=two),
        _answer(scene, "", submission_key=one),
        _answer(scene, None, submission_key=three, number=1),
        _answer(scene, "c@customer.example", submission_key=three),
        _answer(scene, "d@customer.example"),
    ]
    await _store(database, scene, *batch)
    assert left(owner) == ["b@customer.example", "c@customer.example", "d@customer.example"]


@contextmanager
def statements(database: Database) -> Iterator[list[str]]:
    """What is sent to the database meanwhile."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        found.append(statement)

    engine = database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_answers_without_an_address_cost_nothing_more(
    database: Database, scene: Scene
) -> None:
    with statements(database) as sent:
        await _store(database, scene, _answer(scene, ""), _answer(scene, None))
    assert any("INTO responses" in statement for statement in sent)
    assert not any("response_contacts" in statement for statement in sent)


async def test_it_goes_with_its_answer(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    erased, _stays = await _store(
        database, scene, _answer(scene, RITA), _answer(scene, "b@customer.example")
    )
    async with database.transaction(scene.workspace_id) as session:
        await erase_response(session, scene.workspace_id, erased, DeletionReason.RECEIPT)
    assert left(owner) == ["b@customer.example"]
    with clock.fixed(clock.now() + timedelta(days=800)):
        [keeping] = [one async for one in unscoped_list_keepings(database)]
        async with database.transaction(scene.workspace_id) as session:
            assert await delete_expired(session, keeping) == 1
    assert left(owner) == []


@pytest.fixture
async def answers(database: Database, scene: Scene) -> list[uuid.UUID]:
    """One with an address, one without."""
    return await _store(database, scene, _answer(scene, RITA), _answer(scene, ""))


def _page(cast: Cast, scene: Scene, rest: str = "") -> str:
    return f"/w/{cast.acme}/surveys/{scene.survey_id}/responses{rest}"


@pytest.mark.usefixtures("answers")
async def test_managers_and_owners_see_it_viewers_do_not(
    app: FastAPI, cast: Cast, scene: Scene
) -> None:
    for player, sees in ((cast.alice, True), (cast.mona, True), (cast.bob, False)):
        async with browser(app, player.session_token) as member:
            page = await member.get(_page(cast, scene))
            assert page.status_code == 200
            assert page.text.count("Slow") == 2
            assert (RITA in page.text) == sees
            assert ("Delete the address" in page.text) == sees
            table = await member.get(_page(cast, scene, ".csv"))
            head, *rows = csv.reader(io.StringIO(table.text.lstrip("\ufeff")))
            assert head[8:] == (["contact"] if sees else [])
            assert sorted(row[8:] for row in rows) == ([[""], [RITA]] if sees else [[], []])


async def test_lists_by_label_never_show_it(
    database: Database, scene: Scene, cast: Cast, as_alice: httpx.AsyncClient,
    acme_api: httpx.AsyncClient,
) -> None:  # fmt: skip
    """It would join an answer's day to its labels, as an id would."""
    today = clock.today("Asia/Tokyo")
    past = (today.replace(day=1) - timedelta(days=40)).replace(day=5)
    many = [replace(_answer(scene, f"r{at}@customer.example"), answered_on=past) for at in range(8)]
    await _store(database, scene, *many)
    query = "segment.plan=pro"
    page = await as_alice.get(_page(cast, scene, f"?{query}"))
    table = await as_alice.get(_page(cast, scene, f".csv?{query}"))
    listed = await acme_api.get(f"/api/v1/surveys/{scene.survey_id}/responses?{query}")
    assert listed.json()["data"], "otherwise nothing is shown"
    for answer in (page, table, listed):
        assert answer.status_code == 200
        assert "Slow" in answer.text
        assert "customer.example" not in answer.text
        assert "contact" not in answer.text.partition("<main")[2]
    assert table.text.lstrip("\ufeff").splitlines()[0] == "id,month,score,category,comment,plan"
    assert all("has_contact" not in row for row in listed.json()["data"])


async def test_it_is_deleted_alone(
    app: FastAPI, cast: Cast, scene: Scene, answers: list[uuid.UUID], owner: psycopg.Connection
) -> None:
    path = _page(cast, scene, f"/{answers[0]}/contact/removal")
    async with browser(app, cast.bob.session_token) as viewer:
        assert (await viewer.post(path)).status_code == 403
    assert left(owner) == [RITA]
    async with browser(app, cast.mona.session_token) as manager:
        gone = await manager.post(f"{path}?standing=counted")
        assert gone.headers["location"] == _page(cast, scene, "?standing=counted")
        assert (await manager.post(path)).status_code == 404
        assert (await manager.post(_page(cast, scene, f"/{answers[1]}/contact/removal"))
                ).status_code == 404  # fmt: skip
    assert left(owner) == []
    assert len(stored_answers(owner)) == 2
    logged = owner.execute(
        "SELECT action, details::text FROM audit_events WHERE action LIKE 'response%'"
    ).fetchall()
    assert [action for action, _details in logged] == ["response.contact_deleted"]
    assert RITA not in str(logged)


async def test_programs_need_to_be_trusted_to_read_it(
    app: FastAPI, cast: Cast, scene: Scene, answers: list[uuid.UUID], owner: psycopg.Connection
) -> None:
    base = f"/api/v1/surveys/{scene.survey_id}"
    path = f"{base}/responses/{answers[0]}/contact"
    async with program(app, cast.acme_read_key) as reader:
        rows = (await reader.get(f"{base}/responses")).json()["data"]
        assert {row["id"]: row["has_contact"] for row in rows} == {
            str(answers[0]): True, str(answers[1]): False,
        }  # fmt: skip
        assert (await reader.get(path)).status_code == 403
        assert RITA not in (await reader.get(f"{base}/responses.csv")).text
    async with program(app, cast.acme_key) as writer:
        assert RITA in (await writer.get(f"{base}/responses.csv")).text
        shape = {"response_id": str(answers[0]), "address": RITA}
        assert (await writer.get(path)).json() == shape
        assert (await writer.get(f"{base}/responses/{answers[1]}/contact")).status_code == 404
        other = f"/api/v1/surveys/{new_id()}/responses/{answers[0]}/contact"
        assert (await writer.get(other)).status_code == 404
        assert (await writer.delete(path)).status_code == 204
        assert (await writer.delete(path)).status_code == 404
    assert left(owner) == []
    assert len(stored_answers(owner)) == 2


@pytest.mark.usefixtures("answers")
async def test_whether_it_is_asked_stands_with_the_first_answer(
    acme_api: httpx.AsyncClient, scene: Scene
) -> None:
    path = f"/api/v1/surveys/{scene.survey_id}"
    refused = await acme_api.patch(path, json={"asks_contact": False})
    assert refused.status_code == 409
    assert [param["name"] for param in refused.json()["invalid_params"]] == ["asks_contact"]
    changed = await acme_api.patch(path, json={"support": "help@acme.example"})
    assert changed.json()["support"] == "help@acme.example"
    assert changed.json()["asks_contact"] is True


async def test_sent_and_amended_at_once_one_address_stays(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    key = new_id()
    batches = [
        _answer(scene, f"r{at}@customer.example", submission_key=key, id=new_id())
        for at in range(6)
    ]
    await asyncio.gather(*(_store(database, scene, answer) for answer in batches))
    assert len(left(owner)) == len(stored_answers(owner)) == 1
