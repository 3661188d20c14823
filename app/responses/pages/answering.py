"""The form and its thank-you page. Opening a page never records anything; only a POST does."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache

from fastapi import APIRouter, Request
from markupsafe import Markup
from starlette.responses import RedirectResponse, Response

from app.accounts.access import Respondent
from app.foundation.database import AWAY
from app.foundation.errors import NotFound, Unavailable, UnsupportedMediaType
from app.foundation.translation import choose_language, current_language, set_language
from app.foundation.web.rendering import render, static_text
from app.responses.entrances import Access, Entrance, get_entrance
from app.responses.form import (
    MAX_FIELDS,
    FormError,
    FormInput,
    check_form,
    parse_form,
    read_form,
    ticket_error,
)
from app.responses.intake import RETRY_AFTER_S
from app.responses.schemas import NewAnswer
from app.responses.tickets import LIFE, Ticket, read_ticket, sign_ticket
from app.surveys.models import DimensionSource
from app.surveys.schemas import Dimension
from app.surveys.segments import accept_segments

router = APIRouter(dependencies=[Respondent])

STATUS = {Access.NOT_YET: 403, Access.CLOSED: 410, Access.REVOKED: 410}
READ = ["GET", "HEAD"]
URL_ENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class _Shut(Exception):
    """There is no form at this address now; `response` says why."""

    def __init__(self, response: Response) -> None:
        self.response = response


@router.api_route("/s/{slug}", methods=READ)
async def show_form(request: Request, slug: str) -> Response:
    try:
        entrance = await _enter(request, slug)
    except _Shut as shut:
        return shut.response
    return _form(request, entrance, _issue(request, entrance), FormInput(), [])


@router.post("/s/{slug}/responses")
async def take_answer(request: Request, slug: str) -> Response:
    given = read_form(await _read_fields(request))
    try:
        entrance = await _enter(request, slug)
        return await _take(request, entrance, given)
    except _Shut as shut:
        return shut.response
    except (Unavailable, *AWAY):
        return _try_again(request, slug, given)


@router.api_route("/s/{slug}/thanks", methods=READ)
async def show_thanks(request: Request, slug: str) -> Response:
    try:
        entrance = await _find(request, slug)
    except _Shut as shut:
        return shut.response
    texts = entrance.questionnaire.wording[current_language()]
    return _page(request, "responses/thanks.html", texts=texts)


async def _read_fields(request: Request) -> dict[str, str]:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == URL_ENCODED:
        return parse_form(await request.body())
    if kind == MULTIPART:
        async with request.form(max_files=0, max_fields=MAX_FIELDS) as form:
            return {name: value for name, value in form.items() if isinstance(value, str)}
    raise UnsupportedMediaType


async def _find(request: Request, slug: str) -> Entrance:
    """Where the slug leads, the reader's language chosen among the survey's own."""
    state = request.app.state
    try:
        entrance = await get_entrance(state.database, state.memory, slug)
    except NotFound as error:
        raise _Shut(_page(request, "responses/shut.html", 404, reason="unknown")) from error
    survey = entrance.questionnaire
    accepted = request.headers.get("accept-language", "")
    wanted = request.query_params.get("lang", "")
    set_language(choose_language(accepted, survey.languages, survey.default_language, wanted))
    return entrance


async def _enter(request: Request, slug: str) -> Entrance:
    entrance = await _find(request, slug)
    if entrance.access is not Access.OPEN:
        raise _Shut(
            _page(
                request,
                "responses/shut.html",
                STATUS[entrance.access],
                reason=entrance.access.value,
                survey=entrance.questionnaire,
            )
        )
    return entrance


def _issue(request: Request, entrance: Entrance) -> Ticket:
    """A new ticket with what the link presets or, where it presets nothing, its address says."""
    survey, link = entrance.questionnaire, entrance.link
    raw = {**request.query_params, **link.preset}
    labels = accept_segments(survey, raw, [DimensionSource.LINK])
    return Ticket(link.slug, survey.survey_id, survey.version_id, labels)


async def _take(request: Request, entrance: Entrance, given: FormInput) -> Response:
    survey = entrance.questionnaire
    ticket = _read_ticket(request, entrance, given)
    checked = check_form(given)
    errors = checked if isinstance(checked, list) else []
    if ticket is None:
        errors = [ticket_error(), *errors]
        ticket = _renew(request, entrance, given)
    if errors or isinstance(checked, list):
        return _form(request, entrance, ticket, given, errors)
    score, comment = checked
    # Once more for the link's values: the survey may have changed since the page was shown.
    linked = accept_segments(survey, ticket.labels, [DimensionSource.LINK])
    asked = accept_segments(survey, given.segments, [DimensionSource.QUESTION])
    answer = NewAnswer(
        survey_id=survey.survey_id,
        version_id=ticket.version_id,
        score=score,
        comment=comment,
        language=current_language(),
        channel=entrance.link.channel,
        answered_on=entrance.today,
        labels={**asked, **linked},
        submission_key=ticket.submission_key,
    )
    await request.app.state.intake.submit(survey.workspace_id, [answer])
    return RedirectResponse(f"/s/{ticket.slug}/thanks?lang={answer.language}", 303)


def _read_ticket(
    request: Request, entrance: Entrance, given: FormInput, life: timedelta | None = LIFE
) -> Ticket | None:
    secret_key: str = request.app.state.settings.secret_key
    survey_id = entrance.questionnaire.survey_id
    return read_ticket(secret_key, given.ticket, entrance.link.slug, survey_id, life)


def _renew(request: Request, entrance: Entrance, given: FormInput) -> Ticket:
    """In place of an expired ticket the same one, so that it still is the same answer."""
    return _read_ticket(request, entrance, given, life=None) or _issue(request, entrance)


def _form(
    request: Request,
    entrance: Entrance,
    ticket: Ticket,
    given: FormInput,
    errors: Sequence[FormError],
) -> Response:
    survey = entrance.questionnaire
    # Whoever is shown the page again reads the wording of now.
    ticket = replace(ticket, version_id=survey.version_id)
    questions = [
        dimension
        for dimension in survey.dimensions
        if dimension.source is DimensionSource.QUESTION and dimension.offered
    ]
    return _page(
        request,
        "responses/form.html",
        422 if errors else 200,
        survey=survey,
        texts=survey.wording[current_language()],
        slug=entrance.link.slug,
        ticket=sign_ticket(request.app.state.settings.secret_key, ticket),
        given=given,
        errors=errors,
        problems={error.name: error.message for error in errors},
        questions=questions,
        stored=_stored_attributes(survey.dimensions, ticket),
    )


def _stored_attributes(dimensions: Sequence[Dimension], ticket: Ticket) -> list[str]:
    """What else is stored with this answer: what the link says, and what the form asks."""
    return [
        dimension.label_in(current_language())
        for dimension in dimensions
        if dimension.key in ticket.labels or dimension.source is DimensionSource.QUESTION
    ]


def _try_again(request: Request, slug: str, given: FormInput) -> Response:
    """Nothing was saved and nothing is lost: the page holds all that was sent, to send again."""
    return _page(
        request,
        "responses/try_again.html",
        503,
        headers={"Retry-After": str(RETRY_AFTER_S)},
        slug=slug,
        given=given,
    )


def _page(
    request: Request,
    template: str,
    status: int = 200,
    headers: dict[str, str] | None = None,
    **values: object,
) -> Response:
    css = static_text("respondent.css")
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
