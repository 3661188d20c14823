"""Work that can wait rests where others have something to do, and only there."""

import asyncio
import time

import pytest

from app.foundation import giving_way
from app.foundation.giving_way import FILES_REST, JOBS_REST, LONGEST_JOBS_REST_S, give_way, rest


async def _seconds_of(waiting: "asyncio.Future[None] | asyncio.Task[None]") -> float:
    started = time.monotonic()
    await waiting
    return time.monotonic() - started


async def test_a_file_rests_beside_those_who_are_at_work() -> None:
    is_over = False

    async def be_busy() -> None:
        while not is_over:
            time.sleep(2 * giving_way.BUSY_FROM_S)  # noqa: ASYNC251 (a request that computes)
            await asyncio.sleep(0)

    other = asyncio.create_task(be_busy())
    await asyncio.sleep(0)
    rested = await _seconds_of(asyncio.ensure_future(give_way(0.02)))
    is_over = True
    await other
    assert rested >= FILES_REST * 0.02


async def test_a_file_does_not_rest_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_way, "BUSY_FROM_S", 5.0)  # whatever else this machine does
    assert await _seconds_of(asyncio.ensure_future(give_way(60.0))) < 60.0


async def test_a_job_rests_after_each_piece_but_never_for_long() -> None:
    assert await _seconds_of(asyncio.ensure_future(rest(0.01))) >= JOBS_REST * 0.01
    rested = await _seconds_of(asyncio.ensure_future(rest(60.0)))
    assert LONGEST_JOBS_REST_S <= rested < 60.0
