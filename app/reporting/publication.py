"""What may be shown. Every figure and every row passes through here, whoever asks for it.

- Everybody's answers are live, by day, from the first one on.
- Subgroups (a segment value, language or channel, or two of these together) are shown by blocks of
  whole months, from the group minimum on. A block is decided once, when its last month is closed,
  and kept as a row of `published_figures`; a period shows the blocks that lie in it. So whatever
  is asked, in whatever order and however often, nobody sees more than these rows.
- A row of answers shows its day, or its labels with its block of months, never both.

There is no way around this for anybody, owners included.
"""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Select, SmallInteger, Text, and_, bindparam, insert, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.database import look_away
from app.reporting.buckets import (
    Interval,
    Period,
    interval_start,
    month_end,
    month_number,
    month_of_number,
    months_in,
    runs_of,
    settled_months,
)
from app.reporting.counts import add_answers
from app.reporting.decisions import Decided, Decisions
from app.reporting.filters import ReportFilter, selectors
from app.reporting.models import PublishedFigure
from app.reporting.queries import load_closed_answers
from app.responses.closing import close_months, list_editions, lock_edition
from app.responses.models import Edition
from app.responses.retention import kept_from
from app.scoring import AnswerCounts, Distribution, GroupCounts
from app.surveys.schemas import Questionnaire


@dataclass(frozen=True, slots=True)
class Block:
    """The published counts of a subgroup in whole months; `edition_id` says of which answers.

    The counts of a guarded block are those of the three groups only.
    """

    labels: Mapping[str, str]
    period: Period
    counts: AnswerCounts
    edition_id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Figure:
    """Counts that may be shown, and for a subgroup the runs of months that they are of."""

    counts: AnswerCounts
    covered: tuple[Period, ...]


class Published:
    """All blocks that a report asks for, and the editions that they are of."""

    def __init__(self, blocks: Iterable[Block], editions: Sequence[Edition] = ()) -> None:
        self.editions = editions
        self._blocks: dict[frozenset[tuple[str, str]], list[Block]] = defaultdict(list)
        for block in blocks:
            self._blocks[frozenset(block.labels.items())].append(block)

    def blocks(self, labels: Mapping[str, str], months: Period | None) -> list[Block]:
        """The blocks of a subgroup that lie in the months, the oldest first."""
        if months is None:
            return []
        found = self._blocks.get(frozenset(labels.items()), [])
        return [block for block in found if _lies_in(block.period, months)]

    def figure(self, labels: Mapping[str, str], months: Period | None) -> Figure | None:
        """What may be shown of a subgroup in the months; None where that is nothing."""
        return _together(self.blocks(labels, months))

    def series(
        self, labels: Mapping[str, str], months: Period | None, interval: Interval
    ) -> list[tuple[Period, Figure | None]]:
        """The course of a subgroup by its own blocks: of those that end in the same interval one
        point is made. Months between them that are not shown are a point without a figure."""
        points: dict[date, list[Block]] = defaultdict(list)
        for block in self.blocks(labels, months):
            assert block.period.until is not None
            points[interval_start(block.period.until, interval)].append(block)
        shown = [figure for at in sorted(points) if (figure := _together(points[at]))]
        return _with_gaps([(_hull(figure.covered), figure) for figure in shown], months)

    def values(self, selector: str) -> set[str]:
        """Every value of a selector that anything is published of."""
        return {value for labels in self._blocks for name, value in labels if name == selector}


class PublishedTogether(Published):
    """What is published of several surveys: of a subgroup only what every one of them publishes
    under its own rule, added up. Ask it for no series: each survey has blocks of its own."""

    def __init__(self, surveys: Sequence[Published]) -> None:
        super().__init__(())
        self._surveys = surveys

    def blocks(self, labels: Mapping[str, str], months: Period | None) -> list[Block]:
        found = [published.blocks(labels, months) for published in self._surveys]
        return [block for blocks in found for block in blocks] if all(found) else []

    def values(self, selector: str) -> set[str]:
        return set.intersection(*(published.values(selector) for published in self._surveys))


