"""What the pages of one survey's results share."""

import uuid
from typing import Any

from app.accounts.schemas import Member
from app.reporting import labels
from app.reporting.filters import ReportFilter
from app.reporting.listing import ListedResponse
from app.reporting.page_filters import Preset, choices, preset_options
from app.surveys.schemas import Questionnaire

SURVEY = "/w/{workspace}/surveys/{survey_id}"


def survey_base(member: Member, survey_id: uuid.UUID) -> str:
    """The address of the survey's dashboard."""
    return f"/w/{member.workspace_id}/surveys/{survey_id}"


def shared_values(
    member: Member, questionnaire: Questionnaire, asked: ReportFilter, preset: Preset
) -> dict[str, Any]:
    """What their templates need, whatever else they show."""
    return {
        "workspace_id": member.workspace_id,
        "survey": questionnaire,
        "base": survey_base(member, questionnaire.survey_id),
        "asked": asked,
        "preset": preset,
        "presets": preset_options(),
        "choices": choices(questionnaire, asked),
        "name_of_months": labels.name_of_months,
        "name_of_days": labels.name_of_days,
        "language_of_text": labels.language_of_text,
        "describe": lambda row: _describe(questionnaire, row),
    }


def _describe(questionnaire: Questionnaire, row: ListedResponse) -> list[str]:
    """The labels of a row in words."""
    return [labels.name_of_value(questionnaire, name, value) for name, value in row.labels.items()]
