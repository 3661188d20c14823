"""What the page of several surveys shows: all together, each survey, the trend, segments."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.translation import current_language
from app.reporting.buckets import Interval
from app.reporting.filters import MAX_LABELS, Against, ReportFilter, selectors
from app.reporting.labels import name_of_runs
from app.reporting.metrics import Metrics
from app.reporting.segment_tables import SegmentTable, Sort, segment_tables
from app.reporting.together import SurveyRow, Surveys, Together, measure_together
from app.reporting.trend import MAX_POINTS, Trend, trend_of, usual_interval
from app.scoring import WholeShares, whole_shares


@dataclass(frozen=True, slots=True)
class SeveralBoard:
    """Everything on the page below the filters; `hrefs` lead to the surveys' own pages, `unshared`
    names the dimensions on which they do not agree."""

    metrics: Metrics
    shares: WholeShares | None
    rows: tuple[SurveyRow, ...]
    hrefs: tuple[str, ...]
    against: Against
    trend: Trend
    tables: tuple[SegmentTable, ...]
    unshared: tuple[str, ...]
    months: str


async def build_board(
    session: AsyncSession,
    surveys: Surveys,
    asked: ReportFilter,
    against: Against,
    home: str,
    sort: Sort | None = None,
) -> SeveralBoard:
    """The figures of `measure_together`, ready to be drawn; `home` is the workspace's address."""
    found = await _measure(session, surveys, asked, against)
    total = found.total
    pairs = [("survey", str(survey.survey_id)) for survey in surveys.each]
    address = f"{home}/results?{urlencode([*pairs, ('against', against.value)])}"
    language = current_language()
    return SeveralBoard(
        metrics=total,
        shares=whole_shares(total.figures.counts) if total.figures else None,
        rows=found.rows,
        hrefs=tuple(asked.link_to(f"{home}/surveys/{survey.survey_id}") for survey in surveys.each),
        against=against,
        trend=trend_of(total),
        tables=tuple(segment_tables(surveys.common, total, address, sort)),
        unshared=tuple(dimension.label_in(language) for dimension in surveys.unshared),
        months=name_of_runs(total.figures.covered) if total.figures else "",
    )


async def _measure(
    session: AsyncSession, surveys: Surveys, asked: ReportFilter, against: Against
) -> Together:
    split_by = tuple(name for name in selectors(surveys.common) if name not in asked.labels)
    if len(asked.labels) >= MAX_LABELS:
        split_by = ()  # nothing is published by more than two labels
    # A subgroup of several surveys has no course: each is shown by blocks of its own.
    interval = None if asked.is_subgroup else usual_interval(asked)
    wanted = replace(asked, interval=interval, group_by=split_by)
    found = await measure_together(session, surveys, wanted, against)
    if len(found.total.series) > MAX_POINTS:
        coarse = replace(wanted, interval=Interval.QUARTER)
        found = await measure_together(session, surveys, coarse, against)
    return found
