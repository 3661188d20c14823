"""How long answers take while everything that can wait is going on too, against without it.

Beside the load of half of what Honne can bear, a survey of many answers is exported again and
again, or the jobs run a second apart (Honne: ten minutes) in a process of the lowest priority, or
both.
"""

import os
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager

import httpx

from bench.figures import Figure
from bench.installation import Installation, fresh_installation, serving
from bench.load import load
from bench.pgbench import CLIENTS
from bench.requests import VARIETY, api_requests
from bench.submit_api import WARM_UP_SECONDS, submit
from bench.submit_p99_ms import ROUNDS, SECONDS

Work = Callable[[Installation], AbstractContextManager[None]]

JOBS = """
import asyncio, os, sys
from app.foundation import scheduler
from app.foundation.database import Database
from app.main import JOBS

async def main():
    database = Database(sys.argv[1])
    print("ready", flush=True)
    while True:
        await scheduler.run_jobs(database, JOBS)
        await asyncio.sleep(1)

os.nice(19)
asyncio.run(main())
"""


def measure_jobs_vs_submit_p99(scale: float) -> Iterator[Figure]:
    """Medians of seven rounds, each of one stretch without, one beside each, and one beside both;
    beside each the ratio is to be at most 2."""
    beside: Mapping[str, Sequence[Work]] = {
        "alone": [],
        ".export": [_exporting],
        ".jobs": [_jobs_running],
        "": [_exporting, _jobs_running],
    }
    found: dict[str, list[float]] = {name: [] for name in beside}
    with fresh_installation() as installation, serving(installation):
        # What is exported later: as many answers as come in.
        submit(installation, WARM_UP_SECONDS + 2 * SECONDS * scale)
        for _round in range(ROUNDS):
            rate = submit(installation, SECONDS * scale) / 2
            for name, works in beside.items():
                with ExitStack() as stack:
                    for work in works:
                        stack.enter_context(work(installation))
                    found[name].append(_p99_ms(installation, SECONDS * scale, rate))
    alone, *others = (statistics.median(values) for values in found.values())
    for name, value in zip(list(beside)[1:], others, strict=True):
        yield Figure(f"jobs_vs_submit_p99{name}", value, "ms", alone)


def _p99_ms(installation: Installation, seconds: float, rate: float) -> float:
    requests = api_requests(installation, installation.places, VARIETY)
    return load(
        installation.address, requests, 201,
        clients=CLIENTS, seconds=seconds, rate=rate, is_cyclic=True,
    ).p99_ms  # fmt: skip


@contextmanager
def _exporting(installation: Installation) -> Iterator[None]:
    """Fetch the CSV file of all answers over and over; raises where one is not given to the end."""
    is_over = threading.Event()
    with ThreadPoolExecutor(1) as beside:
        exports = beside.submit(_export, installation, is_over)
        try:
            yield
        finally:
            is_over.set()
    if not exports.result():
        raise RuntimeError("nothing was exported")


def _export(installation: Installation, is_over: threading.Event) -> int:
    """How many bytes were given until it is over."""
    size = 0
    address = (
        f"{installation.settings.public_url}/api/v1/surveys/{installation.survey_id}/responses.csv"
    )
    headers = {"Authorization": f"Bearer {installation.api_key}"}
    with httpx.Client(headers=headers, timeout=60) as client:
        while not is_over.is_set():
            with client.stream("GET", address) as answer:
                answer.raise_for_status()
                for chunk in answer.iter_raw():
                    size += len(chunk)
                    if is_over.is_set():
                        break
    return size


@contextmanager
def _jobs_running(installation: Installation) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-c", JOBS, installation.settings.database_url],
        env=dict(os.environ),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    process.stdout.readline()  # to start a program is not what is measured
    try:
        yield
        if process.poll() is not None:
            raise RuntimeError("the jobs ended")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
