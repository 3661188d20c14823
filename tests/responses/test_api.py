"""Answers over the API: strict, all or none, once per Idempotency-Key, and only one's own."""

import asyncio
import json
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from starlette.responses import Response

from app.accounts.idempotency import create_once
from app.foundation import clock, look_ups
from app.foundation.tally import tally
from app.responses.api import answers
from tests.responses.scene import Scene, recount, stored_answers, stored_counts

TODAY = clock.today("Asia/Tokyo")
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def address(scene: Scene) -> str:
    return f"/api/v1/surveys/{scene.survey_id}/responses"


def names(answer: httpx.Response) -> list[str]:
    """The inputs a problem names."""
    assert answer.headers["content-type"] == "application/problem+json"
    return [param["name"] for param in answer.json()["invalid_params"]]


async def test_an_answer_is_recorded(
    acme_api: httpx.AsyncClient, address: str, scene: Scene, owner: psycopg.Connection
) -> None:
    given = {"score": 9, "comment": "良い\r\n！", "language": "ja", "segments": {"plan": "pro"}}
    answer = await acme_api.post(address, json=given)
    assert answer.status_code == 201
    body = answer.json()
    assert uuid.UUID(body.pop("id")).version == 4
    assert body.pop("receipt")
    assert body == {
        "survey_id": str(scene.survey_id),
        "score": 9,
        "category": "promoter",
        "comment": "良い\n！",
        "answered_on": TODAY.isoformat(),
        "standing": "counted",
        "exclusion_reason": None,
        "hold_reason": None,
    }
    assert stored_answers(owner) == [(9, "良い\n！")]
    assert stored_counts(owner) == recount(owner)
    row = owner.execute(
        "SELECT language, channel, labels FROM responses"
        " JOIN segment_sets ON segment_sets.id = segment_set_id"
    ).fetchone()
    assert row == ("ja", "api", {"plan": "pro"})


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ({}, "score"),
        ({"score": None}, "score"),
        ({"score": 11}, "score"),
        ({"score": -1}, "score"),
        ({"score": 7.5}, "score"),
        ({"score": 9.0}, "score"),
        ({"score": "9"}, "score"),
        ({"score": True}, "score"),
        ({"score": [9]}, "score"),
        ({"score": 10**300}, "score"),
        ({"score": 5, "comment": "x" * 4_001}, "comment"),
        ({"score": 5, "comment": "a\0b"}, "comment"),
        ({"score": 5, "comment": "\ud800"}, "comment"),
        ({"score": 5, "comment": 5}, "comment"),
        ({"score": 5, "language": "fr"}, "language"),
        ({"score": 5, "language": "\ud800"}, "language"),
        ({"score": 5, "segments": {"colour": "red"}}, "segments.colour"),
        ({"score": 5, "segments": {"plan": "customer-4711"}}, "segments.plan"),
        ({"score": 5, "segments": {"plan": "none"}}, "segments.plan"),
        ({"score": 5, "segments": {"plan": 1}}, "segments.plan"),
        ({"score": 5, "segments": ["plan"]}, "segments"),
        ({"score": 5, "answered_on": (TODAY + timedelta(days=1)).isoformat()}, "answered_on"),
        ({"score": 5, "answered_on": "1999-12-31"}, "answered_on"),
        ({"score": 5, "answered_on": "2026-02-30"}, "answered_on"),
        ({"score": 5, "answered_on": "2026-01-01T00:00:00Z"}, "answered_on"),
        ({"score": 5, "answered_on": 1_700_000_000}, "answered_on"),
        ({"score": 5, "answered_on": True}, "answered_on"),
        ({"score": 5, "when": "now"}, "when"),
    ],
)
async def test_bad_input_is_named_and_nothing_is_stored(
    acme_api: httpx.AsyncClient,
    address: str,
    owner: psycopg.Connection,
    given: dict[str, Any],
    name: str,
) -> None:
    answer = await acme_api.post(address, content=json.dumps(given), headers=JSON)
    assert answer.status_code == 422, answer.text
    assert names(answer) == [name]
    batch = {"responses": [{"score": 1}, given]}
    answer = await acme_api.post(f"{address}/batch", content=json.dumps(batch), headers=JSON)
    assert answer.status_code == 422
    assert names(answer) == [f"responses.1.{name}"]
    assert stored_answers(owner) == []


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"score": 9', "application/json", 400),
        (b"", "application/json", 422),
        (b"9", "application/json", 422),
        (b"null", "application/json", 422),
        (b"[]", "application/json", 422),
        (b'{"score": 1e1}', "application/json", 422),
        (b'{"score": NaN}', "application/json", 422),
        (b'{"score": ' + b"9" * 5_000 + b"}", "application/json", 400),
        (b'{"score": 9, "comment": "\xff"}', "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b'{"score": 9, "segments":' + b'{"a":' * 50_000 + b"}" * 50_000 + b"}",
         "application/json", 400),
        (b'{"score": 9, "comment": "' + b"x" * 2_000_000 + b'"}', "application/json", 413),
        (b"score=9", "application/x-www-form-urlencoded", 415),
        (b'{"score": 9}', "text/plain", 415),
        (b"<score>9</score>", "application/xml", 415),
    ],
)  # fmt: skip
async def test_bodies_that_are_no_answer(
    acme_api: httpx.AsyncClient,
    address: str,
    owner: psycopg.Connection,
    body: bytes,
    kind: str,
    status: int,
) -> None:
    for path in (address, f"{address}/batch"):
        answer = await acme_api.post(path, content=body, headers={"Content-Type": kind})
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
    assert stored_answers(owner) == []


