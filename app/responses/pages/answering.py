"""The form and its thank-you page. Opening a page never records anything."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import Respondent
from app.foundation.database import AWAY
from app.foundation.errors import Unavailable
from app.foundation.settings import Settings
from app.foundation.translation import current_language
from app.foundation.web.addresses import client_prefix
from app.foundation.web.headers import find_header
from app.responses.entrances import Access, Entrance, recall_entrance
from app.responses.form import FormError, FormInput, check_form, read_form, ticket_error
from app.responses.intake import RETRY_AFTER_S
from app.responses.models import HoldReason, Standing
from app.responses.pages.blank import Address, BlankForms
from app.responses.pages.frames import (
    channel_of,
    enter_frame,
    find_frame,
    kept_words,
    stay_in_frame,
)
from app.responses.pages.showing import (
    FORM_SCRIPT,
    READ,
    THANKS_SCRIPT,
    Shut,
    find_entrance,
    read_fields,
    show,
)
from app.responses.receipts import read_showing, sign_showing, write_receipt
from app.responses.schemas import NewAnswer
from app.responses.suspicion import Suspicion
from app.responses.tickets import LIFE, Ticket, read_ticket, sign_ticket
from app.scoring import category_of
from app.surveys.layouts import LAYOUTS
from app.surveys.models import DimensionSource
from app.surveys.schemas import Dimension
from app.surveys.segments import accept_segments

router = APIRouter(dependencies=[Respondent])

SITE_PREFIX = 48  # what providers give to a whole site in IPv6
STATUS = {Access.NOT_YET: 403, Access.CLOSED: 410, Access.REVOKED: 410}


@router.api_route("/s/{slug}", methods=READ)
async def show_form(request: Request, slug: str) -> Response:
    state = request.app.state
    languages = find_header(request.scope, b"accept-language") or ""
    address = Address(slug, request.scope["query_string"], languages)
    entrance = recall_entrance(state.memory, slug)
    forms: BlankForms = state.blank_forms
    if entrance and (known := forms.find(address, entrance)):
        form, labels = known
        return form.with_ticket(sign_ticket(state.settings.secret_key, _ticket(entrance, labels)))
    try:
        entrance = await enter_open(request, slug)
    except Shut as shut:
        return shut.response
    return _show_blank(request, entrance, _issue(request, entrance), address)


@router.post("/s/{slug}/responses")
async def take_answer(request: Request, slug: str) -> Response:
    given = read_form(await read_fields(request))
    try:
        entrance = await enter_open(request, slug)
        return await _take(request, entrance, given)
    except Shut as shut:
        return shut.response
    except (Unavailable, *AWAY):
        return _try_again(request, slug, given)


@router.api_route("/s/{slug}/thanks", methods=READ)
async def show_thanks(request: Request, slug: str) -> Response:
    try:
        entrance = await find_entrance(request, slug)
    except Shut as shut:
        return shut.response
    enter_frame(request, entrance.questionnaire.embed_origins)
    return _thank(request, entrance)


async def enter_open(request: Request, slug: str) -> Entrance:
    """Where the slug leads, if answers are taken there; Shut otherwise."""
    entrance = await find_entrance(request, slug)
    enter_frame(request, entrance.questionnaire.embed_origins)
    if entrance.access is not Access.OPEN:
        raise Shut(
            show(
                request,
                "responses/shut.html",
                STATUS[entrance.access],
                reason=entrance.access.value,
                survey=entrance.questionnaire,
                slug=slug,
            )
        )
    return entrance


def _issue(request: Request, entrance: Entrance) -> Ticket:
    """A new ticket with what the link presets or, where it presets nothing, its address says."""
    survey, link = entrance.questionnaire, entrance.link
    raw = {**request.query_params, **link.preset}
    return _ticket(entrance, accept_segments(survey, raw, [DimensionSource.LINK]))


def _ticket(entrance: Entrance, labels: Mapping[str, str]) -> Ticket:
    survey = entrance.questionnaire
    return Ticket(entrance.link.slug, survey.survey_id, survey.version_id, labels)


async def _take(request: Request, entrance: Entrance, given: FormInput) -> Response:
    survey = entrance.questionnaire
    ticket = ticket_of(request, entrance, given)
    checked = check_form(given, survey.asks_contact)
    errors = checked if isinstance(checked, list) else []
    if ticket is None:
        errors = [ticket_error(), *errors]
        ticket = _renew(request, entrance, given)
    if errors or isinstance(checked, list):
        return show_questions(request, entrance, ticket, given, errors)
    # Once more for the link's values: the survey may have changed since the page was shown.
    linked = accept_segments(survey, ticket.labels, [DimensionSource.LINK])
    asked = accept_segments(survey, given.segments, [DimensionSource.QUESTION])
    verdict = judge(request, ticket, given.trap)
    answer = NewAnswer(
        survey_id=survey.survey_id,
        version_id=ticket.version_id,
        score=checked.score,
        comment=checked.comment,
        language=current_language(),
        channel=channel_of(request, entrance),
        answered_on=entrance.today,
        labels={**asked, **linked},
        standing=verdict.standing,
        hold_reason=verdict.reason,
        submission_key=ticket.submission_key,
        address=checked.address,
    )
    [stored] = await request.app.state.intake.submit(survey.workspace_id, [answer])
    if stored.id != answer.id:
        verdict.take_back()
    group = category_of(stored.score)
    showing = sign_showing(request.app.state.settings.secret_key, stored.id, group)
    path = f"/s/{ticket.slug}/thanks?lang={answer.language}&receipt={showing}"
    return Response(None, 303, {"Location": path + kept_words(request)})


@dataclass(frozen=True, slots=True)
class Verdict:
    """Why an answer that came from `network` is held, if it is."""

    suspicion: Suspicion
    network: str
    survey_id: uuid.UUID
    reason: HoldReason | None

    @property
    def standing(self) -> Standing:
        return Standing.HELD if self.reason else Standing.COUNTED

    def take_back(self) -> None:
        """Call where it was no new answer but an earlier one that came again."""
        if self.reason is None:
            self.suspicion.take_back(self.network, self.survey_id)


def judge(request: Request, ticket: Ticket, trap: str, waited: timedelta = timedelta(0)) -> Verdict:
    """Whether a program might have sent what came with `ticket`: see `Suspicion.judge`."""
    suspicion: Suspicion = request.app.state.suspicion
    proxies = request.app.state.settings.trusted_proxies
    network = client_prefix(request.scope, proxies, v6_prefix=SITE_PREFIX)
    reason = suspicion.judge(network, ticket.survey_id, ticket.opened_at, trap, waited)
    return Verdict(suspicion, network, ticket.survey_id, reason)


def _thank(request: Request, entrance: Entrance) -> Response:
    """With the receipt, and what the group is told, for as long as the address holds good; the page
    knows nobody otherwise."""
    settings: Settings = request.app.state.settings
    shown = read_showing(settings.secret_key, request.query_params.get("receipt", ""))
    survey, slug = entrance.questionnaire, entrance.link.slug
    return show(
        request,
        "responses/thanks.html",
        # The page has no form that would need an Origin, and its address is not for passing on.
        headers={"Referrer-Policy": "no-referrer"},
        scripts=[THANKS_SCRIPT],
        survey=survey,
        thanks=survey.thanks_for(current_language(), shown.group if shown else None),
        receipt=write_receipt(settings.secret_key, shown.response_id) if shown else None,
        slug=slug,
        address=f"{settings.public_url}/s/{slug}/erasure",
    )


def ticket_of(
    request: Request, entrance: Entrance, given: FormInput, life: timedelta | None = LIFE
) -> Ticket | None:
    """The ticket that was sent, or None where it is none of this survey's or older than `life`."""
    secret_key: str = request.app.state.settings.secret_key
    survey_id = entrance.questionnaire.survey_id
    return read_ticket(secret_key, given.ticket, entrance.link.slug, survey_id, life)


