"""A request is read as HTTP/1.1 whatever else it asks for. An answer goes out in one piece; one
that comes in parts begins at once, and goes to nobody who has left."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Sequence

import pytest
import uvicorn
from starlette.types import Message, Receive, Scope, Send

from app.foundation.web.protocol import OnePieceProtocol

LENGTH = (b"content-length", b"5")


class HurryingProtocol(OnePieceProtocol):
    head_within_s = 0.3


told: list[str] = []
taken: list[tuple[str, bytes]] = []
names: list[list[bytes]] = []


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answers at once, or waits between head, part and part, or until the client has left, where
    the path says so."""
    body, message = b"", await receive()
    while message.get("more_body"):
        body += message["body"]
        message = await receive()
    if message["type"] == "http.request":
        taken.append((scope["path"], body + message["body"]))
        names.append([name for name, _value in scope["headers"]])
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
        app, port=0, http=HurryingProtocol, lifespan="off", log_config=None, ws="none",
        timeout_graceful_shutdown=1, timeout_keep_alive=1,
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
    answer = await exchange(port, [HELLO * 100 + AFTER])
    assert answer.count(b"HTTP/1.1 200 OK") == 101


@pytest.mark.parametrize("hello", [HELLO, b"POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello"])
async def test_only_so_many_requests_wait_for_the_first(port: int, hello: bytes) -> None:
    answer = await exchange(port, [hello * 2_000 + AFTER])
    assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 200 OK") == 101
    assert taken == [("/a", b"hello")] * 101


@pytest.mark.parametrize(
    "refused",
    [b"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", b"CONNECT /a HTTP/1.1\r\nHost: x\r\n\r\n"],
)
async def test_nobody_is_connected_to_anywhere(port: int, refused: bytes) -> None:
    answer = await exchange(port, [refused + AFTER])
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert (answer.count(b"HTTP/1.1 "), taken) == (1, [])


@pytest.mark.parametrize("before", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
async def test_a_head_that_trickles_in_is_not_waited_for(port: int, before: bytes) -> None:
    head = pieces(b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 3, 1)
    answer = await exchange(port, [before + head[0], *head[1:]], pause_s=0.05)
    assert (answer.count(b"200 OK"), len(taken)) == (bool(before), bool(before))


async def test_who_says_nothing_does_not_keep_a_connection(port: int) -> None:
    assert await exchange(port, []) == b""


SLOW = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\n"


@pytest.mark.parametrize(
    ("begun", "rest"),
    [
        (b"", [POST[at : at + 9] for at in range(0, len(POST), 9)]),
        (POST[:9], [POST[9:]]),
        (POST, []),
    ],
)
async def test_a_request_may_take_longer_than_a_connection_that_is_idle(
    port: int, begun: bytes, rest: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also one that has begun before the answer to the one before it."""
    monkeypatch.setattr(HurryingProtocol, "head_within_s", 5)
    answer = await exchange(port, [SLOW + begun, *rest, *pieces(b"hello", 1), AFTER], pause_s=0.3)
    assert answer.count(b"200 OK") == 3
    assert taken[1] == ("/b", b"hello")


@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
@pytest.mark.parametrize("request_", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"])
@pytest.mark.parametrize("times", [1, 30])
async def test_empty_lines_do_not_keep_a_connection(
    port: int, request_: bytes, line: bytes, times: int
) -> None:
    async with asyncio.timeout(5):
        answer = await exchange(port, [request_, *[line] * times], 0.1)
    assert answer.count(b"200 OK") == bool(request_)


async def test_a_head_takes_a_bounded_part_of_the_memory(port: int) -> None:
    line = b"X: " + b"y" * 8_000 + b"\r\n"
    answer = await exchange(port, [b"GET / HTTP/1.1\r\n", *[line] * 8, b"\r\n" + AFTER], 0.01)
    assert answer.count(b"HTTP/1.1 200 OK") == 2
    answer = await exchange(port, [b"GET / HTTP/1.1\r\n", *[line] * 9], 0.01)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert taken == []


@pytest.mark.parametrize("size", [0, 8_000])
async def test_of_requests_sent_without_waiting_each_head_is_measured_by_itself(
    port: int, size: int
) -> None:
    """Each piece ends in the middle of a head; together they are too long and too slow."""
    head = b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * size + b"\r\n\r\n"
    [begun, ended] = pieces(head, len(head) // 2 + 1)
    answer = await exchange(port, [begun, *[ended + begun] * 20, ended + AFTER], 0.03)
    assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 200 OK") == 22


async def test_of_requests_sent_without_waiting_each_body_is_measured_by_itself(port: int) -> None:
    body = b"y" * 60_000
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n"
    [begun, ended] = pieces(head + body, 40_000)
    answer = await exchange(port, [begun, *[ended + begun] * 80, ended + AFTER], 0.002)
    assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 200 OK") == 82


TRAILED = b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"


async def test_what_follows_a_body_is_no_part_of_its_head(port: int) -> None:
    """A proxy that passes it on has not looked at it."""
    await exchange(port, [TRAILED + b"X-Forwarded-For: 192.0.2.1\r\n\r\n" + AFTER])
    assert taken == [("/a", b"hello"), ("/after", b"")]
    assert names[0] == [b"transfer-encoding"]


async def test_what_follows_a_body_takes_a_bounded_part_of_the_memory(port: int) -> None:
    answer = await exchange(port, [TRAILED, *[b"X: " + b"y" * 1_000_000 + b"\r\n"] * 6])
    assert b"200 OK" not in answer
    assert taken == []


@pytest.mark.parametrize(
    "rest", [b"NONSENSE\r\n", b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n"]
)
@pytest.mark.parametrize("path", ["/", "/slow"])
async def test_what_came_whole_is_answered_before_nonsense_ends_the_connection(
    port: int, rest: bytes, path: str
) -> None:
    whole = f"POST {path} HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello".encode()
    answer = await exchange(port, [whole * 2 + rest, AFTER])
    assert answer.count(b"HTTP/1.1 ") == answer.count(b"HTTP/1.1 200 OK") == 2
    assert taken == [(path, b"hello")] * 2


def pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]


async def exchange(port: int, pieces: Sequence[bytes], pause_s: float = 0.0) -> bytes:
    """What is answered until the server closes the connection."""
    taken.clear()
    names.clear()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answering = asyncio.create_task(reader.read())
    with contextlib.suppress(ConnectionError):
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause_s)
    try:
        answer = await asyncio.wait_for(answering, 10)
    except ConnectionError:  # it closed before it had read everything
        answer = b""
    writer.close()
    return answer
