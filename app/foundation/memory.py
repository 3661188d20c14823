"""A short memory beside the database, for what a busy survey would otherwise ask for every time."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

SECONDS = 2.0
CAPACITY = 10_000
WITHIN_S = 15.0  # a database that says nothing for longer counts as away


class Memory:
    """Remembers what a look-up found for `seconds` (2 by default), counted from when it was asked.

    So a revoked key, a closed survey or a new wording takes effect within two seconds, in each
    process. Callers that ask at once share one look-up. What raises is not remembered, hence
    nothing that was not found. At most `capacity` things are kept, the oldest go first. With
    `seconds` 0 nothing is remembered and every look-up is made. Raises TimeoutError where a
    look-up takes a quarter of a minute.
    """

    def __init__(
        self,
        seconds: float = SECONDS,
        capacity: int = CAPACITY,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._seconds = seconds
        self._capacity = capacity
        self._now = now
        self._kept: dict[Hashable, tuple[float, asyncio.Future[Any]]] = {}

    async def recall(self, key: Hashable, look_up: Callable[[], Awaitable[T]]) -> T:
        """What `look_up` says about `key`, or said a moment ago; one key, one kind of answer."""
        if self._seconds <= 0:
            return await look_up()
        asked_at, answer = self._kept.get(key, (0.0, None))
        if answer is None or self._now() - asked_at >= self._seconds:
            answer = self._ask(key, look_up)
        if not answer.done():
            # Not cancelled with its caller: others may wait for the same.
            await asyncio.wait((answer,), timeout=WITHIN_S)
            if not answer.done():
                raise TimeoutError
        found: T = answer.result()
        return found

    def find(self, key: Hashable) -> Any | None:
        """What is remembered under `key` just now, if anything is; asks nobody."""
        asked_at, answer = self._kept.get(key, (0.0, None))
        if answer is None or not answer.done() or self._now() - asked_at >= self._seconds:
            return None
        return answer.result()

    def _ask(self, key: Hashable, look_up: Callable[[], Awaitable[T]]) -> asyncio.Future[T]:
        answer: asyncio.Future[T] = asyncio.ensure_future(look_up())
        self._kept.pop(key, None)
        while len(self._kept) >= self._capacity:
            del self._kept[next(iter(self._kept))]
        self._kept[key] = (self._now(), answer)
        answer.add_done_callback(lambda done: self._forget_failure(key, done))
        return answer

    def _forget_failure(self, key: Hashable, done: asyncio.Future[Any]) -> None:
        if not done.cancelled() and done.exception() is None:
            return
        if self._kept.get(key, (0.0, None))[1] is done:
            del self._kept[key]
