"""What comments are about: how many promoters and detractors use which terms.

Only the answers that `listing` would show are counted, so that a theme of a subgroup tells nothing
that its list does not. One statement, whatever is asked.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    case,
    cast,
    collate,
    func,
    literal,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation import clock
from app.reporting.buckets import DAY, Period
from app.reporting.filters import ReportFilter
from app.reporting.listing import ListRequest, find_answers
from app.reporting.metrics import RECENT
from app.reporting.publication import RowScope
from app.reporting.themes import MIN_COMMENTS, TermUse, Theme, compare_groups, find_new
from app.responses.models import SCORES, CommentTerms, Response, Standing
from app.scoring import Category, GroupCounts, category_of
from app.surveys.schemas import Questionnaire

MOST_COMMENTS = 10_000  # the latest, so that a page costs the same however many there are
MOST_THEMES = 10  # of each kind
NO_ONE = GroupCounts(0, 0, 0)
EARLIER, BEFORE, RECENTLY = range(3)  # when a comment was written; each stands in one of them


@dataclass(frozen=True, slots=True)
class MonthOfTheme:
    """Of a month's `comments`, how many mention a theme; `month` is its first day."""

    month: date
    mentions: int
    comments: int


@dataclass(frozen=True, slots=True)
class TracedTheme:
    """A theme, and month by month how often it came up; no months for a subgroup."""

    theme: Theme
    months: tuple[MonthOfTheme, ...]


@dataclass(frozen=True, slots=True)
class ThemeReport:
    """The themes of a filter, the clearest first.

    `comments` are those that were read, `unread` those that wait for it; `is_cut` where only the
    latest were looked at. `new` is what comes up more in the days `recent` than in `before`; these
    are None for a subgroup, whose answers have no days. `is_suppressed`: nothing may be told.
    """

    is_suppressed: bool = False
    comments: GroupCounts = NO_ONE
    unread: int = 0
    is_cut: bool = False
    promoters: tuple[TracedTheme, ...] = ()
    detractors: tuple[TracedTheme, ...] = ()
    new: tuple[TracedTheme, ...] = ()
    recent: Period | None = None
    before: Period | None = None


async def report_themes(
    session: AsyncSession,
    questionnaire: Questionnaire,
    asked: ReportFilter,
    secret_key: str,
    scope: RowScope | None = None,
) -> ThemeReport:
    """The themes of a filter; a subgroup's from the rows that its list may show, and only where
    as many comments as the group minimum are among them."""
    today = clock.today(questionnaire.time_zone)
    listed = replace(
        asked, category=None, search=None, term=None, interval=None, group_by=()
    ).on_whole_months(today)
    if listed is None:
        return ThemeReport(is_suppressed=True)
    windows = _Windows.of(listed, today)
    request = ListRequest(
        replace(listed, since=windows.first), secret_key, 1, only_commented=True,
        standing=Standing.COUNTED, scope=scope,
    )  # fmt: skip
    answers = await find_answers(session, questionnaire, request)
    if answers is None:
        return ThemeReport(is_suppressed=True)
    comments = _latest(answers[0], windows)
    found = (await session.execute(_count_terms(comments))).all()
    counted = _Counted(found, windows)
    if asked.is_subgroup and counted.number < questionnaire.min_group_size:
        return ThemeReport(is_suppressed=True)
    themes = counted.compare()
    traces = _Traces(found)
    promoters, detractors, new = (tuple(map(traces.of, kind)) for kind in themes)
    return ThemeReport(
        comments=counted.comments,
        unread=counted.unread,
        is_cut=counted.number == MOST_COMMENTS,
        promoters=promoters,
        detractors=detractors,
        new=new,
        recent=windows.recent,
        before=windows.before,
    )


@dataclass(frozen=True, slots=True)
class _Windows:
    """The period asked for, and which days of it are held against which ones before."""

    period: Period
    recent: Period | None
    before: Period | None

    @classmethod
    def of(cls, asked: ReportFilter, today: date) -> "_Windows":
        if asked.is_subgroup:
            return cls(asked.period, None, None)
        before = asked.period.before()
        if before is not None:
            return cls(asked.period, asked.period, before)
        last = min(asked.until or today, today)
        recent = Period(last - RECENT + DAY, last)
        return cls(asked.period, recent, recent.before())

    @property
    def is_recent_only(self) -> bool:
        """Whether what was asked for is what is held against the days before."""
        return self.recent is not None and self.recent == self.period

    @property
    def first(self) -> date | None:
        """The first day of all that is looked at; None for an open start."""
        return self.before.since if self.is_recent_only and self.before else self.period.since

    def time_of(self, day: ColumnElement[date]) -> ColumnElement[int]:
        """EARLIER, BEFORE or RECENTLY."""
        if self.recent is None or self.before is None:
            return literal(EARLIER, Integer)
        return case((_inside(day, self.recent), RECENTLY), (_inside(day, self.before), BEFORE),
                    else_=EARLIER)  # fmt: skip


def _inside(day: ColumnElement[date], window: Period) -> ColumnElement[bool]:
    since = day >= window.since if window.since else true()
    return and_(since, day <= window.until if window.until else true())


