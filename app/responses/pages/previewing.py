"""The form as it stands in a frame, for members to try. Nothing that is sent from here is kept."""

import uuid

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import SignedInMember
from app.accounts.schemas import Member
from app.foundation.translation import choose_language, current_language, set_language
from app.responses.entrances import Entrance
from app.responses.form import FormInput, check_form, read_form
from app.responses.pages.answering import show_questions
from app.responses.pages.brands import wear_brand
from app.responses.pages.frames import enter_preview
from app.responses.pages.showing import read_fields, show
from app.responses.tickets import Ticket
from app.scoring import category_of
from app.surveys.listings import list_links
from app.surveys.queries import get_entry_link, get_questionnaire

router = APIRouter(prefix="/w/{workspace}/surveys/{survey_id}/preview")


@router.get("/form")
async def show_form(request: Request, member: SignedInMember, survey_id: uuid.UUID) -> Response:
    entrance = await _enter(request, member, survey_id)
    return _ask(request, entrance, FormInput())


@router.post("/form")
async def try_sending(request: Request, member: SignedInMember, survey_id: uuid.UUID) -> Response:
    """What a respondent would see next: the thank-you page, or what is to be corrected."""
    entrance = await _enter(request, member, survey_id)
    given = read_form(await read_fields(request))
    survey = entrance.questionnaire
    checked = check_form(given, survey.asks_contact)
    if isinstance(checked, list):
        return _ask(request, entrance, given)
    thanks = survey.thanks_for(current_language(), category_of(checked.score))
    return show(request, "responses/thanks.html", survey=survey, thanks=thanks, receipt=None)


async def _enter(request: Request, member: Member, survey_id: uuid.UUID) -> Entrance:
    """The survey by its own link, open or not, in the language asked for or the member's."""
    survey = await get_questionnaire(member.session, member.workspace_id, survey_id)
    [own] = (await list_links(member.session, member.workspace_id, survey_id, 1)).rows
    link = await get_entry_link(member.session, member.workspace_id, own.slug)
    wanted = request.query_params.get("lang", "")
    set_language(
        choose_language(current_language(), survey.languages, survey.default_language, wanted)
    )
    enter_preview(request)
    entrance = Entrance(link, survey)
    wear_brand(request, entrance)
    return entrance


def _ask(request: Request, entrance: Entrance, given: FormInput) -> Response:
    survey = entrance.questionnaire
    checked = check_form(given, survey.asks_contact) if request.method == "POST" else []
    return show_questions(
        request,
        entrance,
        # Signed for a link that cannot be, so that it is good for nothing anywhere else.
        Ticket("", survey.survey_id, survey.version_id, {}),
        given,
        checked if isinstance(checked, list) else [],
        action=f"{request.url.path}?lang={current_language()}",
    )
