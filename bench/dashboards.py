"""Dashboards and figures: growth with the answers, time, and against DuckDB and a GROUP BY."""

from collections.abc import Iterator

from bench.figures import Figure
from bench.looks import measure_looks

DASHBOARD_MS = 150
METRICS_MS = 30


def measure_dashboard_growth(scale: float) -> Iterator[Figure]:
    """The largest survey's dashboard against the smallest's; the ratio is to be at most 3."""
    found = measure_looks(scale)
    for size, ms in zip(found.sizes[1:], found.dashboard_ms[1:], strict=True):
        name = "dashboard_growth" if size == found.sizes[-1] else f"dashboard_growth.{size}"
        yield Figure(name, ms, "ms", found.dashboard_ms[0])


def measure_dashboard_ms(scale: float) -> Iterator[Figure]:
    """The largest survey's dashboard; the ratio is to be below 1."""
    yield Figure("dashboard_ms", measure_looks(scale).dashboard_ms[-1], "ms", DASHBOARD_MS)


def measure_metrics_ms(scale: float) -> Iterator[Figure]:
    """The largest survey's figures by the API; the ratio is to be below 1."""
    yield Figure("metrics_ms", measure_looks(scale).metrics_ms[-1], "ms", METRICS_MS)


def measure_metrics_vs_duckdb(scale: float) -> Iterator[Figure]:
    """DuckDB's time against ours for the same questions; the ratio is to be at least 3."""
    found = measure_looks(scale)
    yield Figure("metrics_vs_duckdb", found.duckdb_metrics_ms, "ms", found.metrics_ms[-1])
    yield Figure(
        "metrics_vs_duckdb.dashboard", found.duckdb_dashboard_ms, "ms", found.dashboard_ms[-1]
    )


def measure_metrics_vs_raw(scale: float) -> Iterator[Figure]:
    """A GROUP BY's time against ours for the same questions; the ratio is to be at least 20."""
    found = measure_looks(scale)
    yield Figure("metrics_vs_raw", found.raw_metrics_ms, "ms", found.metrics_ms[-1])
    yield Figure("metrics_vs_raw.dashboard", found.raw_dashboard_ms, "ms", found.dashboard_ms[-1])
