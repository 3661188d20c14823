"""What the dashboard shows: score and change, shares, scores, trend, segments, comments."""

from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession

from app.followups.queries import load_surroundings
from app.reporting.filters import MAX_LABELS, ReportFilter, selectors
from app.reporting.finding import ListRequest
from app.reporting.labels import name_of_runs
from app.reporting.listing import Listing, list_highlights, scope_of
from app.reporting.metrics import Metrics, look_up, report_on
from app.reporting.pair_tables import PairTable, pair_table
from app.reporting.position import Position, landmarks_of, position_of
from app.reporting.segment_tables import SegmentTable, Sort, segment_tables
from app.reporting.theme_counts import ThemeReport, report_themes
from app.reporting.trend import Trend, chosen_interval, trend_of, usual_interval
from app.reporting.what_moved import WhatMoved, what_moved
from app.responses.models import Standing
from app.scoring import Category, WholeShares, category_of, whole_shares
from app.surveys.schemas import Questionnaire

LATEST_COMMENTS = 5


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything on the page below the filters."""

    metrics: Metrics
    shares: WholeShares | None
    trend: Trend
    position: Position | None
    tables: tuple[SegmentTable, ...]
    moved: tuple[WhatMoved, ...]
    pair: PairTable | None
    comments: Listing
    themes: ThemeReport
    listed: ReportFilter
    list_href: str
    months: str
    category_links: tuple[str, ...]
    score_links: tuple[str, ...]


async def build_dashboard(
    session: AsyncSession,
    questionnaire: Questionnaire,
    asked: ReportFilter,
    list_href: str,
    secret_key: str,
    sort: Sort | None = None,
) -> Dashboard:
    """The figures of `report_on`, ready to be drawn; `list_href` is the address of the answers."""
    split_by = tuple(name for name in selectors(questionnaire) if name not in asked.labels)
    if len(asked.labels) >= MAX_LABELS:
        split_by = ()  # nothing is published by more than two labels
    wanted = replace(asked, interval=usual_interval(asked), group_by=split_by)
    known = await look_up(session, questionnaire, wanted)
    metrics = report_on(questionnaire, wanted, known)
    interval = chosen_interval(asked, metrics)
    if interval is not wanted.interval:
        metrics = report_on(questionnaire, replace(wanted, interval=interval), known)
    surroundings = await load_surroundings(
        session, questionnaire.workspace_id, [questionnaire.survey_id], asked.since, asked.until
    )
    listed = _for_lists(metrics)
    comments, themes = Listing((), None, is_suppressed=True), ThemeReport(is_suppressed=True)
    if metrics.figures:
        scope = await scope_of(session, questionnaire, listed, known.published)
        request = ListRequest(
            listed, secret_key, LATEST_COMMENTS, only_commented=True, standing=Standing.COUNTED,
            scope=scope,
        )  # fmt: skip
        comments = await list_highlights(session, questionnaire, request)
        themes = await report_themes(session, questionnaire, listed, secret_key, scope)
    return Dashboard(
        metrics=metrics,
        shares=whole_shares(metrics.figures.counts) if metrics.figures else None,
        trend=trend_of(metrics, landmarks_of(surroundings, list_href)),
        position=position_of(surroundings, metrics.figures),
        tables=tuple(segment_tables(questionnaire, metrics, list_href, sort)),
        moved=tuple(what_moved(questionnaire, metrics)),
        pair=pair_table(questionnaire, metrics, list_href),
        comments=comments,
        themes=themes,
        listed=listed,
        list_href=listed.link_to(list_href),
        months=name_of_runs(metrics.figures.covered) if metrics.figures else "",
        category_links=tuple(
            replace(listed, category=category).link_to(list_href) for category in Category
        ),
        score_links=tuple(
            replace(listed, category=category_of(score)).link_to(list_href) for score in range(11)
        ),
    )


def _for_lists(metrics: Metrics) -> ReportFilter:
    """The filter of the answers behind the figures: for a subgroup, of the months they are of."""
    asked = metrics.filter.for_lists()
    if not asked.is_subgroup or metrics.period is None:
        return asked
    return replace(asked, since=metrics.period.since, until=metrics.period.until)
