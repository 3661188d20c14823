"""Answers a second by which `honne bench load` fills a database, against what is asked of it."""

import statistics
from collections.abc import Iterator

from bench.figures import Figure
from bench.large import large_installation

ANSWERS = 1_000_000
ROUNDS = 3
TARGET = 100_000


def measure_load_rows(scale: float) -> Iterator[Figure]:
    """The median of three loads into the same database; the ratio is to be at least 1."""
    sizes = [max(1, round(ANSWERS * scale))] * ROUNDS
    with large_installation(sizes) as (_settings, surveys):
        rate = statistics.median(survey.rate for survey in surveys)
    yield Figure("load_rows", rate, "answers/s", TARGET)
