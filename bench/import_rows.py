"""Rows a second by which a CSV file comes in, and what the process needs for that."""

import asyncio
import os
import random
import statistics
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from app.accounts.schemas import SYSTEM
from app.demo.bulk import COMMENTS, SHARES_OF_SCORES
from app.foundation import clock
from app.foundation.database import Database
from app.responses.csv_reading import CsvFormat, open_csv
from app.responses.import_rows import ImportPlan
from app.responses.importing import import_answers
from app.surveys.queries import get_questionnaire
from bench.figures import Figure
from bench.installation import SEGMENT_VALUES, Installation, fresh_installation
from bench.memory import watched

ROWS = 1_000_000
FIRST = 2_000  # rows that come in first, so that all code is there
ROUNDS = 3
TARGET = 20_000
GROWTH_MB = 50
DAYS = 365
PLAN = ImportPlan(
    score_column="score",
    comment_column="comment",
    date_column="day",
    segments={"plan": "plan", "role": "role"},
    is_again=True,
)


def measure_import_rows(scale: float) -> Iterator[Figure]:
    """The median of three imports of the same file; the ratio is to be at least 1. And by how much
    the process grew, which is to be less than its yardstick."""
    rows = max(1, round(ROWS * scale))
    print(f"import of {rows:,} rows", file=sys.stderr, flush=True)
    with fresh_installation() as installation, TemporaryDirectory() as folder:
        first, file = Path(folder) / "first.csv", Path(folder) / "answers.csv"
        _write(first, FIRST)
        _write(file, rows)
        asyncio.run(_import(installation, first))
        with watched(os.getpid()) as peak:
            seconds = [asyncio.run(_import(installation, file)) for _round in range(ROUNDS)]
    yield Figure("import_rows", rows / statistics.median(seconds), "rows/s", TARGET)
    yield Figure("import_rows.growth_mb", peak.growth, "MB", GROWTH_MB)


async def _import(installation: Installation, path: Path) -> float:
    """Seconds from opening the file to the commit."""
    database = Database(installation.settings.database_url)
    started = time.perf_counter()
    source = open_csv(path, CsvFormat())
    async with database.transaction(installation.workspace_id) as session:
        questionnaire = await get_questionnaire(
            session, installation.workspace_id, installation.survey_id
        )
        await import_answers(session, questionnaire, SYSTEM, PLAN, source)
    seconds = time.perf_counter() - started
    await database.close()
    return seconds


def _write(path: Path, rows: int) -> None:
    """A year of answers, as other tools write them."""
    chance, last = random.Random(rows), clock.today("UTC")
    days = [str(last - timedelta(days=at)) for at in range(DAYS)]
    with path.open("w", encoding="utf-8") as file:
        file.write("day,score,comment,plan,role\n")
        for _row in range(rows):
            [score] = chance.choices(range(11), SHARES_OF_SCORES)
            comment = chance.choice(COMMENTS) or ""
            plan, role = chance.randrange(SEGMENT_VALUES), chance.choice(("buyer", "user"))
            file.write(f'{chance.choice(days)},{score},"{comment}",v{plan},{role}\n')
