"""Builds the ASGI app: the only module that knows every feature."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

import app.accounts.api
import app.accounts.pages
import app.documentation
import app.health
import app.reporting.api
import app.reporting.pages
import app.responses.api
import app.responses.pages
import app.surveys.api
import app.surveys.pages
from app.foundation.database import Database
from app.foundation.settings import Settings
from app.foundation.web.edge import BodyCap, RequestContext, SameOrigin
from app.foundation.web.problems import install_error_handlers
from app.foundation.web.rendering import STATIC
from app.responses.intake import Intake

ROUTERS = (
    app.health.router,
    app.documentation.router,
    app.accounts.api.router,
    app.surveys.api.router,
    app.responses.api.router,
    app.reporting.api.router,
    app.responses.pages.router,
    app.surveys.pages.router,
    app.reporting.pages.router,
    app.accounts.pages.router,
)


def create_app(settings: Settings) -> FastAPI:
    """The whole product as one ASGI app on the database that `settings` name."""
    honne = FastAPI(
        title="Honne API",
        version="1",
        description=app.documentation.DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    honne.state.settings = settings
    honne.state.is_stopping = False
    for router in ROUTERS:
        honne.include_router(router)
    honne.mount("/static", _Static(directory=STATIC), name="static")
    honne.mount("/api/docs/assets", app.documentation.assets())
    install_error_handlers(honne)
    honne.add_middleware(SameOrigin, settings=settings)
    honne.add_middleware(BodyCap)
    honne.add_middleware(RequestContext, settings=settings)
    return honne


@asynccontextmanager
async def _lifespan(honne: FastAPI) -> AsyncIterator[None]:
    """The pool and the intake live as long as the server; the intake drains before the pool goes."""
    honne.state.database = database = Database(honne.state.settings.database_url)
    honne.state.intake = intake = Intake(database)
    try:
        async with intake.running():
            yield
    finally:
        await database.close()


class _Static(StaticFiles):
    """Our own assets; their address carries a version, so they may be kept for a year."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if response.status_code == 200 and b"v=" in scope["query_string"]:
            response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
