"""Memory: one look-up for many callers, two seconds at most, nothing that failed."""

import asyncio

import pytest

from app.foundation.errors import NotFound
from app.foundation.memory import SECONDS, Memory


class Source:
    """Counts how often it is asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.is_missing = False

    async def look_up(self) -> int:
        self.asked += 1
        asked = self.asked
        await asyncio.sleep(0.01)
        if self.is_missing:
            raise NotFound
        return asked


def test_two_seconds_are_the_promise() -> None:
    assert SECONDS == 2.0


async def test_callers_at_once_share_one_look_up() -> None:
    memory, source = Memory(60), Source()
    found = await asyncio.gather(*(memory.recall("a", source.look_up) for _ in range(20)))
    assert set(found) == {1}
    assert await memory.recall("a", source.look_up) == 1
    assert await memory.recall("b", source.look_up) == 2


async def test_what_is_old_is_asked_again() -> None:
    moment = 100.0
    memory, source = Memory(2, now=lambda: moment), Source()
    assert await memory.recall("a", source.look_up) == 1
    moment = 101.9
    assert await memory.recall("a", source.look_up) == 1
    moment = 102.0
    assert await memory.recall("a", source.look_up) == 2
    moment = 103.9
    assert await memory.recall("a", source.look_up) == 2, "counted from when it was asked"


async def test_no_memory_asks_every_time() -> None:
    memory, source = Memory(0), Source()
    assert [await memory.recall("a", source.look_up) for _ in range(3)] == [1, 2, 3]


async def test_a_failure_is_told_to_all_who_asked_and_not_remembered() -> None:
    memory, source = Memory(60), Source()
    source.is_missing = True
    outcomes = await asyncio.gather(
        *(memory.recall("a", source.look_up) for _ in range(3)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes] == [NotFound] * 3
    source.is_missing = False
    assert await memory.recall("a", source.look_up) == 2


async def test_the_first_to_ask_may_leave() -> None:
    memory, source = Memory(60), Source()
    first = asyncio.create_task(memory.recall("a", source.look_up))
    second = asyncio.create_task(memory.recall("a", source.look_up))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == 1
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_the_oldest_are_forgotten_first() -> None:
    memory, source = Memory(60, capacity=2), Source()
    for key in ("a", "b", "c"):
        await memory.recall(key, source.look_up)
    assert await memory.recall("b", source.look_up) == 2
    assert await memory.recall("a", source.look_up) == 4
