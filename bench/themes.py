"""How long a job takes to read comments, and a page to tell what they are about."""

import asyncio
import os
import time
from collections.abc import Iterator

from app.foundation.database import Database
from app.foundation.settings import Settings
from app.reporting.filters import ReportFilter
from app.reporting.indexing import index_comments
from app.reporting.theme_counts import report_themes
from app.surveys.queries import get_questionnaire
from bench.figures import Figure
from bench.large import Large, large_installation, owner_of

COMMENTS = 100_000
TARGET_S = 20.0


def measure_themes(scale: float) -> Iterator[Figure]:
    """Seconds of one core for 100,000 comments, and milliseconds of a report on the latest 10,000.

    Counted is the processor time of this process: a machine that is busy otherwise says nothing
    about the job.
    """
    wanted = max(1, round(COMMENTS * scale))
    with large_installation([wanted]) as (settings, [survey]):
        with owner_of(settings) as connection:
            connection.execute(
                "UPDATE responses SET comment = 'The staff is friendly, and so is Mr. ' || left("
                "id::text, 5) || '; the queues at checkout ' || (score % 4) || ' are not short.'"
                " WHERE comment IS NULL"
            )
            connection.execute("VACUUM ANALYZE responses")
        number, seconds, report_ms = asyncio.run(_measure(settings, survey))
    yield Figure("themes_s", seconds * COMMENTS / number, "s", TARGET_S)
    yield Figure("themes_report_ms", report_ms, "ms", 500.0)


async def _measure(settings: Settings, survey: Large) -> tuple[int, float, float]:
    database = Database(settings.database_url)
    try:
        started = _processor_s()
        number = await index_comments(database)
        seconds = _processor_s() - started
        loaded = survey.loaded
        begun = time.perf_counter()
        async with database.transaction(loaded.workspace_id) as session:
            asked = ReportFilter(loaded.survey_id)
            questionnaire = await get_questionnaire(session, loaded.workspace_id, loaded.survey_id)
            await report_themes(session, questionnaire, asked, settings.secret_key)
        return number, seconds, 1000 * (time.perf_counter() - begun)
    finally:
        await database.close()


def _processor_s() -> float:
    used = os.times()
    return used.user + used.system
