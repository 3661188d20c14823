"""Periodic work runs in one process at a time, and a failure is tried again."""

import asyncio

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, OperationalError

from app.foundation import scheduler
from app.foundation.database import Database
from app.foundation.tally import tally
from tests.conftest import count_lookers


async def test_two_processes_never_run_the_jobs_at_once(database: Database) -> None:
    started, release = asyncio.Event(), asyncio.Event()

    async def slow(_database: Database) -> int:
        started.set()
        await release.wait()
        return 1

    first = asyncio.create_task(scheduler.run_jobs(database, [slow]))
    await started.wait()
    assert not await scheduler.run_jobs(database, [slow]), "the other process is at it"
    release.set()
    assert await first
    assert await scheduler.run_jobs(database, [slow]), "free again once it is done"


async def test_the_lock_keeps_no_row_as_it_was(
    database: Database, owner: psycopg.Connection
) -> None:
    async def looks(_database: Database) -> int:
        assert count_lookers(owner) == 0
        return 1

    assert await scheduler.run_jobs(database, [looks, looks])


async def test_a_failed_round_is_followed_by_another(database: Database) -> None:
    rounds = 0
    done = asyncio.Event()

    async def unlucky_once(_database: Database) -> int:
        nonlocal rounds
        rounds += 1
        if rounds == 1:
            raise ConnectionError
        done.set()
        return 0

    async with scheduler.running(database, [unlucky_once], interval_seconds=0.01):
        await asyncio.wait_for(done.wait(), timeout=10)
    assert rounds >= 2


async def test_a_job_that_fails_keeps_no_other_from_running(
    database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    """Nor the rounds after it: retention is kept, whatever became of an index of comments."""
    rounds = 0
    done = asyncio.Event()

    async def unlucky(_database: Database) -> int:
        raise ValueError("canary, a word of a comment")

    async def refused(database: Database) -> int:
        async with database.transaction() as session:
            await session.execute(text("SELECT 'canary'::int"))
        return 0

    async def lucky(_database: Database) -> int:
        nonlocal rounds
        rounds += 1
        if rounds == 3:
            done.set()
        return 0

    with pytest.raises(ExceptionGroup) as raised:
        await scheduler.run_jobs(database, [unlucky, refused, lucky])
    assert [type(one) for one in raised.value.exceptions] == [ValueError, DataError]
    assert rounds == 1
    caplog.clear()
    before = tally.counters.get(("honne_jobs", "unlucky", "failed"), 0)
    async with scheduler.running(database, [unlucky, refused, lucky], interval_seconds=0.01):
        await asyncio.wait_for(done.wait(), timeout=10)
    failed = [record.__dict__ for record in caplog.records if record.message == "job failed"]
    assert {(one["job"], one["error"], one["sqlstate"]) for one in failed} == {
        ("unlucky", "ValueError", ""),
        ("refused", "DataError", "22P02"),
    }
    assert all("test_scheduler.py" in str(one["places"]) for one in failed)
    assert "canary" not in str([(one, one["exc_info"]) for one in failed])
    assert tally.counters["honne_jobs", "unlucky", "failed"] >= before + 2


async def test_a_round_without_its_lock_is_put_off(
    database: Database, owner: psycopg.Connection
) -> None:
    """Another process may have begun with the same jobs."""
    ran = False

    async def lose_the_lock(_database: Database) -> int:
        owner.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_locks JOIN pg_database d ON d.oid = database "
            "WHERE locktype = 'advisory' AND datname = current_database()"
        )
        raise ConnectionError

    async def next_one(_database: Database) -> int:
        nonlocal ran
        ran = True
        return 0

    with pytest.raises(OperationalError):
        await scheduler.run_jobs(database, [lose_the_lock, next_one])
    assert not ran