async def load_published(
    session: AsyncSession,
    questionnaire: Questionnaire,
    labels: Mapping[str, str],
    split_by: Iterable[str],
    today: date,
    pair: Sequence[str] = (),
) -> Published:
    """What is published of a subgroup, of the values of each selector within it, and of the
    combinations of a pair of selectors.

    Publishes first what has become ripe since somebody last looked. Everybody without a split is
    no subgroup, and nothing is looked up.
    """
    more = [name for name in split_by if name not in labels]
    if not labels and not more and not pair:
        return Published(())
    editions = await publish(session, questionnaire, today)
    found = await session.execute(
        _PUBLISHED,
        {
            "workspace_id": questionnaire.workspace_id,
            "survey_id": questionnaire.survey_id,
            "labels": dict(labels),
            "more": more,
            "pair": list(pair),
            "width": len(labels) or NO_WIDTH,
            "width_of_more": len(labels) + 1 if more else NO_WIDTH,
            "width_of_pair": len(pair) or NO_WIDTH,
        },
    )
    return Published(map(_block, found), editions)


NO_WIDTH = 0  # of no row


def _published() -> Select[*tuple[Any, ...]]:
    """The subgroup itself, what has its labels and one more of the selectors, and what has both of
    a pair. Made once: to make it takes longer than to run it."""
    row = PublishedFigure
    width, width_of_more, width_of_pair = (
        bindparam(name, type_=SmallInteger) for name in ("width", "width_of_more", "width_of_pair")
    )
    more, pair = (bindparam(name, type_=ARRAY(Text)) for name in ("more", "pair"))
    has_labels = row.labels.contains(bindparam("labels", type_=JSONB))
    return (
        select(
            row.labels, row.first_month, row.last_month, row.promoters, row.passives,
            row.detractors, row.scores, row.edition_id,
        )
        .where(
            row.workspace_id == bindparam("workspace_id"),
            row.survey_id == bindparam("survey_id"),
            # By the index, which knows nothing of labels.
            or_(row.width == width, row.width == width_of_more, row.width == width_of_pair),
            or_(
                and_(row.width == width, has_labels),
                and_(row.width == width_of_more, has_labels, row.labels.has_any(more)),
                and_(row.width == width_of_pair, row.labels.has_all(pair)),
            ),
        )
        .order_by(row.first_month, row.edition_id)
    )  # fmt: skip


_PUBLISHED = _published()


async def publish(
    session: AsyncSession, questionnaire: Questionnaire, today: date
) -> list[Edition]:
    """Decide and keep what may be shown of every month that has been closed since the last time.

    Returns the survey's editions.
    """
    editions = await close_months(
        session, questionnaire.workspace_id, questionnaire.survey_id, today
    )
    if all(edition.published_through == edition.closed_through for edition in editions):
        return editions
    await lock_edition(session, questionnaire.workspace_id, questionnaire.survey_id)
    editions = await list_editions(session, questionnaire.workspace_id, questionnaire.survey_id)
    for edition in editions:
        if edition.published_through != edition.closed_through:
            await _publish_edition(session, questionnaire, edition)
    return editions


async def _publish_edition(
    session: AsyncSession, questionnaire: Questionnaire, edition: Edition
) -> None:
    decisions = Decisions(
        selectors(questionnaire),
        await load_closed_answers(session, edition, selectors(questionnaire)),
        questionnaire.min_group_size,
        await _earlier(session, edition),
        month_number(edition.paired_through) if edition.paired_through else None,
    )
    assert edition.closed_through is not None
    last = month_number(edition.closed_through)
    first = month_number(edition.published_through) + 1 if edition.published_through else None
    # A large survey takes seconds of arithmetic, in which others want to be answered.
    await look_away(session)
    await asyncio.to_thread(decisions.close_all, first, last)
    if decisions.new:
        await session.execute(
            insert(PublishedFigure), [_values(edition, decided) for decided in decisions.new]
        )
    edition.published_through = edition.closed_through
    if decisions.paired_through is not None:
        edition.paired_through = month_of_number(decisions.paired_through)
    await session.flush()


async def _earlier(session: AsyncSession, edition: Edition) -> list[Decided]:
    found = await session.scalars(
        select(PublishedFigure).where(
            PublishedFigure.workspace_id == edition.workspace_id,
            PublishedFigure.edition_id == edition.id,
            PublishedFigure.width == 1,
        )
    )
    return [
        Decided(
            frozenset(row.labels.items()),
            month_number(row.first_month),
            month_number(row.last_month),
            Distribution.from_counts(row.scores or [0] * 11),
            row.scores is None,
        )
        for row in found
    ]


