"""Who is let in when too much is asked at once: answers before figures, figures before files.

Each server process does a bounded number of things of each kind at a time. Figures wait a little
for their turn; exports and imports do not. When answers pile up, files are sent away first, then
figures; answers have a bound of their own in the intake, which keeps what respondents wrote.
"""

import asyncio
import logging
from dataclasses import dataclass
from enum import StrEnum

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.foundation.errors import Unavailable
from app.foundation.tally import tally
from app.foundation.translation import mark
from app.foundation.web.problems import error_response

logger = logging.getLogger("honne.requests")

ANSWERS = 12_000  # requests under way; the intake says no before that, and more kindly
FILES_YIELD_AT = 1_000  # answers under way
FIGURES_YIELD_AT = 3_000
PATIENCE_S = 5.0
STALLED_AFTER_S = 60.0  # a reader who takes nothing for so long
TRANSFER_WITHIN_S = 1_800.0
WAITING = 100


class Kind(StrEnum):
    """What a request is for, by how long it may be kept waiting."""

    ANSWER = "answer"
    FIGURES = "figures"
    FILE = "file"
    FREE = "free"


def kind_of(scope: Scope) -> Kind:
    """By path alone: nothing of the request has been read when this is asked."""
    path: str = scope["path"]
    if path.startswith("/s/"):
        return Kind.ANSWER
    if path.startswith(("/static/", "/health/", "/api/docs")):
        return Kind.FREE
    if path.endswith((".csv", ".xlsx", "/export", "/import", "/imports")):
        return Kind.FILE
    if scope["method"] == "POST" and path.endswith(("/responses", "/responses/batch")):
        return Kind.ANSWER
    return Kind.FIGURES


@dataclass(frozen=True, slots=True)
class Room:
    """How many figures and files one process works at, at a time."""

    figures: int
    files: int


def divide(connections: int) -> Room:
    """Of the connections of a process some are kept free for the look-ups of answers. More at once
    would also make nothing faster: one process has one processor."""
    files = max(1, min(2, connections // 8))
    kept = max(1, connections // 4)
    return Room(max(1, min(10, connections - files - kept)), files)


class NoRoom(Exception):
    """Nobody of this kind can be let in in time."""


class Gate:
    """Lets `limit` in at a time; up to `waiting` more wait up to `patience_s` seconds."""

    def __init__(self, limit: int, waiting: int, patience_s: float) -> None:
        self._free = asyncio.Semaphore(limit)
        self._waiting_limit = waiting
        self._patience_s = patience_s
        self.waiting = 0
        self.running = 0

    async def enter(self) -> None:
        """Raises NoRoom; who got in calls `leave` once."""
        if self._free.locked():
            await self._wait()
        else:
            await self._free.acquire()
        self.running += 1

    def leave(self) -> None:
        self.running -= 1
        self._free.release()

    async def _wait(self) -> None:
        if self.waiting >= self._waiting_limit:
            raise NoRoom
        self.waiting += 1
        try:
            await asyncio.wait_for(self._free.acquire(), self._patience_s)
        except TimeoutError:
            raise NoRoom from None
        finally:
            self.waiting -= 1


class Admission:
    """Sends away, with 503 and Retry-After, what there is no room for."""

    def __init__(self, app: ASGIApp, room: Room, patience_s: float = PATIENCE_S) -> None:
        self.app = app
        self.answers = 0
        self.figures = Gate(room.figures, WAITING, patience_s)
        self.files = Gate(room.files, 0, 0)
        tally.watch(lambda: self.answers, "honne_requests_running", Kind.ANSWER)
        tally.watch(lambda: self.figures.running, "honne_requests_running", Kind.FIGURES)
        tally.watch(lambda: self.files.running, "honne_requests_running", Kind.FILE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = kind_of(scope) if scope["type"] == "http" else Kind.FREE
        if kind is Kind.ANSWER and self.answers < ANSWERS:
            self.answers += 1
            try:
                await self.app(scope, receive, send)
            finally:
                self.answers -= 1
        else:
            await self._let_in(kind, scope, receive, send)

    async def _let_in(self, kind: Kind, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            match kind:
                case Kind.ANSWER:
                    raise NoRoom
                case Kind.FIGURES:
                    await self._show(scope, receive, send)
                case Kind.FILE:
                    await self._transfer(scope, receive, send)
                case Kind.FREE:
                    await self.app(scope, receive, send)
        except NoRoom:
            await _send_away(kind, scope, receive, send)

    async def _show(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The turn ends when the answer begins: a slow reader takes nobody's place."""
        if self.answers >= FIGURES_YIELD_AT:
            raise NoRoom
        await self.figures.enter()
        has_left = False

        def leave() -> None:
            nonlocal has_left
            if not has_left:
                has_left = True
                self.figures.leave()

        async def send_and_leave(message: Message) -> None:
            leave()
            await send(message)

        try:
            await self.app(scope, receive, send_and_leave)
        finally:
            leave()

    async def _transfer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Files also yield where figures wait. One that nobody fetches is given up."""
        if self.answers >= FILES_YIELD_AT or self.figures.waiting:
            raise NoRoom
        await self.files.enter()
        is_begun = False

        async def send_in_time(message: Message) -> None:
            nonlocal is_begun
            is_begun = True
            async with asyncio.timeout(STALLED_AFTER_S):
                await send(message)

        try:
            async with asyncio.timeout(TRANSFER_WITHIN_S):
                await self.app(scope, receive, send_in_time)
        except TimeoutError:
            if not is_begun:
                raise
            # Returning without the rest makes the server close the connection.
            logger.warning("file not fetched")
        finally:
            self.files.leave()


async def _send_away(kind: Kind, scope: Scope, receive: Receive, send: Send) -> None:
    tally.count("honne_shed", kind)
    error = Unavailable(
        mark("Too much is asked of Honne at this moment. Please try again shortly."),
        headers={"Retry-After": RETRY_AFTER_S[kind]},
    )
    await error_response(scope, error)(scope, receive, send)


RETRY_AFTER_S = {Kind.ANSWER: "5", Kind.FIGURES: "10", Kind.FILE: "60"}
