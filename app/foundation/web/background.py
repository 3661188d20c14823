"""The process beside the servers: runs the periodic jobs, and tells Prometheus what all counted.

It answers no request of people, so that a long job keeps nobody waiting, and gives way to those
that do: its priority is the lowest.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.foundation import scheduler
from app.foundation.database import Database, Pool
from app.foundation.scheduler import Job
from app.foundation.settings import Settings
from app.foundation.web.metrics import METRICS_TYPE, metrics_text

# One holds the lock, one works, one looks things up; the last where a job asks for more.
CONNECTIONS = 4


def create_background(settings: Settings, jobs: Sequence[Job], reports: Path | None) -> Starlette:
    """`GET /metrics` with the numbers in the folder `reports`, and the jobs while it is up."""

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        database = Database(settings.database_url, Pool(CONNECTIONS, overflow=0))
        try:
            async with scheduler.running(database, jobs):
                yield
        finally:
            await database.close()

    async def show_metrics(_request: Request) -> Response:
        text = metrics_text(reports) if reports else b""
        return Response(text, media_type=METRICS_TYPE)

    background = Starlette(routes=[Route("/metrics", show_metrics)], lifespan=lifespan)
    background.state.settings = settings
    background.state.is_stopping = False
    return background
