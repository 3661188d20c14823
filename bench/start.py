"""How soon `honne serve` is ready on data that is there, and what it holds while nobody comes."""

import statistics
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from app.foundation.embedded import embedded_postgres
from app.foundation.migrate import migrate
from app.foundation.settings import Settings, read_settings
from bench.figures import Figure
from bench.installation import free_port, serving_at
from bench.memory import family, own_mb, resident_mb

ROUNDS = 3
TARGET_S = 3
IDLE_AFTER_S = 5


def measure_start_s(_scale: float) -> Iterator[Figure]:
    """The median of three starts, Postgres included; the ratio is to be below 1."""
    with TemporaryDirectory(prefix="honne-bench-") as folder:
        settings = _existing(Path(folder))
        seconds = [_start(settings) for _round in range(ROUNDS)]
    yield Figure("start_s", statistics.median(seconds), "s", TARGET_S)


def measure_idle_mb(_scale: float) -> Iterator[Figure]:
    """Server and Postgres together, what they share counted once; the yardstick is the server
    alone."""
    with (
        TemporaryDirectory(prefix="honne-bench-") as folder,
        serving_at(_existing(Path(folder))) as server,
    ):
        time.sleep(IDLE_AFTER_S)
        together = sum(map(own_mb, [*family(server), *_postgres(Path(folder))]))
        yield Figure("idle_mb", together, "MB", resident_mb(server))


def _existing(folder: Path) -> Settings:
    settings = read_settings({"HONNE_DATA_DIR": str(folder), "PORT": str(free_port())})
    with embedded_postgres(folder) as addresses:
        migrate(settings.with_database(addresses.runtime_url, addresses.owner_url))
    return settings


def _start(settings: Settings) -> float:
    started = time.perf_counter()
    with serving_at(settings):
        return time.perf_counter() - started


def _postgres(folder: Path) -> list[int]:
    """The server's processes, which are no children of ours."""
    number = (folder / "postgres" / "cluster" / "postmaster.pid").read_text().split()[0]
    return family(int(number))
