"""The script that puts a form into other people's pages. Its address is printed in their pages, so
it stays, and what it does stays compatible; something else would be `embed.v2.js`."""

import gzip
from functools import cache
from hashlib import sha256

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import Anyone
from app.foundation.web.rendering import static_text
from app.responses.pages.showing import READ

router = APIRouter(dependencies=[Anyone])

SCRIPT = "embed.v1.js"
HEADERS = {
    "Content-Type": "text/javascript; charset=utf-8",
    # Long, and yet a correction reaches every page within a week.
    "Cache-Control": "public, max-age=604800, stale-while-revalidate=86400",
    # Pages of any origin may load it, isolated ones and with `crossorigin` too.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
}


@router.api_route(f"/{SCRIPT}", methods=READ)
async def serve_script(request: Request) -> Response:
    plain, packed, tag = _script()
    if request.headers.get("if-none-match", "").removeprefix("W/") == tag:
        return Response(status_code=304, headers={**HEADERS, "ETag": f"W/{tag}"})
    headers = {**HEADERS, "ETag": f"W/{tag}"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(packed, headers={**headers, "Content-Encoding": "gzip"})
    return Response(plain, headers=headers)


@cache
def _script() -> tuple[bytes, bytes, str]:
    """The script, the same compressed, and its entity tag."""
    plain = static_text(SCRIPT).encode()
    return plain, gzip.compress(plain, mtime=0), f'"{sha256(plain).hexdigest()[:20]}"'
