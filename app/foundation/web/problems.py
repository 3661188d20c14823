"""Errors as answers: RFC 9457 problems for the API, pages for people."""

import errno
import json
import logging
from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.types import Scope

from app.foundation import errors
from app.foundation.errors import HonneError, InvalidParam
from app.foundation.logs import wordless
from app.foundation.timing import timing_var
from app.foundation.translation import mark
from app.foundation.web.rendering import render_text

logger = logging.getLogger("honne.errors")
PROBLEM_TYPE = "application/problem+json"
DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


def install_error_handlers(app: FastAPI) -> None:
    """Every error that can leave the app leaves it in one of the two shapes."""
    app.add_exception_handler(HonneError, _expected)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _validation)
    app.add_exception_handler(UnicodeError, _unreadable)
    app.add_exception_handler(PoolTimeout, _database_away)
    app.add_exception_handler(OperationalError, _database_away)
    app.add_exception_handler(InterfaceError, _database_away)
    app.add_exception_handler(TimeoutError, _database_away)  # one that is silent
    app.add_exception_handler(OSError, _no_room)
    app.add_exception_handler(Exception, _unexpected)


async def _unexpected(_request: Request, error: Exception) -> Response:
    """Further out it is answered by `unexpected_response`; the framework's answer is no page."""
    raise error


def is_api(scope: Scope) -> bool:
    return bool(scope["path"].startswith("/api/"))


def error_response(scope: Scope, error: HonneError) -> Response:
    """The answer to `error`, in the shape and language of whoever asked."""
    if is_api(scope):
        return _problem(scope, error)
    if isinstance(error, errors.Unauthorized) and "Location" in error.headers:
        return Response(status_code=303, headers=error.headers)
    body = render_text("errors/error.html", scope=scope, error=error)
    return Response(body, error.status, error.headers, "text/html; charset=utf-8")


def problem_body(scope: Scope, error: HonneError) -> dict[str, Any]:
    """The members of an RFC 9457 problem; English, since programs read them."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": error.title,
        "status": error.status,
        "detail": error.text("en"),
        "code": error.code,
        "request_id": scope.get("state", {}).get("request_id", ""),
    }
    if error.invalid_params:
        body["invalid_params"] = [
            {"name": param.name, "reason": param.text("en")} for param in error.invalid_params
        ]
    return body


def _problem(scope: Scope, error: HonneError) -> Response:
    body = json.dumps(problem_body(scope, error))
    return Response(body, error.status, error.headers, PROBLEM_TYPE)


async def _expected(request: Request, error: Exception) -> Response:
    assert isinstance(error, HonneError)
    return error_response(request.scope, error)


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    kind = errors.ERRORS_BY_STATUS.get(error.status_code, errors.BadRequest)
    headers = dict(error.headers or {})
    if error.status_code == errors.MethodNotAllowed.status:
        headers["Allow"] = ", ".join(_methods_at(request))
    return error_response(request.scope, kind(headers=headers))


def _methods_at(request: Request) -> list[str]:
    """What the address takes: the router itself names the methods of its first route only, and the
    folders of files name none."""
    path = request.scope["path"]
    found = {
        method
        for route in iter_route_contexts(request.app.routes)
        for method in route.methods or ()
        if route.path_regex.match(path)
    }
    return sorted(found or {"GET", "HEAD"})


async def _validation(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if _is_unread_body(request, error):
        return error_response(
            request.scope, errors.UnsupportedMediaType(mark("Send JSON as application/json."))
        )
    if not is_api(request.scope) and any(entry["loc"][0] == "path" for entry in error.errors()):
        return error_response(request.scope, errors.NotFound())
    found = [_invalid_param(entry) for entry in error.errors()]
    kind: type[HonneError] = errors.Invalid
    if any(entry["type"] == "json_invalid" for entry in error.errors()):
        kind = errors.BadRequest
    return error_response(
        request.scope, kind(mark("See which inputs were refused."), invalid_params=found)
    )


def _is_unread_body(request: Request, error: RequestValidationError) -> bool:
    """True where a body was left as bytes, because its content type is not JSON."""
    return is_api(request.scope) and any(
        tuple(entry["loc"]) == ("body",) and isinstance(entry.get("input"), bytes)
        for entry in error.errors()
    )


def _invalid_param(entry: Mapping[str, Any]) -> InvalidParam:
    where, *path = entry["loc"]
    if entry["type"] == "json_invalid":
        return InvalidParam(str(where), "This is not valid JSON.")
    if where == "query":
        path = path[:1]  # of a parameter given several times, the parameter
    name = ".".join(str(part) for part in path) or str(where)
    return InvalidParam(name, str(entry["msg"]))


async def _unreadable(request: Request, _error: Exception) -> Response:
    """A sender may name any of Python's encodings for a form, some of which read nothing."""
    return error_response(request.scope, errors.BadRequest())


async def _database_away(request: Request, error: Exception) -> Response:
    _log("database", {"error": type(getattr(error, "orig", error)).__name__})
    return error_response(
        request.scope,
        errors.Unavailable(
            mark("The database is away for a moment. Please try again shortly."),
            headers={"Retry-After": "5"},
        ),
    )


async def _no_room(request: Request, error: Exception) -> Response:
    """For a file that was to be sent: temporary files are all that requests write to a disk."""
    assert isinstance(error, OSError)
    if error.errno not in DISK_FULL:
        raise error
    _log("no room for a file", {"error": error.strerror})
    return error_response(
        request.scope,
        errors.Unavailable(
            mark("The server has no room for this file right now. Please try again later."),
            headers={"Retry-After": "60"},
        ),
    )


def unexpected_response(scope: Scope, error: Exception) -> Response:
    """The answer to an error nobody thought of, once it is logged."""
    _log("unexpected error", wordless(error))
    words = mark("Please try again; if it keeps happening, tell us the number below.")
    # Respondents are shown no number, as no log holds theirs.
    return error_response(scope, HonneError("" if scope["path"].startswith("/s/") else words))


def _log(message: str, told: dict[str, Any]) -> None:
    """With the number that whoever asked was shown, but for requests of which no log tells."""
    timing = timing_var.get()
    number = {} if timing.is_private else {"request_id": timing.request_id}
    logger.error(message, extra=told | number)
