"""A request is read as HTTP/1.1 whatever else it asks for. An answer goes out in one piece; one
that comes in parts begins at once, and goes to nobody who has left."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from app.foundation.web.protocol import OnePieceProtocol

LENGTH = (b"content-length", b"5")


told: list[str] = []
taken: list[tuple[str, bytes]] = []


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers at once, or waits between head, part and part, or until the client has left, where
    the path says so."""
    body, message = b"", await receive()
    while message.get("more_body"):
        body += message["body"]
        message = await receive()
    if message["type"] == "http.request":
        taken.append((scope["path"], body + message["body"]))
    if scope["path"].startswith("/left"):
        told.append((await receive())["type"])
    pause = 0.2 if scope["path"].endswith("/slow") else 0
    await send({"type": "http.response.start", "status": 200, "headers": [LENGTH]})
    await asyncio.sleep(pause) if pause else None
    if scope["path"] == "/parts":
        await send(_part(b"HTTP/", more=True))
        await send(_part(b""))
    else:
        await send(_part(b"hello"))


def _part(body: bytes, more: bool = False) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, bool]]:
    """That of a server: asyncio's own writes to a closed connection without a word."""
    return "asyncio", {"use_uvloop": True}


@pytest.fixture
async def port() -> AsyncIterator[int]:
    config = uvicorn.Config(
        app, port=0, http=OnePieceProtocol, lifespan="off", log_config=None, ws="none",
        timeout_graceful_shutdown=1,
    )  # fmt: skip
    server = uvicorn.Server(config)
    served = asyncio.create_task(server._serve(None))
    async with asyncio.timeout(10):
        while not server.started:  # noqa: ASYNC110 (it has no event)
            await asyncio.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    await served


async def received(port: int, *requests: str) -> list[bytes]:
    """What comes by one read after each request on one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    pieces = []
    for request in requests:
        writer.write(f"{request} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        async with asyncio.timeout(5):
            pieces.append(await reader.read(65_536))
    writer.close()
    return pieces


async def test_head_and_body_are_one_piece(port: int) -> None:
    for piece in await received(port, "GET /", "GET /", "GET /parts"):
        assert piece.startswith(b"HTTP/1.1 200 OK\r\n")
        assert piece.endswith((b"\r\n\r\nhello", b"\r\n\r\nHTTP/"))


async def test_a_head_alone_is_not_held(port: int) -> None:
    [only_asked, slow] = await received(port, "HEAD /", "GET /slow")
    assert only_asked.endswith(b"\r\n\r\n")
    assert slow.endswith(b"\r\n\r\n"), "the body is still being made"


async def test_what_was_said_goes_out_before_the_end(port: int) -> None:
    [refused] = await received(port, "GET / HTTP/9\r\nX")
    assert refused.startswith(b"HTTP/1.1 400 ")


@pytest.mark.parametrize("path", ["/", "/slow", "/left", "/left/slow"])
@pytest.mark.parametrize("pause_s", [0.0, 0.05])
async def test_nothing_is_said_to_who_has_left(
    port: int, path: str, pause_s: float, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    told.clear()
    _reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 3)
    await asyncio.sleep(pause_s)
    writer.transport.abort()
    await asyncio.sleep(0.3)
    assert caplog.messages == []
    assert told == (["http.disconnect"] if path.startswith("/left") else [])


def wishing(path: str, *lines: str, body: str = "", wish: str = "h2c") -> bytes:
    head = [f"POST {path} HTTP/1.1", "Host: x", "Connection: Upgrade", f"Upgrade: {wish}", *lines]
    return "\r\n".join([*head, "", body]).encode()


HELLO = wishing("/a", "Content-Length: 5", body="hello")
CHUNKED = wishing("/a", "Transfer-Encoding: chunked", body="5\r\nhello\r\n0\r\n\r\n")
HIDDEN = "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n"
AFTER = b"GET /after HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("request_", "body"),
    [
        (HELLO, "hello"),
        (CHUNKED, "hello"),
        (wishing("/a", "Content-Length: 5", body="hello", wish="websocket"), "hello"),
        (wishing("/a"), ""),
        (wishing("/a", f"Content-Length: {len(HIDDEN)}", body=HIDDEN), HIDDEN),
    ],
)
@pytest.mark.parametrize("size", [1_000_000, 40, 1])
async def test_a_wish_for_another_protocol_is_ignored(
    port: int, request_: bytes, body: str, size: int
) -> None:
    answer = await exchange(port, pieces(request_ + request_ + AFTER, size))
    assert answer.count(b"HTTP/1.1 200 OK") == 3
    assert taken == [("/a", body.encode())] * 2 + [("/after", b"")]


async def test_many_wishes_at_once_are_read_one_after_the_other(port: int) -> None:
    answer = await exchange(port, [HELLO * 2_000 + AFTER])
    assert answer.count(b"HTTP/1.1 200 OK") == 2_001


@pytest.mark.parametrize(
    "refused",
    [b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", b"CONNECT /a HTTP/1.1\r\nHost: x\r\n\r\n"],
)
async def test_nobody_is_connected_to_anywhere(port: int, refused: bytes) -> None:
    answer = await exchange(port, [refused + AFTER])
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert (answer.count(b"HTTP/1.1 "), taken) == (1, [])


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


async def exchange(port: int, pieces: Sequence[bytes]) -> bytes:
    """What is answered until the server closes the connection."""
    taken.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answering = asyncio.create_task(reader.read())
    for piece in pieces:
        writer.write(piece)
        await asyncio.sleep(0)
    answer = await asyncio.wait_for(answering, 10)
    writer.close()
    return answer
