"""Which answers a list finds and in which order, as statements. What of them leaves, `listing`
decides."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from sqlalchemy import (
    ColumnElement,
    Date,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal,
    null,
    or_,
    select,
)

from app.foundation.paging import refused_cursor
from app.foundation.tokens import digest, fingerprint
from app.reporting.buckets import month_end
from app.reporting.filters import ReportFilter
from app.reporting.marks import MARKS_BY_DAY, NO_MARKS, is_tagged, refuse_marks_beside_labels
from app.reporting.publication import Block, RowScope
from app.reporting.queries import selected, within
from app.reporting.searching import matches
from app.responses.closing import days_of_api
from app.responses.models import (
    SCORES,
    CommentTerms,
    Edition,
    Response,
    ResponseContact,
    SegmentSet,
    Standing,
)
from app.scoring import Category, category_of
from app.surveys.schemas import Questionnaire


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


@dataclass(frozen=True, slots=True)
class Answers:
    """A list as a statement that is executed with `values`; its columns are `shown_on`, `row_id`,
    `block` (its number among the scope's), `score`, `comment`, `standing`, `exclusion_reason`,
    `hold_reason`, `is_starred`, `tags` (names) and `address`.

    What of the columns may leave is decided by the scope, as `listing` does. A statement that
    `is_shared` is the same object each time, and holds nothing of what was asked but its shape.
    """

    statement: Select[*tuple[Any, ...]]
    values: Mapping[str, Any]
    scope: RowScope
    is_shared: bool = False


def find_in_order(questionnaire: Questionnaire, request: ListRequest, scope: RowScope) -> Answers:
    """The list from the cursor on; Invalid for a forged cursor or one of another list."""
    shape, asked = _Shape.of(questionnaire, request), request.filter
    values: dict[str, Any] = {}
    if scope.labels:
        statement = _by_labels(request, shape, scope)
    else:
        statement = _by_day(shape)
        values = {
            "workspace_id": questionnaire.workspace_id, "survey_id": asked.survey_id,
            "since": asked.since, "until": asked.until,
        }  # fmt: skip
    conditions = _by_content(asked)
    if conditions:
        statement = statement.where(*conditions)
    if request.cursor is not None:
        (day, last_id), columns = _read_cursor(request), statement.selected_columns
        is_later = or_(columns.shown_on < day, columns.row_id > last_id)
        statement = statement.where(columns.shown_on <= day, is_later)
    is_shared = not (scope.labels or conditions or request.cursor)
    return Answers(statement, values, scope, is_shared)


def parts_after(statement: Select[*tuple[Any, ...]]) -> list[Select[*tuple[Any, ...]]]:
    """What a list by day holds after a row: the rest of the row's day, and then the days before.
    Both ask for the values of `place_after`.

    Two statements, since an index leads to where each begins; one of both reads the day again.
    """
    columns, day = statement.selected_columns, bindparam("last_day", type_=Date)
    row_id = bindparam("last_id", type_=Uuid)
    return [
        statement.where(columns.shown_on == day, columns.row_id > row_id),
        statement.where(columns.shown_on < day),
    ]


def place_after(day: date, row_id: uuid.UUID) -> dict[str, Any]:
    """The values of `parts_after` for a row."""
    return {"last_day": day, "last_id": row_id}


@dataclass(frozen=True, slots=True)
class _Shape:
    """What the statements of lists differ in, apart from values."""

    asks_contact: bool
    has_since: bool
    has_until: bool
    only_commented: bool
    is_starred: bool
    category: Category | None
    standing: Standing | None

    @classmethod
    def of(cls, questionnaire: Questionnaire, request: ListRequest) -> "_Shape":
        asked = request.filter
        return cls(
            asks_contact=questionnaire.asks_contact,
            has_since=asked.since is not None,
            has_until=asked.until is not None,
            only_commented=request.only_commented,
            is_starred=asked.is_starred,
            category=asked.category,
            standing=request.standing,
        )


_CONTENT = (
    Response.score, Response.comment, Response.standing, Response.exclusion_reason,
    Response.hold_reason,
)  # fmt: skip


@cache  # of a few hundred shapes: to make a list takes longer than to run it
def _by_day(shape: _Shape) -> Select[*tuple[Any, ...]]:
    """Everybody's list. Columns only, since an export has a million rows."""
    day = Response.answered_on
    statement = (
        select(
            day.label("shown_on"), Response.id.label("row_id"), literal(0).label("block"),
            *_CONTENT, *MARKS_BY_DAY,
        )
        .where(
            Response.workspace_id == bindparam("workspace_id"),
            Response.survey_id == bindparam("survey_id"),
            *_of_kind(shape),
            *([day >= bindparam("since")] if shape.has_since else []),
            *([day <= bindparam("until")] if shape.has_until else []),
        )
        .order_by(day.desc(), Response.id)
    )  # fmt: skip
    if shape.standing is not None:
        statement = statement.where(Response.standing == shape.standing)
    if shape.is_starred:
        statement = statement.where(Response.is_starred)
    if not shape.asks_contact:
        return statement.add_columns(null().label("address"))
    return statement.outerjoin(
        ResponseContact,
        (ResponseContact.workspace_id == Response.workspace_id)
        & (ResponseContact.response_id == Response.id),
    ).add_columns(ResponseContact.address)


def _by_labels(request: ListRequest, shape: _Shape, scope: RowScope) -> Select[*tuple[Any, ...]]:
    """A subgroup's list. Beside labels stands no address: whoever knows it from the list by day
    would have the answer's day and all its labels."""
    refuse_marks_beside_labels(request.filter)
    shown_on, row_id = _shown_on(scope), _row_id(request)
    was_counted = (Response.standing == Standing.COUNTED) != Response.is_late_change
    statement = (
        select(
            shown_on.label("shown_on"), row_id.label("row_id"),
            _number_of_block(scope).label("block"), *_CONTENT, *NO_MARKS, null().label("address"),
        )
        .join(
            SegmentSet,
            (SegmentSet.workspace_id == Response.workspace_id)
            & (SegmentSet.id == Response.segment_set_id),
        )
        .where(
            Response.workspace_id == scope.workspace_id,
            Response.survey_id == scope.survey_id,
            *_of_kind(shape),
            *(selected(name, Response) == value for name, value in scope.labels.items()),
            was_counted,
            or_(*(_in_block(scope, block) for block in scope.blocks)),
        )
        .order_by(shown_on.desc(), row_id)
    )  # fmt: skip
    if shape.standing not in (None, Standing.COUNTED):
        # All of these show as counted: which of them was left out since would tell its day.
        return statement.where(Response.id.is_(None))  # never so: no row
    return statement


def _shown_on(scope: RowScope) -> ColumnElement[date]:
    """The first day of what is displayed as the answer's time."""
    return case(
        *((_in_block(scope, block), cast(block.period.since, Date)) for block in scope.blocks)
    )


def _number_of_block(scope: RowScope) -> ColumnElement[int]:
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
    """An alias, see `ListedResponse`."""
    labels = request.filter.labels
    salt = digest(request.secret_key, f"{request.filter.survey_id} {sorted(labels.items())}").hex()
    text = func.convert_to(func.concat(salt, cast(Response.id, Text)), "UTF8")
    return cast(func.left(func.encode(func.sha256(text), "hex"), 32), Uuid)


def _of_kind(shape: _Shape) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if shape.category is not None:
        scores = [score for score in SCORES if category_of(score) is shape.category]
        conditions.append(Response.score.in_(scores))
    if shape.only_commented:
        conditions.append(Response.comment.is_not(None))
    return conditions


def _by_content(asked: ReportFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.search is not None:
        conditions += matches(Response.comment.expression, asked.search)
    if asked.term is not None:
        conditions.append(_mentions(asked.term))
    if asked.tag is not None:
        conditions.append(is_tagged(asked.tag))
    return conditions


def _mentions(term: str) -> ColumnElement[bool]:
    return exists().where(
        CommentTerms.workspace_id == Response.workspace_id,
        CommentTerms.response_id == Response.id,
        CommentTerms.keys.contains([term]),
    )


def _serializer(request: ListRequest) -> URLSafeSerializer:
    # The list is part of the salt: a cursor fits only the list that it was given out with.
    asked = f"{request.filter.survey_id}?{request.filter.to_query()}"
    asked += f"&{request.only_commented}&{request.standing}"
    return URLSafeSerializer(request.secret_key, f"responses {fingerprint(asked.encode()).hex()}")


def write_cursor(request: ListRequest, last: Sequence[Any]) -> str:
    day, row_id, *_rest = last
    return str(_serializer(request).dumps([day.isoformat(), str(row_id)]))


def _read_cursor(request: ListRequest) -> tuple[date, uuid.UUID]:
    try:
        day, last_id = _serializer(request).loads(request.cursor or "")
    except BadSignature:
        raise refused_cursor() from None
    return date.fromisoformat(day), uuid.UUID(last_id)
