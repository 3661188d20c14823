"""The same key from many posts at once is one answer, through either door.

`make torture` sends a thousand."""

import asyncio
import html
import re
from collections import Counter
from collections.abc import Awaitable, Callable

import httpx
import psycopg

from app.foundation.settings import Settings
from tests.factories import Cast
from tests.responses.scene import Scene, recount, stored_answers, stored_counts
from tests.responses.serving import server_processes

POSTS = 150


async def send_all(
    addresses: list[str],
    send: Callable[[httpx.AsyncClient], Awaitable[httpx.Response]],
    posts: int,
) -> list[httpx.Response]:
    """`send` so many times, all begun at once, each on a connection of its own."""
    # A client's own work for each grows with those that are under way.
    clients = [client_of(addresses[at % len(addresses)]) for at in range(posts // 50)]
    try:
        return await asyncio.gather(*(send(clients[at % len(clients)]) for at in range(posts)))
    finally:
        await asyncio.gather(*(client.aclose() for client in clients))


def client_of(address: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(
        base_url=address,
        headers={"Connection": "close"},
        limits=httpx.Limits(max_connections=None),
        timeout=120,
        trust_env=False,
    )


async def test_a_form_sent_many_times_is_one_answer(
    settings: Settings, scene: Scene, owner: psycopg.Connection
) -> None:
    await send_form_often(settings, scene, owner, POSTS)


async def send_form_often(
    settings: Settings, scene: Scene, owner: psycopg.Connection, posts: int
) -> None:
    """One form from `posts` clients at once, in two processes."""
    with server_processes(settings, 2) as addresses:
        async with client_of(addresses[0]) as client:
            page = await client.get(f"/s/{scene.slug}")
        found = re.search(r'name="ticket" value="([^"]+)"', page.text)
        assert found
        fields = {"ticket": html.unescape(found[1]), "score": "9", "comment": "Once"}
        answers = await send_all(
            addresses, lambda client: client.post(f"/s/{scene.slug}/responses", data=fields), posts
        )
    assert Counter(answer.status_code for answer in answers) == {303: posts}
    assert stored_answers(owner) == [(9, "Once")]
    assert stored_counts(owner) == recount(owner)


async def test_an_idempotency_key_sent_many_times_is_one_answer(
    settings: Settings, cast: Cast, scene: Scene, owner: psycopg.Connection
) -> None:
    await send_key_often(settings, cast, scene, owner, POSTS)


async def send_key_often(
    settings: Settings, cast: Cast, scene: Scene, owner: psycopg.Connection, posts: int
) -> None:
    """409 while the first runs, its answer again afterwards; another body is refused."""
    path = f"/api/v1/surveys/{scene.survey_id}/responses"
    headers = {"Authorization": f"Bearer {cast.acme_key}", "Idempotency-Key": "order-1"}
    given = {"score": 4, "comment": "Once"}
    with server_processes(settings, 2) as addresses:
        answers = await send_all(
            addresses, lambda client: client.post(path, json=given, headers=headers), posts
        )
        client = client_of(addresses[1])
        again = await client.post(path, json=given, headers=headers)
        other = await client.post(path, json={"score": 5}, headers=headers)
        await client.aclose()
    by_status = Counter(answer.status_code for answer in answers)
    assert by_status.keys() <= {201, 409}
    assert by_status[201] > 0
    made = {answer.text for answer in answers if answer.status_code == 201}
    first = [answer for answer in answers if is_first(answer)]
    assert len(made) == len(first) == 1
    for answer in answers:
        if answer.status_code == 409:
            assert answer.headers["retry-after"] == "1"
    assert (again.status_code, again.text) == (201, first[0].text)
    assert again.headers["idempotency-replayed"] == "true"
    assert other.status_code == 422
    assert stored_answers(owner) == [(4, "Once")]
    assert stored_counts(owner) == recount(owner)


def is_first(answer: httpx.Response) -> bool:
    return answer.status_code == 201 and "idempotency-replayed" not in answer.headers


async def test_while_the_first_request_runs_its_key_is_taken(
    settings: Settings, cast: Cast, scene: Scene, owner: psycopg.Connection
) -> None:
    """The first waits for a table that somebody else holds; the second is not kept waiting too."""
    path = f"/api/v1/surveys/{scene.survey_id}/responses"
    headers = {"Authorization": f"Bearer {cast.acme_key}", "Idempotency-Key": "slow"}
    with server_processes(settings, 1) as [address]:
        async with client_of(address) as client:
            with owner.transaction():
                owner.execute("LOCK TABLE responses IN SHARE MODE")
                both = {
                    asyncio.create_task(client.post(path, json={"score": 4}, headers=headers))
                    for _ in range(2)
                }
                done, waiting = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            [refused], [stored] = done, waiting
            assert refused.result().status_code == 409
            assert refused.result().json()["code"] == "conflict"
            assert (await stored).status_code == 201
    assert stored_answers(owner) == [(4, None)]
