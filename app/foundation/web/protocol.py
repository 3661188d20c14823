"""How a request is read, and how an answer goes out: its head and its body in one piece.

uvicorn writes the head of an answer, and then its body, and the event loop sends each at once: two
system calls, two packets, and a reader that is woken up twice.

httptools stops behind a head that asks for another protocol: the body would be lost, or be read as
the next request. A server may ignore the wish (RFC 9110, 7.8), and this one does.
"""

import asyncio
from typing import Any, cast

import httptools
from uvicorn._types import ASGI3Application, HTTPScope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD = b"HTTP/1."
KIB = 1024
HEAD_CAP = 64 * KIB
REQUEST_CAP = 4 * 1024 * KIB  # the largest body, and what frames its chunks
HEAD_WITHIN_S = 30.0
QUEUED = 100  # requests sent without waiting for the answer to the first
UNREADABLE = "Invalid HTTP request received."
TOO_LONG = "The request is too long."


class OnePieceProtocol(HttpToolsProtocol):
    """uvicorn's, on a transport that keeps a head back until something follows."""

    head_within_s = HEAD_WITHIN_S
    _answered: RequestResponseCycle | None = None
    _deadline: asyncio.TimerHandle | None = None
    _size = 0
    _is_over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        held = _HoldingTransport(cast(asyncio.Transport, transport), self.loop)
        super().connection_made(cast(asyncio.Transport, held))
        # As after an answer: who says nothing does not keep the connection.
        self.timeout_keep_alive_task = self.loop.call_later(
            self.timeout_keep_alive, self.timeout_keep_alive_handler
        )

    def data_received(self, data: bytes) -> None:
        if self._is_over:
            return
        try:
            self._read(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._refuse(UNREADABLE)
        else:
            self._limit(len(data))

    def _limit(self, size: int) -> None:
        """httptools keeps a head, or what follows the last chunk of a body, however long it is.
        Of a head, counted is what comes after the first piece, which may hold earlier requests."""
        scope = cast("HTTPScope | None", self.scope)
        is_head = scope is None or "path" not in scope
        if is_head and not self._deadline:
            self._size = 0
            self._deadline = self.loop.call_later(self.head_within_s, self._give_up)
        elif is_head or self.cycle.more_body:
            self._size += size
            if self._size > (HEAD_CAP if is_head else REQUEST_CAP):
                self._refuse(TOO_LONG)

    def _give_up(self) -> None:
        self._is_over = True
        self.shutdown()

    def _refuse(self, text: str) -> None:
        """Whole requests that came before are answered, and then no more: to say 400 first would be
        taken for the answer to them."""
        self._is_over = True
        self.logger.warning(text)
        if self.pipeline and self.cycle.more_body:
            self.pipeline.popleft()
        last = self.pipeline[0][0] if self.pipeline else self._answered
        if last and not last.response_complete and not last.more_body:
            last.keep_alive = False
        else:
            self.send_400_response(text)

    def on_message_begin(self) -> None:
        """Only now does what was quiet speak again: empty lines between requests say nothing."""
        self._unset_keepalive_if_required()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """One piece may hold thousands of heads. Who has sent too many sends those again to which
        there was no answer (RFC 9112, 9.3.2)."""
        if len(self.pipeline) == QUEUED:
            raise ValueError(TOO_LONG)
        super().on_headers_complete()
        self._unset_keepalive_if_required()  # armed again where it began before an answer
        self.headers = []  # what follows a body in chunks is no part of the head
        self._size = 0
        if self._deadline:  # one piece may end this head and begin the next
            self._deadline.cancel()
            self._deadline = None

    def _read(self, data: bytes) -> None:
        """A head that asks for another protocol is read once more, as one that does not. One that
        then still asks, a CONNECT, raises HttpParserUpgrade."""
        rest = memoryview(data)
        while True:
            try:
                self.parser.feed_data(rest)
            except httptools.HttpParserUpgrade as wish:
                rest = rest[wish.args[0] :]
                head = self._head_without_wish()
                self.parser = httptools.HttpRequestParser(self)
                self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's
                self.parser.feed_data(head)
            else:
                return

    def _should_upgrade(self) -> bool:
        """uvicorn asks this only of a head that wants it, and leaves that head alone."""
        return True

    def _head_without_wish(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version)]
        lines += [b"%s: %s" % header for header in self.scope["headers"] if header[0] != b"upgrade"]
        return b"\r\n".join([*lines, b"", b""])

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        """Of requests sent without waiting, uvicorn tells the last that nobody is there any more,
        and goes on writing the answer to the first."""
        if self._answered and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()
        if self._deadline:
            self._deadline.cancel()
        super().connection_lost(exc)


class _HoldingTransport:
    """Keeps the head of an answer until its body is written, or until the end of this round of the
    event loop. Never more than that, so that a long file is held up no less than before."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held = b""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if self._transport.is_closing():
            self._held = b""
        elif self._held:
            data, self._held = self._held + data, b""
            self._transport.write(data)
        elif data.startswith(HEAD):
            self._held = data
            self._loop.call_soon(self._let_go)
        else:
            self._transport.write(data)

    def close(self) -> None:
        """After what is held has gone out."""
        self._let_go()
        self._transport.close()

    def _let_go(self) -> None:
        data, self._held = self._held, b""
        if data and not self._transport.is_closing():
            self._transport.write(data)
