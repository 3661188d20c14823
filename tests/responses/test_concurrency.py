"""A thousand random operations over HTTP, from many clients, against two server processes."""

import asyncio
import html
import random
import re
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import httpx
import psycopg

from app.foundation.settings import Settings
from tests.factories import Cast
from tests.responses.scene import Scene, recount, stored_counts
from tests.responses.serving import server_processes

OPERATIONS = 1_000
CLIENTS = 8
LABELS: tuple[dict[str, str], ...] = (
    {},
    {"plan": "pro"},
    {"plan": "free", "region": "east"},
    {"age": "old"},
)


@dataclass
class Crowd:
    """What the clients know of each other: acknowledged answers, and tickets to send again."""

    scene: Scene
    api_key: str
    owner: psycopg.Connection
    acknowledged: set[str] = field(default_factory=set)
    tickets: list[str] = field(default_factory=list)
    answered_tickets: set[str] = field(default_factory=set)
    keys: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    left: int = OPERATIONS

    @property
    def url(self) -> str:
        return f"/api/v1/surveys/{self.scene.survey_id}/responses"

    def answer(self, chance: random.Random) -> dict[str, Any]:
        day = date(2026, 1, 1) + timedelta(days=chance.randrange(3))
        return {
            "score": chance.randrange(11),
            "language": chance.choice(["en", "ja"]),
            "segments": chance.choice(LABELS),
            "answered_on": day.isoformat(),
        }


Operation = Callable[["Crowd", httpx.AsyncClient, random.Random], Awaitable[None]]


async def record(crowd: Crowd, client: httpx.AsyncClient, chance: random.Random) -> None:
    answer = await client.post(crowd.url, json=crowd.answer(chance))
    assert answer.status_code == 201, answer.text
    crowd.acknowledged.add(answer.json()["id"])


async def record_batch(crowd: Crowd, client: httpx.AsyncClient, chance: random.Random) -> None:
    rows = [crowd.answer(chance) for _ in range(chance.randrange(1, 12))]
    answer = await client.post(f"{crowd.url}/batch", json={"responses": rows})
    assert answer.status_code == 201, answer.text
    crowd.acknowledged.update(row["id"] for row in answer.json()["data"])


async def record_once(crowd: Crowd, client: httpx.AsyncClient, chance: random.Random) -> None:
    """With a key of its own, or again with one that somebody else has used or is using."""
    if not crowd.keys or chance.random() < 0.5:
        crowd.keys.append((str(uuid.uuid4()), crowd.answer(chance)))
    key, given = chance.choice(crowd.keys[-5:])
    answer = await client.post(crowd.url, json=given, headers={"Idempotency-Key": key})
    assert answer.status_code in (201, 409), answer.text
    if answer.status_code == 201:
        crowd.acknowledged.add(answer.json()["id"])


async def fill_in(crowd: Crowd, client: httpx.AsyncClient, chance: random.Random) -> None:
    """A new form, or a ticket again, perhaps at the very moment somebody else sends it."""
    if not crowd.tickets or chance.random() < 0.4:
        page = await client.get(f"/s/{crowd.scene.slug}?plan={chance.choice(['pro', 'free'])}")
        found = re.search(r'name="ticket" value="([^"]+)"', page.text)
        assert found, page.text
        crowd.tickets.append(html.unescape(found[1]))
    ticket = chance.choice(crowd.tickets[-8:])
    fields = {"ticket": ticket, "score": str(chance.randrange(11)), "comment": "x"}
    sent = await client.post(f"/s/{crowd.scene.slug}/responses", data=fields)
    assert sent.status_code == 303, sent.text
    crowd.answered_tickets.add(ticket)


async def move(crowd: Crowd, client: httpx.AsyncClient, chance: random.Random) -> None:
    """Leave an answer out or take it back in; several clients reach for the same few."""
    rows = crowd.owner.execute("SELECT id FROM responses ORDER BY id LIMIT 30").fetchall()
    if not rows:
        return
    url = f"{crowd.url}/{chance.choice(rows)[0]}/exclusion"
    if chance.random() < 0.6:
        answer = await client.put(url, json={"reason": chance.choice(["test", "spam"])})
    else:
        answer = await client.delete(url)
    assert answer.status_code == 200, answer.text


CHOICES: list[Operation] = [record, record, record_batch, record_once, fill_in, fill_in, move, move]


async def one_client(crowd: Crowd, addresses: list[str], seed: int) -> None:
    chance = random.Random(seed)
    clients = [
        httpx.AsyncClient(
            base_url=address,
            headers={"Authorization": f"Bearer {crowd.api_key}"},
            timeout=60,
            trust_env=False,
        )
        for address in addresses
    ]
    while crowd.left > 0:
        crowd.left -= 1
        await chance.choice(CHOICES)(crowd, chance.choice(clients), chance)
    for client in clients:
        await client.aclose()


async def test_counts_equal_a_recount_after_a_thousand_operations(
    settings: Settings, cast: Cast, scene: Scene, owner: psycopg.Connection
) -> None:
    crowd = Crowd(scene, cast.acme_key, owner)
    with server_processes(settings, 2) as addresses:
        await asyncio.gather(*(one_client(crowd, addresses, seed) for seed in range(CLIENTS)))
    stored = {str(row[0]) for row in owner.execute("SELECT id FROM responses")}
    from_forms = {
        str(row[0]) for row in owner.execute("SELECT id FROM responses WHERE channel = 'link'")
    }
    assert crowd.acknowledged == stored - from_forms
    assert len(crowd.answered_tickets) == len(from_forms)
    assert stored_counts(owner) == recount(owner)
    standings = {key[5] for key in stored_counts(owner)}
    assert standings == {"counted", "excluded"}
