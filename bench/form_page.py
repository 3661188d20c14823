"""Form pages a second, against a Starlette route that returns a constant of the same size."""

import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from bench.figures import Figure
from bench.installation import free_port, fresh_installation, running, serving
from bench.load import load
from bench.pgbench import CLIENTS
from bench.requests import VARIETY, page_requests
from bench.submit_api import SECONDS

ROUNDS = 5  # a page is so little work that what else the machine does shows


def measure_form_page(scale: float) -> Iterator[Figure]:
    """Medians of alternating rounds, both with one process."""
    ours, theirs = [], []
    with fresh_installation() as installation, serving(installation) as url:
        path = f"/s/{installation.place.slug}?plan=v3"
        size = len(httpx.get(url + path, headers={"Accept-Encoding": "identity"}).content)
        requests = page_requests(installation, path, VARIETY)
        plain = page_requests(installation, "/", VARIETY)
        with _plain_page(size) as address:
            for _round in range(ROUNDS):
                ours.append(_ask(installation.address, requests, SECONDS * scale))
                theirs.append(_ask(address, plain, SECONDS * scale))
    yield Figure("form_page", statistics.median(ours), "pages/s", statistics.median(theirs))


@contextmanager
def _plain_page(size: int) -> Iterator[tuple[str, int]]:
    host, port = "127.0.0.1", free_port()
    command = [
        sys.executable, "-m", "uvicorn", "bench.plain_page:app", "--host", host,
        "--port", str(port), "--loop", "uvloop", "--http", "httptools", "--no-access-log",
        "--log-level", "warning",
    ]  # fmt: skip
    environment = {**os.environ, "BENCH_PAGE_BYTES": str(size)}
    with running(command, environment, f"http://{host}:{port}/"):
        yield host, port


def _ask(address: tuple[str, int], requests: list[bytes], seconds: float) -> float:
    return load(address, requests, 200, clients=CLIENTS, seconds=seconds, is_cyclic=True).rate
