"""How segments, languages, channels and times are called on a page."""

from collections.abc import Mapping, Sequence

from babel import Locale, UnknownLocaleError

from app.foundation.translation import babel_locale, current_language, gettext, mark
from app.foundation.web.rendering import format_day, format_month
from app.reporting.buckets import Interval, Period, month_end
from app.reporting.filters import CHANNEL, LANGUAGE, SEGMENT_PREFIX
from app.scoring import Category
from app.surveys.models import Channel
from app.surveys.schemas import NONE, OTHER, Questionnaire

CHANNEL_NAMES = {
    Channel.LINK: mark("Link"),
    Channel.QR: mark("QR code"),
    Channel.EMAIL: mark("E-mail"),
    Channel.EMBED: mark("Embedded form"),
    Channel.API: mark("API"),
    Channel.IMPORT: mark("Import"),
}
CATEGORY_NAMES = {
    Category.PROMOTER: mark("Promoters (9–10)"),
    Category.PASSIVE: mark("Passives (7–8)"),
    Category.DETRACTOR: mark("Detractors (0–6)"),
}


def name_of_selector(questionnaire: Questionnaire, selector: str) -> str:
    """What a dimension (or language, channel) is called in the reader's language."""
    if selector == LANGUAGE:
        return gettext("Language")
    if selector == CHANNEL:
        return gettext("Channel")
    key = selector.removeprefix(SEGMENT_PREFIX)
    dimension = questionnaire.find_dimension(key)
    return _in_language(dimension.label if dimension else {}, questionnaire) or key


def name_of_value(questionnaire: Questionnaire, selector: str, value: str) -> str:
    """What one value of a selector is called in the reader's language."""
    if selector == LANGUAGE:
        return _name_of_language(value)
    if selector == CHANNEL:
        return gettext(CHANNEL_NAMES[Channel(value)])
    if value == NONE:
        return gettext("Not given")
    if value == OTHER:
        return gettext("Other")
    dimension = questionnaire.find_dimension(selector.removeprefix(SEGMENT_PREFIX))
    found = dimension.find_value(value) if dimension else None
    return _in_language(found.label if found else {}, questionnaire) or value


def _in_language(label: Mapping[str, str], questionnaire: Questionnaire) -> str:
    return label.get(current_language()) or label.get(questionnaire.default_language) or ""


def _name_of_language(tag: str) -> str:
    try:
        name = Locale.parse(tag, sep="-").get_display_name(babel_locale())
    except (ValueError, UnknownLocaleError):
        return tag
    return str(name).capitalize() if name else tag


def name_of_months(period: Period) -> str:
    """`Apr 2026`, or `Jan 2026 – Mar 2026`; an open start leaves the first month out."""
    if period.until is None:
        return "" if period.since is None else f"{format_month(period.since)} –"
    if period.since is None:
        return gettext("until %(month)s") % {"month": format_month(period.until)}
    if period.until <= month_end(period.since):
        return format_month(period.since)
    return f"{format_month(period.since)} – {format_month(period.until)}"


def name_of_runs(runs: Sequence[Period] | None) -> str:
    """`Jan 2026 – Mar 2026, May 2026`."""
    return gettext(", ").join(name_of_months(run) for run in runs or ())


def name_of_days(period: Period) -> str:
    """`Jan 5, 2026 – Mar 31, 2026`; empty for all time."""
    if period.since is None and period.until is None:
        return ""
    return f"{format_day(period.since)} – {format_day(period.until)}"


def name_of_point(period: Period, interval: Interval) -> str:
    """The short name of a point in a chart."""
    assert period.since is not None
    assert period.until is not None
    if interval in (Interval.DAY, Interval.WEEK):
        return format_day(period.since)
    if interval is Interval.QUARTER and period.until <= month_end(
        period.since.replace(day=1, month=period.since.month - (period.since.month - 1) % 3 + 2)
    ):
        quarter = (period.since.month + 2) // 3
        return gettext("Q%(quarter)s %(year)s") % {"quarter": quarter, "year": period.since.year}
    return name_of_months(period)


def language_of_text(text: str) -> str | None:
    """`ja` where the text itself holds kana, for fonts and speech; None where it does not tell.

    The stored language is a label, and a row with its day must not show labels.
    """
    return "ja" if any("\u3041" <= character <= "\u30ff" for character in text) else None
