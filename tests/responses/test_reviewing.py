"""Deciding about held answers: one by one and all at once, in time and after the closing."""

import uuid
from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta

import httpx
import psycopg
import pytest

from app.foundation import clock
from app.foundation.database import Database
from app.responses.closing import close_months
from app.responses.models import HoldReason, Standing
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.surveys.models import Channel
from tests.responses.scene import Scene, recount, stored_counts

HELD: Mapping[HoldReason | None, int] = {
    HoldReason.TOO_FAST: 3,
    HoldReason.TRAP: 2,
    HoldReason.FLOOD: 1,
    None: 1,
}


async def hold_answers(
    database: Database, scene: Scene, day: date, held: Mapping[HoldReason | None, int] = HELD
) -> None:
    answers = [
        NewAnswer(
            scene.survey_id, scene.version_id, at % 11, f"{reason} no {at}", "en", Channel.LINK,
            day, {"plan": "pro"}, Standing.HELD, reason,
        )
        for reason, number in held.items()
        for at in range(number)
    ]  # fmt: skip
    async with database.transaction(scene.workspace_id) as session:
        await store_answers(session, scene.workspace_id, answers)


@pytest.fixture
async def held(database: Database, scene: Scene) -> str:
    """Seven answers of today are held; the address of the survey's held answers."""
    await hold_answers(database, scene, clock.today("Asia/Tokyo"))
    return f"/api/v1/surveys/{scene.survey_id}/held_responses"


def standings(owner: psycopg.Connection) -> Counter[tuple[str, str | None]]:
    rows = owner.execute("SELECT standing, hold_reason FROM responses").fetchall()
    assert stored_counts(owner) == recount(owner)
    return Counter((row[0], row[1]) for row in rows)


def an_answer(owner: psycopg.Connection, reason: str) -> uuid.UUID:
    row = owner.execute(
        "SELECT id FROM responses WHERE hold_reason = %s ORDER BY id LIMIT 1", [reason]
    ).fetchone()
    assert row
    found: uuid.UUID = row[0]
    return found


async def test_what_is_held_is_told_with_reasons(acme_reader: httpx.AsyncClient, held: str) -> None:
    assert (await acme_reader.get(held)).json() == {
        "held_count": 7,
        "reasons": {"too_fast": 3, "trap": 2, "flood": 1},
    }
    address = held.replace("held_responses", "responses")
    listed = (await acme_reader.get(address, params={"standing": "held"})).json()["data"]
    told = Counter(answer["hold_reason"] for answer in listed)
    assert told == {"too_fast": 3, "trap": 2, "flood": 1, None: 1}


async def test_one_is_released(
    acme_api: httpx.AsyncClient, held: str, owner: psycopg.Connection
) -> None:
    response_id = an_answer(owner, "trap")
    address = held.replace("held_responses", f"responses/{response_id}/release")
    for _time in range(2):
        answer = await acme_api.put(address)
        assert answer.status_code == 200, answer.text
        assert (answer.json()["standing"], answer.json()["hold_reason"]) == ("counted", None)
    assert standings(owner)["counted", None] == 1
    assert standings(owner)["held", "trap"] == 1
    events = owner.execute("SELECT action, subject_id, details FROM audit_events").fetchall()
    assert events == [("response.released", response_id, {})]


async def test_an_excluded_answer_is_not_released(
    acme_api: httpx.AsyncClient, held: str, owner: psycopg.Connection
) -> None:
    one = held.replace("held_responses", f"responses/{an_answer(owner, 'flood')}")
    left_out = await acme_api.put(f"{one}/exclusion", json={"reason": "spam"})
    assert (left_out.json()["standing"], left_out.json()["hold_reason"]) == ("excluded", None)
    assert (await acme_api.put(f"{one}/release")).json()["standing"] == "excluded"


@pytest.mark.parametrize("reason", [*HoldReason, None])
async def test_all_of_one_reason_or_all_are_released(
    acme_api: httpx.AsyncClient, held: str, owner: psycopg.Connection, reason: HoldReason | None
) -> None:
    number = 7 if reason is None else HELD[reason]
    for expected in (number, 0):
        answer = await acme_api.put(f"{held}/release", json={"hold_reason": reason})
        assert answer.json() == {"response_count": expected}
    assert standings(owner)["counted", None] == number
    assert standings(owner).total() == 7
    assert (await acme_api.get(held)).json()["held_count"] == 7 - number
    (event,) = owner.execute("SELECT action, details FROM audit_events").fetchall()
    assert event == ("responses.released", {"responses": number, "hold_reason": reason})


