"""The linear programmes of `tests/attack` against more surveys than the tests have time for.

`SURVEYS` (1000) says how many, times the scale. Raises where a group below the minimum is found.
"""

import os
import time
from collections.abc import Iterator

from bench.figures import Figure
from tests.attack.pure import attack
from tests.attack.test_decided import SURVEYS as TRIED_BY_THE_TESTS

SURVEYS = 1_000


def measure_attack(scale: float) -> Iterator[Figure]:
    """Sums, targets, finds and seconds are measured by the survey; the smallest group that could
    be isolated, published ones included, by its survey's group minimum."""
    started = time.perf_counter()
    surveys = max(1, round(float(os.environ.get("SURVEYS", SURVEYS)) * scale))
    result = attack(range(surveys))
    seconds = time.perf_counter() - started
    yield Figure("attack.surveys", surveys, "surveys", TRIED_BY_THE_TESTS)
    yield Figure("attack.sums_read", result.known, "sums", surveys)
    yield Figure("attack.targets", result.targets, "groups below the minimum", surveys)
    yield Figure("attack.isolated", len(result.isolated), "groups below the minimum", surveys)
    if result.smallest is not None:
        yield Figure("attack.smallest", result.smallest, "x the minimum", 1)
    yield Figure("attack.seconds", seconds, "s", surveys)
    if result.isolated:
        raise AssertionError(f"isolated, by number of the survey: {result.isolated[:10]}")