def _renew(request: Request, entrance: Entrance, given: FormInput) -> Ticket:
    """In place of an expired ticket the same one, so that it still is the same answer."""
    return ticket_of(request, entrance, given, life=None) or _issue(request, entrance)


def _show_blank(request: Request, entrance: Entrance, ticket: Ticket, address: Address) -> Response:
    """The form with nothing in it."""

    def draw(signed: str) -> Response:
        return show_questions(request, entrance, ticket, FormInput(), [], signed=signed)

    frame = find_frame(request)
    signed = sign_ticket(request.app.state.settings.secret_key, ticket)
    if frame and not frame.parent:
        return draw(signed)  # of any number of pages that the survey does not list
    forms: BlankForms = request.app.state.blank_forms
    variant = (current_language(), frame, frozenset(ticket.labels))
    form = forms.recall(entrance, variant, draw)
    if form is None:
        return draw(signed)
    forms.keep(address, form, ticket.labels)
    return form.with_ticket(signed)


def show_questions(
    request: Request,
    entrance: Entrance,
    ticket: Ticket,
    given: FormInput,
    errors: Sequence[FormError],
    action: str = "",
    signed: str = "",
) -> Response:
    """The form with what was `given`; sent to `action`, or to where answers are taken. `signed` is
    the ticket where it has been signed before."""
    survey = entrance.questionnaire
    # Whoever is shown the page again reads the wording of now.
    ticket = replace(ticket, version_id=survey.version_id)
    questions = [
        dimension
        for dimension in survey.dimensions
        if dimension.source is DimensionSource.QUESTION and dimension.offered
    ]
    return show(
        request,
        "responses/form.html",
        422 if errors else 200,
        # A preview saves nothing.
        scripts=() if action else [FORM_SCRIPT],
        survey=survey,
        scale_layout=LAYOUTS[survey.layout_version],
        texts=survey.wording[current_language()],
        slug=entrance.link.slug,
        action=action,
        ticket=signed or sign_ticket(request.app.state.settings.secret_key, ticket),
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
    stay_in_frame(request)
    return show(
        request,
        "responses/try_again.html",
        503,
        headers={"Retry-After": str(RETRY_AFTER_S)},
        slug=slug,
        given=given,
    )
