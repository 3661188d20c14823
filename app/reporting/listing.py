"""Single answers, page by page: for the list on the page, the API and the CSV file."""

import uuid
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Text,
    Uuid,
    and_,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
    union,
)
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation import clock
from app.foundation.errors import InvalidParam
from app.foundation.paging import refused_cursor
from app.foundation.tokens import digest, fingerprint
from app.foundation.translation import mark
from app.reporting.buckets import Period, is_on_month_bounds, month_end
from app.reporting.filters import ReportFilter, refused
from app.reporting.marks import marked_as, marks_of_answer, refuse_marks_beside_labels
from app.reporting.publication import Block, Published, RowScope, publish_rows
from app.reporting.queries import selected, within
from app.reporting.searching import matches
from app.responses.closing import days_of_api
from app.responses.models import (
    SCORES,
    CommentTerms,
    Edition,
    HoldReason,
    Response,
    ResponseContact,
    SegmentSet,
    Standing,
)
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


@dataclass(frozen=True, slots=True)
class ListRequest:
    """Which page of which list. `limit` is at least 1; `secret_key` signs the cursor; `scope` is
    that of the filter, where somebody has asked `scope_of` before."""

    filter: ReportFilter
    secret_key: str
    limit: int
    cursor: str | None = None
    only_commented: bool = False
    standing: Standing | None = None
    scope: RowScope | None = None


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
    statement = _in_order(questionnaire, request, scope).limit(request.limit + 1)
    found = (await session.execute(statement)).all()
    rows = found[: request.limit]
    cursor = _write_cursor(request, rows[-1]) if len(found) > request.limit else None
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
    parts = [
        _in_order(questionnaire, starred, scope).limit(min(MOST_OLD_STARS, request.limit)),
        _in_order(questionnaire, request, scope).limit(request.limit),
    ]
    found = (await session.execute(union(*(select(part.subquery()) for part in parts)))).all()
    rows = [_listed(row, request, scope) for row in found]
    rows.sort(key=lambda row: row.id)
    rows.sort(key=lambda row: (row.is_starred, row.answered_on), reverse=True)
    return Listing(tuple(rows[: request.limit]), None, False)


async def stream_responses(
    session: AsyncSession, questionnaire: Questionnaire, request: ListRequest
) -> AsyncIterator[Sequence[ListedResponse]]:
    """All answers of the list from the cursor on, `request.limit` at a time, as they stand at this
    moment; none where the subgroup may not be shown."""
    scope = request.scope or await scope_of(session, questionnaire, request.filter)
    if scope.is_suppressed:
        return
    found = await session.stream(_in_order(questionnaire, request, scope))
    async for rows in found.partitions(request.limit):
        yield [_listed(row, request, scope) for row in rows]


async def find_ids(
    session: AsyncSession, questionnaire: Questionnaire, request: ListRequest, most: int
) -> Sequence[uuid.UUID]:
    """The ids of the list's first answers, at most so many, wherever its cursor stands; they are
    aliases where it is by labels."""
    found = await find_answers(session, questionnaire, replace(request, cursor=None))
    if found is None:
        return ()
    statement, _scope = found
    ids = statement.with_only_columns(statement.selected_columns.row_id)
    return (await session.scalars(ids.limit(most))).all()


async def find_answers(
    session: AsyncSession, questionnaire: Questionnaire, request: ListRequest
) -> tuple[Select[*tuple[Any, ...]], RowScope] | None:
    """The list from the cursor on as a statement with the columns `shown_on`, `row_id`, `block`
    (its number among the scope's), `score`, `comment`, `standing`, `exclusion_reason`,
    `hold_reason`, `is_starred`, `tags` (names) and `address`, and its scope; None where the
    subgroup may not be shown.

    For exports. What of the columns may leave is decided by the scope, as in `_listed`.
    """
    scope = request.scope or await scope_of(session, questionnaire, request.filter)
    return None if scope.is_suppressed else (_in_order(questionnaire, request, scope), scope)


def _in_order(
    questionnaire: Questionnaire, request: ListRequest, scope: RowScope
) -> Select[*tuple[Any, ...]]:
    """Columns only, since an export has a million rows."""
    shown_on, row_id = _shown_on(scope), _row_id(request)
    columns = select(
        shown_on.label("shown_on"), row_id.label("row_id"), _number_of_block(scope).label("block"),
        Response.score, Response.comment, Response.standing, Response.exclusion_reason,
        Response.hold_reason, *marks_of_answer(scope),
    )  # fmt: skip
    statement = _add_address(
        _matching(columns, questionnaire, request, scope), questionnaire, scope
    )
    if request.cursor is not None:
        day, last_id = _read_cursor(request)
        statement = statement.where(shown_on <= day, or_(shown_on < day, row_id > last_id))
    return statement.order_by(shown_on.desc(), row_id)


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


def _shown_on(scope: RowScope) -> ColumnElement[date]:
    """The first day of what is displayed as the answer's time."""
    if not scope.labels:
        return Response.answered_on.expression
    return case(
        *((_in_block(scope, block), cast(block.period.since, Date)) for block in scope.blocks)
    )


