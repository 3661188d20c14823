"""The audit log in the API: who may read it, and that a copy can be checked without us."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

import httpx
import psycopg
import pytest

from app.accounts.audit import record_event
from app.accounts.audit_shapes import EXAMPLE, VERIFYING
from app.accounts.schemas import SYSTEM, Actor
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.tokens import new_id
from tests.factories import Cast

PATH = "/api/v1/audit_events"
LINES = 9


@pytest.fixture
async def log(database: Database, cast: Cast) -> Cast:
    """Nine lines of Acme on nine days, with all sorts of details; one of Globex."""
    for number in range(1, LINES + 1):
        details = {
            "turn": number,
            "名前": ["本音 😀", None, 'a "b" \\ \u2028 \x7f/'],
            "of": {"a": {}},
        }
        with clock.fixed(datetime(2026, 3, number, 23, 0, 0, number % 3, tzinfo=UTC)):
            async with database.transaction(cast.acme) as session:
                actor = SYSTEM if number % 2 else Actor("user", new_id())
                verb = "act.first" if number == 1 else "act.next"
                record_event(session, cast.acme, actor, verb, new_id(), details)
    async with database.transaction(cast.globex) as session:
        record_event(session, cast.globex, SYSTEM, "act.globex")
    return cast


async def _read_all(client: httpx.AsyncClient, limit: int) -> list[dict[str, Any]]:
    """Every line as the API gives it, from page to page."""
    lines: list[dict[str, Any]] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": str(limit)} | ({"cursor": cursor} if cursor else {})
        answer = await client.get(PATH, params=query)
        assert answer.status_code == 200, answer.text
        lines += answer.json()["data"]
        cursor = answer.json()["meta"]["next_cursor"]
    return lines


def _documented_check() -> Callable[[Sequence[dict[str, Any]]], None]:
    """The program that the API's reference gives to integrators, as it stands there."""
    found = re.search(r"```python\n(.*?)```", VERIFYING, re.DOTALL)
    assert found is not None
    names: dict[str, Any] = {}
    exec(found[1], names)  # noqa: S102 (it is our own documentation)
    check: Callable[[Sequence[dict[str, Any]]], None] = names["check"]
    return check


async def test_a_copy_is_checked_by_what_the_reference_says(
    acme_api: httpx.AsyncClient, log: Cast
) -> None:
    lines = await _read_all(acme_api, limit=4)
    assert [line["number"] for line in lines] == list(reversed(range(1, LINES + 1)))
    assert {line["workspace_id"] for line in lines} == {str(log.acme)}
    check = _documented_check()
    check(lines)
    for tampered in (
        [*lines[:3], *lines[4:]],
        lines[:-1],
        [lines[0], lines[2], lines[1], *lines[3:]],
        [{**lines[0], "details": {}}, *lines[1:]],
        [*lines[:-1], {**lines[-1], "happened_at": "2026-03-01T23:00:00Z"}],
    ):
        with pytest.raises(AssertionError):
            check(tampered)


async def test_the_example_of_the_reference_is_a_sound_log(acme_api: httpx.AsyncClient) -> None:
    _documented_check()([EXAMPLE])
    document = (await acme_api.get("/api/openapi.json")).json()
    described = document["paths"][PATH]["get"]["description"]
    assert described == VERIFYING
    assert document["components"]["schemas"]["AuditLine"]["example"] == json.loads(
        json.dumps(EXAMPLE)
    )


@pytest.mark.usefixtures("log")
async def test_the_log_is_narrowed_down(acme_api: httpx.AsyncClient) -> None:
    """Acme's days are Tokyo's: 23:00 UTC is the next morning."""
    for query, numbers in (
        ({"action": "act.first"}, [1]),
        ({"action": "act.other"}, []),
        ({"since": "2026-03-09"}, [9, 8]),
        ({"until": "2026-03-02"}, [1]),
        ({"since": "2026-03-03", "until": "2026-03-04", "limit": "1"}, [3]),
    ):
        answer = await acme_api.get(PATH, params=query)
        assert [line["number"] for line in answer.json()["data"]] == numbers
    narrow = (await acme_api.get(PATH, params={"action": "act.next", "limit": "1"})).json()
    lines = (await acme_api.get(PATH)).json()["data"]
    assert narrow["data"] == lines[:1]


@pytest.mark.usefixtures("log")
async def test_it_needs_a_key_made_for_it(
    acme_reader: httpx.AsyncClient, globex_api: httpx.AsyncClient
) -> None:
    answer = await acme_reader.get(PATH)
    assert answer.status_code == 403
    assert "audit" in answer.json()["detail"]
    lines = (await globex_api.get(PATH)).json()["data"]
    assert [line["action"] for line in lines] == ["act.globex"]


@pytest.mark.parametrize(
    "query",
    [
        {"action": "'"},
        {"action": "ACT.first"},
        {"since": "yesterday"},
        {"since": "2026-03-02", "until": "2026-03-01"},
        {"cursor": "x"},
        {"limit": "201"},
        {"actor": "system"},
    ],
)
async def test_what_cannot_be_asked_is_refused(
    acme_api: httpx.AsyncClient, query: dict[str, str]
) -> None:
    assert (await acme_api.get(PATH, params=query)).status_code == 422


async def test_respondents_never_appear(
    acme_api: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    survey = (await acme_api.post("/api/v1/surveys", json={"name": "S", "subject": "S"})).json()
    await acme_api.put(f"/api/v1/surveys/{survey['id']}/publication")
    before = owner.execute("SELECT count(*) FROM audit_events").fetchone()
    path = f"/api/v1/surveys/{survey['id']}/responses"
    assert (await acme_api.post(path, json={"score": 3})).status_code == 201
    assert owner.execute("SELECT count(*) FROM audit_events").fetchone() == before
