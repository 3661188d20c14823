"""HTML routes of managers: links that show a report to people who do not sign in."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.people import refused
from app.foundation import clock
from app.foundation.errors import Conflict, HonneError, Invalid
from app.foundation.translation import gettext, mark, ngettext
from app.foundation.web.openapi import once_each_but
from app.foundation.web.rendering import render
from app.reporting.pages.reading_several import SEVERAL
from app.reporting.pages.showing import SURVEY
from app.reporting.pages.subjects import ManagedSubject, Subject
from app.reporting.sharing import (
    LIFETIMES_IN_DAYS,
    ReportInput,
    list_shared_reports,
    revoke_shared_report,
    share_report,
)

router = APIRouter(dependencies=[once_each_but("survey")])

REPORTS = "/shared-reports"
OTHER_DAY = "day"
MOST_SHOWN = 200


@dataclass(frozen=True, slots=True)
class _Form:
    """The form as it was sent, or as it is shown first."""

    name: str = ""
    expires: str = str(LIFETIMES_IN_DAYS[1])
    expires_on: str = ""
    with_comments: bool = False
    refused: HonneError | None = None


@router.get(SURVEY + REPORTS)
@router.get(SEVERAL + REPORTS)
async def show_shared_reports(request: Request, of: ManagedSubject, done: str = "") -> Response:
    notice = gettext("Revoked. The link shows nothing any more.") if done == "revoked" else None
    return await _page(request, of, _Form(), notice=notice)


@router.post(SURVEY + REPORTS)
@router.post(SEVERAL + REPORTS)
async def make_shared_report(
    request: Request,
    of: ManagedSubject,
    name: Annotated[str, Form()] = "",
    expires: Annotated[str, Form()] = "",
    expires_on: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    with_comments: Annotated[str, Form()] = "",
) -> Response:
    """Shows the address in the answer itself: it is nowhere to be found again."""
    member, query = of.member, await of.check()
    today = clock.today(member.workspace.time_zone)
    try:
        _report, address = await share_report(
            member.session, request.app.state.settings, member.workspace, member.actor,
            of.survey_id,
            ReportInput(
                name, query, _last_day(expires, expires_on, today), password, bool(with_comments)
            ),
        )  # fmt: skip
    except (Invalid, Conflict) as error:
        form = _Form(name, expires, expires_on, bool(with_comments), error)
        return await _page(request, of, form, error.status)
    return await _page(request, of, _Form(), 201, address=address)


@router.post(SURVEY + REPORTS + "/{report_id}/revocation")
@router.post(SEVERAL + REPORTS + "/{report_id}/revocation")
async def revoke(of: ManagedSubject, report_id: uuid.UUID) -> Response:
    member = of.member
    await revoke_shared_report(
        member.session, member.workspace_id, member.actor, of.survey_id, report_id
    )
    return RedirectResponse(f"{of.base}/shared-reports?done=revoked", 303)


def _last_day(expires: str, expires_on: str, today: date) -> date:
    if expires in {str(days) for days in LIFETIMES_IN_DAYS}:
        return today + timedelta(days=int(expires))
    try:
        return date.fromisoformat(expires_on)
    except ValueError:
        raise refused("expires_on", mark("Choose a day within a year from today.")) from None


async def _page(
    request: Request, of: Subject, form: _Form, status: int = 200, **values: Any
) -> Response:
    member = of.member
    words = await of.words()
    reports = await list_shared_reports(
        member.session, member.workspace_id, of.survey_id, MOST_SHOWN
    )
    shown = await of.words_of([report.query for report in reports])
    refusals = form.refused.invalid_params if form.refused else ()
    errors = defaultdict(str, {param.name: param.text() for param in refusals})
    return render(
        request,
        "reporting/shared_reports.html",
        status,
        **{
            "survey_id": of.survey_id,
            "base": of.base,
            "query": of.text,
            "filter_words": words,
            "reports": list(zip(reports, shown, strict=True)),
            "today": clock.today(member.workspace.time_zone),
            "periods": _periods(),
            "form": form,
            "errors": errors,
            "problems": _problems(form, errors),
            "address": None,
            **values,
        },
    )


def _problems(form: _Form, errors: Mapping[str, str]) -> list[dict[str, str]]:
    if form.refused is not None and not errors:
        return [{"name": "", "message": form.refused.text()}]
    return [{"name": name, "message": text} for name, text in errors.items()]


def _periods() -> list[tuple[str, str]]:
    days = [
        (str(days), ngettext("%(num)s day", "%(num)s days", days) % {"num": days})
        for days in LIFETIMES_IN_DAYS
    ]
    return [*days, (OTHER_DAY, gettext("Until the day below"))]
