"""Work that can wait rests where others wait, and only there."""

import time
from collections.abc import Awaitable

import pytest

from app.foundation import giving_way
from app.foundation.database import Database
from app.foundation.giving_way import FILES_REST, JOBS_REST, LONGEST_JOBS_REST_S, Pace, rest
from app.foundation.tally import Tally


async def _seconds_of(waiting: Awaitable[None]) -> float:
    started = time.monotonic()
    await waiting
    return time.monotonic() - started


async def test_a_file_rests_as_long_as_others_waited(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(giving_way, "tally", tally := Tally())
    async with database.transaction() as session:
        pace = Pace(session)
        time.sleep(0.02)  # noqa: ASYNC251 (a piece)
        tally.observe(3_600.0, "honne_request_seconds", "GET", "/s/{slug}")
        assert FILES_REST * 0.019 <= await _seconds_of(pace.give_way()) < 60
        monkeypatch.setattr(giving_way, "FILES_REST", 36_000)
        tally.observe(0.05, "honne_request_seconds", "GET", "/s/{slug}")
        tally.observe(0.05, "honne_request_seconds", "POST", "/s/{slug}/responses")
        time.sleep(0.02)  # noqa: ASYNC251
        assert 0.09 <= await _seconds_of(pace.give_way()) < 60
        monkeypatch.setattr(giving_way, "LONGEST_FILES_REST_S", 0.1)
        tally.observe(3_600.0, "honne_request_seconds", "GET", "/s/{slug}")
        assert 0.09 <= await _seconds_of(pace.give_way()) < 60
        assert await _seconds_of(pace.give_way()) < 60


async def test_a_job_rests_after_each_piece_but_never_for_long() -> None:
    assert await _seconds_of(rest(0.01)) >= JOBS_REST * 0.01
    rested = await _seconds_of(rest(60.0))
    assert LONGEST_JOBS_REST_S <= rested < 60.0
