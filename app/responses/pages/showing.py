"""What every respondent's page shares: where its link leads, its language, its fields and its
policy."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache

from fastapi import Request
from markupsafe import Markup
from starlette.responses import Response

from app.foundation.errors import NotFound, UnsupportedMediaType
from app.foundation.translation import choose_language, set_language
from app.foundation.web.rendering import render, static_text
from app.responses.entrances import Entrance, get_entrance
from app.responses.form import MAX_FIELDS, parse_form

READ = ["GET", "HEAD"]
URL_ENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class Shut(Exception):
    """There is no such page at this address now; `response` says why."""

    def __init__(self, response: Response) -> None:
        self.response = response


async def find_entrance(request: Request, slug: str) -> Entrance:
    """Where the slug leads, the reader's language chosen among the survey's own."""
    state = request.app.state
    try:
        entrance = await get_entrance(state.database, state.memory, slug)
    except NotFound as error:
        raise Shut(show(request, "responses/shut.html", 404, reason="unknown")) from error
    survey = entrance.questionnaire
    accepted = request.headers.get("accept-language", "")
    wanted = request.query_params.get("lang", "")
    set_language(choose_language(accepted, survey.languages, survey.default_language, wanted))
    return entrance


async def read_fields(request: Request) -> dict[str, str]:
    """The fields of a form that was sent; files and other content types are refused."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == URL_ENCODED:
        return parse_form(await request.body())
    if kind == MULTIPART:
        async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    raise UnsupportedMediaType


def show(
    request: Request,
    template: str,
    status: int = 200,
    headers: dict[str, str] | None = None,
    styles: Sequence[str] = ("respondent.css",),
    **values: object,
) -> Response:
    """A page that nobody keeps and that loads nothing; `styles` are put inline, in order."""
    css = "".join(map(static_text, styles))
    response = render(request, template, status, respondent_css=Markup(css), **values)  # noqa: S704
    response.headers["Content-Security-Policy"] = _policy(css)
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response


@cache
def _policy(css: str) -> str:
    """No script, no picture, no other site; of styles just the one on the page, by its hash."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    )
