"""HTML routes of managers: links that show a report to people who do not sign in."""

import uuid
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query, Request
from starlette.responses import RedirectResponse, Response

from app.accounts.access import WorkspaceManager
from app.accounts.people import refused
from app.accounts.schemas import Member
from app.followups.words import survey_base
from app.foundation import clock
from app.foundation.errors import Conflict, HonneError, Invalid
from app.foundation.translation import gettext, mark, ngettext
from app.foundation.web.openapi import OnceEach
from app.foundation.web.rendering import render
from app.reporting.filter_words import describe_filter
from app.reporting.page_filters import DashboardQuery, Preset, read_page_filter
from app.reporting.pages.showing import SURVEY
from app.reporting.sharing import (
    LIFETIMES_IN_DAYS,
    ReportInput,
    list_shared_reports,
    revoke_shared_report,
    share_report,
)
from app.reporting.sharing_tables import SharedReport
from app.reporting.stored_queries import query_text, read_query
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire

router = APIRouter(dependencies=[OnceEach])

REPORTS = SURVEY + "/shared-reports"
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


@router.get(REPORTS)
async def show_shared_reports(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    query: Annotated[DashboardQuery, Query()],
    done: str = "",
) -> Response:
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    notice = gettext("Revoked. The link shows nothing any more.") if done == "revoked" else None
    return await _page(request, member, questionnaire, query, _Form(), notice=notice)


@router.post(REPORTS)
async def make_shared_report(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    query: Annotated[DashboardQuery, Query()],
    name: Annotated[str, Form()] = "",
    expires: Annotated[str, Form()] = "",
    expires_on: Annotated[str, Form()] = "",
    password: Annotated[str, Form()] = "",
    with_comments: Annotated[str, Form()] = "",
) -> Response:
    """Shows the address in the answer itself: it is nowhere to be found again."""
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    today = clock.today(questionnaire.time_zone)
    try:
        _report, address = await share_report(
            member.session, request.app.state.settings, questionnaire, member.actor,
            ReportInput(
                name, query_text(query), _last_day(expires, expires_on, today),
                password, bool(with_comments),
            ),
        )  # fmt: skip
    except (Invalid, Conflict) as error:
        form = _Form(name, expires, expires_on, bool(with_comments), error)
        return await _page(request, member, questionnaire, query, form, error.status)
    return await _page(request, member, questionnaire, query, _Form(), 201, address=address)


@router.post(REPORTS + "/{report_id}/revocation")
async def revoke(member: WorkspaceManager, survey_id: uuid.UUID, report_id: uuid.UUID) -> Response:
    await revoke_shared_report(
        member.session, member.workspace_id, member.actor, survey_id, report_id
    )
    href = f"{survey_base(member, survey_id)}/shared-reports?done=revoked"
    return RedirectResponse(href, 303)


def _last_day(expires: str, expires_on: str, today: date) -> date:
    if expires in {str(days) for days in LIFETIMES_IN_DAYS}:
        return today + timedelta(days=int(expires))
    try:
        return date.fromisoformat(expires_on)
    except ValueError:
        raise refused("expires_on", mark("Choose a day within a year from today.")) from None


async def _page(
    request: Request,
    member: Member,
    questionnaire: Questionnaire,
    query: DashboardQuery,
    form: _Form,
    status: int = 200,
    **values: Any,
) -> Response:
    today = clock.today(questionnaire.time_zone)
    asked, preset = read_page_filter(query, questionnaire, today, Preset.ALL)
    workspace_id, survey_id = questionnaire.workspace_id, questionnaire.survey_id
    reports = await list_shared_reports(member.session, workspace_id, survey_id, MOST_SHOWN)
    refusals = form.refused.invalid_params if form.refused else ()
    errors = defaultdict(str, {param.name: param.text() for param in refusals})
    return render(
        request,
        "reporting/shared_reports.html",
        status,
        **{
            "survey": questionnaire,
            "base": survey_base(member, survey_id),
            "query": query_text(query),
            "filter_words": describe_filter(questionnaire, asked, preset, today),
            "reports": [(report, _words_of(questionnaire, report, today)) for report in reports],
            "today": today,
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


def _words_of(questionnaire: Questionnaire, report: SharedReport, today: date) -> str:
    """What a link shows, without the survey and the day; empty where the survey has no such
    filter any more."""
    try:
        query = read_query(report.query)
        asked, preset = read_page_filter(query, questionnaire, today, Preset.ALL)
    except (ValueError, Invalid):
        return ""
    words = describe_filter(questionnaire, asked, preset, today)[1:-1]
    return gettext(", ").join(value for _name, value in words)


def _periods() -> list[tuple[str, str]]:
    days = [
        (str(days), ngettext("%(num)s day", "%(num)s days", days) % {"num": days})
        for days in LIFETIMES_IN_DAYS
    ]
    return [*days, (OTHER_DAY, gettext("Until the day below"))]
