"""Work that can wait rests where others have something to do, and only there."""

import time
from collections.abc import Awaitable

import pytest

from app.foundation import giving_way
from app.foundation.giving_way import FILES_REST, JOBS_REST, LONGEST_JOBS_REST_S, Pace, rest
from app.foundation.tally import Tally


async def _seconds_of(waiting: Awaitable[None]) -> float:
    started = time.monotonic()
    await waiting
    return time.monotonic() - started


async def test_a_file_rests_beside_those_who_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(giving_way, "tally", tally := Tally())
    pace = Pace()
    tally.count("honne_requests", "GET", "/s/{slug}", "2xx")
    time.sleep(0.02)  # noqa: ASYNC251 (a piece)
    assert await _seconds_of(pace.give_way()) >= FILES_REST * 0.02
    monkeypatch.setattr(giving_way, "FILES_REST", 3_600)
    time.sleep(0.02)  # noqa: ASYNC251
    assert await _seconds_of(pace.give_way()) < 60


async def test_a_job_rests_after_each_piece_but_never_for_long() -> None:
    assert await _seconds_of(rest(0.01)) >= JOBS_REST * 0.01
    rested = await _seconds_of(rest(60.0))
    assert LONGEST_JOBS_REST_S <= rested < 60.0
