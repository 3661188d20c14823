"""The page of deletions and the legal hold, by page and by API."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import httpx
import psycopg
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.models import Scope
from app.accounts.schemas import SYSTEM
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.errors import Conflict
from app.foundation.settings import Settings
from app.responses.importing import undo_import
from app.responses.jobs import enforce_retention
from app.responses.retention import going_on, kept_from
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.surveys.models import Channel
from tests.conftest import program
from tests.factories import Cast, make_api_key
from tests.responses.scene import Scene

NOW = datetime(2026, 8, 31, 12, tzinfo=UTC)
OLD, DUE, YOUNG = date(2024, 8, 30), date(2024, 9, 10), date(2026, 8, 30)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.fixed(NOW):
        yield


@pytest.fixture
def base(scene: Scene) -> str:
    return f"/w/{scene.workspace_id}/surveys/{scene.survey_id}"


@pytest.fixture
def address(scene: Scene) -> str:
    return f"/api/v1/surveys/{scene.survey_id}"


async def _store(database: Database, scene: Scene, *days: date) -> None:
    async with database.transaction(scene.workspace_id) as session:
        answers = [
            NewAnswer(scene.survey_id, scene.version_id, 9, None, "en", Channel.API, day)
            for day in days
        ]
        await store_answers(session, scene.workspace_id, answers)


DAYS = st.dates(date(2000, 1, 1), date(2100, 1, 1))


@given(DAYS, st.integers(1, 120))
def test_an_answer_goes_on_the_first_day_that_does_not_keep_it(day: date, months: int) -> None:
    gone = going_on(day, months)
    assert kept_from(gone, months) > day
    assert kept_from(gone - timedelta(days=1), months) <= day


async def test_the_page_says_what_went_and_what_goes(
    database: Database, scene: Scene, base: str, as_mona: httpx.AsyncClient
) -> None:
    empty = await as_mona.get(f"{base}/deletions")
    assert "Nothing: there are no answers." in empty.text
    assert "Nothing has been deleted so far." in empty.text
    await _store(database, scene, OLD, OLD, DUE, YOUNG)
    waiting = await as_mona.get(f"{base}/deletions")
    assert "2 answers go with the next run" in waiting.text
    await enforce_retention(database)
    page = (await as_mona.get(f"{base}/deletions")).text
    assert 'Aug 31, 2026</th><td>Their time was over</td><td class="num">2</td>' in page
    assert "Aug 31, 2024 on" in page
    assert "Answers that go by Sep 30, 2026</dt><dd>1</dd>" in page
    assert "The next ones go on</dt><dd>Sep 11, 2026</dd>" in page
    assert "Aug 2024 becomes a total on</dt><dd>Sep 1, 2026</dd>" in page
    assert "Only an owner" in page


async def test_the_api_says_the_same(
    database: Database, scene: Scene, address: str, acme_api: httpx.AsyncClient
) -> None:
    await _store(database, scene, OLD, DUE)
    await enforce_retention(database)
    for day in (1, 2):
        with clock.fixed(NOW + timedelta(days=day)):
            await _store(database, scene, OLD)
            await enforce_retention(database)
    first = (await acme_api.get(f"{address}/deletions?limit=2")).json()
    assert [row["deleted_on"] for row in first["data"]] == ["2026-09-02", "2026-09-01"]
    rest = await acme_api.get(
        f"{address}/deletions", params={"cursor": first["meta"]["next_cursor"]}
    )
    assert rest.json()["data"] == [
        {"deleted_on": "2026-08-31", "reason": "retention", "responses": 1}
    ]
    assert rest.json()["meta"]["next_cursor"] is None
    assert first["retention"] == {
        "retention_months": 24,
        "held_since": None,
        "kept_from": "2024-08-31",
        "overdue": 0,
        "due": 1,
        "due_by": "2026-09-30",
        "next_on": "2026-09-11",
        "month": "2024-08-01",
        "month_on": "2026-09-01",
    }
    for cursor in ("x", "WyIyMDI0IiwgImEiXQ"):
        refused = await acme_api.get(f"{address}/deletions", params={"cursor": cursor})
        assert refused.status_code == 422


async def test_an_owner_holds_and_releases(
    database: Database,
    scene: Scene,
    base: str,
    as_alice: httpx.AsyncClient,
    as_mona: httpx.AsyncClient,
    owner: psycopg.Connection,
) -> None:
    await _store(database, scene, OLD)
    assert (await as_mona.post(f"{base}/hold")).status_code == 403
    assert (await as_mona.post(f"{base}/hold/end")).status_code == 403
    await as_alice.post(f"{base}/hold")
    led = await as_alice.post(f"{base}/hold", follow_redirects=True)  # twice is once
    assert "The hold is on" in led.text
    assert "Under legal hold since Aug 31, 2026" in led.text
    assert "1 answer is past its time" in led.text
    assert await enforce_retention(database) == 0
    for path in ("", f"/{scene.survey_id}/share", f"/{scene.survey_id}/edit"):
        shown = await as_alice.get(f"/w/{scene.workspace_id}/surveys{path}")
        assert "Under legal hold" in shown.text, path
    led = await as_alice.post(f"{base}/hold/end", follow_redirects=True)
    assert "The hold has ended" in led.text
    assert await enforce_retention(database) == 1
    acts = owner.execute(
        "SELECT action, details FROM audit_events WHERE action LIKE 'survey.%' ORDER BY number"
    ).fetchall()
    assert acts == [("survey.held", {}), ("survey.released", {"since": "2026-08-31"})]


async def test_a_program_holds_and_releases(
    app: FastAPI,
    database: Database,
    settings: Settings,
    cast: Cast,
    address: str,
    acme_api: httpx.AsyncClient,
    acme_reader: httpx.AsyncClient,
) -> None:
    async with database.transaction() as session:
        key = await make_api_key(session, settings, cast.acme, [Scope.READ, Scope.WRITE])
    async with program(app, key) as writer:
        assert (await writer.put(f"{address}/hold")).status_code == 403
        assert (await writer.delete(f"{address}/hold")).status_code == 403
    assert (await acme_api.put(f"{address}/hold")).json()["held_since"] == "2026-08-31"
    assert (await acme_reader.get(address)).json()["held_since"] == "2026-08-31"
    assert (await acme_api.delete(f"{address}/hold")).json()["held_since"] is None


async def test_the_form_says_that_a_hold_is_on(
    scene: Scene, address: str, client: httpx.AsyncClient, acme_api: httpx.AsyncClient
) -> None:
    promise = "Your answer is deleted after 24 months; only its count remains."
    before = await client.get(f"/s/{scene.slug}")
    assert promise in before.text
    assert "legal duty" not in before.text
    await acme_api.put(f"{address}/hold")
    held = await client.get(f"/s/{scene.slug}")
    assert promise in held.text
    assert "At present a legal duty keeps answers from being deleted" in held.text
    japanese = await client.get(f"/s/{scene.slug}?lang=ja")
    assert "法律上の義務" in japanese.text.replace("<wbr>", "")


async def test_a_hold_refuses_to_undo_an_import(
    database: Database, scene: Scene, cast: Cast, owner: psycopg.Connection
) -> None:
    made = owner.execute(
        "INSERT INTO imports (workspace_id, id, survey_id, file_name, file_hash, stored, unscored,"
        " skipped, created_at) VALUES (%s, gen_random_uuid(), %s, 'a.csv', '', 0, 0, 0, now())"
        " RETURNING id",
        [cast.acme, scene.survey_id],
    ).fetchone()
    assert made is not None
    owner.execute("UPDATE surveys SET held_since = '2026-08-01'")
    with pytest.raises(Conflict, match="legal hold"):
        async with database.transaction(cast.acme) as session:
            await undo_import(session, cast.acme, SYSTEM, made[0])
    owner.execute("UPDATE surveys SET held_since = NULL")
    async with database.transaction(cast.acme) as session:
        assert await undo_import(session, cast.acme, SYSTEM, made[0]) == 0


async def test_an_answer_may_refer_to_labels_that_were_forgotten(
    acme_api: httpx.AsyncClient, address: str, owner: psycopg.Connection
) -> None:
    """The process remembers a combination of labels that retention has deleted meanwhile."""
    sent = {"score": 9, "segments": {"region": "east"}}
    assert (await acme_api.post(f"{address}/responses", json=sent)).status_code == 201
    for table in ("responses", "daily_counts", "segment_sets"):
        owner.execute(f"DELETE FROM {table}")  # noqa: S608
    assert (await acme_api.post(f"{address}/responses", json=sent)).status_code == 201
    assert owner.execute("SELECT labels FROM segment_sets").fetchall() == [({"region": "east"},)]
