"""HTML route of churn, retention and NRR beside the score."""

import uuid
from enum import IntEnum

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import SignedInMember
from app.followups.words import (
    METRIC_MEANINGS,
    METRIC_NAMES,
    SEPARATOR,
    segment_options,
    survey_base,
)
from app.foundation.errors import InvalidParam
from app.foundation.translation import gettext, mark, ngettext
from app.foundation.web.rendering import render
from app.reporting import labels
from app.reporting.beside import put_beside
from app.reporting.filters import refused
from app.reporting.pages.showing import SURVEY
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire

router = APIRouter()


class Months(IntEnum):
    """How far back the page looks."""

    YEAR = 12
    TWO_YEARS = 24
    THREE_YEARS = 36


@router.get(SURVEY + "/indicators")
async def show_indicators(
    request: Request,
    member: SignedInMember,
    survey_id: uuid.UUID,
    months: Months = Months.TWO_YEARS,
    segment: str = "",
) -> Response:
    survey = await get_questionnaire(member.session, member.workspace_id, survey_id)
    chosen = _declared(survey, segment)
    beside = await put_beside(member.session, survey, months, chosen)
    return render(
        request,
        "reporting/indicators.html",
        survey=survey,
        base=survey_base(member, survey_id),
        beside=beside,
        months=months,
        month_options=[
            (at.value, ngettext("Last %(num)s month", "Last %(num)s months", at) % {"num": at})
            for at in Months
        ],
        segment=segment,
        segment_options=segment_options(survey),
        metric_names=METRIC_NAMES,
        metric_meanings=METRIC_MEANINGS,
        name_of_months=labels.name_of_months,
        notice=gettext("Saved.") if request.query_params.get("done") == "saved" else None,
    )


def _declared(survey: Questionnaire, segment: str) -> tuple[str, str] | None:
    """The dimension and the value; None for all customers, Invalid where none is declared."""
    if not segment:
        return None
    key, _separator, value = segment.partition(SEPARATOR)
    dimension = survey.find_dimension(key)
    if dimension is None or dimension.find_value(value) is None:
        reason = mark("The segment dimension declares no such value.")
        raise refused(InvalidParam("segment", reason))
    return key, value
