"""Several surveys at once: everybody's figures together, and each survey beside the others.

Every survey is read as if it were asked for alone, under its own rule of publication, and what it
shows is added up. So whatever is told here can be reckoned from the pages of the single surveys.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.errors import Invalid, InvalidParam, NotFound
from app.foundation.translation import mark
from app.reporting.counts import add_answers, add_totals
from app.reporting.filters import (
    LANGUAGE,
    MAX_LABELS,
    SEGMENT_PREFIX,
    Against,
    FilterQuery,
    ReportFilter,
    read_filter,
    refused,
    selectors,
)
from app.reporting.metrics import Known, Metrics, look_up, report_on
from app.reporting.publication import PublishedTogether
from app.reporting.queries import list_in_order
from app.scoring import AnswerCounts, Comparison, Distribution, compare_many
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Dimension, Questionnaire


@dataclass(frozen=True, slots=True)
class Surveys:
    """Several surveys, the oldest first, and what they have in common as if it were one: the
    languages of all, the dimensions that all declare with the same values, the largest group
    minimum. `unshared` names the dimensions on which they do not agree."""

    each: tuple[Questionnaire, ...]
    common: Questionnaire
    unshared: tuple[Dimension, ...]


@dataclass(frozen=True, slots=True)
class SurveyRow:
    """One of the surveys: its own figures, and how they differ from those it is held against
    (None where one side is hidden or empty; p-values corrected for the number of surveys)."""

    survey: Questionnaire
    metrics: Metrics
    versus: Comparison | None


@dataclass(frozen=True, slots=True)
class Together:
    """The figures of several surveys; `total` is that of all answers, with the first survey's id
    in its filter."""

    total: Metrics
    rows: tuple[SurveyRow, ...]
    against: Against


async def get_surveys(
    session: AsyncSession, workspace_id: uuid.UUID, survey_ids: Sequence[uuid.UUID]
) -> Surveys:
    """The surveys with those ids; NotFound where the workspace lacks one of them."""
    found = await find_surveys(session, workspace_id, survey_ids)
    if len(found.each) < len(set(survey_ids)):
        raise NotFound
    return found


async def find_surveys(
    session: AsyncSession, workspace_id: uuid.UUID, survey_ids: Sequence[uuid.UUID]
) -> Surveys:
    """Those of the surveys that the workspace has; NotFound where it has none of them."""
    in_order = await list_in_order(session, workspace_id, survey_ids)
    if not in_order:
        raise NotFound
    return gather([await get_questionnaire(session, workspace_id, found) for found in in_order])


def gather(each: Sequence[Questionnaire]) -> Surveys:
    """The surveys, of which there is at least one, with what they have in common."""
    shared = [found for found in each[0].dimensions if _is_shared(found, each)]
    names = {found.key for found in shared}
    unshared = {
        found.key: found for survey in each for found in survey.dimensions if found.key not in names
    }
    common = replace(
        each[0],
        dimensions=tuple(shared),
        languages=tuple(
            language
            for language in each[0].languages
            if all(language in survey.languages for survey in each)
        ),
        min_group_size=max(survey.min_group_size for survey in each),
    )
    return Surveys(tuple(each), common, tuple(unshared.values()))


def read_common_filter(
    query: FilterQuery, surveys: Surveys, most_labels: int = MAX_LABELS
) -> ReportFilter:
    """The filter that a query asks for, of all the surveys.

    Invalid as in `read_filter`, for a segment dimension on which the surveys do not agree, and for
    a series of a subgroup: each survey shows its subgroups by months of its own.
    """
    unshared = {SEGMENT_PREFIX + dimension.key for dimension in surveys.unshared}
    reason = mark("The surveys do not all declare this segment dimension with the same values.")
    wrong = [InvalidParam(name, reason) for name in query.model_extra or {} if name in unshared]
    if wrong:
        raise refused(*wrong)
    asked = read_filter(query, surveys.common, most_labels)
    if asked.is_subgroup and asked.interval is not None:
        reason = mark("Subgroups of several surveys have no series.")
        raise refused(InvalidParam("interval", reason))
    return asked


def read_fitting_filter(
    query: FilterQuery, surveys: Surveys
) -> tuple[ReportFilter, dict[str, str]]:
    """The part of a page's filter that fits all the surveys, and the labels (selector → value)
    that do not: they were chosen when the surveys were others.

    Any number of labels passes: the page keeps the choices and says that they are too many. Invalid
    for parameters that no survey could have.
    """
    most = len(selectors(surveys.common))
    try:
        return read_filter(query, surveys.common, most), {}
    except Invalid as error:
        names = [param.name for param in error.invalid_params]
        if not all(name == LANGUAGE or name.startswith(SEGMENT_PREFIX) for name in names):
            raise
    given: dict[str, Any] = query.model_dump(exclude_unset=True)
    left_out = {name: str(given.pop(name)) for name in names}
    return read_filter(type(query).model_validate(given), surveys.common, most), left_out


async def measure_together(
    session: AsyncSession, surveys: Surveys, asked: ReportFilter, against: Against
) -> Together:
    """The figures of a filter that is without a series where it asks for a subgroup."""
    return report_together(surveys, asked, against, await look_up_each(session, surveys, asked))


async def look_up_each(
    session: AsyncSession, surveys: Surveys, asked: ReportFilter
) -> Sequence[Known]:
    """Read what `report_together` needs of each survey."""
    return [
        await look_up(session, survey, replace(asked, survey_id=survey.survey_id))
        for survey in surveys.each
    ]


def report_together(
    surveys: Surveys, asked: ReportFilter, against: Against, known: Sequence[Known]
) -> Together:
    """The figures that follow from what is known of each survey."""
    filters = [replace(asked, survey_id=survey.survey_id) for survey in surveys.each]
    each = [
        report_on(survey, replace(own, interval=None, group_by=()), found)
        for survey, own, found in zip(surveys.each, filters, known, strict=True)
    ]
    differences = compare_many(_pairs([_counts(metrics) for metrics in each], against))
    return Together(
        total=report_on(surveys.common, asked, _added(known)),
        rows=tuple(map(SurveyRow, surveys.each, each, differences)),
        against=against,
    )


def _is_shared(dimension: Dimension, surveys: Sequence[Questionnaire]) -> bool:
    keys = {value.key for value in dimension.values}
    others = [survey.find_dimension(dimension.key) for survey in surveys]
    return all(other and {value.key for value in other.values} == keys for other in others)


def _added(known: Sequence[Known]) -> Known:
    totals = [found.totals for found in known if found.totals is not None]
    published = PublishedTogether([found.published for found in known])
    return Known(published, add_totals(totals) if totals else None)


def _counts(metrics: Metrics) -> AnswerCounts:
    """What is shown of a survey; nothing where it is hidden."""
    return metrics.figures.counts if metrics.figures else Distribution.empty()


def _pairs(
    counts: Sequence[AnswerCounts], against: Against
) -> list[tuple[AnswerCounts, AnswerCounts]]:
    if against is Against.PREVIOUS:
        return list(zip(counts, [Distribution.empty(), *counts], strict=False))
    return [
        (mine, add_answers([*counts[:at], *counts[at + 1 :]])) for at, mine in enumerate(counts)
    ]
