"""Single answers, page by page: for the list on the page, the API and the CSV file."""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from typing import Any

from sqlalchemy import CompoundSelect, Select, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation import clock
from app.foundation.errors import InvalidParam
from app.foundation.translation import mark
from app.reporting.buckets import Period, is_on_month_bounds
from app.reporting.filters import ReportFilter, refused
from app.reporting.finding import (
    Answers,
    ListRequest,
    find_in_order,
    parts_after,
    place_after,
    write_cursor,
)
from app.reporting.marks import refuse_marks_beside_labels
from app.reporting.publication import Published, RowScope, publish_rows
from app.responses.models import HoldReason, Standing
from app.scoring import Category, Distribution, category_of
from app.surveys.schemas import Questionnaire

MOST_OLD_STARS = 3


@dataclass(frozen=True, slots=True)
class ListedResponse:
    """An answer as it may be shown: with its day, or with `labels` and the `months` around it.

    Beside labels, `id` is an alias that stands for the answer in this subgroup's list only: with
    one id everywhere, lists laid side by side would give each answer's day and all its labels.
    `score` is None where its block of months tells the three groups only. `address` is what was
    left with it, for those who may see it; never beside labels, since it would do what an id does.
    Neither do `tags` (by name) and `is_starred` stand beside labels.
    """

    id: uuid.UUID
    survey_id: uuid.UUID
    score: int | None
    category: Category
    comment: str | None
    standing: Standing
    exclusion_reason: str | None
    hold_reason: HoldReason | None
    answered_on: date | None
    months: Period | None
    labels: Mapping[str, str]
    address: str | None = None
    tags: Sequence[str] = ()
    is_starred: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """A page of answers; `is_suppressed` where the subgroup asked for may not be shown."""

    rows: tuple[ListedResponse, ...]
    next_cursor: str | None
    is_suppressed: bool


async def list_responses(
    session: AsyncSession, questionnaire: Questionnaire, request: ListRequest
) -> Listing:
    """The answers a filter finds: displayed period descending, then id.

    Everybody's answers include held and excluded ones, a subgroup's only those that are counted.
    Invalid for a forged cursor or one of another list, and for days or marks together with labels.
    """
    scope = request.scope or await scope_of(session, questionnaire, request.filter)
    if scope.is_suppressed:
        return Listing((), None, True)
    answers = find_in_order(questionnaire, request, scope)
    statement = answers.statement.limit(request.limit + 1)
    found = (await session.execute(statement, answers.values)).all()
    rows = found[: request.limit]
    cursor = write_cursor(request, rows[-1]) if len(found) > request.limit else None
    return Listing(tuple(_listed(row, request, scope) for row in rows), cursor, False)


async def list_highlights(
    session: AsyncSession, questionnaire: Questionnaire, request: ListRequest
) -> Listing:
    """The first `request.limit` answers of the list, starred ones first: those among the latest and
    `MOST_OLD_STARS` of before. A subgroup's list takes no notice of stars. One statement."""
    if request.filter.is_subgroup:
        return await list_responses(session, questionnaire, request)
    scope = request.scope or await scope_of(session, questionnaire, request.filter)
    starred = replace(request, filter=replace(request.filter, is_starred=True))
    first, then = (find_in_order(questionnaire, found, scope) for found in (starred, request))
    join = _starred_first_shared if then.is_shared else _starred_first
    statement = join(first.statement, then.statement, request.limit)
    found = (await session.execute(statement, then.values)).all()
    rows = [_listed(row, request, scope) for row in found]
    rows.sort(key=lambda row: row.id)
    rows.sort(key=lambda row: (row.is_starred, row.answered_on), reverse=True)
    return Listing(tuple(rows[: request.limit]), None, False)


async def stream_responses(
    session: AsyncSession, questionnaire: Questionnaire, request: ListRequest
) -> AsyncIterator[Sequence[ListedResponse]]:
    """All answers of everybody's list from the cursor on, `request.limit` at a time, each part as
    it stands when it is read: one long look at all would slow down those who answer meanwhile."""
    answers = await find_answers(session, questionnaire, request)
    assert answers is not None
    assert not answers.scope.labels
    first = answers.statement.limit(request.limit)
    then, values, parts = parts_after(first), answers.values, [first]
    while parts:
        rows = (await session.execute(parts.pop(0), values)).all()
        if rows:
            yield [_listed(row, request, answers.scope) for row in rows]
        if len(rows) == request.limit:
            values = {**answers.values, **place_after(rows[-1].shown_on, rows[-1].row_id)}
            parts = then.copy()


async def find_ids(
    session: AsyncSession, questionnaire: Questionnaire, request: ListRequest, most: int
) -> Sequence[uuid.UUID]:
    """The ids of the list's first answers, at most so many, wherever its cursor stands; they are
    aliases where it is by labels."""
    found = await find_answers(session, questionnaire, replace(request, cursor=None))
    if found is None:
        return ()
    ids = found.statement.with_only_columns(found.statement.selected_columns.row_id)
    return (await session.scalars(ids.limit(most), found.values)).all()


async def find_answers(
    session: AsyncSession, questionnaire: Questionnaire, request: ListRequest
) -> Answers | None:
    """The list from the cursor on, for exports; None where the subgroup may not be shown."""
    scope = request.scope or await scope_of(session, questionnaire, request.filter)
    return None if scope.is_suppressed else find_in_order(questionnaire, request, scope)


def _starred_first(
    starred: Select[*tuple[Any, ...]], latest: Select[*tuple[Any, ...]], limit: int
) -> CompoundSelect[Any]:
    parts = [starred.limit(min(MOST_OLD_STARS, limit)), latest.limit(limit)]
    return union(*(select(part.subquery()) for part in parts))


_starred_first_shared = lru_cache(64)(_starred_first)


async def scope_of(
    session: AsyncSession,
    questionnaire: Questionnaire,
    asked: ReportFilter,
    published: Published | None = None,
) -> RowScope:
    """Which rows a filter may list; Invalid for days or marks together with labels. `published` is
    what is known of the subgroup already."""
    refuse_marks_beside_labels(asked)
    if asked.is_subgroup and not is_on_month_bounds(asked.period):
        reason = mark("With segments, language or channel, give whole months or no days.")
        name = "since" if asked.since and asked.since.day != 1 else "until"
        raise refused(InvalidParam(name, reason))
    today = clock.today(questionnaire.time_zone)
    return await publish_rows(session, questionnaire, asked, today, published)


def _listed(row: Sequence[Any], request: ListRequest, scope: RowScope) -> ListedResponse:
    shown_on, row_id, at, score, comment, standing, why_excluded, why_held, *beside = row
    is_starred, tags, address = beside
    block = scope.blocks[at] if scope.blocks else None
    is_guarded = block is not None and not isinstance(block.counts, Distribution)
    return ListedResponse(
        id=row_id,
        survey_id=request.filter.survey_id,
        score=None if is_guarded else score,
        category=category_of(score),
        comment=comment,
        standing=Standing.COUNTED if block else Standing(standing),
        exclusion_reason=None if block else why_excluded,
        hold_reason=HoldReason(why_held) if why_held and not block else None,
        answered_on=None if block else shown_on,
        months=block.period if block else None,
        labels=scope.labels,
        address=address,
        tags=tuple(tags or ()),
        is_starred=is_starred,
    )
