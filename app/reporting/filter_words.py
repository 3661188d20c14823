"""What a report is about, in words: printed on every page and file that leaves."""

from datetime import date

from app.foundation.translation import gettext
from app.foundation.web.rendering import format_day
from app.reporting.filters import ReportFilter
from app.reporting.labels import CATEGORY_NAMES, name_of_days, name_of_selector, name_of_value
from app.reporting.page_filters import COMPARE_NAMES, PRESET_NAMES, Preset
from app.surveys.schemas import Questionnaire


def describe_filter(
    questionnaire: Questionnaire, asked: ReportFilter, preset: Preset, today: date
) -> list[tuple[str, str]]:
    """Name and value of everything that was chosen, the survey first and the day last.

    A period that nothing lies before, such as all time, is compared with nothing, whatever was
    chosen.
    """
    words = [
        (gettext("Survey"), questionnaire.name),
        (gettext("Period"), name_of_period(asked, preset)),
    ]
    if asked.period.compared(asked.compare) is not None:
        words.append((gettext("Compared with"), gettext(COMPARE_NAMES[asked.compare])))
    words += [
        (name_of_selector(questionnaire, selector), name_of_value(questionnaire, selector, value))
        for selector, value in asked.labels.items()
    ]
    if asked.category is not None:
        words.append((gettext("Comments of"), gettext(CATEGORY_NAMES[asked.category])))
    return [*words, (gettext("As of"), format_day(today))]


def name_of_period(asked: ReportFilter, preset: Preset) -> str:
    """`Last 90 days (Apr 11, 2026 – Jul 9, 2026)`."""
    days = name_of_days(asked.period)
    if preset is Preset.DAYS:
        return days or gettext(PRESET_NAMES[Preset.ALL])
    name = gettext(PRESET_NAMES[preset])
    return f"{name} ({days})" if days else name
