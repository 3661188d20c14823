"""Builds the ASGI app: the only module that knows every feature."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

import app.accounts.api
import app.accounts.jobs
import app.accounts.pages
import app.accounts.workspace_deletion
import app.followups.api
import app.followups.pages
import app.reporting.api
import app.reporting.indexing
import app.reporting.jobs
import app.reporting.pages
import app.responses.api
import app.responses.jobs
import app.responses.pages
import app.surveys.api
import app.surveys.pages
from app.accounts.access import Anyone
from app.accounts.delays import SignInDelays
from app.foundation import memory, scheduler
from app.foundation.database import Database, Pool
from app.foundation.replica import Replica
from app.foundation.scheduler import Job
from app.foundation.settings import Settings
from app.foundation.tally import tally
from app.foundation.turns import Turns
from app.foundation.web import documentation, health
from app.foundation.web.admission import Admission, divide
from app.foundation.web.edge import BodyCap, RequestContext, SameOrigin
from app.foundation.web.problems import install_error_handlers
from app.foundation.web.rendering import STATIC
from app.foundation.web.shortcuts import Shortcut, Shortcuts
from app.responses.api import record_directly
from app.responses.intake import COMMIT_WITHIN_S, LOCK_MS, WRITERS, Intake
from app.responses.pages.answering import show_form, take_answer
from app.responses.pages.blank import BlankForms
from app.responses.pages.logos import LOGO_CAPACITY, LOGO_SECONDS
from app.responses.suspicion import MINIMUM, Suspicion

# Routes are tried in this order, hence first the one that is asked most: taking in an answer.
ROUTERS = (
    app.responses.api.router,
    app.responses.api.retention,
    app.responses.api.marks.router,
    app.accounts.api.router,
    app.surveys.api.router,
    app.followups.api.router,
    app.reporting.api.router,
    app.reporting.api.figures,
    app.responses.pages.router,
    app.surveys.pages.router,
    app.followups.pages.router,
    app.reporting.pages.router,
    app.accounts.pages.router,
)

OPENINGS_A_MINUTE = 120  # of a shared report, and by a network

# The same functions as those of the routes.
SHORTCUTS = (
    Shortcut("POST", "/api/v1/surveys/{survey_id}/responses", record_directly),
    Shortcut("POST", "/s/{slug}/responses", take_answer),
    Shortcut("GET", "/s/{slug}", show_form),
)

DESCRIPTION = """\
Collect answers, read scores, run surveys. Everything the dashboard shows comes from the same
figures as these calls.

**Authentication.** `Authorization: Bearer hn_live_…`. Keys are made by a workspace owner under
“API keys”, have scopes (`read`, `write`, `audit`, `admin`) and may expire. Cookies are ignored.

**Errors** are RFC 9457 problems (`application/problem+json`) with a `code`, the `request_id` and,
for refused input, `invalid_params`.

**Lists** answer `{data, meta: {limit, next_cursor}}`; pass `next_cursor` back as `cursor`.
Unknown query parameters are refused (422): a typing error never becomes an unfiltered figure.

**Creating** calls take an `Idempotency-Key`: the same key with the same body is answered alike for
at least a day, with another body 422, and 409 while the first call still runs.

**Dates** (`since`, `until`, `answered_on`) are calendar days of the workspace, both inclusive.