def _latest(answers: Select[*tuple[Any, ...]], windows: _Windows) -> CTE:
    """The latest comments of the list with their terms, which are null where nobody has read them
    so far. A comment of a subgroup has no month that a trend could show."""
    shown_on = answers.selected_columns.shown_on
    month = _month_number(shown_on) if windows.recent else cast(null(), Integer)
    return (
        answers.with_only_columns(
            month.label("month"), windows.time_of(shown_on).label("time"), Response.score,
            CommentTerms.keys.label("terms"), CommentTerms.written,
        )
        .outerjoin(
            CommentTerms,
            (CommentTerms.workspace_id == Response.workspace_id)
            & (CommentTerms.response_id == Response.id),
        )
        .limit(MOST_COMMENTS)
        .cte("comments")
    )  # fmt: skip


_SCORES = [[score for score in SCORES if category_of(score) is group] for group in Category]


def _month_number(day: ColumnElement[date]) -> ColumnElement[int]:
    """Months since the year 0, as `_first_day` reads it: lists of numbers travel quickly."""
    return cast(func.extract("year", day) * 12 + func.extract("month", day) - 1, Integer)


def _first_day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _count_terms(comments: CTE) -> Any:
    """How many comments of each time and group hold a term, how it is mostly written, and the
    months of those comments; a row without a term for all that were read, and one for those that
    were not."""
    term = (
        func.unnest(comments.c.terms, comments.c.written)
        .table_valued("key", "written", joins_implicitly=True)
        .render_derived()
    )
    numbers = [
        func.count().filter(comments.c.time == time, comments.c.score.in_(scores))
        for time in (EARLIER, BEFORE, RECENTLY)
        for scores in _SCORES
    ]
    months = func.array_agg(comments.c.month)
    mostly = func.mode().within_group(collate(term.c.written, "C"))
    by_term = (
        select(literal(True), term.c.key, mostly, months, *numbers)
        .select_from(comments, term)
        .group_by(term.c.key)
        .having(func.count() >= MIN_COMMENTS)
    )
    nothing = cast(null(), Text)
    in_all = select(comments.c.terms.is_not(None), nothing, nothing, months, *numbers).group_by(
        comments.c.terms.is_not(None)
    )
    return union_all(by_term, in_all)


class _Counted:
    """How often each term is used, and by whom."""

    def __init__(self, rows: Iterable[Any], windows: _Windows) -> None:
        self._uses: dict[str, list[GroupCounts]] = {}
        self._all = [NO_ONE] * 3
        self._unread = [NO_ONE] * 3
        self._is_recent_only = windows.is_recent_only
        for is_read, key, _written, _months, *numbers in rows:
            counts = [GroupCounts(*numbers[at : at + 3]) for at in (0, 3, 6)]
            if key is not None:
                self._uses[key] = counts
            elif is_read:
                self._all = counts
            else:
                self._unread = counts

    def compare(self) -> tuple[tuple[Theme, ...], tuple[Theme, ...], tuple[Theme, ...]]:
        """The themes of promoters, of detractors, and those that are new."""
        uses = [TermUse(key, key, self._of_period(use)) for key, use in self._uses.items()]
        groups = compare_groups(uses, self.comments, MOST_THEMES)
        recently = [TermUse(key, key, use[RECENTLY]) for key, use in self._uses.items()]
        before = [TermUse(key, key, use[BEFORE]) for key, use in self._uses.items()]
        new = find_new(recently, before, self._all[RECENTLY].total, MOST_THEMES)
        return groups.promoters, groups.detractors, new

    @property
    def comments(self) -> GroupCounts:
        """Those of the period that were read."""
        return self._of_period(self._all)

    @property
    def unread(self) -> int:
        """Those of the period that nobody has read so far."""
        return self._of_period(self._unread).total

    @property
    def number(self) -> int:
        """How many comments were looked at, read or not, of any time."""
        return sum(counts.total for counts in [*self._all, *self._unread])

    def _of_period(self, counts: list[GroupCounts]) -> GroupCounts:
        if self._is_recent_only:
            return counts[RECENTLY]
        return GroupCounts(
            sum(part.promoters for part in counts),
            sum(part.passives for part in counts),
            sum(part.detractors for part in counts),
        )


class _Traces:
    """How terms are mostly written, and month by month how often they come up."""

    def __init__(self, rows: Iterable[Any]) -> None:
        self._rows: dict[str, tuple[str, Sequence[int]]] = {}
        self._comments: Counter[int] = Counter()
        for is_read, key, written, months, *_numbers in rows:
            if key is not None:
                self._rows[key] = written, months
            elif is_read and months[0] is not None:
                self._comments = Counter(months)

    def of(self, theme: Theme) -> TracedTheme:
        """The theme under what it is mostly called, with its course."""
        label, months = self._rows[theme.key]
        mentions = Counter(months)
        course = (
            MonthOfTheme(_first_day(month), mentions[month], self._comments[month])
            for month in sorted(self._comments)
        )
        return TracedTheme(replace(theme, label=label), tuple(course))
