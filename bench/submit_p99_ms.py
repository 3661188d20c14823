"""How long answers take at half the load that Honne can bear.

The yardstick is the 25 ms that 99 of 100 answers should stay below. Requests fall due evenly, and
each wait is counted from then, so that a pause is felt by all that it keeps waiting.
"""

import statistics
from collections.abc import Iterator

from bench.figures import Figure
from bench.installation import fresh_installation, serving
from bench.load import load
from bench.pgbench import CLIENTS
from bench.requests import VARIETY, api_requests
from bench.submit_api import WARM_UP_SECONDS, submit

TARGET_MS = 25.0
ROUNDS = 7  # many and short: where the disk pauses for a moment, that spoils one of them
SECONDS = 5.0


def measure_submit_p99_ms(scale: float) -> Iterator[Figure]:
    """Median of seven rounds, each after finding out what Honne can bear just then."""
    waits = []
    with fresh_installation() as installation, serving(installation):
        submit(installation, WARM_UP_SECONDS)
        requests = api_requests(installation, installation.places, VARIETY)
        for _round in range(ROUNDS):
            rate = submit(installation, SECONDS * scale) / 2
            done = load(
                installation.address, requests, 201,
                clients=CLIENTS, seconds=SECONDS * scale, rate=rate, is_cyclic=True,
            )  # fmt: skip
            waits.append(done.p99_ms)
    yield Figure("submit_p99_ms", statistics.median(waits), "ms", TARGET_MS)
