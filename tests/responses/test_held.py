"""What is held by the form: kept, counted apart, and thanked for like any other answer."""

import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from app.foundation import clock
from app.foundation.settings import Settings
from app.main import create_app
from app.responses.models import HoldReason
from app.responses.suspicion import BURST
from app.responses.tickets import Ticket, sign_ticket
from tests.conftest import BASE_URL, share_routes
from tests.responses.scene import Scene, recount, stored_counts
from tests.responses.test_form import database_away, ticket_in

START = datetime(2026, 7, 10, 3, 0, tzinfo=UTC)
PROXY = "10.1.2.3"


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.fixed(START):
        yield


@pytest.fixture
async def app(settings: Settings) -> AsyncIterator[FastAPI]:
    """The product as it is served, which holds what comes too fast."""
    settings = replace(settings, trusted_proxies=(ip_network("10.0.0.0/8"),))
    app = share_routes(create_app(settings, memory_seconds=0))
    async with app.router.lifespan_context(app):
        yield app


def later(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@asynccontextmanager
async def calling_from(app: FastAPI, address: str) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, client=(address, 4_711)),
        base_url=BASE_URL,
        headers={"Sec-Fetch-Site": "same-origin"},
    ) as client:
        yield client


async def send(client: httpx.AsyncClient, ticket: str, **fields: str) -> httpx.Response:
    return await client.post(
        "/s/cafe/responses?lang=en",
        data={"score": "9", "ticket": ticket, **fields},
        headers={"X-Forwarded-For": fields.pop("forwarded", "")},
    )


def stored(owner: psycopg.Connection) -> Counter[tuple[str, str | None]]:
    rows = owner.execute("SELECT standing, hold_reason FROM responses").fetchall()
    assert stored_counts(owner) == recount(owner)
    return Counter((row[0], row[1]) for row in rows)


@pytest.mark.parametrize(
    ("seconds", "fields", "expected"),
    [
        (0.2, {}, ("held", "too_fast")),
        (0.99, {}, ("held", "too_fast")),
        (1.01, {}, ("counted", None)),
        (30, {"subject": "cheap watches"}, ("held", "trap")),
        (30, {"subject": ""}, ("counted", None)),
    ],
)
async def test_too_fast_and_trapped_answers_are_held_and_thanked_for(
    client: httpx.AsyncClient,
    scene: Scene,
    owner: psycopg.Connection,
    seconds: float,
    fields: dict[str, str],
    expected: tuple[str, str | None],
) -> None:
    ticket = ticket_in(await client.get(f"/s/{scene.slug}"))
    with clock.fixed(later(seconds)):
        sent = await send(client, ticket, **fields)
        assert sent.status_code == 303
        thanks = await client.get(sent.headers["location"])
    assert thanks.status_code == 200
    assert "Thank you" in thanks.text
    assert 'class="receipt"' in thanks.text
    assert stored(owner) == {expected: 1}


async def test_nobody_can_tell_from_the_pages_that_an_answer_is_held(
    client: httpx.AsyncClient, scene: Scene
) -> None:
    pages = []
    for seconds in (0, 60):
        ticket = ticket_in(await client.get(f"/s/{scene.slug}"))
        with clock.fixed(later(seconds)):
            sent = await send(client, ticket)
            thanks = await client.get(sent.headers["location"])
        receipt = re.findall(r'class="receipt"[^>]*>([^<]+)<', thanks.text)[0]
        pages.append((sent.status_code, sent.headers.keys(), thanks.text.replace(receipt, "")))
    assert pages[0] == pages[1]


