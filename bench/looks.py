"""How long the server takes for a dashboard and a call for figures, at three sizes.

And how long DuckDB and a GROUP BY take for the same questions over the raw answers of the largest.

Everything is measured once and kept: several figures come of it.
"""

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import httpx

from app.accounts.access import session_cookie
from app.foundation import clock
from app.foundation.settings import Settings
from app.main import create_app
from bench.large import Large, large_installation, owner_of
from bench.questions import COLUMNS, LABELS, of_dashboard, of_metrics

SIZES = (10_000, 1_000_000, 10_000_000)
SMALLEST = 1_000
LOOKS = 15  # after the first one
TIMES = 3  # that others are asked


@dataclass(frozen=True, slots=True)
class Looks:
    """Median server times in ms: ours by size, those of others at the largest."""

    sizes: tuple[int, ...]
    dashboard_ms: tuple[float, ...]
    metrics_ms: tuple[float, ...]
    duckdb_dashboard_ms: float
    duckdb_metrics_ms: float
    raw_metrics_ms: float
    raw_dashboard_ms: float


@cache
def measure_looks(scale: float) -> Looks:
    """Look at surveys of 10,000, 1 million and 10 million answers, times the scale.

    Raises where what we say is not what DuckDB counts.
    """
    sizes = tuple(max(SMALLEST, round(size * scale)) for size in SIZES)
    with large_installation(sizes) as (settings, surveys):
        ours = asyncio.run(_look_at_all(settings, surveys))
        largest = surveys[-1]
        with TemporaryDirectory(prefix="honne-bench-") as folder:
            theirs = _ask_duckdb(settings, largest, Path(folder), ours[-1].scores)
        raw = _ask_postgres(settings, largest)
    return Looks(
        sizes,
        tuple(found.dashboard_ms for found in ours),
        tuple(found.metrics_ms for found in ours),
        *theirs,
        *raw,
    )


@dataclass(frozen=True, slots=True)
class _Found:
    dashboard_ms: float
    metrics_ms: float
    scores: tuple[int, ...]


async def _look_at_all(settings: Settings, surveys: Sequence[Large]) -> list[_Found]:
    """In the app's process, without a network: what is left is the server's own time."""
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url=settings.public_url) as client:
            return [await _look_at(client, settings, survey) for survey in surveys]


async def _look_at(client: httpx.AsyncClient, settings: Settings, survey: Large) -> _Found:
    cookie = {"Cookie": f"{session_cookie(settings)}={survey.session_token}"}
    key = {"Authorization": f"Bearer {survey.api_key}"}
    asked = {"survey_id": str(survey.loaded.survey_id), "group_by": "plan", "interval": "month"}

    async def page() -> httpx.Response:
        return await client.get(survey.page, headers=cookie)

    async def figures() -> httpx.Response:
        return await client.get("/api/v1/metrics", headers=key, params=asked)

    first = await _ms(page)
    dashboard = statistics.median([await _ms(page) for _look in range(LOOKS)])
    metrics = statistics.median([await _ms(figures) for _look in range(LOOKS)])
    print(
        f"{survey.loaded.answers:,} answers: first look {first:.0f} ms, then {dashboard:.1f} ms; "
        f"metrics {metrics:.1f} ms",
        file=sys.stderr,
        flush=True,
    )
    return _Found(dashboard, metrics, tuple((await figures()).json()["distribution"]))


async def _ms(ask: Callable[[], Awaitable[httpx.Response]]) -> float:
    started = time.perf_counter()
    answer = await ask()
    answer.raise_for_status()
    return 1000 * (time.perf_counter() - started)


def _ask_duckdb(
    settings: Settings, survey: Large, folder: Path, scores: tuple[int, ...]
) -> tuple[float, float]:
    """Dashboard and metrics in ms, of the same answers in DuckDB's own format on the disk."""
    table = folder / "answers.csv"
    with owner_of(settings) as connection, table.open("wb") as file:
        # The rows of one survey, in the order in which they came.
        query = f"COPY (SELECT * FROM {_raw(survey)}) TO STDOUT (FORMAT csv, HEADER)"  # noqa: S608
        with connection.cursor() as cursor, cursor.copy(query.encode()) as copy:
            for line in copy:
                file.write(line)
    with duckdb.connect(str(folder / "answers.duckdb")) as database:
        database.execute("CREATE TABLE answers AS SELECT * FROM read_csv(?)", [str(table)])
        counted = dict(
            database.execute("SELECT score, count(*) FROM answers GROUP BY 1").fetchall()
        )
        if tuple(counted.get(score, 0) for score in range(11)) != scores:
            raise RuntimeError(f"{scores} by us, but {counted} in the rows")

        def ask(question: str) -> None:
            database.execute(question.format(answers="answers")).fetchall()

        return _ask(ask, of_dashboard), _ask(ask, of_metrics)


def _ask_postgres(settings: Settings, survey: Large) -> tuple[float, float]:
    """Metrics and dashboard in ms, by GROUP BY over the raw table."""
    with owner_of(settings) as connection:

        def ask(question: str) -> None:
            connection.execute(question.format(answers=_raw(survey)).encode()).fetchall()

        return _ask(ask, of_metrics), _ask(ask, of_dashboard)


def _ask(ask: Callable[[str], None], questions: Callable[..., list[str]]) -> float:
    """The median of three, after the questions were asked once."""
    times = []
    for _time in range(TIMES + 1):
        started = time.perf_counter()
        for question in questions(clock.today("UTC")):
            ask(question)
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times[1:])


def _raw(survey: Large) -> str:
    labels = ", ".join(f"labels->>'{label}' AS {label}" for label in LABELS)
    answers = ", ".join(f"responses.{column}" for column in COLUMNS)
    return (
        f"(SELECT {answers}, {labels} FROM responses JOIN segment_sets "  # noqa: S608
        "ON segment_sets.workspace_id = responses.workspace_id "
        "AND segment_sets.id = responses.segment_set_id "
        f"WHERE responses.workspace_id = '{survey.loaded.workspace_id}' "
        f"AND responses.survey_id = '{survey.loaded.survey_id}') AS answers"
    )
