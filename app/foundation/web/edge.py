"""What every request passes on its way in and out, as plain ASGI.

Outermost first: a request id, a log line without personal data and the security headers; then the
caps on the body and the check that a browser's unsafe request comes from our own pages.
"""

import asyncio
import logging
import os
import re
import time
from collections.abc import Awaitable
from urllib.parse import parse_qs

from python_multipart.multipart import parse_options_header
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.foundation import errors
from app.foundation.settings import Settings
from app.foundation.tally import tally
from app.foundation.timing import Timing, timing_var
from app.foundation.translation import (
    INTERFACE_LANGUAGES,
    SOURCE_LANGUAGE,
    choose_language,
    mark,
    set_language,
)
from app.foundation.web.headers import find_header
from app.foundation.web.problems import error_response, unexpected_response

logger = logging.getLogger("honne.requests")

SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
METHODS = SAFE_METHODS | {"DELETE", "PATCH", "POST", "PUT"}
URL_ENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
ELSEWHERE = 307  # what the router says where only a slash is too many, or missing
LEFT = 499  # what nginx writes down where nobody was left to be answered
KIB = 1024
BODY_WITHIN_S = 30.0
ALL_BODIES = 64 * 1024 * KIB  # of one process at a time
FOR_RESPONDENTS = 16 * 1024 * KIB  # of these
BODY_CAPS = (("/s/", 64 * KIB), ("/api/", 1024 * KIB), ("", 256 * KIB))
# A picture of 2 MB, and what a form puts around it.
PICTURE_PATH = re.compile(r"/(api/v1|w/[^/]+)/brand/logo")
PICTURE_CAP = (2 * 1024 + 8) * KIB
# By which programs send answers.
ANSWERS_PATH = re.compile(r"/api/v1/surveys/[^/]+/responses(/batch)?/?")
PLAIN_LANGUAGE = re.compile(rb"(?:^|&)lang=([A-Za-z-]*)(?:&|$)")
PAGE_CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = [
    (b"content-security-policy", PAGE_CSP.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
    (b"cache-control", b"no-store"),
]
HTTPS_ONLY = (b"strict-transport-security", b"max-age=31536000")


class RequestContext:
    """Request id, headers and the log line.

    Requests of respondents leave no line, nor do those that bring answers, whatever becomes of
    them: a row has its day, and the log must not tell the second. No other line holds a path with
    its values, an address or an agent.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.headers = [*HEADERS, HTTPS_ONLY] if settings.is_https else HEADERS

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = os.urandom(16).hex()
        scope.setdefault("state", {})["request_id"] = request_id
        _choose_language(scope)
        timing = Timing(request_id, _is_private(scope))
        timing_var.set(timing)
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._add_headers(message["headers"], request_id)
                if scope["app"].state.is_stopping:
                    # Clients that keep connections open come back by a new one, elsewhere.
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            await self.app(scope, receive, send_with_headers)
            status = status or LEFT
        except Exception as error:
            # Further out only the server is left, which would log the whole traceback. It closes
            # the connection of an answer without an end, so that nobody takes it for whole.
            answer = unexpected_response(scope, error)
            if not status:
                await answer(scope, receive, send_with_headers)
        finally:
            self._note(scope, status, time.perf_counter() - started, timing)

    def _add_headers(self, headers: list[tuple[bytes, bytes]], request_id: str) -> None:
        """Those that are not there yet. Names are in lower case, as ASGI has them."""
        given = dict(headers)
        headers.append((b"x-request-id", request_id.encode()))
        headers += [header for header in self.headers if header[0] not in given]
        policy = given.get(b"content-security-policy", b"frame-ancestors 'none'")
        if b"frame-ancestors 'none'" in policy and b"x-frame-options" not in given:
            headers.append((b"x-frame-options", b"DENY"))

    def _note(self, scope: Scope, status: int, seconds: float, timing: Timing) -> None:
        method = scope["method"] if scope["method"] in METHODS else "other"
        route = getattr(scope.get("route"), "path", "unmatched")
        tally.count("honne_requests", method, route, f"{status // 100}xx")
        tally.observe(seconds, "honne_request_seconds", method, route)
        # Of a slash too many tells the line of the address without it, if that has one.
        is_told = not timing.is_private and status != ELSEWHERE
        if not is_told or not logger.isEnabledFor(logging.INFO):
            return
        logger.info(
            "request",
            extra={
                "method": scope["method"],
                "route": route,
                "status": status,
                "milliseconds": round(seconds * 1000, 1),
                "statements": timing.statements,
                "statement_milliseconds": round(timing.seconds * 1000, 1),
                "request_id": timing.request_id,
            },
        )


def _is_private(scope: Scope) -> bool:
    path = scope["path"]
    if scope["method"] == "POST" and ANSWERS_PATH.fullmatch(path):
        return True
    return bool(path.startswith("/s/"))


def _choose_language(scope: Scope) -> None:
    """Before anybody is known: `?lang=`, then the browser's languages, then English."""
    scope["state"]["wanted_language"] = wanted = _wanted_language(scope["query_string"])
    accepted = find_header(scope, b"accept-language") or ""
    set_language(choose_language(accepted, INTERFACE_LANGUAGES, SOURCE_LANGUAGE, wanted))


def _wanted_language(query: bytes) -> str:
    if b"lang" not in query and b"%" not in query:  # a name may be written in escapes, too
        return ""
    plain = PLAIN_LANGUAGE.search(query)
    if plain is not None and b"%" not in query:
        return plain[1].decode()
    return parse_qs(query.decode("latin-1")).get("lang", [""])[0]


class BodyCap:
    """Reads a body up to its cap before anything parses it; more is refused with 413, a body that
    trickles in with 408. All bodies together take a bounded part of the memory (503), and
    those of programs and managers leave some of it to respondents. A body that breaks off reaches
    nobody: what is cut in the middle may well look whole. Nor does a form that its sender cut short
    (400)."""

    def __init__(
        self,
        app: ASGIApp,
        within_s: float = BODY_WITHIN_S,
        all_bodies: int = ALL_BODIES,
        for_respondents: int = FOR_RESPONDENTS,
    ) -> None:
        self.app = app
        self._within_s = within_s
        self._free = all_bodies
        self._for_respondents = for_respondents

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            return self.app(scope, receive, send)
        return self._take_in(scope, receive, send)

    async def _take_in(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = bytearray()
        try:
            cap, length = _allowed(scope)
            kept = 0 if scope["path"].startswith("/s/") else self._for_respondents
            await self._read(body, receive, cap, kept)
            if len(body) < length:  # a server that knows no better takes it for whole
                raise _Refused(errors.BadRequest(headers=CLOSE))
            scope.setdefault("state", {})["body"] = read = bytes(body)
            if _is_cut(find_header(scope, b"content-type") or "", read):
                raise _Refused(errors.BadRequest(CUT))
            await self.app(scope, _replaying(read, receive), send)
        except _Refused as refused:
            await error_response(scope, refused.error)(scope, receive, send)
        except _TooLarge:
            await error_response(scope, _too_large(scope["path"]))(scope, receive, send)
        except _BrokenOff:
            pass  # there is nobody left to tell
        finally:
            # The server keeps the scope until the connection's next request.
            scope.get("state", {}).pop("body", None)
            self._free += len(body)

    async def _read(self, body: bytearray, receive: Receive, cap: int, kept: int) -> None:
        task = asyncio.current_task()
        assert task
        # What asyncio.timeout does, at a fifth of its price: nearly every body is there already.
        timer = asyncio.get_running_loop().call_later(self._within_s, task.cancel, TOO_SLOW)
        try:
            while await self._read_one(body, receive, cap, kept):
                pass
        except asyncio.CancelledError as cancelled:
            if cancelled.args != (TOO_SLOW,):
                raise
            task.uncancel()
            raise _Refused(errors.RequestTimeout(headers=CLOSE)) from None
        finally:
            timer.cancel()

    async def _read_one(self, body: bytearray, receive: Receive, cap: int, kept: int) -> bool:
        """True where more is to come. Who closes only their own side, once all is sent, has not
        broken off: the server hands over what is whole before it says that somebody left."""
        message = await receive()
        if message["type"] != "http.request":
            raise _BrokenOff
        chunk = message.get("body", b"")
        self._free -= len(chunk)
        body += chunk
        if len(body) > cap:
            raise _TooLarge
        if self._free < kept:
            tally.count("honne_shed", "body")
            raise _Refused(errors.Unavailable(headers={"Retry-After": "5", **CLOSE}))
        return bool(message.get("more_body", False))


CLOSE = {"Connection": "close"}
CUT = mark("Part of the form did not arrive. Go back and send it again.")
TOO_SLOW = "the body took too long"


class _BrokenOff(Exception):
    """The sender left in the middle of a body."""


class _TooLarge(Exception):
    """A body above the cap of its path."""


class _Refused(Exception):
    """A body that is not read to its end."""

    def __init__(self, error: errors.HonneError) -> None:
        self.error = error


def _allowed(scope: Scope) -> tuple[int, int]:
    """The cap for this path and the length that the sender declares, 0 where none is; refused is
    who says beforehand that the cap is not kept."""
    cap = _cap_of(scope["path"])
    declared = find_header(scope, b"content-length") or ""
    length = int(declared) if declared.isdigit() else 0
    if length > cap:
        raise _TooLarge
    return cap, length


def _is_cut(kind: str, body: bytes) -> bool:
    """Whether a form lacks its end, which its parsers do not miss: of one in parts they leave out
    the last, and of an escape they keep what is there."""
    media_type = kind.lower()
    if media_type.startswith(URL_ENCODED):
        return b"%" in body[-2:]
    if not media_type.startswith(MULTIPART):
        return False
    end = b"\r\n--%s--" % parse_options_header(kind)[1].get(b"boundary", b"")
    return end not in body and not body.startswith(end[2:])


def _replaying(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _too_large(path: str) -> errors.PayloadTooLarge:
    if path.startswith("/s/"):
        words = mark("It has not been saved. Go back, make it shorter, then send it again.")
        return errors.AnswerTooLong(words, headers=CLOSE)
    text = mark("The body may hold at most %(kib)s KiB; send less at once.")
    return errors.PayloadTooLarge(text, headers=CLOSE, values={"kib": _cap_of(path) // KIB})


def _cap_of(path: str) -> int:
    if path.endswith("/brand/logo") and PICTURE_PATH.fullmatch(path):
        return PICTURE_CAP
    return next(cap for prefix, cap in BODY_CAPS if path.startswith(prefix))


class SameOrigin:
    """Unsafe requests of browsers must come from our own pages (the API takes no cookies).

    `Sec-Fetch-Site` decides where it is sent; else `Origin` must match; where both are absent, the
    request passes only without a cookie, that is, from no signed-in browser.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.origin = settings.public_url

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http" or self._may_pass(scope):
            return self.app(scope, receive, send)
        error = errors.Forbidden(
            mark("This form was sent from another site. Open the page itself and try again.")
        )
        return error_response(scope, error)(scope, receive, send)

    def _may_pass(self, scope: Scope) -> bool:
        if scope["method"] in SAFE_METHODS or scope["path"].startswith("/api/"):
            return True
        site = find_header(scope, b"sec-fetch-site")
        if site is not None:
            return site in ("same-origin", "none")
        origin = find_header(scope, b"origin")
        if origin is not None:
            host = find_header(scope, b"host") or ""
            return origin in (self.origin, f"{scope['scheme']}://{host}")
        return find_header(scope, b"cookie") is None
