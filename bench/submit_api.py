"""Answers a second through the API, each committed before its 201, against pgbench."""

import statistics
from collections.abc import Iterator

from bench.figures import Figure
from bench.installation import Installation, fresh_installation, serving
from bench.load import load
from bench.pgbench import CLIENTS, check_counts, pgbench
from bench.requests import VARIETY, api_requests

ROUNDS = 3
SECONDS = 10.0
WARM_UP_SECONDS = 2.0  # the first answers make the segment sets


def measure_submit_api(scale: float) -> Iterator[Figure]:
    """Medians of three alternating rounds; raises where the counts are not exact afterwards."""
    ours, theirs = [], []
    with fresh_installation() as installation, serving(installation):
        submit(installation, WARM_UP_SECONDS)
        for _round in range(ROUNDS):
            ours.append(submit(installation, SECONDS * scale))
            theirs.append(pgbench(installation, SECONDS * scale))
        check_counts(installation)
    yield Figure("submit_api", statistics.median(ours), "answers/s", statistics.median(theirs))


def submit(installation: Installation, seconds: float) -> float:
    """Answers a second to one survey, as fast as they are taken."""
    requests = api_requests(installation, installation.places[:1], VARIETY)
    done = load(
        installation.address, requests, 201, clients=CLIENTS, seconds=seconds, is_cyclic=True
    )
    return done.rate
