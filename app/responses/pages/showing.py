"""What every respondent's page shares: where its link leads, its language, its fields and its
policy."""

import base64
import hashlib
import re
from collections.abc import Sequence
from functools import cache, lru_cache

from fastapi import Request
from markupsafe import Markup
from starlette.responses import Response

from app.foundation.database import AWAY
from app.foundation.errors import NotFound, Unavailable, UnsupportedMediaType
from app.foundation.translation import (
    SOURCE_LANGUAGE,
    choose_language,
    form_languages,
    set_language,
)
from app.foundation.web.headers import find_header
from app.foundation.web.rendering import render, static_text
from app.responses.entrances import Entrance, get_entrance
from app.responses.form import MAX_FIELDS, parse_form
from app.responses.intake import RETRY_AFTER_S
from app.responses.pages.brands import WornBrand, find_brand, wear_brand
from app.responses.pages.frames import STATES, Frame, find_frame

READ = ["GET", "HEAD"]
URL_ENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FRAME_STYLE, FRAME_SCRIPT = "frame.css", "frame.js"
FORM_SCRIPT, THANKS_SCRIPT = "form.js", "thanks.js"


class Shut(Exception):
    """There is no such page at this address now; `response` says why."""

    def __init__(self, response: Response) -> None:
        self.response = response


async def find_entrance(request: Request, slug: str) -> Entrance:
    """Where the slug leads, the reader's language chosen among the survey's own."""
    state = request.app.state
    accepted = find_header(request.scope, b"accept-language") or ""
    wanted = request.state.wanted_language
    try:
        entrance = await get_entrance(state.database, state.memory, slug)
    except NotFound as error:
        set_language(choose_language(accepted, form_languages(), SOURCE_LANGUAGE, wanted))
        raise Shut(show(request, "responses/shut.html", 404, reason="unknown")) from error
    except (Unavailable, *AWAY) as error:
        set_language(choose_language(accepted, form_languages(), SOURCE_LANGUAGE, wanted))
        if request.method not in READ:
            raise
        raise Shut(_away(request)) from error
    wear_brand(request, entrance)
    survey = entrance.questionnaire
    set_language(choose_language(accepted, survey.languages, survey.default_language, wanted))
    return entrance


def _away(request: Request) -> Response:
    """The database cannot be asked: the same page again in a moment."""
    again = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    retry = {"Retry-After": str(RETRY_AFTER_S)}
    return show(request, "responses/away.html", 503, headers=retry, again=again)


async def read_fields(request: Request) -> dict[str, str]:
    """The fields of a form that was sent; files and other content types are refused."""
    kind = (find_header(request.scope, b"content-type") or "").partition(";")[0].strip().lower()
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
    scripts: Sequence[str] = (),
    **values: object,
) -> Response:
    """A page that nobody keeps and that loads nothing but a logo; `styles` and `scripts` are put
    inline, in order, and after the styles the colours of the brand."""
    frame, brand = find_frame(request), find_brand(request)
    css = "".join(map(static_text, (*styles, FRAME_STYLE) if frame else styles))
    css += brand.style if brand else ""
    script = "".join(map(_code, (*scripts, FRAME_SCRIPT) if frame else scripts))
    response = render(
        request, template, status,
        respondent_css=Markup(css), frame=frame, script=Markup(script),  # noqa: S704
        brand=brand, frame_state=STATES.get(template, "open"), **values,
    )  # fmt: skip
    response.headers["Content-Security-Policy"] = _policy(
        css, script, FORM_SCRIPT in scripts, None if frame else brand, _ancestors(frame)
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers.update(headers or {})
    return response


@cache
def _code(name: str) -> str:
    """A script without its indents and comments, which a small phone need not load."""
    return re.sub(r"(?m)^\s+(//.*\n)?", "", static_text(name))


def _ancestors(frame: Frame | None) -> str:
    return " ".join(frame.ancestors if frame else ()) or "'none'"


def _policy(css: str, script: str, saves: bool, brand: WornBrand | None, ancestors: str) -> str:
    """No other site, no picture but a logo; of styles and scripts just the one on the page, by its
    hash. Only the script that `saves` the score may send anything."""
    scripts = f"script-src {_hash(script)}; " if script else ""
    scripts += "connect-src 'self'; " if saves else ""
    pictures = "img-src 'self'; " if brand and brand.logo_path else ""
    return (
        f"default-src 'none'; {scripts}{pictures}style-src {_hash(css)}; form-action 'self'; "
        f"base-uri 'none'; frame-ancestors {ancestors}"
    )


@lru_cache(256)
def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
