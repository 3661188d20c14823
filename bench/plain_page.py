"""A Starlette route that returns a constant of `BENCH_PAGE_BYTES` bytes: a yardstick."""

import os

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

PAGE = b"x" * int(os.environ["BENCH_PAGE_BYTES"])


async def show(_request: Request) -> HTMLResponse:
    return HTMLResponse(PAGE)


app = Starlette(routes=[Route("/", show)])