def _number_of_block(scope: RowScope) -> ColumnElement[int]:
    if not scope.labels:
        return literal(0)
    return case(*((_in_block(scope, block), at) for at, block in enumerate(scope.blocks)))


def _in_block(scope: RowScope, block: Block) -> ColumnElement[bool]:
    """The answers that a block counts: of its months, and of its file if that was late. What the
    API brought late is in no block before its day is closed."""
    in_months = and_(*within(Response.answered_on, block.period))
    late = scope.late.get(block.edition_id)
    if late is not None:
        return in_months & (Response.import_id == late.import_id)
    by_api = days_of_api(scope.workspace_id, scope.survey_id)
    came_late = or_(
        func.coalesce(Response.import_id.in_(by_api), False), *map(_is_of, scope.late.values())
    )
    return in_months & ~came_late


def _is_of(late: Edition) -> ColumnElement[bool]:
    assert late.closed_through is not None
    imported = func.coalesce(Response.import_id == late.import_id, False)
    return imported & (Response.answered_on <= month_end(late.closed_through))


def _row_id(request: ListRequest) -> ColumnElement[uuid.UUID]:
    labels = request.filter.labels
    if not labels:
        return Response.id.expression
    salt = digest(request.secret_key, f"{request.filter.survey_id} {sorted(labels.items())}").hex()
    text = func.convert_to(func.concat(salt, cast(Response.id, Text)), "UTF8")
    return cast(func.left(func.encode(func.sha256(text), "hex"), 32), Uuid)


def _matching(
    columns: Select[*tuple[Any, ...]],
    questionnaire: Questionnaire,
    request: ListRequest,
    scope: RowScope,
) -> Select[*tuple[Any, ...]]:
    asked = request.filter
    statement = columns.where(
        Response.workspace_id == questionnaire.workspace_id,
        Response.survey_id == asked.survey_id,
        *_by_content(request),
    )
    if not scope.labels:
        return statement.where(*within(Response.answered_on, asked.period))
    statement = statement.join(
        SegmentSet,
        (SegmentSet.workspace_id == Response.workspace_id)
        & (SegmentSet.id == Response.segment_set_id),
    ).where(*(selected(name, Response) == value for name, value in scope.labels.items()))
    was_counted = (Response.standing == Standing.COUNTED) != Response.is_late_change
    return statement.where(was_counted, or_(*(_in_block(scope, block) for block in scope.blocks)))


def _by_content(request: ListRequest) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    category = request.filter.category
    if category is not None:
        scores = [score for score in SCORES if category_of(score) is category]
        conditions.append(Response.score.in_(scores))
    if request.only_commented:
        conditions.append(Response.comment.is_not(None))
    if request.filter.search is not None:
        conditions += matches(Response.comment.expression, request.filter.search)
    if request.filter.term is not None:
        conditions.append(_mentions(request.filter.term))
    conditions += marked_as(request.filter)
    if request.filter.labels:
        # All of these show as counted: which of them was left out since would tell its day.
        if request.standing not in (None, Standing.COUNTED):
            conditions.append(Response.id.is_(None))  # never so: no row
    elif request.standing is not None:
        conditions.append(Response.standing == request.standing)
    return conditions


def _mentions(term: str) -> ColumnElement[bool]:
    return exists().where(
        CommentTerms.workspace_id == Response.workspace_id,
        CommentTerms.response_id == Response.id,
        CommentTerms.keys.contains([term]),
    )


def _add_address(
    statement: Select[*tuple[Any, ...]], questionnaire: Questionnaire, scope: RowScope
) -> Select[*tuple[Any, ...]]:
    """With the address left with each answer. Beside labels there is none: whoever knows it from
    the list by day would have the answer's day and all its labels."""
    if scope.labels or not questionnaire.asks_contact:
        return statement.add_columns(null().label("address"))
    return statement.outerjoin(
        ResponseContact,
        (ResponseContact.workspace_id == Response.workspace_id)
        & (ResponseContact.response_id == Response.id),
    ).add_columns(ResponseContact.address)


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


def _serializer(request: ListRequest) -> URLSafeSerializer:
    # The list is part of the salt: a cursor fits only the list that it was given out with.
    asked = f"{request.filter.survey_id}?{request.filter.to_query()}"
    asked += f"&{request.only_commented}&{request.standing}"
    return URLSafeSerializer(request.secret_key, f"responses {fingerprint(asked.encode()).hex()}")


def _write_cursor(request: ListRequest, last: Sequence[Any]) -> str:
    day, row_id, *_rest = last
    return str(_serializer(request).dumps([day.isoformat(), str(row_id)]))


def _read_cursor(request: ListRequest) -> tuple[date, uuid.UUID]:
    try:
        day, last_id = _serializer(request).loads(request.cursor or "")
    except BadSignature:
        raise refused_cursor() from None
    return date.fromisoformat(day), uuid.UUID(last_id)
