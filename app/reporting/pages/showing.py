"""What the pages of one survey's results share."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from app.foundation.web.rendering import format_month
from app.reporting import labels
from app.reporting.dashboard import Dashboard
from app.reporting.filters import ReportFilter
from app.reporting.listing import ListedResponse
from app.reporting.page_filters import Preset, choices, preset_options
from app.responses.models import Standing
from app.scoring import Category
from app.surveys.schemas import Questionnaire

SURVEY = "/w/{workspace}/surveys/{survey_id}"


def shared_values(
    questionnaire: Questionnaire, asked: ReportFilter, preset: Preset
) -> dict[str, Any]:
    """What their templates need, whatever else they show."""
    return {
        "workspace_id": questionnaire.workspace_id,
        "survey": questionnaire,
        "base": f"/w/{questionnaire.workspace_id}/surveys/{questionnaire.survey_id}",
        "asked": asked,
        "preset": preset,
        "presets": preset_options(),
        "choices": choices(questionnaire, asked),
        "name_of_months": labels.name_of_months,
        "name_of_runs": labels.name_of_runs,
        "name_of_days": labels.name_of_days,
        "language_of_text": labels.language_of_text,
        "describe": lambda row: _describe(questionnaire, row),
    }


def board_values(
    questionnaire: Questionnaire, asked: ReportFilter, preset: Preset, board: Dashboard
) -> dict[str, Any]:
    """What `reporting/dashboard.html` needs, for members and by a shared link."""
    values = shared_values(questionnaire, asked, preset)
    return {
        **values,
        "board": board,
        "theme_links": _theme_links(f"{values['base']}/responses", board),
        "name_of_month": format_month,
        "metrics": board.metrics,
        "figures": board.metrics.figures,
    }


def _theme_links(list_href: str, board: Dashboard) -> dict[str, Callable[[str], str]]:
    """From the key of a theme to the comments that it was counted in."""

    of_all_groups = replace(board.listed, category=None)

    def leading_to(**narrowed: Any) -> Callable[[str], str]:
        def href(key: str) -> str:
            query = replace(of_all_groups, term=key, **narrowed).to_query()
            return f"{list_href}?{query}&standing={Standing.COUNTED}"

        return href

    recent = board.themes.recent
    days = {"since": recent.since, "until": recent.until} if recent else {}
    return {
        "promoters": leading_to(category=Category.PROMOTER),
        "detractors": leading_to(category=Category.DETRACTOR),
        "new": leading_to(**days),
    }


def _describe(questionnaire: Questionnaire, row: ListedResponse) -> list[str]:
    """The labels of a row in words."""
    return [labels.name_of_value(questionnaire, name, value) for name, value in row.labels.items()]
