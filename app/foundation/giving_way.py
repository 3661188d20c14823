"""How work that can wait leaves the processors to what cannot."""

import asyncio
import time

# Times as long as a piece of work took: a job has an eighth of a processor, a file of many answers
# an eleventh of its server's where others are at work there.
JOBS_REST = 7
FILES_REST = 10
LONGEST_JOBS_REST_S = 0.25
BUSY_FROM_S = 0.0005  # a turn of the event loop in which nothing is to do takes less


async def rest(worked_s: float) -> None:
    """Rest after a piece of a job, in a process of its own, that took `worked_s` seconds."""
    await asyncio.sleep(min(JOBS_REST * worked_s, LONGEST_JOBS_REST_S))


async def give_way(worked_s: float) -> None:
    """Let others go on after `worked_s` seconds of work on a file, and rest where there is
    something for them to do. What feeds the work, Postgres, rests with it."""
    started = time.perf_counter()
    await asyncio.sleep(0)
    if time.perf_counter() - started > BUSY_FROM_S:
        await asyncio.sleep(FILES_REST * worked_s)
