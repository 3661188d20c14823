"""The API's reference: the OpenAPI document, and Swagger UI served from its own package."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

from app.foundation.web.openapi import declare_repeats, problem_components
from app.foundation.web.rendering import render

router = APIRouter(prefix="/api", include_in_schema=False)

# Swagger UI carries its icons as data: images; it needs nothing inline.
DOCS_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def assets() -> StaticFiles:
    """Swagger UI's files, from the package that carries them."""
    package = find_spec("fastapi_swagger")
    assert package is not None
    assert package.origin is not None
    return StaticFiles(directory=Path(package.origin).parent / "resources")


@router.get("/docs")
async def show_documentation(request: Request) -> HTMLResponse:
    page = render(request, "documentation.html")
    page.headers["Content-Security-Policy"] = DOCS_CSP
    return page


@router.get("/openapi.json")
async def get_openapi_document(request: Request) -> Response:
    # Made once, in about a second; answers go on being taken meanwhile.
    return JSONResponse(await run_in_threadpool(openapi_document, request.app))


@cache
def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document of all API routes."""
    document = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    document["components"]["responses"] = problem_components()
    declare_repeats(document)
    return document
