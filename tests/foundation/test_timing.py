"""Slow statements are told without their values, and never of a respondent's request."""

import logging

import pytest
from sqlalchemy import text

from app.foundation.database import Database, Pool
from app.foundation.settings import Settings
from app.foundation.timing import Timing, timing_var

SLOW = text("SELECT pg_sleep(0.03), CAST(:comment AS text)")


async def ask(settings: Settings, timing: Timing, slow_ms: int = 20) -> None:
    database = Database(settings.database_url, Pool(1, is_timed=True, slow_ms=slow_ms))
    token = timing_var.set(timing)
    try:
        async with database.transaction() as session:
            await session.execute(SLOW, {"comment": "canary"})
            await session.execute(text("SELECT 1"))
    finally:
        timing_var.reset(token)
        await database.close()


async def test_a_slow_statement_is_told_without_its_values(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    timing = Timing("abc")
    with caplog.at_level(logging.WARNING, "honne.statements"):
        await ask(settings, timing)
    [record] = caplog.records
    assert "pg_sleep" in record.__dict__["statement"]
    assert "canary" not in str(record.__dict__)
    assert record.__dict__["request_id"] == "abc"
    assert record.__dict__["milliseconds"] >= 30
    assert timing.statements >= 3
    assert timing.seconds >= 0.03


@pytest.mark.parametrize(
    ("timing", "slow_ms"), [(Timing("abc", is_private=True), 20), (Timing("abc"), 0)]
)
async def test_of_respondents_and_where_nobody_asks_nothing_is_told(
    settings: Settings, caplog: pytest.LogCaptureFixture, timing: Timing, slow_ms: int
) -> None:
    with caplog.at_level(logging.DEBUG, "honne.statements"):
        await ask(settings, timing, slow_ms)
    assert not caplog.records
