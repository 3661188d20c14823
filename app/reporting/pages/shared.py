"""HTML routes of a shared report: for whoever has its link, without a sign-in."""

import re
from collections.abc import Mapping
from typing import Annotated, Any

from babel import Locale
from fastapi import APIRouter, Form, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from app.accounts.access import Anyone
from app.accounts.delays import SignInDelays
from app.accounts.passwords import password_matches
from app.foundation.errors import Gone, HonneError, Invalid, NotFound, TooManyRequests
from app.foundation.settings import Settings
from app.foundation.translation import INTERFACE_LANGUAGES, current_language, gettext
from app.foundation.turns import Turns
from app.foundation.web.addresses import client_prefix
from app.foundation.web.rendering import render
from app.foundation.web.transactions import Transaction
from app.reporting.asked_together import ask_together
from app.reporting.page_filters import DashboardQuery, SeveralQuery
from app.reporting.pages.reading import read_dashboard
from app.reporting.pages.reading_several import figures_of
from app.reporting.sharing import (
    ENDED,
    UNLOCKED_FOR,
    count_opening,
    find_shared_report,
    is_unlocked,
    report_path,
    unlock,
)
from app.reporting.sharing_tables import SharedReport
from app.reporting.stored_queries import read_query

router = APIRouter(dependencies=[Anyone])

SHARED = "/shared/{token}"
# Search engines leave it alone, nobody keeps it, and no other site learns the address.
HEADERS = {
    "X-Robots-Tag": "noindex, nofollow",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
# Where there is a form: browsers that hide the referrer hide the origin of what is sent, too.
FORM_HEADERS = {**HEADERS, "Referrer-Policy": "same-origin"}


@router.get(SHARED)
async def open_report(request: Request, session: Transaction, token: str) -> Response:
    """The dashboard under the filter that the link was made for."""
    try:
        _take_turn(request, token)
        settings = _settings(request)
        report = await find_shared_report(session, settings, token)
        if not is_unlocked(settings, report, request.cookies.get(_cookie(settings), "")):
            return _password_page(request, token)
        return await _report_page(request, session, token, report)
    except (NotFound, Gone, TooManyRequests) as error:
        return _ended(request, error)


async def _report_page(
    request: Request, session: Transaction, token: str, report: SharedReport
) -> Response:
    template, values = await _figures(request, session, report)
    await count_opening(session, report)
    return _show(request, template, languages=_languages(token), unlinked=unlinked, **values)


async def _figures(
    request: Request, session: Transaction, report: SharedReport
) -> tuple[str, dict[str, Any]]:
    """The page of a report and what it shows, under the filter that it was made for and no other:
    Gone where a survey has lost what that needs, or one of several is gone itself."""
    where = session, report.workspace_id
    try:
        if report.survey_id is not None:
            query = read_query(DashboardQuery, report.query)
            reading = await read_dashboard(request, *where, report.survey_id, query)
            more = {"with_comments": report.with_comments}
            return "reporting/shared_report.html", {**reading.values(), **more}
        together = read_query(SeveralQuery, report.query)
        of = await ask_together(*where, together)
        if of.is_whole:
            found = await figures_of(request, session, of, together)
            return "reporting/shared_several.html", found.values()
    except (ValueError, Invalid, NotFound):
        pass
    raise Gone(ENDED)


@router.post(SHARED + "/password")
async def unlock_report(
    request: Request, token: str, password: Annotated[str, Form()] = ""
) -> Response:
    """No transaction is open while a wrong password waits for its turn."""
    settings = _settings(request)
    try:
        _take_turn(request, token)
        async with request.app.state.database.transaction() as session:
            report = await find_shared_report(session, settings, token)
    except (NotFound, Gone, TooManyRequests) as error:
        return _ended(request, error)
    try:
        if not await _is_right(request, report, password):
            return _password_page(request, token, is_wrong=True)
    except TooManyRequests as error:
        return _ended(request, error, is_trying=True)
    answer = RedirectResponse(f"{report_path(token)}?lang={current_language()}", 303, HEADERS)
    answer.set_cookie(
        _cookie(settings),
        unlock(settings, report),
        max_age=int(UNLOCKED_FOR.total_seconds()),
        path=report_path(token),
        secure=settings.is_https,
        httponly=True,
        samesite="lax",
    )
    return answer


async def _is_right(request: Request, report: SharedReport, password: str) -> bool:
    delays: SignInDelays = request.app.state.report_delays
    prefix = client_prefix(request.scope, _settings(request).trusted_proxies)
    await delays.wait_turn(str(report.id), prefix)
    if not await password_matches(report.password_hash, password):
        return False
    delays.succeed(str(report.id), prefix)
    return True


def unlinked(html: str) -> Markup:
    """The figures of a dashboard without what leads on from them: links, buttons, forms."""
    html = re.sub(r"<form\b.*?</form>", "", html, flags=re.DOTALL)
    html = re.sub(r'<a class="btn\b.*?</a>', "", html, flags=re.DOTALL)
    # Made of the page's own template, which has escaped all that people wrote.
    return Markup(re.sub(r"</?a\b[^>]*>", "", html))  # noqa: S704


def _take_turn(request: Request, token: str) -> None:
    turns: Turns = request.app.state.report_turns
    prefix = client_prefix(request.scope, _settings(request).trusted_proxies)
    turns.take(f"network {prefix}", f"report {token}")


def _password_page(request: Request, token: str, *, is_wrong: bool = False) -> Response:
    error = gettext("This is not the password.") if is_wrong else None
    return _show(
        request,
        "reporting/shared_password.html",
        422 if is_wrong else 200,
        FORM_HEADERS,
        languages=_languages(token),
        action=f"{report_path(token)}/password?lang={current_language()}",
        error=error,
        problems=[{"name": "password", "message": error}] if error else [],
    )


def _ended(request: Request, error: HonneError, *, is_trying: bool = False) -> Response:
    """In words for somebody who was sent a link and knows nothing of Honne, and who `is_trying` a
    password."""
    headers = {**HEADERS, **error.headers}
    return _show(
        request,
        "reporting/shared_ended.html",
        error.status,
        headers,
        error=error,
        is_trying=is_trying,
    )


def _show(
    request: Request,
    template: str,
    status: int = 200,
    headers: Mapping[str, str] = HEADERS,
    **values: Any,
) -> Response:
    response = render(request, template, status, **values)
    response.headers.update(headers)
    return response


def _languages(token: str) -> list[dict[str, object]]:
    return [
        {
            "tag": tag,
            "label": Locale.parse(tag).display_name,
            "href": f"{report_path(token)}?lang={tag}",
            "current": tag == current_language(),
        }
        for tag in INTERFACE_LANGUAGES
    ]


def _cookie(settings: Settings) -> str:
    return "__Secure-honne-report" if settings.is_https else "honne-report"


def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings
