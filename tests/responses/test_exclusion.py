"""Leaving an answer out and taking it back in; forgetting submission keys."""

import uuid
from datetime import timedelta

import httpx
import psycopg
import pytest

from app.foundation import clock
from app.foundation.database import Database
from app.responses.jobs import expire_submission_keys
from app.responses.models import Standing
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.surveys.models import Channel
from tests.responses.scene import Scene, recount, stored_counts


@pytest.fixture
async def exclusion(acme_api: httpx.AsyncClient, scene: Scene) -> str:
    """The address of the exclusion of an answer that was just recorded."""
    address = f"/api/v1/surveys/{scene.survey_id}/responses"
    answer = await acme_api.post(address, json={"score": 2, "segments": {"plan": "pro"}})
    return f"{address}/{answer.json()['id']}/exclusion"


def standings(owner: psycopg.Connection) -> list[str]:
    return sorted(key[5] for key in stored_counts(owner))


async def test_an_answer_is_left_out_and_taken_back_in(
    acme_api: httpx.AsyncClient, exclusion: str, owner: psycopg.Connection
) -> None:
    for reason in ("our own test", "our own test", "a better reason"):
        answer = await acme_api.put(exclusion, json={"reason": reason})
        assert answer.status_code == 200
        assert answer.json()["standing"] == "excluded"
        assert answer.json()["exclusion_reason"] == reason
        assert standings(owner) == ["excluded"]
        assert stored_counts(owner) == recount(owner)
    for _time in range(2):
        answer = await acme_api.delete(exclusion)
        assert answer.status_code == 200
        assert (answer.json()["standing"], answer.json()["exclusion_reason"]) == ("counted", None)
        assert standings(owner) == ["counted"]
        assert stored_counts(owner) == recount(owner)


async def test_each_change_leaves_a_trace_without_content(
    acme_api: httpx.AsyncClient, exclusion: str, owner: psycopg.Connection
) -> None:
    await acme_api.put(exclusion, json={"reason": " test "})
    await acme_api.put(exclusion, json={"reason": "test"})
    await acme_api.delete(exclusion)
    await acme_api.delete(exclusion)
    response_id = uuid.UUID(exclusion.split("/")[-2])
    events = owner.execute(
        "SELECT action, subject_id, details, actor_kind FROM audit_events ORDER BY happened_at"
    ).fetchall()
    assert events == [
        ("response.excluded", response_id, {"reason": "test"}, "api_key"),
        ("response.included", response_id, {}, "api_key"),
    ]


@pytest.mark.parametrize("reason", [None, "", "   ", "x" * 501, "a\0b", 5])
async def test_a_reason_is_needed(
    acme_api: httpx.AsyncClient, exclusion: str, owner: psycopg.Connection, reason: object
) -> None:
    answer = await acme_api.put(exclusion, json={"reason": reason})
    assert answer.status_code == 422
    assert [param["name"] for param in answer.json()["invalid_params"]] == ["reason"]
    assert standings(owner) == ["counted"]


async def test_an_answer_of_another_survey_is_not_found(
    acme_api: httpx.AsyncClient, exclusion: str, scene: Scene
) -> None:
    other = exclusion.replace(str(scene.survey_id), str(uuid.uuid4()))
    assert (await acme_api.put(other, json={"reason": "x"})).status_code == 404
    assert (await acme_api.delete(other)).status_code == 404
    unknown = exclusion.replace(exclusion.split("/")[-2], str(uuid.uuid4()))
    assert (await acme_api.put(unknown, json={"reason": "x"})).status_code == 404


async def test_a_held_answer_may_be_left_out(
    acme_api: httpx.AsyncClient, database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    answer = NewAnswer(
        scene.survey_id, scene.version_id, 1, None, "en", Channel.LINK,
        clock.today("Asia/Tokyo"), standing=Standing.HELD,
    )  # fmt: skip
    async with database.transaction(scene.workspace_id) as session:
        await store_answers(session, scene.workspace_id, [answer])
    address = f"/api/v1/surveys/{scene.survey_id}/responses/{answer.id}/exclusion"
    assert (await acme_api.delete(address)).json()["standing"] == "held"
    assert (await acme_api.put(address, json={"reason": "spam"})).json()["standing"] == "excluded"
    assert stored_counts(owner) == recount(owner)


async def test_keys_are_forgotten_after_the_next_workspace_day(
    acme_api: httpx.AsyncClient, database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    today = clock.today("Asia/Tokyo")
    async with database.transaction(scene.workspace_id) as session:
        answers = [
            NewAnswer(
                scene.survey_id, scene.version_id, age, None, "en", Channel.LINK,
                today - timedelta(days=age), submission_key=uuid.uuid4(),
            )
            for age in range(4)
        ]  # fmt: skip
        await store_answers(session, scene.workspace_id, answers)
    address = f"/api/v1/surveys/{scene.survey_id}/responses"
    key = {"Idempotency-Key": "k"}
    first = await acme_api.post(address, json={"score": 9}, headers=key)
    assert await expire_submission_keys(database) == 2
    kept = {row[0] for row in owner.execute("SELECT key FROM submission_keys")}
    assert kept == {answers[0].submission_key, answers[1].submission_key}
    with clock.fixed(clock.now() + timedelta(days=1)):
        assert await expire_submission_keys(database) == 1
        again = await acme_api.post(address, json={"score": 9}, headers=key)
        assert again.json() == first.json()
    with clock.fixed(clock.now() + timedelta(days=2)):
        assert await expire_submission_keys(database) == 2
    assert owner.execute("SELECT count(*) FROM idempotency_records").fetchone() == (0,)
    assert owner.execute("SELECT count(*) FROM responses").fetchone() == (5,)