async def test_a_batch_is_stored_whole_in_its_order(
    acme_api: httpx.AsyncClient, address: str, owner: psycopg.Connection
) -> None:
    rows = [{"score": number % 11, "comment": str(number)} for number in range(1_000)]
    answer = await acme_api.post(f"{address}/batch", json={"responses": rows})
    assert answer.status_code == 201
    assert answer.json()["meta"] == {"stored": 1_000}
    assert [row["comment"] for row in answer.json()["data"]] == [row["comment"] for row in rows]
    assert len(stored_answers(owner)) == 1_000
    assert stored_counts(owner) == recount(owner)


async def test_every_bad_row_of_a_batch_is_named(
    acme_api: httpx.AsyncClient, address: str, owner: psycopg.Connection
) -> None:
    rows: list[Any] = [
        {"score": 1}, {"score": 11}, {"score": 2, "segments": {"x": "y"}}, 7,
        {"score": 3, "answered_on": "2999-01-01"}, {"score": 4},
    ]  # fmt: skip
    answer = await acme_api.post(f"{address}/batch", json={"responses": rows})
    assert answer.status_code == 422
    assert sorted(names(answer)) == [
        "responses.1.score", "responses.2.segments.x", "responses.3", "responses.4.answered_on",
    ]  # fmt: skip
    for size in (0, 1_001):
        answer = await acme_api.post(f"{address}/batch", json={"responses": [{"score": 1}] * size})
        assert names(answer) == ["responses"]
    assert stored_answers(owner) == []


async def test_past_days_are_imports_and_need_no_open_survey(
    acme_api: httpx.AsyncClient, address: str, owner: psycopg.Connection
) -> None:
    past = {"score": 4, "answered_on": "2025-07-01"}
    owner.execute("UPDATE surveys SET state = 'closed'")
    assert (await acme_api.post(address, json=past)).status_code == 201
    assert (await acme_api.post(address, json={"score": 4})).status_code == 409
    today = {"score": 4, "answered_on": TODAY.isoformat()}
    assert (await acme_api.post(address, json=today)).status_code == 409
    both = {"responses": [past, today]}
    assert (await acme_api.post(f"{address}/batch", json=both)).status_code == 409
    owner.execute("UPDATE surveys SET state = 'draft'")
    assert (await acme_api.post(address, json=past)).status_code == 409
    assert stored_answers(owner) == [(4, None)]


