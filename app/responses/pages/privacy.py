"""What happens with an answer, for whoever is asked for one: the rules and what is stored."""

from collections.abc import Sequence
from itertools import groupby

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import Respondent
from app.foundation.translation import current_language, gettext, phrase
from app.responses.entrances import Access
from app.responses.pages.showing import READ, Shut, find_entrance, show
from app.responses.promise import Part, Promise, promises_of
from app.responses.stored import things_stored
from app.surveys.schemas import Questionnaire

router = APIRouter(dependencies=[Respondent])

STYLES = ("respondent.css", "privacy.css")


@router.api_route("/s/{slug}/privacy", methods=READ)
async def show_privacy(request: Request, slug: str) -> Response:
    """Also where the survey is closed or the link revoked: answers are kept beyond that."""
    try:
        entrance = await find_entrance(request, slug)
    except Shut as shut:
        return shut.response
    survey = entrance.questionnaire
    if entrance.access is Access.NOT_YET:
        return show(request, "responses/shut.html", 403, reason="not_yet", survey=survey, slug=slug)
    return show(
        request,
        "responses/privacy.html",
        styles=STYLES,
        survey=survey,
        texts=survey.wording[current_language()],
        slug=slug,
        parts=_parts(promises_of(survey)),
        stored_part=Part.STORED,
        gone_part=Part.GONE,
        kept=_things_by_time(survey),
    )


def _parts(promises: Sequence[Promise]) -> list[tuple[Part, list[Promise]]]:
    return [(part, list(found)) for part, found in groupby(promises, key=lambda one: one.part)]


def _things_by_time(survey: Questionnaire) -> list[tuple[str, list[str]]]:
    """How long, and what is kept so long, in the reader's language."""
    times: dict[str, list[str]] = {}
    values = {"num": survey.retention_months}
    for words, kept in things_stored(survey.asks_contact):
        times.setdefault(phrase(kept.words, values), []).append(gettext(words))
    return list(times.items())