def _values(edition: Edition, decided: Decided) -> dict[str, object]:
    return {
        "workspace_id": edition.workspace_id,
        "edition_id": edition.id,
        "survey_id": edition.survey_id,
        "first_month": month_of_number(decided.first),
        "last_month": month_of_number(decided.last),
        "width": len(decided.labels),
        "labels": dict(sorted(decided.labels)),
        "promoters": decided.counts.promoters,
        "passives": decided.counts.passives,
        "detractors": decided.counts.detractors,
        "scores": None if decided.is_guarded else list(decided.counts.counts),
    }


def _block(row: Sequence[Any]) -> Block:
    labels, first_month, last_month, promoters, passives, detractors, scores, edition_id = row
    counts: AnswerCounts = GroupCounts(promoters, passives, detractors)
    if scores is not None:
        counts = Distribution.from_counts(scores)
    return Block(labels, Period(first_month, month_end(last_month)), counts, edition_id)


def _lies_in(period: Period, months: Period) -> bool:
    assert period.since is not None
    assert period.until is not None
    return period.since in months and period.until in months


def _together(blocks: Sequence[Block]) -> Figure | None:
    if not blocks:
        return None
    return Figure(add_answers([block.counts for block in blocks]), _runs(blocks))


def _runs(blocks: Iterable[Block]) -> tuple[Period, ...]:
    """The months of the blocks, consecutive ones as one period."""
    return runs_of({month for block in blocks for month in months_in(block.period)})


def _hull(runs: Sequence[Period]) -> Period:
    return Period(runs[0].since, runs[-1].until)


def _with_gaps(
    points: Sequence[tuple[Period, Figure]], months: Period | None
) -> list[tuple[Period, Figure | None]]:
    whole: list[tuple[Period, Figure | None]] = []
    for period, figure in points:
        assert period.since is not None
        assert period.until is not None
        if whole:
            before = whole[-1][0].until
            assert before is not None
            _add_gap(whole, month_number(before) + 1, month_number(period.since) - 1)
        whole.append((period, figure))
    if whole and months is not None and months.until is not None:
        last = whole[-1][0].until
        assert last is not None
        _add_gap(whole, month_number(last) + 1, month_number(months.until))
    return whole


def _add_gap(whole: list[tuple[Period, Figure | None]], first: int, last: int) -> None:
    if first <= last:
        whole.append((Period(month_of_number(first), month_end(month_of_number(last))), None))


@dataclass(frozen=True, slots=True)
class RowScope:
    """Which rows may be listed, and what is shown with them.

    Without `labels` a row shows its day. With labels it shows these and the one of `blocks` that
    holds it. `late` are the editions of imports, by id. `is_suppressed` says that nothing may be
    listed.
    """

    workspace_id: uuid.UUID
    survey_id: uuid.UUID
    labels: Mapping[str, str]
    blocks: tuple[Block, ...] = ()
    late: Mapping[uuid.UUID, Edition] = field(default_factory=dict)
    is_suppressed: bool = False


async def publish_rows(
    session: AsyncSession,
    questionnaire: Questionnaire,
    asked: ReportFilter,
    today: date,
    published: Published | None = None,
) -> RowScope:
    """The scope of a list: every day for everybody, published blocks for a subgroup; `published`
    holds them where they have been looked up.

    A block of which a day has gone its time is listed no more: whoever looked every day would see
    from what is missing which answers were given on which day.
    """
    survey = questionnaire.workspace_id, questionnaire.survey_id
    if not asked.is_subgroup:
        return RowScope(*survey, {})
    if published is None:
        published = await load_published(session, questionnaire, asked.labels, (), today)
    limit = kept_from(today, questionnaire.retention_months)
    blocks = [
        block
        for block in published.blocks(asked.labels, settled_months(asked.period, today))
        if block.period.since and block.period.since >= limit
    ]
    late = {edition.id: edition for edition in published.editions if edition.import_id}
    return RowScope(*survey, asked.labels, tuple(blocks), late, is_suppressed=not blocks)
