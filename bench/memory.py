"""Memory of processes, as Linux counts it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MB = 1024  # in the kB of /proc
EVERY_S = 0.05


def resident_mb(process: int) -> float:
    """Resident memory of one process in MB."""
    return _value(Path(f"/proc/{process}/status"), "VmRSS:") / MB


def own_mb(process: int) -> float:
    """The same with its part only of what it shares with others, so that sums make sense."""
    return _value(Path(f"/proc/{process}/smaps_rollup"), "Pss:") / MB


def family(process: int) -> list[int]:
    """A process and all that descend from it."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [process, *(found for child in children for found in family(int(child)))]


class Peak:
    """The most that was seen, in MB, above what there was at first."""

    def __init__(self, first: float) -> None:
        self.first = self.most = first

    @property
    def growth(self) -> float:
        return self.most - self.first


@contextmanager
def watched(process: int) -> Iterator[Peak]:
    """Look at a process's resident memory every few milliseconds."""
    peak, done = Peak(resident_mb(process)), threading.Event()

    def look() -> None:
        while not done.wait(EVERY_S):
            peak.most = max(peak.most, resident_mb(process))

    watcher = threading.Thread(target=look, daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def _value(path: Path, name: str) -> float:
    for line in path.read_text().splitlines():
        if line.startswith(name):
            return float(line.split()[1])
    raise LookupError(f"{path} says nothing about {name}")
