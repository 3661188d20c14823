"""What the dashboard shows: score and change, shares, scores, trend, segments, comments."""

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.translation import gettext
from app.reporting.buckets import Interval, number_of_months
from app.reporting.filters import MAX_LABELS, SEGMENT_PREFIX, ReportFilter, selectors
from app.reporting.labels import name_of_point, name_of_runs, name_of_selector, name_of_value
from app.reporting.listing import Listing, ListRequest, list_responses, scope_of
from app.reporting.metrics import Figures, Group, Metrics, SeriesPoint, measure
from app.reporting.theme_counts import ThemeReport, report_themes
from app.responses.models import Standing
from app.scoring import Category, Comparison, WholeShares, category_of, whole_shares
from app.surveys.schemas import RESERVED_VALUES, Questionnaire

MAX_POINTS = 53
LATEST_COMMENTS = 5
DAYS_OF_DAYS = 31
DAYS_OF_WEEKS = 190


@dataclass(frozen=True, slots=True)
class TableRow:
    """A value of a split in the segment table; `figures` is None where it is hidden.

    `months` says of how many months they are where other values have more.
    """

    name: str
    months: str
    figures: Figures | None
    change: Comparison | None
    href: str


@dataclass(frozen=True, slots=True)
class SegmentTable:
    """The values of one dimension side by side."""

    selector: str
    name: str
    rows: tuple[TableRow, ...]

    @property
    def is_any_hidden(self) -> bool:
        return any(row.figures is None for row in self.rows)

    @property
    def is_any_partial(self) -> bool:
        return any(row.months for row in self.rows)


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything on the page below the filters."""

    metrics: Metrics
    shares: WholeShares | None
    points: tuple[dict[str, Any], ...]
    tables: tuple[SegmentTable, ...]
    comments: Listing
    themes: ThemeReport
    listed: ReportFilter
    list_href: str
    months: str
    trend_text: str | None
    category_links: tuple[str, ...]
    score_links: tuple[str, ...]


async def build_dashboard(
    session: AsyncSession,
    questionnaire: Questionnaire,
    asked: ReportFilter,
    list_href: str,
    secret_key: str,
) -> Dashboard:
    """The figures of `measure`, ready to be drawn; `list_href` is the address of the answers."""
    split_by = tuple(name for name in selectors(questionnaire) if name not in asked.labels)
    if len(asked.labels) >= MAX_LABELS:
        split_by = ()  # nothing is published by more than two labels
    wanted = replace(asked, interval=_interval(asked), group_by=split_by)
    metrics = await measure(session, questionnaire, wanted)
    if len(metrics.series) > MAX_POINTS:
        coarse = replace(wanted, interval=Interval.QUARTER)
        metrics = await measure(session, questionnaire, coarse)
    listed = _for_lists(metrics)
    comments, themes = Listing((), None, is_suppressed=True), ThemeReport(is_suppressed=True)
    if metrics.figures:
        scope = await scope_of(session, questionnaire, listed)
        request = ListRequest(
            listed, secret_key, LATEST_COMMENTS, only_commented=True, standing=Standing.COUNTED,
            scope=scope,
        )  # fmt: skip
        comments = await list_responses(session, questionnaire, request)
        themes = await report_themes(session, questionnaire, listed, secret_key, scope)
    return Dashboard(
        metrics=metrics,
        shares=whole_shares(metrics.figures.counts) if metrics.figures else None,
        points=tuple(_points(metrics)),
        tables=tuple(_tables(questionnaire, metrics, list_href)),
        comments=comments,
        themes=themes,
        listed=listed,
        list_href=_link(list_href, listed),
        months=name_of_runs(metrics.figures.covered) if metrics.figures else "",
        trend_text=_trend_text(metrics.filter.interval),
        category_links=tuple(_link(list_href, listed, category) for category in Category),
        score_links=tuple(_link(list_href, listed, category_of(score)) for score in range(11)),
    )


def _interval(asked: ReportFilter) -> Interval:
    if asked.is_subgroup or asked.since is None or asked.until is None:
        return Interval.MONTH
    days = (asked.until - asked.since).days + 1
    if days <= DAYS_OF_DAYS:
        return Interval.DAY
    return Interval.WEEK if days <= DAYS_OF_WEEKS else Interval.MONTH


def _for_lists(metrics: Metrics) -> ReportFilter:
    """The filter of the answers behind the figures: for a subgroup, of the months they are of."""
    asked = replace(metrics.filter, interval=None, group_by=())
    if not asked.is_subgroup or metrics.period is None:
        return asked
    return replace(asked, since=metrics.period.since, until=metrics.period.until)


def _trend_text(interval: Interval | None) -> str | None:
    """What the trend is by, where its points are single days; None leaves the text to the chart."""
    if interval is Interval.DAY:
        return gettext("NPS by day")
    if interval is Interval.WEEK:
        return gettext("NPS by week, each named by its first day")
    return None


def _points(metrics: Metrics) -> list[dict[str, Any]]:
    interval = metrics.filter.interval or Interval.MONTH
    return [_point(point, interval) for point in metrics.series[-MAX_POINTS:]]


def _point(point: SeriesPoint, interval: Interval) -> dict[str, Any]:
    label = name_of_point(point.period, interval)
    if point.figures is None:
        return {"label": label, "suppressed": True}
    nps, range_ = point.figures.nps, point.figures.interval
    if nps is None or range_ is None:
        return {"label": label, "n": 0}
    return {
        "label": label,
        "nps": nps.value,
        "low": range_.low,
        "high": range_.high,
        "n": nps.total,
    }


def _tables(questionnaire: Questionnaire, metrics: Metrics, list_href: str) -> list[SegmentTable]:
    tables: list[SegmentTable] = []
    if metrics.groups_period is None:
        return tables
    for selector, found in metrics.groups.items():
        # Whether anybody fell outside of the declared values is not told where it is hidden.
        groups = [group for group in found if group.figures or group.value not in RESERVED_VALUES]
        most = max(map(_reach, groups), default=0)
        rows = [_row(questionnaire, metrics, selector, group, list_href, most) for group in groups]
        # Somebody who is asked in one language through one link learns nothing from a table of it.
        if selector.startswith(SEGMENT_PREFIX) or len(rows) > 1:
            name = name_of_selector(questionnaire, selector)
            tables.append(SegmentTable(selector, name, tuple(rows)))
    return tables


def _reach(group: Group) -> int:
    """How many months a group's figures are of."""
    runs = group.figures.covered if group.figures else None
    return sum(number_of_months(run) for run in runs or ())


def _row(
    questionnaire: Questionnaire,
    metrics: Metrics,
    selector: str,
    group: Group,
    list_href: str,
    most: int,
) -> TableRow:
    narrowed = replace(metrics.filter, interval=None, group_by=())
    if metrics.groups_period is not None:
        months = metrics.groups_period
        narrowed = replace(narrowed, since=months.since, until=months.until)
    return TableRow(
        name=name_of_value(questionnaire, selector, group.value),
        months=_part_of_months(_reach(group), most),
        figures=group.figures,
        change=group.change,
        href=_link(list_href, narrowed.with_label(selector, group.value)),
    )


def _part_of_months(reach: int, most: int) -> str:
    if not 0 < reach < most:
        return ""
    return gettext("%(count)s of %(all)s months") % {"count": reach, "all": most}


def _link(list_href: str, asked: ReportFilter, category: Category | None = None) -> str:
    query = replace(asked, category=category).to_query()
    return f"{list_href}?{query}" if query else list_href
