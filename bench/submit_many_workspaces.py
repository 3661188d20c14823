"""Answers a second to 1,000 workspaces in turn, against all to one of them."""

import statistics
from collections.abc import Iterator
from math import lcm

from bench.figures import Figure
from bench.installation import Installation, fresh_installation, serving
from bench.load import load
from bench.pgbench import CLIENTS, check_counts
from bench.requests import VARIETY, api_requests
from bench.submit_api import ROUNDS, SECONDS, WARM_UP_SECONDS, submit

WORKSPACES = 1_000


def measure_submit_many_workspaces(scale: float) -> Iterator[Figure]:
    """Medians of three alternating rounds; raises where the counts are not exact afterwards."""
    many, one = [], []
    workspaces = max(CLIENTS, round(WORKSPACES * scale))
    with fresh_installation(workspaces) as installation, serving(installation):
        submit(installation, WARM_UP_SECONDS)
        _in_turn(installation, SECONDS)  # so that every workspace has been answered
        for _round in range(ROUNDS):
            many.append(_in_turn(installation, SECONDS * scale))
            one.append(submit(installation, SECONDS * scale))
        check_counts(installation)
    yield Figure(
        "submit_many_workspaces", statistics.median(many), "answers/s", statistics.median(one)
    )


def _in_turn(installation: Installation, seconds: float) -> float:
    places = installation.places
    requests = api_requests(installation, places, lcm(VARIETY, len(places)))
    done = load(
        installation.address, requests, 201, clients=CLIENTS, seconds=seconds, is_cyclic=True
    )
    return done.rate
