"""The figures of a survey in an export: the very ones that the page and the API give.

Everything comes from `measure`, so nothing is in the file that may not be shown on the page.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.bundles import Bundle
from app.reporting.buckets import Interval
from app.reporting.export_tables import Record, Value, write_table
from app.reporting.figure_shapes import figures_out
from app.reporting.filters import SEGMENT_PREFIX, ReportFilter, selectors
from app.reporting.metrics import Figures, SeriesPoint, measure
from app.responses.models import SCORES
from app.surveys.schemas import Questionnaire

PERIOD_COLUMNS = ("since", "until")
FIGURE_COLUMNS = (
    "response_count", "nps", "nps_low", "nps_high",
    "promoter_count", "passive_count", "detractor_count",
    *(f"score_{score}" for score in SCORES),
)  # fmt: skip
OVERALL_COLUMNS = (*PERIOD_COLUMNS, *FIGURE_COLUMNS)
SUBGROUP_COLUMNS = ("split_by", "value", *PERIOD_COLUMNS, "suppressed", *FIGURE_COLUMNS)


async def write_figures(
    session: AsyncSession, bundle: Bundle, folder: str, questionnaire: Questionnaire
) -> None:
    """Everybody's figures by day and by month; those of subgroups by their blocks of months.

    Days without answers have no line. `score_0` to `score_10` are empty where a group answered so
    much alike that only promoters, passives and detractors may be told.
    """
    asked = ReportFilter(questionnaire.survey_id, interval=Interval.MONTH)
    months = (await measure(session, questionnaire, asked)).series
    days = _by_day(session, questionnaire, months)
    await write_table(session, bundle, f"{folder}/figures-by-day", OVERALL_COLUMNS, days)
    by_month = _in_one([_overall(point) for point in months])
    await write_table(session, bundle, f"{folder}/figures-by-month", OVERALL_COLUMNS, by_month)
    subgroups = _subgroups(session, questionnaire)
    await write_table(
        session, bundle, f"{folder}/figures-of-subgroups", SUBGROUP_COLUMNS, subgroups
    )


async def _in_one(records: Sequence[Record]) -> AsyncIterator[Sequence[Record]]:
    yield records


async def _by_day(
    session: AsyncSession, questionnaire: Questionnaire, months: Sequence[SeriesPoint]
) -> AsyncIterator[Sequence[Record]]:
    """A year at a time: a series may have only so many days."""
    for year in sorted({point.period.since.year for point in months if point.period.since}):
        asked = ReportFilter(
            questionnaire.survey_id,
            since=date(year, 1, 1),
            until=date(year, 12, 31),
            interval=Interval.DAY,
        )
        series = (await measure(session, questionnaire, asked)).series
        yield [_overall(point) for point in series if point.figures and point.figures.counts.total]


async def _subgroups(
    session: AsyncSession, questionnaire: Questionnaire
) -> AsyncIterator[Sequence[Record]]:
    split = ReportFilter(questionnaire.survey_id, group_by=selectors(questionnaire))
    groups = (await measure(session, questionnaire, split)).groups
    for selector, found in groups.items():
        for group in found:
            asked = ReportFilter(questionnaire.survey_id, interval=Interval.MONTH)
            narrowed = asked.with_label(selector, group.value)
            series = (await measure(session, questionnaire, narrowed)).series
            names = {"split_by": selector.removeprefix(SEGMENT_PREFIX), "value": group.value}
            yield [_subgroup(names, point) for point in series]


def _subgroup(names: Mapping[str, str], point: SeriesPoint) -> Record:
    return {**names, "suppressed": point.figures is None, **_overall(point)}


def _overall(point: SeriesPoint) -> Record:
    since, until = point.period.since, point.period.until
    assert since is not None
    assert until is not None
    return {
        "since": since.isoformat(), "until": until.isoformat(), **figure_values(point.figures)
    }  # fmt: skip


def figure_values(figures: Figures | None) -> dict[str, Value]:
    """What stands under `FIGURE_COLUMNS`: nothing where the figures are hidden."""
    if figures is None:
        return dict.fromkeys(FIGURE_COLUMNS)
    out = figures_out(figures)
    scores: Sequence[Value] = out.distribution or [None] * len(SCORES)
    return {
        **{name: getattr(out, name) for name in FIGURE_COLUMNS if not name.startswith("score_")},
        **{f"score_{score}": count for score, count in zip(SCORES, scores, strict=True)},
    }
