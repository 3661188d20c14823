"""Answers a second by which a survey leaves as a CSV file, and what the server needs for that."""

import statistics
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import httpx

from app.foundation.settings import Settings
from bench.figures import Figure
from bench.installation import serving_at
from bench.large import Large, large_installation
from bench.memory import watched

ANSWERS = 1_000_000
ROUNDS = 3
TARGET = 50_000
GROWTH_MB = 50
SMALL = 1_000  # answers that are fetched first, so that all code is there


def measure_export_rows(scale: float) -> Iterator[Figure]:
    """The median of three downloads; the ratio is to be at least 1."""
    yield Figure("export_rows", _exports(scale).rate, "answers/s", TARGET)


def measure_export_growth_mb(scale: float) -> Iterator[Figure]:
    """By how much the server grew at most; the ratio is to be below 1."""
    yield Figure("export_growth_mb", _exports(scale).growth_mb, "MB", GROWTH_MB)


@dataclass(frozen=True, slots=True)
class _Exports:
    rate: float
    growth_mb: float


@cache
def _exports(scale: float) -> _Exports:
    size = max(1, round(ANSWERS * scale))
    print(f"export of {size:,} answers", file=sys.stderr, flush=True)
    with (
        large_installation([SMALL, size]) as (settings, (small, large)),
        serving_at(settings) as server,
    ):
        _download(settings, small)
        with watched(server) as peak:
            seconds = [_download(settings, large) for _round in range(ROUNDS)]
    return _Exports(size / statistics.median(seconds), peak.growth)


def _download(settings: Settings, survey: Large) -> float:
    """Seconds; raises where the file has not as many lines as there are answers."""
    address = f"{settings.public_url}/api/v1/surveys/{survey.loaded.survey_id}/responses.csv"
    key = {"Authorization": f"Bearer {survey.api_key}", "Accept-Encoding": "identity"}
    lines, started = 0, time.perf_counter()
    with httpx.stream("GET", address, headers=key, timeout=None) as answer:  # noqa: S113
        answer.raise_for_status()
        for chunk in answer.iter_raw():
            lines += chunk.count(b"\n")  # none is inside of a cell that we loaded
    seconds = time.perf_counter() - started
    if lines != survey.loaded.answers + 1:
        raise RuntimeError(f"{lines} lines, but {survey.loaded.answers} answers and a head")
    return seconds
