"""Answers a second through the API, against a plain FastAPI and SQLAlchemy ORM route."""

import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from bench.figures import Figure
from bench.installation import Installation, free_port, fresh_installation, running, serving
from bench.load import load
from bench.pgbench import CLIENTS, check_counts
from bench.requests import VARIETY, api_requests
from bench.submit_api import ROUNDS, SECONDS, WARM_UP_SECONDS, submit


def measure_submit_vs_orm(scale: float) -> Iterator[Figure]:
    """Medians of three alternating rounds, both with one process; raises where the counts are not
    exact afterwards."""
    ours, theirs = [], []
    with fresh_installation() as installation, serving(installation):
        submit(installation, WARM_UP_SECONDS)
        with _plain_app(installation) as address:
            for _round in range(ROUNDS):
                ours.append(submit(installation, SECONDS * scale))
                theirs.append(_submit_plainly(installation, address, SECONDS * scale))
        check_counts(installation)
    yield Figure("submit_vs_orm", statistics.median(ours), "answers/s", statistics.median(theirs))


@contextmanager
def _plain_app(installation: Installation) -> Iterator[tuple[str, int]]:
    host, port = "127.0.0.1", free_port()
    command = [
        sys.executable, "-m", "uvicorn", "bench.plain_app:app", "--host", host,
        "--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log",
        "--log-level", "warning",
    ]  # fmt: skip
    environment = {
        **os.environ,
        "BENCH_DATABASE_URL": installation.addresses.owner_url,
        "BENCH_WORKSPACE": str(installation.workspace_id),
    }
    with running(command, environment, f"http://{host}:{port}/ready"):
        yield host, port


def _submit_plainly(installation: Installation, address: tuple[str, int], seconds: float) -> float:
    requests = [
        request.replace(b"/api/v1/", b"/", 1)
        for request in api_requests(installation, installation.places[:1], VARIETY)
    ]
    return load(address, requests, 201, clients=CLIENTS, seconds=seconds, is_cyclic=True).rate
