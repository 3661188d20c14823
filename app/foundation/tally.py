"""What this process counts and times: plain numbers, cheap enough for every answer.

`foundation.web.metrics` adds up the tallies of all processes and shows them. Labels come from
closed lists in the code (a route's template, a status class), never from what somebody sent.
"""

import json
import os
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SIZES = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0)


@dataclass(frozen=True, slots=True)
class Metric:
    """What a number is; `buckets` are the upper bounds of a histogram's classes."""

    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


COUNTERS: Mapping[str, Metric] = {
    "honne_answers": Metric("Answers by what became of them.", ("outcome",)),
    "honne_requests": Metric("Requests answered.", ("method", "route", "status")),
    "honne_shed": Metric("Requests sent away because of load.", ("kind",)),
    "honne_replica_reads": Metric("Reads that went to the replica first.", ("outcome",)),
    "honne_jobs": Metric("Runs of background jobs.", ("job", "outcome")),
}
HISTOGRAMS: Mapping[str, Metric] = {
    "honne_batch_answers": Metric("Answers committed together.", (), SIZES),
    "honne_commit_seconds": Metric("From taking a batch to its commit.", (), SECONDS),
    "honne_request_seconds": Metric("From request to answer.", ("method", "route"), SECONDS),
    "honne_statement_seconds": Metric("Statements but those of the intake.", (), SECONDS),
    "honne_job_seconds": Metric("Background jobs.", ("job",), SECONDS),
}
GAUGES: Mapping[str, Metric] = {
    "honne_answers_waiting": Metric("Answers that wait for their transaction."),
    "honne_requests_running": Metric("Requests under way.", ("kind",)),
    "honne_pool_connections": Metric("Connections in use.", ("pool",)),
    "honne_pool_limit": Metric("Connections that may be in use.", ("pool",)),
    "honne_processes": Metric("Server processes that report."),
}

Key = tuple[str, ...]


class Tally:
    """Counters, histograms and gauges by name and label values, in the order of `Metric.labels`."""

    def __init__(self) -> None:
        self.counters: dict[Key, float] = {}
        # Sum, then how many lie in each class, the last one open above.
        self.histograms: dict[Key, list[float]] = {}
        self.gauges: dict[Key, Callable[[], float]] = {}

    def count(self, *key: str, by: float = 1) -> None:
        """Add to a counter; `key` is its name and the values of its labels."""
        self.counters[key] = self.counters.get(key, 0) + by

    def observe(self, value: float, *key: str) -> None:
        """Add a value to a histogram."""
        buckets = HISTOGRAMS[key[0]].buckets
        found = self.histograms.get(key)
        if found is None:
            found = self.histograms[key] = [0.0] * (len(buckets) + 2)
        found[0] += value
        found[bisect_left(buckets, value) + 1] += 1

    def watch(self, read: Callable[[], float], *key: str) -> None:
        """Ask `read` for a gauge whenever somebody wants to know."""
        self.gauges[key] = read

    def total(self, name: str) -> float:
        """The sum of a histogram's values, whatever their labels."""
        return sum(values[0] for key, values in self.histograms.items() if key[0] == name)

    def snapshot(self) -> dict[str, Any]:
        """All numbers of now, as JSON can hold them."""
        return {
            "counters": [[*key, value] for key, value in self.counters.items()],
            "histograms": [[*key, value] for key, value in self.histograms.items()],
            "gauges": [[*key, read()] for key, read in self.gauges.items()],
        }


# One for the process: what is counted stands in every part of it.
tally = Tally()


def write_snapshot(folder: Path) -> None:
    """Leave this process's numbers where the one that is asked for them looks. Raises OSError where
    that cannot be, as on a full disk; then those of before stand there still."""
    path = folder / f"{os.getpid()}.new"
    try:
        path.write_text(json.dumps(tally.snapshot()))
        path.rename(path.with_suffix(".json"))
    except OSError:
        with suppress(OSError):
            path.unlink()
        raise


def read_snapshots(folder: Path) -> dict[str, dict[Key, Any]]:
    """The numbers of all processes, added up. Of those that have died the gauges are left out,
    not the counters, which may only grow."""
    total = Tally()
    gauges: dict[Key, float] = {}
    for path in sorted(folder.glob("*.json")):
        found = json.loads(path.read_text())
        for *key, value in found["counters"]:
            total.count(*key, by=value)
        for *key, values in found["histograms"]:
            _add(total.histograms.setdefault(tuple(key), [0.0] * len(values)), values)
        if found["gauges"] and _lives(int(path.stem)):
            for *key, value in (*found["gauges"], ["honne_processes", 1]):
                gauges[tuple(key)] = gauges.get(tuple(key), 0) + value
    return {"counters": total.counters, "histograms": total.histograms, "gauges": gauges}


def _add(total: list[float], more: Iterable[float]) -> None:
    for at, value in enumerate(more):
        total[at] += value


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
