"""store_answers: new answers, retries, amendments, and counts that always follow."""

import uuid
from datetime import date
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

from app.foundation.database import Database
from app.responses.counts import CountKey, apply_count_changes
from app.responses.models import Standing
from app.responses.schemas import NewAnswer, StoredAnswer
from app.responses.segment_sets import segment_set_id
from app.responses.storing import store_answers
from app.surveys.models import Channel
from tests.responses.scene import Scene, recount, stored_answers, stored_counts

DAY = date(2026, 3, 14)


def answer(scene: Scene, score: int, **values: Any) -> NewAnswer:
    return NewAnswer(
        survey_id=scene.survey_id,
        version_id=scene.version_id,
        score=score,
        **{
            "comment": None,
            "language": "en",
            "channel": Channel.LINK,
            "answered_on": DAY,
            **values,
        },
    )


async def store(database: Database, scene: Scene, *answers: NewAnswer) -> list[StoredAnswer]:
    async with database.transaction(scene.workspace_id) as session:
        return await store_answers(session, scene.workspace_id, answers)


async def test_an_answer_is_stored_and_counted(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    [stored] = await store(
        database, scene, answer(scene, 9, comment="Good", labels={"plan": "pro"})
    )
    assert (stored.score, stored.comment, stored.answered_on) == (9, "Good", DAY)
    assert stored.segment_set_id == segment_set_id(scene.survey_id, {"plan": "pro"})
    assert stored_answers(owner) == [(9, "Good")]
    assert stored_counts(owner) == recount(owner)
    assert owner.execute("SELECT has_answers FROM surveys").fetchone() == (True,)


async def test_the_order_of_labels_does_not_matter(scene: Scene) -> None:
    one = segment_set_id(scene.survey_id, {"plan": "pro", "age": "old"})
    assert one == segment_set_id(scene.survey_id, {"age": "old", "plan": "pro"})
    assert one != segment_set_id(scene.workspace_id, {"age": "old", "plan": "pro"})


async def test_the_same_key_is_the_same_answer(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    key = uuid.uuid4()
    [first] = await store(database, scene, answer(scene, 3, submission_key=key))
    [second] = await store(
        database, scene, answer(scene, 9, comment="Slipped", submission_key=key,
                                answered_on=date(2026, 3, 15), labels={"plan": "pro"})
    )  # fmt: skip
    assert second.id == first.id
    assert (second.score, second.comment, second.answered_on) == (9, "Slipped", DAY)
    assert second.segment_set_id == first.segment_set_id
    assert stored_answers(owner) == [(9, "Slipped")]
    assert stored_counts(owner) == recount(owner)


async def test_a_double_click_within_one_batch_is_one_answer(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    key = uuid.uuid4()
    both = await store(
        database, scene,
        answer(scene, 3, submission_key=key), answer(scene, 4, submission_key=key),
    )  # fmt: skip
    assert both[0] == both[1]
    assert stored_answers(owner) == [(4, None)]
    assert stored_counts(owner) == recount(owner)


@pytest.mark.parametrize("standing", [Standing.EXCLUDED, Standing.HELD])
async def test_amending_keeps_the_standing(
    database: Database, scene: Scene, owner: psycopg.Connection, standing: Standing
) -> None:
    key = uuid.uuid4()
    [first] = await store(
        database, scene, answer(scene, 3, submission_key=key, standing=Standing.HELD)
    )
    if standing is Standing.EXCLUDED:
        async with database.transaction(scene.workspace_id) as session:
            found = {
                CountKey(
                    scene.survey_id, DAY, first.segment_set_id, "en", Channel.LINK, kind, 3
                ): by
                for kind, by in ((Standing.HELD, -1), (Standing.EXCLUDED, 1))
            }
            await apply_count_changes(session, scene.workspace_id, found)
        owner.execute("UPDATE responses SET standing = 'excluded', exclusion_reason = 'test'")
    again = answer(scene, 10, submission_key=key, standing=Standing.HELD)
    [second] = await store(database, scene, again)
    assert second.standing is standing
    assert stored_counts(owner) == recount(owner)


async def test_counts_cannot_fall_below_zero(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    [stored] = await store(database, scene, answer(scene, 3))
    key = CountKey(
        scene.survey_id, DAY, stored.segment_set_id, "en", Channel.LINK, Standing.COUNTED, 4
    )
    with pytest.raises(IntegrityError):
        async with database.transaction(scene.workspace_id) as session:
            await apply_count_changes(session, scene.workspace_id, {key: -1})
    assert stored_counts(owner) == recount(owner)


operations = st.lists(
    st.lists(
        st.tuples(
            st.integers(0, 10),
            st.sampled_from([None, "yes", "いいえ"]),
            st.sampled_from([{}, {"plan": "pro"}, {"plan": "free", "age": "old"}]),
            st.sampled_from([None, *(uuid.UUID(int=number) for number in range(4))]),
            st.sampled_from(list(Standing)[:2]),
        ),
        min_size=1,
        max_size=8,
    ),
    max_size=6,
)


@settings(max_examples=40)
@given(batches=operations)
async def test_counts_always_equal_a_recount(
    database: Database, scene: Scene, owner: psycopg.Connection, batches: list[list[Any]]
) -> None:
    owner.execute("TRUNCATE submission_keys, responses, daily_counts, segment_sets CASCADE")
    expected: dict[object, tuple[int, str | None]] = {}
    for number, batch in enumerate(batches):
        new = [
            answer(scene, score, comment=comment, labels=labels, submission_key=key,
                   standing=standing)
            for score, comment, labels, key, standing in batch
        ]  # fmt: skip
        await store(database, scene, *new)
        for place, (score, comment, _labels, key, _standing) in enumerate(batch):
            expected[key or (number, place)] = (score, comment)
    assert sorted(stored_answers(owner), key=repr) == sorted(expected.values(), key=repr)
    assert stored_counts(owner) == recount(owner)
