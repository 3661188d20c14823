"""Connections that break off in the middle of a request: nothing of it is stored. What was sent as
a whole is stored, also where the sender did not wait for the answer."""

import asyncio
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import quote, urlsplit

import httpx
import psycopg
import pytest

from app.foundation.settings import Settings
from tests.factories import Cast
from tests.responses.scene import Scene, recount, stored_answers, stored_counts
from tests.responses.serving import server_processes
from tests.responses.test_form import ticket_in

COMMENT = "I would never go back"
URL_ENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=b"
Framing = Callable[[str, bytes], list[bytes]]


def sized(head: str, body: bytes) -> list[bytes]:
    """A request that says how long it is, as head and body."""
    return [f"{head}Content-Length: {len(body)}\r\n\r\n".encode(), body]


def chunked(head: str, body: bytes) -> list[bytes]:
    pieces = [body[at : at + 50] for at in range(0, len(body), 50)]
    return [
        f"{head}Transfer-Encoding: chunked\r\n\r\n".encode(),
        *(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces),
        b"0\r\n\r\n",
    ]


def form(ticket: str, framing: Framing, kind: str = URL_ENCODED) -> list[bytes]:
    """The ticket and the score first: with these alone an answer could be stored."""
    fields = {"ticket": ticket, "score": "9", "comment": COMMENT}
    if kind == URL_ENCODED:
        body = "&".join(f"{name}={quote(value)}" for name, value in fields.items())
    else:
        part = '--b\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
        body = "".join(part.format(*field) for field in fields.items()) + "--b--\r\n"
    head = f"POST /s/cafe/responses HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
    return framing(head, body.encode())


def call(scene: Scene, key: str, framing: Framing, *lines: str) -> list[bytes]:
    """The body's last byte says nothing: whole JSON is there without it."""
    path = f"/api/v1/surveys/{scene.survey_id}/responses"
    head = [
        f"POST {path} HTTP/1.1",
        "Host: x",
        "Content-Type: application/json",
        f"Authorization: Bearer {key}",
        *lines,
        "",
    ]
    return framing("\r\n".join(head), json.dumps({"score": 9, "comment": COMMENT}).encode() + b"\n")


async def send(
    url: str, pieces: Sequence[bytes], pause_s: float = 0.0, listens: bool = False
) -> bytes:
    """Send `pieces`, with a pause after each, and leave; or, who `listens`, close only one's own
    side, and return what is answered."""
    at = urlsplit(url)
    reader, writer = await asyncio.open_connection(at.hostname, at.port)
    for piece in pieces:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause_s)
    answer = b""
    if listens:
        writer.write_eof()
        answer = await asyncio.wait_for(reader.read(), 10)
    writer.close()
    await writer.wait_closed()
    return answer


def cuts(pieces: Sequence[bytes]) -> list[list[bytes]]:
    """The request without its last byte, cut in the middle of its last piece, before that, and
    after its head."""
    *before, last = pieces
    return [[*before, last[:-1]], [*before, last[: len(last) // 2]], before, [*pieces[:1]]]


async def test_nothing_is_stored_of_what_breaks_off(
    settings: Settings, scene: Scene, cast: Cast, owner: psycopg.Connection, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with server_processes(settings, 1, "INFO", log) as [url]:
        ticket = await ticket_from(url)
        for request in (
            form(ticket, sized),
            form(ticket, chunked),
            form(ticket, sized, MULTIPART),
            call(scene, cast.acme_key, sized),
            call(scene, cast.acme_key, chunked),
            call(scene, cast.acme_key, sized, "Idempotency-Key: once"),
        ):
            for cut in cuts(request):
                await send(url, cut)
                await send(url, cut, pause_s=0.02)
                assert await send(url, cut, listens=True) == b""
        await send(url, [b"POST /api/v1/surveys HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"])
    assert stored_answers(owner) == []
    assert owner.execute("SELECT count(*) FROM idempotency_records").fetchone() == (0,)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert {line["level"] for line in lines} == {"INFO"}
    told = [line["status"] for line in lines if line["message"] == "request"]
    assert told == [499], "of answers nothing is told"


@pytest.mark.parametrize("listens", [False, True])
@pytest.mark.parametrize("pause_s", [0.0, 0.02])
async def test_what_was_sent_as_a_whole_is_stored(
    settings: Settings,
    scene: Scene,
    cast: Cast,
    owner: psycopg.Connection,
    pause_s: float,
    listens: bool,
) -> None:
    with server_processes(settings, 1) as [url]:
        requests = [
            form(await ticket_from(url), sized),
            form(await ticket_from(url), chunked),
            form(await ticket_from(url), sized, MULTIPART),
            call(scene, cast.acme_key, sized),
            call(scene, cast.acme_key, chunked),
        ]
        for request in requests:
            await send(url, request, pause_s, listens)
    assert stored_answers(owner) == [(9, COMMENT)] * len(requests)
    assert stored_counts(owner) == recount(owner)


async def ticket_from(url: str) -> str:
    async with httpx.AsyncClient(base_url=url, trust_env=False) as client:
        return ticket_in(await client.get("/s/cafe"))


@pytest.mark.usefixtures("scene")
@pytest.mark.parametrize(
    ("kind", "cut"),
    [
        (MULTIPART, b"--\r\n"),
        (MULTIPART, b"--b--\r\n"),
        (MULTIPART, b" go back\r\n--b--\r\n"),
        (URL_ENCODED, b"0go%20back"),
        (URL_ENCODED, b"20go%20back"),
    ],
)
@pytest.mark.parametrize(("language", "words"), [("en", "did not arrive"), ("ja", "届きません")])
async def test_nothing_is_stored_of_a_form_that_was_cut_before_it_was_sent(
    client: httpx.AsyncClient, owner: psycopg.Connection, kind: str, cut: bytes, language: str,
    words: str,
) -> None:  # fmt: skip
    [_head, body] = form(ticket_in(await client.get("/s/cafe")), sized, kind)
    assert body.endswith(cut)
    headers = {"Content-Type": kind, "Accept-Language": language}
    path, left = "/s/cafe/responses", body.removesuffix(cut)
    answer = await client.post(path, content=left, headers=headers)
    assert (answer.status_code, words in answer.text) == (400, True)
    assert stored_answers(owner) == []


async def test_who_asks_for_another_protocol_is_answered_in_this_one(
    settings: Settings, scene: Scene, cast: Cast, owner: psycopg.Connection
) -> None:
    """As `curl --http2` does, and Java's client."""
    upgrade = ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AA"]
    with server_processes(settings, 1) as [url]:
        await ticket_from(url)  # once it is up, 0.2 s are time enough for an answer
        for framing in (sized, chunked):
            request = call(scene, cast.acme_key, framing, *upgrade)
            for pieces in (request, [b"".join(request)]):
                answer = await send(url, pieces, 0.2, listens=True)
                assert answer.startswith(b"HTTP/1.1 201 ")
    assert stored_answers(owner) == [(9, COMMENT)] * 4
