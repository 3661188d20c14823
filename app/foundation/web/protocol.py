"""How an answer goes out: its head and its body in one piece.

uvicorn writes the head of an answer, and then its body, and the event loop sends each at once: two
system calls, two packets, and a reader that is woken up twice.
"""

import asyncio
from typing import Any, cast

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

HEAD = b"HTTP/1."


class OnePieceProtocol(HttpToolsProtocol):
    """uvicorn's, on a transport that keeps a head back until something follows."""

    _answered: RequestResponseCycle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        held = _HoldingTransport(cast(asyncio.Transport, transport), self.loop)
        super().connection_made(cast(asyncio.Transport, held))

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        self._answered = cycle
        super()._start_asgi_task(cycle, app)

    def connection_lost(self, exc: Exception | None) -> None:
        """Of requests sent without waiting, uvicorn tells the last that nobody is there any more,
        and goes on writing the answer to the first."""
        if self._answered and not self._answered.response_complete:
            self._answered.disconnected = True
            self._answered.message_event.set()
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
