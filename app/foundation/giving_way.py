"""How work that can wait leaves the processors to what cannot."""

import asyncio
import time

from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.database import look_away
from app.foundation.tally import tally

# Times as long as a piece of work took: a job has an eighth of a processor, a file of many answers
# an eleventh of its server's at least.
JOBS_REST = 7
FILES_REST = 10
LONGEST_JOBS_REST_S = 0.25
LONGEST_FILES_REST_S = 2.0  # far less than what ends a transaction that idles


async def rest(worked_s: float) -> None:
    """Rest after a piece of a job, in a process of its own, that took `worked_s` seconds."""
    await asyncio.sleep(min(JOBS_REST * worked_s, LONGEST_JOBS_REST_S))


class Pace:
    """Of the work on a file, piece by piece, within a transaction of a process that answers
    requests too."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session
        self._waited_s = tally.total("honne_request_seconds")
        self._began = time.perf_counter()

    async def give_way(self) -> None:
        """After each piece: rest as long as those waited altogether who were answered since the
        piece before, but for no more than `FILES_REST` and two seconds. What feeds the work,
        Postgres, rests with it."""
        longest = min(FILES_REST * (time.perf_counter() - self._began), LONGEST_FILES_REST_S)
        await look_away(self._session)
        before, self._waited_s = self._waited_s, tally.total("honne_request_seconds")
        await asyncio.sleep(min(longest, self._waited_s - before))
        self._began = time.perf_counter()
