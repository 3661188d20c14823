"""Periodic work, done by one process at a time.

The lock is a transaction-level advisory lock: it needs no session of its own, so it also holds
behind PgBouncer, and it falls with the process that held it.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress

from sqlalchemy import func, select

from app.foundation.database import Database, look_away
from app.foundation.logs import wordless
from app.foundation.tally import tally

logger = logging.getLogger("honne.jobs")

Job = Callable[[Database], Awaitable[int]]

INTERVAL_SECONDS = 600
LOCK_NUMBER = 0x686F6E6E65  # "honne"


@asynccontextmanager
async def running(
    database: Database, jobs: Sequence[Job], interval_seconds: float = INTERVAL_SECONDS
) -> AsyncIterator[None]:
    """Run `jobs` at once and then every `interval_seconds` while the context is open."""
    if not jobs:
        yield
        return
    task = asyncio.create_task(_repeat(database, jobs, interval_seconds))
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _repeat(database: Database, jobs: Sequence[Job], interval_seconds: float) -> None:
    while True:
        # Away for a moment or for an hour, or an error that nobody thought of: the next round does
        # what this one could not.
        try:
            await run_jobs(database, jobs)
        except ExceptionGroup:
            pass  # each was told when it happened
        except Exception as error:
            logger.warning("jobs put off", extra={"error": type(error).__name__})
        await asyncio.sleep(interval_seconds)


async def run_jobs(database: Database, jobs: Sequence[Job]) -> bool:
    """Run each job once, unless another process is at it; says whether it did.

    A job opens its own transactions and returns how many rows it touched. One that fails keeps none
    of the others from running; what failed is raised together at the end.
    """
    errors = []
    async with database.transaction() as session:
        for job in jobs:
            # Asked for again each time, as it is gone where its connection is, which raises.
            if not await session.scalar(select(func.pg_try_advisory_xact_lock(LOCK_NUMBER))):
                return False
            await look_away(session)
            try:
                await _run(database, job)
            except Exception as error:
                errors.append(error)
    if errors:
        raise ExceptionGroup("jobs failed", errors)
    return True


async def _run(database: Database, job: Job) -> None:
    name = getattr(job, "__name__", "job")
    started, outcome = time.perf_counter(), "failed"
    try:
        touched = await job(database)
        outcome = "done"
    except Exception as error:
        logger.error("job failed", extra={"job": name} | wordless(error))
        raise
    finally:
        tally.count("honne_jobs", name, outcome)
        tally.observe(time.perf_counter() - started, "honne_job_seconds", name)
    logger.info("job done", extra={"job": name, "rows": touched})
