"""PUT /s/{slug}/score: a score is kept as soon as it is chosen, and what is sent counts."""

import re
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from app.foundation import clock
from app.foundation.settings import Settings
from app.foundation.translation import form_languages
from app.main import create_app
from app.responses.suspicion import BURST, MINIMUM
from tests.conftest import share_routes
from tests.responses.scene import Scene, recount, stored_answers, stored_counts
from tests.responses.test_form import database_away, labels, ticket_in

NOW = datetime(2026, 7, 10, 3, 0, tzinfo=UTC)
ADDRESS = "/s/cafe/score?lang=en"

pytestmark = pytest.mark.usefixtures("scene")


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.fixed(NOW):
        yield


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The product as it is served, which holds what comes too fast."""
    app = share_routes(create_app(settings, memory_seconds=0, open_at_least=MINIMUM))
    async with app.router.lifespan_context(app):
        yield app


async def open_form(client: httpx.AsyncClient, query: str = "") -> str:
    return ticket_in(await client.get(f"/s/cafe{query}"))


async def save(
    client: httpx.AsyncClient, ticket: str, after: float = 5, **fields: object
) -> httpx.Response:
    """What the form's script sends, `after` so many seconds."""
    data = {"ticket": ticket, "score": "7", "number": "1", "subject": ""}
    with clock.fixed(NOW + timedelta(seconds=after)):
        return await client.put(ADDRESS, data=data | {k: str(v) for k, v in fields.items()})


async def send(
    client: httpx.AsyncClient, ticket: str, after: float = 9, **fields: object
) -> httpx.Response:
    with clock.fixed(NOW + timedelta(seconds=after)):
        return await client.post(
            "/s/cafe/responses?lang=en",
            data={"ticket": ticket, **{name: str(value) for name, value in fields.items()}},
        )


def standings(owner: psycopg.Connection) -> list[tuple[str, str | None]]:
    assert stored_counts(owner) == recount(owner)
    return owner.execute("SELECT standing, hold_reason FROM responses").fetchall()


