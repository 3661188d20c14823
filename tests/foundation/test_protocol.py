"""An answer goes out in one piece; one that comes in parts begins at once, and goes to nobody who
has left."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from app.foundation.web.protocol import OnePieceProtocol

LENGTH = (b"content-length", b"5")


told: list[str] = []


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers at once, or waits between head, part and part, or until the client has left, where
    the path says so."""
    await receive()
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
