"""Saves a score as soon as it is chosen, before anything is sent: the form's script asks for it."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import Respondent
from app.foundation.database import AWAY
from app.foundation.errors import Unavailable
from app.foundation.translation import current_language
from app.responses.entrances import Entrance
from app.responses.form import EarlyScore, read_early, read_form
from app.responses.intake import RETRY_AFTER_S
from app.responses.pages.answering import enter_open, judge, ticket_of
from app.responses.pages.frames import channel_of
from app.responses.pages.showing import Shut, read_fields
from app.responses.schemas import NewAnswer
from app.responses.suspicion import DEBOUNCE
from app.responses.tickets import Ticket
from app.surveys.models import DimensionSource
from app.surveys.segments import accept_segments

router = APIRouter(dependencies=[Respondent])


@router.put("/s/{slug}/score")
async def save_early(request: Request, slug: str) -> Response:
    """204 once the score is stored, or something later is; an empty answer otherwise, because
    nobody reads it: what the person sends says all there is to say."""
    given = read_form(await read_fields(request))
    try:
        entrance = await enter_open(request, slug)
        ticket, early = ticket_of(request, entrance, given), read_early(given)
        if ticket is None or early is None:
            return Response(status_code=422)
        await _save(request, entrance, ticket, early, given.trap)
    except Shut as shut:
        return Response(status_code=shut.response.status_code)
    except (Unavailable, *AWAY):
        return Response(status_code=503, headers={"Retry-After": str(RETRY_AFTER_S)})
    return Response(status_code=204)


async def _save(
    request: Request, entrance: Entrance, ticket: Ticket, early: EarlyScore, trap: str
) -> None:
    survey = entrance.questionnaire
    verdict = judge(request, ticket, trap, DEBOUNCE)
    answer = NewAnswer(
        survey_id=survey.survey_id,
        version_id=ticket.version_id,
        score=early.score,
        comment=None,
        language=current_language(),
        channel=channel_of(request, entrance),
        answered_on=entrance.today,
        labels=accept_segments(survey, ticket.labels, [DimensionSource.LINK]),
        standing=verdict.standing,
        hold_reason=verdict.reason,
        submission_key=ticket.submission_key,
        number=early.number,
    )
    [stored] = await request.app.state.intake.submit(survey.workspace_id, [answer])
    if stored.id != answer.id:
        verdict.take_back()
