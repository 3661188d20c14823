"""What is saved early and sent later under one key: the highest number counts, in any order."""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.foundation import clock
from app.foundation.database import Database
from app.responses.closing import close_months
from app.responses.models import FINAL, HoldReason, Standing
from app.responses.schemas import NewAnswer
from tests.responses.scene import Scene, recount, stored_answers, stored_counts
from tests.responses.test_intake_storing import answer, store

KEY = uuid.UUID(int=7)
NOW = datetime(2026, 7, 10, 12, tzinfo=UTC)
TODAY = NOW.date()
ONE_DAY = timedelta(days=1)
HELD: dict[str, Any] = {"standing": Standing.HELD, "hold_reason": HoldReason.TRAP}


@pytest.fixture(autouse=True)
def july() -> Iterator[None]:
    with clock.fixed(NOW):
        yield


def early(scene: Scene, score: int, number: int, **values: Any) -> NewAnswer:
    return sent(scene, score, number=number, **values)


def sent(scene: Scene, score: int, **values: Any) -> NewAnswer:
    return answer(
        scene, score, **{"submission_key": KEY, "answered_on": TODAY, "labels": {}, **values}
    )


def stored_labels(owner: psycopg.Connection) -> list[dict[str, str]]:
    rows = owner.execute(
        "SELECT labels FROM responses JOIN segment_sets s ON s.id = segment_set_id"
    )
    return [row[0] for row in rows]


def stored_standings(owner: psycopg.Connection) -> list[tuple[str, str | None]]:
    return owner.execute("SELECT standing, hold_reason FROM responses").fetchall()


@pytest.mark.parametrize("together", [True, False])
async def test_what_is_saved_early_is_overtaken_by_what_is_sent(
    database: Database, scene: Scene, owner: psycopg.Connection, together: bool
) -> None:
    arrivals = [
        early(scene, 2, 2),
        early(scene, 1, 1),
        sent(scene, 9, comment="Words"),
        early(scene, 3, 3),
    ]
    batches = [arrivals] if together else [[one] for one in arrivals]
    stored = [one for batch in batches for one in await store(database, scene, *batch)]
    assert (stored[-1].score, stored[-1].comment) == (9, "Words")
    assert stored_answers(owner) == [(9, "Words")]
    assert stored_counts(owner) == recount(owner)
    assert owner.execute("SELECT number FROM submission_keys").fetchall() == [(FINAL,)]


async def test_the_same_number_again_changes_nothing(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    [first] = await store(database, scene, early(scene, 4, 5))
    [again] = await store(database, scene, early(scene, 4, 5))
    assert again == first
    assert stored_answers(owner) == [(4, None)]


async def test_sending_brings_labels_language_and_counts_along(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    [saved] = await store(database, scene, early(scene, 4, 1, labels={"plan": "pro"}))
    both = {"plan": "pro", "age": "old"}
    [stored] = await store(
        database, scene, sent(scene, 4, labels=both, language="ja", answered_on=TODAY + ONE_DAY)
    )
    assert (stored.id, stored.answered_on) == (saved.id, TODAY)
    assert stored.language == "ja"
    assert stored_labels(owner) == [both]
    assert stored_counts(owner) == recount(owner)
    left = owner.execute("SELECT count(*) FROM daily_counts").fetchone()
    assert left == (1,), "nothing says that somebody had labels that nobody has"


async def test_a_row_that_others_are_counted_in_stays(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    await store(database, scene, early(scene, 4, 1), sent(scene, 5, submission_key=uuid.uuid4()))
    await store(database, scene, sent(scene, 4, labels={"age": "old"}))
    assert stored_counts(owner) == recount(owner)
    assert sum(map(sum, stored_counts(owner).values())) == 2


async def test_labels_of_a_closed_month_never_move(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    """Also where the key has outlived its day, because no job has run."""
    await store(database, scene, early(scene, 4, 1, labels={"plan": "pro"}))
    with clock.fixed(NOW + timedelta(days=53)):
        async with database.transaction(scene.workspace_id) as session:
            await close_months(session, scene.workspace_id, scene.survey_id, date(2026, 9, 1))
        [stored] = await store(
            database, scene, sent(scene, 8, comment="Late", labels={"age": "old"}, language="ja")
        )
    assert (stored.score, stored.comment, stored.language) == (8, "Late", "en")
    assert stored_labels(owner) == [{"plan": "pro"}]
    assert stored_counts(owner) == recount(owner)


async def test_what_was_only_saved_early_is_held_once_the_trap_is_filled_in(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    await store(database, scene, early(scene, 4, 1))
    await store(database, scene, sent(scene, 9, **HELD))
    assert stored_standings(owner) == [("held", "trap")]
    assert stored_counts(owner) == recount(owner)
    await store(database, scene, sent(scene, 9))
    assert stored_standings(owner) == [("counted", None)]
    await store(database, scene, sent(scene, 0, **HELD))
    assert stored_standings(owner) == [("counted", None)], "what was sent is not held later"
    assert stored_counts(owner) == recount(owner)


async def test_what_was_saved_early_is_not_held_for_speed(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    await store(database, scene, early(scene, 4, 1))
    quick = {"standing": Standing.HELD, "hold_reason": HoldReason.TOO_FAST}
    await store(database, scene, sent(scene, 9, **quick))
    assert stored_standings(owner) == [("counted", None)]


async def test_what_was_left_out_stays_out_whatever_is_sent(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    await store(database, scene, early(scene, 4, 1))
    owner.execute(
        "UPDATE responses SET standing = 'excluded', exclusion_reason = 'test';"
        "UPDATE daily_counts SET standing = 'excluded'"
    )
    await store(database, scene, sent(scene, 9, **HELD))
    assert stored_standings(owner) == [("excluded", None)]
    assert stored_counts(owner) == recount(owner)


@pytest.mark.parametrize("number", [0, -1])
async def test_numbers_begin_with_one(
    database: Database, scene: Scene, owner: psycopg.Connection, number: int
) -> None:
    await store(database, scene, early(scene, 4, 1))
    with pytest.raises(psycopg.errors.CheckViolation):
        owner.execute("UPDATE submission_keys SET number = %s", [number])


arrivals = st.tuples(
    st.sampled_from([uuid.UUID(int=key) for key in (1, 2)]),
    st.one_of(st.just(FINAL), st.integers(1, 4)),
    st.integers(0, 10),
    st.sampled_from([{}, {"plan": "pro"}, {"age": "old"}]),
)


@settings(max_examples=40)
@given(batches=st.lists(st.lists(arrivals, min_size=1, max_size=5), max_size=5))
async def test_any_order_ends_at_the_highest_number_and_the_last_sending(
    database: Database, scene: Scene, owner: psycopg.Connection, batches: list[list[Any]]
) -> None:
    owner.execute("TRUNCATE submission_keys, responses, daily_counts, segment_sets CASCADE")
    latest: dict[uuid.UUID, tuple[int, int, dict[str, str]]] = {}
    for batch in batches:
        new = [
            early(scene, score, number, submission_key=key, labels=labels)
            for key, number, score, labels in batch
        ]
        await store(database, scene, *new)
        for key, number, score, labels in batch:
            if key not in latest or latest[key][0] <= number:
                latest[key] = (number, score, labels)
    rows = owner.execute(
        "SELECT key, number, score, labels FROM submission_keys k"
        " JOIN responses r ON r.id = k.response_id JOIN segment_sets s ON s.id = segment_set_id"
    ).fetchall()
    assert {row[0]: row[1:] for row in rows} == latest
    assert stored_counts(owner) == recount(owner)
    assert len(stored_answers(owner)) == len(latest)
