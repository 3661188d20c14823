"""Periodic work runs in one process at a time, and a failure is tried again."""

import asyncio

from app.foundation import scheduler
from app.foundation.database import Database


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
