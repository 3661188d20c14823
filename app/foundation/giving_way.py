"""How work that can wait leaves the processors to what cannot."""

import asyncio
import time

from app.foundation.tally import tally

# Times as long as a piece of work took: a job has an eighth of a processor, a file of many answers
# an eleventh of its server's at least.
JOBS_REST = 7
FILES_REST = 10
LONGEST_JOBS_REST_S = 0.25


async def rest(worked_s: float) -> None:
    """Rest after a piece of a job, in a process of its own, that took `worked_s` seconds."""
    await asyncio.sleep(min(JOBS_REST * worked_s, LONGEST_JOBS_REST_S))


class Pace:
    """Of the work on a file, piece by piece, in a process that answers requests too."""

    def __init__(self) -> None:
        self._waited_s = tally.total("honne_request_seconds")
        self._began = time.perf_counter()

    async def give_way(self) -> None:
        """After each piece: rest as long as those waited altogether who were answered since the
        piece before, but for no more than `FILES_REST`. What feeds the work, Postgres, rests with
        it."""
        longest = FILES_REST * (time.perf_counter() - self._began)
        await asyncio.sleep(0)
        before, self._waited_s = self._waited_s, tally.total("honne_request_seconds")
        await asyncio.sleep(min(longest, self._waited_s - before))
        self._began = time.perf_counter()
