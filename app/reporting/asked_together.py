"""What the page of several surveys is asked for: the surveys, the filter, and both in words."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation import clock
from app.foundation.errors import Invalid, InvalidParam, NotFound
from app.foundation.translation import current_language, gettext, mark, ngettext
from app.reporting import labels
from app.reporting.filter_words import describe_filter
from app.reporting.filters import MOST_SURVEYS, SEGMENT_PREFIX, Against, ReportFilter, refused
from app.reporting.page_filters import AGAINST_NAMES, Preset, SeveralQuery, in_period
from app.reporting.stored_queries import read_query
from app.reporting.together import Surveys, find_surveys, gather, read_fitting_filter
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire

LEAST_SURVEYS = 2
HOW_MANY = mark("Choose at least two surveys, and at most 12.")


@dataclass(frozen=True, slots=True)
class AskedTogether:
    """What is asked of several surveys. `left_out` are the labels (selector → value) that do not
    fit all of them, `missing` is how many of those asked for the workspace does not have."""

    surveys: Surveys
    asked: ReportFilter
    left_out: Mapping[str, str]
    missing: int
    preset: Preset
    today: date
    against: Against

    def filter_words(self) -> list[tuple[str, str]]:
        """What was asked for, in the reader's language, the surveys first and the day last."""
        names = gettext(", ").join(survey.name for survey in self.surveys.each)
        words = describe_filter(self.surveys.common, self.asked, self.preset, self.today)
        against = gettext("Compare each with"), gettext(AGAINST_NAMES[self.against])
        cut = [words for words in (self.missing_words(), self.left_out_words()) if words]
        left_out = [(gettext("Left out"), words) for words in cut]
        return [(gettext("Surveys"), names), *words[1:-1], against, *left_out, words[-1]]

    @property
    def is_whole(self) -> bool:
        """Whether all that was asked for can be had, of two surveys at least."""
        return not self.left_out and not self.missing and len(self.surveys.each) >= LEAST_SURVEYS

    def left_out_words(self) -> str:
        """`Plan: Pro, Language: German`; a colon stands between in every language."""
        return gettext(", ").join(
            f"{self._name_of(name)}: {self._name_of(name, value)}"
            for name, value in self.left_out.items()
        )

    def missing_words(self) -> str:
        """How many of the surveys there are no more; empty where all are there."""
        if not self.missing:
            return ""
        words = ngettext(
            "%(num)s survey that is not in this workspace any more",
            "%(num)s surveys that are not in this workspace any more",
            self.missing,
        )
        return words % {"num": self.missing}

    def _name_of(self, selector: str, value: str | None = None) -> str:
        """As a survey calls it that knows it."""
        key = selector.removeprefix(SEGMENT_PREFIX)
        found = [(survey, survey.find_dimension(key)) for survey in self.surveys.each]
        known = [survey for survey, own in found if own] or [self.surveys.common]
        if value is None:
            return labels.name_of_selector(known[0], selector)
        named = [survey for survey, own in found if own and own.find_value(value)] or known
        return labels.name_of_value(named[0], selector, value)

    def unshared(self) -> list[str]:
        """The dimensions on which the surveys do not agree, by name, without those left out."""
        return [
            dimension.label_in(current_language())
            for dimension in self.surveys.unshared
            if SEGMENT_PREFIX + dimension.key not in self.left_out
        ]


async def ask_together(
    session: AsyncSession, workspace_id: uuid.UUID, query: SeveralQuery
) -> AskedTogether:
    """What a query asks for, of those of its surveys that there are; NotFound where there is none
    of them, Invalid for none or too many and for what no survey could have."""
    if not 0 < len(query.survey) <= MOST_SURVEYS:
        raise refused(InvalidParam("survey", HOW_MANY))
    return _asked(await find_surveys(session, workspace_id, query.survey), query)


def _asked(surveys: Surveys, query: SeveralQuery) -> AskedTogether:
    asked, left_out = read_fitting_filter(query, surveys)
    today = clock.today(surveys.common.time_zone)
    asked, preset = in_period(query, asked, today, Preset.ALL)
    missing = len(query.survey) - len(surveys.each)
    return AskedTogether(surveys, asked, left_out, missing, preset, today, query.against)


def without_left_out(query: SeveralQuery, asked: AskedTogether) -> SeveralQuery:
    """The query that asks for what is shown; Invalid where that is not of two surveys at least, or
    one of them is gone."""
    if asked.missing or len(asked.surveys.each) < LEAST_SURVEYS:
        raise refused(InvalidParam("survey", HOW_MANY))
    given = query.model_dump(exclude_unset=True, exclude=set(asked.left_out))
    return SeveralQuery.model_validate(given)


async def ask_stored(
    session: AsyncSession, workspace_id: uuid.UUID, texts: Sequence[str]
) -> list[AskedTogether | None]:
    """What stored queries ask for today, each survey read once; None where a query is of no survey
    any more, or of what none could have."""
    found: dict[uuid.UUID, Questionnaire | None] = {}
    asked: list[AskedTogether | None] = []
    for text in texts:
        try:
            query = read_query(SeveralQuery, text)
            for survey_id in query.survey:
                if survey_id not in found:
                    found[survey_id] = await _find(session, workspace_id, survey_id)
            each = [survey for one in query.survey if (survey := found[one])]
            asked.append(_asked(gather(each), query) if each else None)
        except (ValueError, Invalid):
            asked.append(None)
    return asked


async def _find(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> Questionnaire | None:
    try:
        return await get_questionnaire(session, workspace_id, survey_id)
    except NotFound:
        return None
