"""Builds the ASGI app: the only module that knows every feature."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources

from fastapi import FastAPI
from starlette.staticfiles import StaticFiles
from starlette.types import Scope
from starlette.responses import Response

from app.foundation.database import Database
from app.foundation.settings import Settings
from app.foundation.web.edge import BodyCap, RequestContext, SameOrigin
from app.foundation.web.problems import install_error_handlers
from app.foundation.web.rendering import STATIC


def create_app(settings: Settings) -> FastAPI:
    """The whole product as one ASGI app on the database that `settings` name."""
    app = FastAPI(
        title="Honne API",
        version="1",
        description=DESCRIPTION,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        lifespan=_lifespan,
    )
    app.state.settings = settings
    app.state.database = Database(settings.database_url)
    install_error_handlers(app)
    app.add_middleware(SameOrigin, settings=settings)
    app.add_middleware(BodyCap)
    app.add_middleware(RequestContext, settings=settings)
    app.mount("/static", _Static(directory=STATIC), name="static")
    return app