async def test_an_idempotency_key_makes_one_answer(
    acme_api: httpx.AsyncClient, address: str, owner: psycopg.Connection
) -> None:
    key = {"Idempotency-Key": "order-1"}
    first = await acme_api.post(address, json={"score": 8}, headers=key)
    again = await acme_api.post(address, json={"score": 8}, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    other = await acme_api.post(address, json={"score": 9}, headers=key)
    assert other.status_code == 422
    batch = {"responses": [{"score": 1}, {"score": 2}]}
    keyed = {"Idempotency-Key": "batch-1"}
    first = await acme_api.post(f"{address}/batch", json=batch, headers=keyed)
    again = await acme_api.post(f"{address}/batch", json=batch, headers=keyed)
    assert again.json() == first.json()
    assert sorted(stored_answers(owner)) == [(1, None), (2, None), (8, None)]
    assert stored_counts(owner) == recount(owner)


def tallied() -> list[float]:
    """How many answers were taken, in how many transactions, by the three ways to count them."""
    sizes = tally.histograms.get(("honne_batch_answers",), [0.0])
    commits = tally.histograms.get(("honne_commit_seconds",), [0.0])
    taken = tally.counters.get(("honne_answers", "taken"), 0.0)
    return [taken, sizes[0], sum(sizes[1:]), sum(commits[1:])]


async def test_answers_with_an_idempotency_key_are_counted_once(
    acme_api: httpx.AsyncClient, address: str
) -> None:
    before = tallied()
    batch = {"responses": [{"score": 1}, {"score": 2}]}
    for key in ("batch-1", "batch-1", "batch-2"):
        headers = {"Idempotency-Key": key}
        sent = await acme_api.post(f"{address}/batch", json=batch, headers=headers)
        assert sent.status_code == 201
    assert [now - then for now, then in zip(tallied(), before, strict=True)] == [4, 4, 2, 2]


async def test_waiting_for_ones_turn_is_no_part_of_storing(
    acme_api: httpx.AsyncClient, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def create_late(*given: Any) -> Response:
        await asyncio.sleep(1)
        return await create_once(*given)

    monkeypatch.setattr(answers, "create_once", create_late)
    [before, *_buckets] = tally.histograms.get(("honne_commit_seconds",), [0.0])
    key = {"Idempotency-Key": "k"}
    assert (await acme_api.post(address, json={"score": 8}, headers=key)).status_code == 201
    [after, *_buckets] = tally.histograms["honne_commit_seconds",]
    assert before < after < before + 1


async def test_a_refused_request_does_not_use_up_its_key(
    acme_api: httpx.AsyncClient, address: str, owner: psycopg.Connection
) -> None:
    key = {"Idempotency-Key": "k"}
    wrong = await acme_api.post(address, json={"score": 8, "language": "fr"}, headers=key)
    assert wrong.status_code == 422
    assert (await acme_api.post(address, json={"score": 8}, headers=key)).status_code == 201
    assert stored_answers(owner) == [(8, None)]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "", {"score": 9}),
        ("POST", "/batch", {"responses": [{"score": 9}]}),
        ("PUT", "/{id}/exclusion", {"reason": "x"}),
        ("DELETE", "/{id}/exclusion", None),
    ],
)
async def test_outsiders_readers_and_strangers(
    acme_api: httpx.AsyncClient,
    acme_reader: httpx.AsyncClient,
    globex_api: httpx.AsyncClient,
    client: httpx.AsyncClient,
    address: str,
    owner: psycopg.Connection,
    method: str,
    path: str,
    body: Any,
) -> None:
    response_id = (await acme_api.post(address, json={"score": 2})).json()["id"]
    url = address + path.format(id=response_id)
    for caller, status in ((globex_api, 404), (acme_reader, 403), (client, 401)):
        for headers in ({}, {"Idempotency-Key": "k"}):
            answer = await caller.request(method, url, json=body, headers=headers)
            assert answer.status_code == status
    assert (await acme_api.request(method, f"{url}?x=1", json=body)).status_code == 422
    assert stored_answers(owner) == [(2, None)]
    assert owner.execute("SELECT standing FROM responses").fetchone() == ("counted",)


async def test_a_revoked_key_takes_no_more_answers(
    acme_api: httpx.AsyncClient, address: str, owner: psycopg.Connection
) -> None:
    assert (await acme_api.post(address, json={"score": 2})).status_code == 201
    owner.execute("UPDATE api_keys SET revoked_at = now()")
    assert (await acme_api.post(address, json={"score": 2})).status_code == 401


async def test_every_naughty_string_comes_back_unchanged(
    acme_api: httpx.AsyncClient, address: str, owner: psycopg.Connection, sample_data: Path
) -> None:
    lines = (sample_data / "blns.txt").read_bytes().decode().split("\n")
    comments = [line.removesuffix("\r") for line in lines]
    rows = [{"score": 5, "comment": comment} for comment in comments]
    answer = await acme_api.post(f"{address}/batch", json={"responses": rows})
    assert answer.status_code == 201
    expected = [comment or None for comment in comments]
    assert [row["comment"] for row in answer.json()["data"]] == expected
    stored = [comment for _score, comment in stored_answers(owner)]
    assert sorted(stored, key=repr) == sorted(expected, key=repr)


async def test_the_operations_are_documented(client: httpx.AsyncClient) -> None:
    paths = (await client.get("/api/openapi.json")).json()["paths"]
    record = paths["/api/v1/surveys/{survey_id}/responses"]["post"]
    schema = record["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"$ref": "#/components/schemas/ResponseInput"}
    batch = paths["/api/v1/surveys/{survey_id}/responses/batch"]["post"]
    assert {"201", "401", "403", "409", "413", "415", "422"} <= batch["responses"].keys()


@pytest.mark.parametrize("table", ["api_keys", "surveys"])
async def test_who_asks_a_silent_database_is_told_to_come_again(
    acme_api: httpx.AsyncClient, address: str, owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch, table: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(look_ups, "WITHIN_S", 0.2)
    with owner.transaction():
        owner.execute(f"LOCK TABLE {table}")
        answer = await acme_api.post(address, json={"score": 9})
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0
    assert (await acme_api.post(address, json={"score": 9})).status_code == 201