async def test_all_of_one_reason_are_left_out(
    acme_api: httpx.AsyncClient, held: str, owner: psycopg.Connection
) -> None:
    given = {"hold_reason": "too_fast", "reason": " a mail scanner "}
    answer = await acme_api.put(f"{held}/exclusion", json=given)
    assert answer.json() == {"response_count": 3}
    assert standings(owner)["excluded", None] == 3
    assert standings(owner)["held", "trap"] == 2
    kept = owner.execute(
        "SELECT DISTINCT exclusion_reason FROM responses WHERE hold_reason IS NULL"
    )
    assert ("a mail scanner",) in kept.fetchall()
    (event,) = owner.execute("SELECT action, details FROM audit_events").fetchall()
    details = {"responses": 3, "hold_reason": "too_fast", "reason": "a mail scanner"}
    assert event == ("responses.excluded", details)


@pytest.mark.parametrize(
    ("ending", "given"),
    [
        ("release", {"hold_reason": "ugly"}),
        ("release", {"hold_reason": "too_fast", "because": 1}),
        ("exclusion", {}),
        ("exclusion", {"reason": " "}),
        ("exclusion", {"reason": "a\0b"}),
    ],
)
async def test_what_is_not_understood_moves_nothing(
    acme_api: httpx.AsyncClient,
    held: str,
    owner: psycopg.Connection,
    ending: str,
    given: dict[str, object],
) -> None:
    assert (await acme_api.put(f"{held}/{ending}", json=given)).status_code == 422
    assert standings(owner)["held", "too_fast"] == 3
    assert owner.execute("SELECT count(*) FROM audit_events").fetchone() == (0,)


async def test_another_survey_is_left_alone(
    acme_api: httpx.AsyncClient, held: str, scene: Scene, owner: psycopg.Connection
) -> None:
    elsewhere = held.replace(str(scene.survey_id), str(uuid.uuid4()))
    assert (await acme_api.put(f"{elsewhere}/release", json={})).status_code == 404
    one = elsewhere.replace("held_responses", f"responses/{an_answer(owner, 'trap')}/release")
    assert (await acme_api.put(one)).status_code == 404
    assert standings(owner)["counted", None] == 0


@pytest.mark.parametrize("together", [False, True], ids=["one", "all"])
@pytest.mark.parametrize("decision", ["release", "exclusion"])
async def test_once_the_month_is_closed_no_subgroup_changes(
    acme_api: httpx.AsyncClient,
    database: Database,
    scene: Scene,
    owner: psycopg.Connection,
    decision: str,
    together: bool,
) -> None:
    today = clock.today("Asia/Tokyo")
    long_ago = today.replace(day=1) - timedelta(days=45)
    await hold_answers(database, scene, long_ago, {HoldReason.TRAP: 1})
    await hold_answers(database, scene, today, {HoldReason.FLOOD: 1})
    counted = NewAnswer(
        scene.survey_id, scene.version_id, 9, None, "en", Channel.LINK, long_ago, {"plan": "pro"}
    )
    async with database.transaction(scene.workspace_id) as session:
        await store_answers(session, scene.workspace_id, [counted])
        await close_months(session, scene.workspace_id, scene.survey_id, today)
    closed = owner.execute("SELECT * FROM closed_counts").fetchall()
    address = f"/api/v1/surveys/{scene.survey_id}"
    endings = ["held_responses"] if together else [
        f"responses/{an_answer(owner, reason)}" for reason in ("trap", "flood")
    ]  # fmt: skip
    given = {"reason": "a test"} if decision == "exclusion" else {}
    for ending in endings:
        done = await acme_api.put(f"{address}/{ending}/{decision}", json=given)
        assert done.status_code == 200, done.text
    rows = owner.execute(
        "SELECT answered_on, is_late_change FROM responses WHERE id != %s", [counted.id]
    )
    assert dict(rows.fetchall()) == {long_ago: decision == "release", today: False}
    assert owner.execute("SELECT * FROM closed_counts").fetchall() == closed
    assert standings(owner).total() == 3


async def test_a_better_reason_changes_no_figure_of_a_closed_month(
    acme_api: httpx.AsyncClient, database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    today = clock.today("Asia/Tokyo")
    answer = NewAnswer(
        scene.survey_id, scene.version_id, 9, None, "en", Channel.LINK, today - timedelta(days=60)
    )
    async with database.transaction(scene.workspace_id) as session:
        await store_answers(session, scene.workspace_id, [answer])
        await close_months(session, scene.workspace_id, scene.survey_id, today)
    address = f"/api/v1/surveys/{scene.survey_id}/responses/{answer.id}/exclusion"
    for reason in ("a test", "a test of our own"):
        await acme_api.put(address, json={"reason": reason})
        assert owner.execute("SELECT is_late_change FROM responses").fetchall() == [(True,)]
    await acme_api.delete(address)
    assert owner.execute("SELECT is_late_change FROM responses").fetchall() == [(False,)]


async def test_many_are_decided_about_at_once(
    acme_api: httpx.AsyncClient, database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    await hold_answers(database, scene, clock.today("Asia/Tokyo"), {HoldReason.FLOOD: 6_000})
    address = f"/api/v1/surveys/{scene.survey_id}/held_responses/release"
    assert (await acme_api.put(address, json={})).json() == {"response_count": 6_000}
    assert standings(owner) == {("counted", None): 6_000}
