"""What pages of this feature, here and in reporting, say in common: names and choices."""

import uuid

from app.accounts.schemas import Member
from app.followups.models import IndicatorMetric
from app.foundation.translation import current_language, gettext, mark
from app.surveys.schemas import Questionnaire

SEPARATOR = "="  # between a dimension and its value, as one choice
NOTICES = {
    "saved": mark("Saved."),
    "deleted": mark("Deleted."),
    "done": mark("Done. The days from now on show what it was followed by."),
}

METRIC_NAMES = {
    IndicatorMetric.CHURN: mark("Churn rate"),
    IndicatorMetric.RETENTION: mark("Retention rate"),
    IndicatorMetric.NRR: mark("Net revenue retention (NRR)"),
}
METRIC_MEANINGS = {
    IndicatorMetric.CHURN: mark("Customers lost in the month ÷ customers at its start."),
    IndicatorMetric.RETENTION: mark("1 − churn rate: customers kept ÷ customers at its start."),
    IndicatorMetric.NRR: mark(
        "(Recurring revenue at the start of the month + expansion − contraction − churned) ÷ "
        "recurring revenue at its start."
    ),
}


def survey_base(member: Member, survey_id: uuid.UUID) -> str:
    """The address of the survey's dashboard."""
    return f"/w/{member.workspace_id}/surveys/{survey_id}"


def metric_options() -> list[tuple[str, str]]:
    """The rates to choose from, in the reader's language."""
    return [(metric.value, gettext(name)) for metric, name in METRIC_NAMES.items()]


def segment_options(survey: Questionnaire) -> list[tuple[str, str]]:
    """All customers, then those of each declared segment value, in the reader's language."""
    language = current_language()
    options = [("", gettext("All customers"))]
    for dimension in survey.dimensions:
        name = dimension.label_in(language)
        options += [
            (f"{dimension.key}{SEPARATOR}{value.key}", f"{name}: {value.label_in(language)}")
            for value in dimension.values
        ]
    return options
