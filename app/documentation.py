"""The API's reference: the OpenAPI document, and Swagger UI served from its own package."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request
from fastapi.openapi.utils import get_openapi
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.staticfiles import StaticFiles

from app.accounts.access import Anyone
from app.foundation.web.rendering import render

router = APIRouter(prefix="/api", include_in_schema=False, dependencies=[Anyone])

DESCRIPTION = """\
Collect answers, read scores, run surveys. Everything the dashboard shows comes from the same
figures as these calls.

**Authentication.** `Authorization: Bearer hn_live_…`. Keys are made by a workspace owner under
“API keys”, have scopes (`read`, `write`) and may expire. Cookies are ignored.

**Errors** are RFC 9457 problems (`application/problem+json`) with a `code`, the `request_id` and,
for refused input, `invalid_params`.

**Lists** answer `{data, meta: {limit, next_cursor}}`; pass `next_cursor` back as `cursor`.
Unknown query parameters are refused (422), so that a typing error never becomes an unfiltered figure.

**Creating** calls take an `Idempotency-Key`: the same key with the same body is answered alike for
at least a day, with another body 422, and 409 while the first call still runs.

**Dates** (`since`, `until`, `answered_on`) are calendar days of the workspace, both inclusive.

**Anonymity.** Figures of subgroups are given by whole months and only from the survey's group
minimum on; a suppressed group says `"suppressed": true` and carries no number.
"""
# Swagger UI brings its own inline SVG icons as data: images; it needs no inline script.
DOCS_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def assets() -> StaticFiles:
    """Swagger UI's files, from the package that carries them."""
    package = find_spec("fastapi_swagger")
    assert package is not None and package.origin is not None
    return StaticFiles(directory=Path(package.origin).parent / "resources")


@router.get("/docs")
async def show_documentation(request: Request) -> HTMLResponse:
    page = render(request, "documentation.html")
    page.headers["Content-Security-Policy"] = DOCS_CSP
    return page


@router.get("/openapi.json")
async def get_openapi_document(request: Request) -> Response:
    return JSONResponse(openapi_document(request.app))


@cache
def openapi_document(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document of all API routes."""
    return get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
