"""What the page of several surveys shows: all together, each survey, the trend, segments."""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.translation import gettext
from app.reporting.filters import MAX_LABELS, Against, ReportFilter, selectors
from app.reporting.labels import name_of_runs
from app.reporting.metrics import Metrics
from app.reporting.segment_tables import SegmentTable, Sort, TableRow, segment_tables
from app.reporting.together import SurveyRow, Surveys, Together, look_up_each, report_together
from app.reporting.trend import Trend, chosen_interval, trend_of, usual_interval
from app.scoring import WholeShares, whole_shares

SURVEYS = "surveys"


@dataclass(frozen=True, slots=True)
class SeveralBoard:
    """Everything on the page below the filters; `hrefs` lead to the surveys' own pages."""

    metrics: Metrics
    shares: WholeShares | None
    rows: tuple[SurveyRow, ...]
    hrefs: tuple[str, ...]
    against: Against
    trend: Trend
    tables: tuple[SegmentTable, ...]
    months: str

    @property
    def survey_table(self) -> SegmentTable:
        """The surveys side by side, as the values of a dimension are."""
        rows = [
            TableRow(
                str(row.survey.survey_id), row.survey.name, "", row.metrics.figures, None,
                row.versus, None, href,
            )
            for row, href in zip(self.rows, self.hrefs, strict=True)
        ]  # fmt: skip
        return SegmentTable(SURVEYS, gettext("Survey"), tuple(rows))


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
    return SeveralBoard(
        metrics=total,
        shares=whole_shares(total.figures.counts) if total.figures else None,
        rows=found.rows,
        hrefs=tuple(asked.link_to(f"{home}/surveys/{survey.survey_id}") for survey in surveys.each),
        against=against,
        trend=trend_of(total),
        tables=tuple(segment_tables(surveys.common, total, address, sort)),
        months=name_of_runs(total.figures.covered) if total.figures else "",
    )


async def _measure(
    session: AsyncSession, surveys: Surveys, asked: ReportFilter, against: Against
) -> Together:
    split_by = tuple(name for name in selectors(surveys.common) if name not in asked.labels)
    if len(asked.labels) >= MAX_LABELS:
        split_by = ()  # nothing is published by more than two labels
    # A subgroup of several surveys has no course: each is shown by blocks of its own.
    usual = None if asked.is_subgroup else usual_interval(asked)
    wanted = replace(asked, interval=usual, group_by=split_by)
    known = await look_up_each(session, surveys, wanted)
    found = report_together(surveys, wanted, against, known)
    if usual is None or (interval := chosen_interval(asked, found.total)) is usual:
        return found
    return report_together(surveys, replace(wanted, interval=interval), against, known)