async def test_a_score_is_stored_without_being_sent(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    saved = await save(client, await open_form(client, "?plan=pro"))
    assert (saved.status_code, saved.content) == (204, b"")
    assert stored_answers(owner) == [(7, None)]
    assert labels(owner) == [{"plan": "pro"}]
    assert standings(owner) == [("counted", None)]


async def test_sending_completes_the_same_answer(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    ticket = await open_form(client, "?plan=pro")
    await save(client, ticket)
    fields: dict[str, Any] = {"score": "8", "comment": "Words", "segment.age": "old"}
    sent = await send(client, ticket, **fields)
    assert sent.status_code == 303
    late = await save(client, ticket, 20, score=1, number=32_766)
    assert late.status_code == 204
    assert stored_answers(owner) == [(8, "Words")]
    assert labels(owner)[-1] == {"age": "old", "plan": "pro"}
    assert standings(owner) == [("counted", None)]


async def test_the_highest_number_counts_whatever_comes_last(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    ticket = await open_form(client)
    for number, score in ((2, 6), (1, 3), (3, 9), (2, 6)):
        assert (await save(client, ticket, number=number, score=score)).status_code == 204
    assert stored_answers(owner) == [(9, None)]


@pytest.mark.parametrize(
    "fields",
    [{"number": number} for number in ("", "0", "-1", "1.5", "٣", "32767", "99999", "1" * 40, "x")]
    + [{"score": score} for score in ("", "11", "-1", "９")]
    + [{"ticket": "forged"}],
)
async def test_what_makes_no_sense_is_refused(
    client: httpx.AsyncClient, owner: psycopg.Connection, fields: dict[str, str]
) -> None:
    ticket = await open_form(client)
    refused = await save(client, **{"ticket": ticket, **fields})  # type: ignore[arg-type]
    assert (refused.status_code, refused.content) == (422, b"")
    assert stored_answers(owner) == []


async def test_an_expired_ticket_saves_nothing(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    refused = await save(client, await open_form(client), after=25 * 3_600)
    assert refused.status_code == 422
    assert stored_answers(owner) == []


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("surveys SET state = 'closed'", 410),
        ("surveys SET opens_on = '2027-01-01'", 403),
        ("survey_links SET revoked_at = now()", 410),
    ],
)
async def test_where_no_answers_are_taken_nothing_is_saved(
    client: httpx.AsyncClient, owner: psycopg.Connection, change: str, status: int
) -> None:
    ticket = await open_form(client)
    owner.execute(f"UPDATE {change}".encode())
    refused = await save(client, ticket)
    assert (refused.status_code, refused.content) == (status, b"")
    assert stored_answers(owner) == []


async def test_an_unknown_address_and_other_sites_save_nothing(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    ticket = await open_form(client)
    data = {"ticket": ticket, "score": "7", "number": "1"}
    assert (await client.put("/s/nowhere/score", data=data)).status_code == 404
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert (await client.put(ADDRESS, data=data, headers=elsewhere)).status_code == 403
    assert (await client.put(ADDRESS, json=data)).status_code == 415
    assert stored_answers(owner) == []


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
async def test_only_put_saves(
    client: httpx.AsyncClient, owner: psycopg.Connection, method: str
) -> None:
    fields = f"&ticket={await open_form(client)}&score=7&number=1"
    answer = await client.request(method, ADDRESS + fields)
    assert answer.status_code == 405
    assert stored_answers(owner) == []


async def test_a_database_that_is_away_can_be_tried_again(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    ticket = await open_form(client)
    with database_away(owner):
        refused = await save(client, ticket)
    assert (refused.status_code, refused.content) == (503, b"")
    assert int(refused.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    ("after", "trap", "expected"),
    [
        (1.7, "", ("held", "too_fast")),
        (1.9, "", ("counted", None)),
        (9, "cheap watches", ("held", "trap")),
    ],
)
async def test_what_a_program_might_have_saved_is_held_until_a_person_sends_it(
    client: httpx.AsyncClient,
    owner: psycopg.Connection,
    after: float,
    trap: str,
    expected: tuple[str, str | None],
) -> None:
    ticket = await open_form(client)
    await save(client, ticket, after, subject=trap)
    assert standings(owner) == [expected]
    await send(client, ticket, score="7")
    assert standings(owner) == [("counted", None)]


async def test_a_program_that_fills_in_everything_after_all_is_held(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    ticket = await open_form(client)
    await save(client, ticket)
    assert standings(owner) == [("counted", None)]
    await send(client, ticket, score="7", subject="cheap watches")
    assert standings(owner) == [("held", "trap")]


async def test_saving_and_sending_count_once_to_the_flow_of_a_network(
    app: FastAPI, client: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    network = "127.0.0.0/24"
    for _ in range(BURST - 3):
        app.state.suspicion.judge(network, scene.survey_id, NOW - timedelta(1), "")
    for _person in range(3):
        ticket = await open_form(client)
        for number in range(1, 4):
            await save(client, ticket, 5, number=number)
        await send(client, ticket, 5, score="7")
    assert standings(owner) == [("counted", None)] * 3


async def test_the_form_gives_its_number_back(client: httpx.AsyncClient) -> None:
    page = await client.get("/s/cafe")
    assert 'name="number" value="0" autocomplete="off"' in page.text
    refused = await send(client, ticket_in(page), score="", number="12")
    assert refused.status_code == 422
    assert 'name="number" value="12" autocomplete="off"' in refused.text


async def test_only_the_form_may_ask_the_server_for_anything(client: httpx.AsyncClient) -> None:
    policies = {
        path: (await client.get(f"/s/cafe{path}")).headers["content-security-policy"]
        for path in ("", "/thanks", "/privacy", "/erasure")
    }
    assert [path for path, policy in policies.items() if "connect-src" in policy] == [""]
    assert "connect-src 'self';" in policies[""]
    assert [path for path, policy in policies.items() if "script-src" in policy] == ["", "/thanks"]


@pytest.mark.parametrize("language", form_languages())
@pytest.mark.parametrize("path", ["", "/thanks", "/privacy"])
async def test_a_database_that_is_away_is_told_in_every_language(
    client: httpx.AsyncClient, owner: psycopg.Connection, language: str, path: str
) -> None:
    with database_away(owner):
        page = await client.get(f"/s/cafe{path}?plan=a%22b&lang={language}")
    assert page.status_code == 503
    assert int(page.headers["retry-after"]) > 0
    assert f'<html lang="{language}"' in page.text
    assert f'href="/s/cafe{path}?plan=a%22b&amp;lang={language}"' in page.text
    english = "This page cannot be shown just now" in re.sub("<wbr>", "", page.text)
    assert english == (language == "en")