**Anonymity.** Figures of subgroups are given by whole months and only from the survey's group
minimum on; a suppressed group says `"suppressed": true` and carries no number.
"""

JOBS: Sequence[Job] = (
    app.accounts.jobs.expire_sign_ins,
    app.accounts.workspace_deletion.delete_marked_workspaces,
    # Before the keys go: what has one may have been changed since it was read.
    app.reporting.indexing.index_comments,
    app.responses.jobs.expire_submission_keys,
    app.responses.jobs.enforce_retention,
    app.reporting.jobs.roll_up_months,
    app.responses.jobs.total_days,
    app.reporting.jobs.publish_months,
)


def create_app(
    settings: Settings,
    memory_seconds: float = memory.SECONDS,
    jobs: Sequence[Job] = (),
    open_at_least: timedelta = MINIMUM,
) -> FastAPI:
    """The whole product as one ASGI app on the database that `settings` name.

    `memory_seconds` is how long a look-up of the collecting routes may be remembered; `jobs` run
    in the background while the app is up; an answer whose form was not `open_at_least` is held.
    """
    honne = _Honne(
        title="Honne API",
        version="1",
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        # What an answer was about, and when it came, is told to no collector of traces.
        telemetry={"tracing": False, "metrics": False, "logs": False},
        lifespan=_lifespan,
    )
    honne.state.settings = settings
    honne.state.memory = memory.Memory(memory_seconds)
    honne.state.logos = memory.Memory(LOGO_SECONDS, LOGO_CAPACITY)
    honne.state.blank_forms = BlankForms()
    honne.state.jobs = jobs
    honne.state.is_stopping = False
    honne.state.sign_in_delays = SignInDelays()
    honne.state.report_delays = SignInDelays()
    honne.state.report_turns = Turns(OPENINGS_A_MINUTE)
    honne.state.suspicion = Suspicion(open_at_least)
    for router in (health.router, documentation.router):
        honne.include_router(router, dependencies=[Anyone])
    for router in ROUTERS:
        honne.include_router(router)
    honne.mount("/static", _Static(directory=STATIC), name="static")
    honne.mount("/api/docs/assets", documentation.assets())
    install_error_handlers(honne)
    return honne


class _Honne(FastAPI):
    """Our layers stand around FastAPI's own, none of which a shortcut needs."""

    def build_middleware_stack(self) -> ASGIApp:
        settings: Settings = self.state.settings
        shortcuts = Shortcuts(super().build_middleware_stack(), SHORTCUTS)
        admission = Admission(SameOrigin(shortcuts, settings), divide(_share(settings)))
        return RequestContext(BodyCap(admission), settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As FastAPI does for an app without traces and `root_path`, which it asks about first."""
        if self.middleware_stack is None or scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        await self.middleware_stack(scope, receive, send)


# As many again as its writers are for those who are patient with locks. What is given up should not
# be stored after all, since its caller was told that nothing was saved: so no lock is waited for as
# long, and the server looks whether somebody still waits for the rest.
_ANSWERS_POOL = Pool(
    WRITERS, overflow=WRITERS, wait_s=5.0, lock_ms=LOCK_MS,
    idle_ms=int(COMMIT_WITHIN_S * 1000), watch_ms=1000, name="answers",
)  # fmt: skip


def _requests_pool(settings: Settings) -> Pool:
    """This process's share of the connections, less those of its intake."""
    size = _share(settings)
    return Pool(
        size, overflow=0, wait_s=5.0, lock_ms=10_000, idle_ms=60_000,
        name="requests", is_timed=True, slow_ms=settings.slow_statement_ms,
    )  # fmt: skip


def _replica(settings: Settings) -> Database | None:
    if not settings.replica_url:
        return None
    pool = replace(_requests_pool(settings), name="replica", is_read_only=True)
    return Database(settings.replica_url, pool)


def _share(settings: Settings) -> int:
    return settings.connections // settings.workers - WRITERS


@asynccontextmanager
async def _lifespan(honne: FastAPI) -> AsyncIterator[None]:
    """The pools and the intake live as long as the server; the intake drains first.

    The intake has connections of its own, so that no report can keep an answer waiting.
    """
    settings = honne.state.settings
    honne.state.database = database = Database(settings.database_url, _requests_pool(settings))
    honne.state.replica = replica = Replica(_replica(settings))
    collecting = Database(settings.database_url, _ANSWERS_POOL)
    honne.state.intake = intake = Intake(collecting)
    tally.watch(lambda: intake.waiting, "honne_answers_waiting")
    _work_out_routes(honne)
    try:
        async with intake.running(), scheduler.running(database, honne.state.jobs):
            yield
    finally:
        await collecting.close()
        await replica.close()
        await database.close()


def _work_out_routes(honne: FastAPI) -> None:
    """What FastAPI would do at the first request, while which no answer would be taken."""
    nowhere = {"type": "http", "method": "GET", "path": "/nowhere", "root_path": "", "headers": []}
    for route in honne.routes:
        route.matches(nowhere)


class _Static(StaticFiles):
    """Our own assets; their address carries a version, so they may be kept for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200 and b"v=" in scope["query_string"]:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
