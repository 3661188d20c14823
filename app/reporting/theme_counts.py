"""What comments are about: how many promoters and detractors use which terms.

Only the answers that `listing` would show are counted, so that a theme of a subgroup tells nothing
that its list does not. One statement, whatever is asked.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    Text,
    bindparam,
    case,
    cast,
    collate,
    func,
    literal,
    null,
    select,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation import clock
from app.reporting.buckets import DAY, Period
from app.reporting.filters import ReportFilter
from app.reporting.finding import ListRequest
from app.reporting.listing import find_answers
from app.reporting.metrics import RECENT
from app.reporting.publication import RowScope
from app.reporting.themes import MIN_COMMENTS, TermUse, Theme, compare_groups, find_new
from app.responses.models import SCORES, CommentTerms, Response, Standing
from app.scoring import Category, GroupCounts, category_of, together
from app.surveys.schemas import Questionnaire

MOST_COMMENTS = 10_000  # the latest, so that a page costs the same however many there are
MOST_THEMES = 10  # of each kind
NO_ONE = GroupCounts(0, 0, 0)
EARLIER, BEFORE, RECENTLY = range(3)  # when a comment was written; each stands in one of them
TIMES, GROUPS = 3, tuple(Category)


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
    count = _count_terms_shared if answers.is_shared else _count_terms
    statement = count(answers.statement, MOST_COMMENTS, has_days=not asked.is_subgroup)
    found = await session.execute(statement, {**answers.values, **windows.values})
    counted = _Counted(found, windows)
    if asked.is_subgroup and counted.number < questionnaire.min_group_size:
        return ThemeReport(is_suppressed=True)
    themes = counted.compare()
    promoters, detractors, new = (tuple(map(counted.trace, kind)) for kind in themes)
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

    @property
    def values(self) -> dict[str, date | None]:
        """The days that `_time_of` knows by name."""
        return {
            f"{name}_{end}": day
            for name, window in (("recent", self.recent), ("before", self.before))
            if window is not None
            for end, day in (("since", window.since), ("until", window.until))
        }


def _time_of(day: ColumnElement[date]) -> ColumnElement[int]:
    """EARLIER, BEFORE or RECENTLY."""
    recent, before = (
        day.between(bindparam(f"{name}_since"), bindparam(f"{name}_until"))
        for name in ("recent", "before")
    )
    return case((recent, RECENTLY), (before, BEFORE), else_=EARLIER)


def _month_number(day: ColumnElement[date]) -> ColumnElement[int]:
    """Months since the year 0, as `_first_day` reads it."""
    year, month = (cast(func.date_part(part, day), Integer) for part in ("year", "month"))
    return year * 12 + month - 1


def _first_day(month: int) -> date:
    return date(month // 12, month % 12 + 1, 1)


def _cell(day: ColumnElement[date], has_days: bool) -> ColumnElement[int]:
    """Month, time and group of a comment as one number, for lists of them are made and travel
    quickly. One of a subgroup has no month that a trend could show, and no time."""
    group = case(
        {score: GROUPS.index(category_of(score)) for score in SCORES}, value=Response.score
    )
    if not has_days:
        return group
    return (_month_number(day) * TIMES + _time_of(day)) * len(GROUPS) + group


def _count_terms(
    answers: Select[*tuple[Any, ...]], most: int, *, has_days: bool
) -> CompoundSelect[Any]:
    """Of the latest comments of a list, the cells of those that hold a term, for each way in which
    it is written; a row without a term for all that were read, and one for those that nobody has
    read so far."""
    comments = (
        answers.with_only_columns(
            _cell(answers.selected_columns.shown_on, has_days).label("cell"),
            CommentTerms.keys.label("terms"), CommentTerms.written,
        )
        .outerjoin(
            CommentTerms,
            (CommentTerms.workspace_id == Response.workspace_id)
            & (CommentTerms.response_id == Response.id),
        )
        .limit(most)
        .cte("comments")
    )  # fmt: skip
    is_read, cells = comments.c.terms.is_not(None), func.array_agg(comments.c.cell)
    nothing = cast(null(), Text)
    in_all = select(is_read, nothing, nothing, cells).group_by(is_read)
    # Both lists are as long as each other, and are walked through together.
    mentions = (
        select(
            func.unnest(comments.c.terms, type_=Text).label("key"),
            func.unnest(comments.c.written, type_=Text).label("written"),
            comments.c.cell,
        )
        .where(is_read)
        .subquery("mentions")
    )
    number = func.sum(func.count()).over(partition_by=collate(mentions.c.key, "C"))
    by_spelling = (
        select(
            mentions.c.key, mentions.c.written, func.array_agg(mentions.c.cell).label("cells"),
            number.label("number"),
        )
        .group_by(mentions.c.key, mentions.c.written)
        .subquery("spellings")
    )  # fmt: skip
    by_term = select(
        literal(True), by_spelling.c.key, by_spelling.c.written, by_spelling.c.cells
    ).where(by_spelling.c.number >= MIN_COMMENTS)
    return union_all(by_term, in_all)


_count_terms_shared = lru_cache(64)(_count_terms)  # to make it takes longer than to run it


class _Counted:
    """How often each term is used, by whom and when, and how it is written."""

    def __init__(self, rows: Iterable[Any], windows: _Windows) -> None:
        self._cells: dict[str, Counter[int]] = {}
        self._written: dict[str, dict[str, int]] = {}
        read, unread = Counter[int](), Counter[int]()
        for is_read, key, written, cells in rows:
            if key is not None:
                self._cells.setdefault(key, Counter()).update(cells)
                self._written.setdefault(key, {})[written] = len(cells)
            else:
                (read if is_read else unread).update(cells)
        self._is_recent_only = windows.is_recent_only
        self._all, self._unread = _by_time(read), _by_time(unread)
        self._months = _by_month(read) if windows.recent else Counter[int]()

    def compare(self) -> tuple[tuple[Theme, ...], tuple[Theme, ...], tuple[Theme, ...]]:
        """The themes of promoters, of detractors, and those that are new."""
        found = {key: _by_time(cells) for key, cells in self._cells.items()}
        uses = [TermUse(key, key, self._of_period(use)) for key, use in found.items()]
        groups = compare_groups(uses, self.comments, MOST_THEMES)
        recently = [TermUse(key, key, use[RECENTLY]) for key, use in found.items()]
        before = [TermUse(key, key, use[BEFORE]) for key, use in found.items()]
        new = find_new(recently, before, self._all[RECENTLY].total, MOST_THEMES)
        return groups.promoters, groups.detractors, new

    def trace(self, theme: Theme) -> TracedTheme:
        """The theme under what it is mostly called, with its course."""
        written, mentions = self._written[theme.key], _by_month(self._cells[theme.key])
        course = (
            MonthOfTheme(_first_day(month), mentions[month], self._months[month])
            for month in sorted(self._months)
        )
        label = min(written, key=lambda text: (-written[text], text))
        return TracedTheme(replace(theme, label=label), tuple(course))

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

    def _of_period(self, counts: Sequence[GroupCounts]) -> GroupCounts:
        return counts[RECENTLY] if self._is_recent_only else together(counts)


def _by_time(cells: Mapping[int, int]) -> list[GroupCounts]:
    """The numbers of EARLIER, BEFORE and RECENTLY."""
    numbers = [[0] * len(GROUPS) for _time in range(TIMES)]
    for cell, number in cells.items():
        time, group = divmod(cell % (TIMES * len(GROUPS)), len(GROUPS))
        numbers[time][group] += number
    return [GroupCounts(*counts) for counts in numbers]


def _by_month(cells: Mapping[int, int]) -> Counter[int]:
    months = Counter[int]()
    for cell, number in cells.items():
        months[cell // (TIMES * len(GROUPS))] += number
    return months