async def test_the_form_stays_open_while_it_is_corrected(
    client: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    """Whoever corrects an error quickly has had the form before them for long."""
    ticket = ticket_in(await client.get(f"/s/{scene.slug}"))
    with clock.fixed(later(20)):
        refused = await send(client, ticket, score="")
        assert refused.status_code == 422
    with clock.fixed(later(20.3)):
        assert (await send(client, ticket_in(refused))).status_code == 303
    assert stored(owner) == {("counted", None): 1}


async def test_what_comes_again_without_suspicion_is_counted(
    client: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    ticket = ticket_in(await client.get(f"/s/{scene.slug}"))
    await send(client, ticket, score="1")
    assert stored(owner) == {("held", "too_fast"): 1}
    with clock.fixed(later(5)):
        await send(client, ticket, score="8")
    assert stored(owner) == {("counted", None): 1}
    with clock.fixed(later(6)):
        await send(client, ticket, score="2", subject="x")
    assert stored(owner) == {("counted", None): 1}, "what counts is not held by a later sending"


async def test_an_answer_that_was_left_out_stays_out(
    client: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    ticket = ticket_in(await client.get(f"/s/{scene.slug}"))
    await send(client, ticket)
    owner.execute(
        "UPDATE responses SET standing = 'excluded', hold_reason = NULL, exclusion_reason = 'bot';"
        "UPDATE daily_counts SET standing = 'excluded'"
    )
    with clock.fixed(later(5)):
        assert (await send(client, ticket, score="0")).status_code == 303
    assert stored(owner) == {("excluded", None): 1}


async def test_the_trap_outlives_a_database_that_is_away(
    client: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    ticket = ticket_in(await client.get(f"/s/{scene.slug}"))
    with clock.fixed(later(5)), database_away(owner):
        sent = await send(client, ticket, subject="cheap watches")
    assert sent.status_code == 503
    assert '<input type="hidden" name="subject" value="cheap watches"' in sent.text


async def test_three_hundred_people_behind_one_address_all_count(
    app: FastAPI, scene: Scene, owner: psycopg.Connection
) -> None:
    """Each opens the form, chooses, which saves the score, and sends, twice where the thumb
    trembles."""
    async with calling_from(app, "198.51.100.7") as office:
        for number in range(300):
            with clock.fixed(later(number * 0.4)):
                ticket = ticket_in(await office.get(f"/s/{scene.slug}"))
            with clock.fixed(later(number * 0.4 + 3)):
                chosen = {"ticket": ticket, "score": "8", "number": "1"}
                assert (await office.put("/s/cafe/score", data=chosen)).status_code == 204
            with clock.fixed(later(number * 0.4 + 4)):
                for _time in range(1 + (number % 3 == 0)):
                    assert (await send(office, ticket)).status_code == 303
    assert stored(owner) == {("counted", None): 300}


async def test_a_flood_is_stored_and_held(
    app: FastAPI, settings: Settings, scene: Scene, owner: psycopg.Connection
) -> None:
    for _ in range(BURST - 2):
        app.state.suspicion.judge("198.51.100.0/24", scene.survey_id, START - timedelta(1), "")

    async def answer(address: str, forwarded: str = "") -> None:
        ticket = Ticket(scene.slug, scene.survey_id, scene.version_id, {}, opened_at=later(-60))
        async with calling_from(app, address) as client:
            signed = sign_ticket(settings.secret_key, ticket)
            assert (await send(client, signed, forwarded=forwarded)).status_code == 303

    for last in (1, 2, 3, 4):
        await answer(f"198.51.100.{last}")
    assert stored(owner) == {("counted", None): 2, ("held", "flood"): 2}
    # What a stranger writes into a header is not believed; what a proxy of ours says is.
    await answer("198.51.100.9", forwarded="203.0.113.1")
    assert stored(owner)["held", "flood"] == 3
    await answer(PROXY, forwarded="198.51.100.9")
    assert stored(owner)["held", "flood"] == 4
    await answer(PROXY, forwarded="203.0.113.1")
    await answer("203.0.113.2")
    assert stored(owner) == {("counted", None): 4, ("held", "flood"): 4}


async def test_an_ipv6_site_is_one_network(
    app: FastAPI, settings: Settings, scene: Scene, owner: psycopg.Connection
) -> None:
    for _ in range(BURST):
        app.state.suspicion.judge("2001:db8:7::/48", scene.survey_id, START - timedelta(1), "")
    for address in ("2001:db8:7:1::1", "2001:db8:7:ffff::1", "2001:db8:8::1"):
        ticket = Ticket(scene.slug, scene.survey_id, scene.version_id, {}, opened_at=later(-60))
        async with calling_from(app, address) as client:
            await send(client, sign_ticket(settings.secret_key, ticket))
    assert stored(owner) == {("counted", None): 1, ("held", "flood"): 2}


async def test_the_trap_is_for_programs_only(client: httpx.AsyncClient, scene: Scene) -> None:
    page = (await client.get(f"/s/{scene.slug}?lang=en")).text
    around = page.partition('<p class="hp">')[2].partition("</p>")[0]
    assert 'name="subject" autocomplete="off" value=""' in around
    assert "Leave this field empty." in around
    assert ".hp{display:none}" in page


async def test_the_database_knows_three_reasons_and_only_while_held(
    client: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    await send(client, ticket_in(await client.get(f"/s/{scene.slug}")))
    for change in ("hold_reason = '192.0.2.0/24'", "standing = 'counted'"):
        with pytest.raises(psycopg.errors.CheckViolation):
            owner.execute(f"UPDATE responses SET {change}")  # noqa: S608
    for reason in HoldReason:
        owner.execute("UPDATE responses SET hold_reason = %s", [reason])
