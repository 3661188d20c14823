"""Answers a second through the form, each committed before its 303, against pgbench.

Each has a ticket and thus a submission key of its own, a segment value from its link and one that
the form asked for.
"""

import statistics
from collections.abc import Iterator

from bench.figures import Figure
from bench.installation import Installation, fresh_installation, serving
from bench.load import load
from bench.pgbench import CLIENTS, check_counts, pgbench
from bench.requests import form_requests
from bench.submit_api import ROUNDS, SECONDS, WARM_UP_SECONDS, submit

MOST_A_SECOND = 8_000  # answers that are made ready beforehand


def measure_submit_form(scale: float) -> Iterator[Figure]:
    """Medians of three alternating rounds; raises where the counts are not exact afterwards."""
    ours, theirs = [], []
    with fresh_installation() as installation, serving(installation):
        submit(installation, WARM_UP_SECONDS)  # makes the segment sets that pgbench names
        _submit(installation, WARM_UP_SECONDS * scale, most=2_000)
        for _round in range(ROUNDS):
            ours.append(_submit(installation, SECONDS * scale))
            theirs.append(pgbench(installation, SECONDS * scale))
        check_counts(installation)
    yield Figure("submit_form", statistics.median(ours), "answers/s", statistics.median(theirs))


def _submit(installation: Installation, seconds: float, most: int = MOST_A_SECOND) -> float:
    """Answers a second; where they run out, over the time that they lasted."""
    requests = form_requests(installation, installation.place, round(most * seconds))
    return load(installation.address, requests, 303, clients=CLIENTS, seconds=seconds).rate
