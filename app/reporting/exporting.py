"""Answers as a CSV file, written while it is sent: memory does not grow with the survey."""

import csv
import io
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, case, cast, func, literal, null, select, text
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.sql.base import ReadOnlyColumnCollection
from sqlalchemy.sql.compiler import SQLCompiler

from app.accounts.audit import record_event
from app.accounts.schemas import Actor
from app.foundation.copying import copy_csv, csv_query
from app.foundation.database import Database
from app.foundation.errors import Conflict
from app.foundation.giving_way import Pace
from app.foundation.translation import mark
from app.reporting.filters import SEGMENT_PREFIX, ReportFilter
from app.reporting.finding import ListRequest, parts_after, place_after
from app.reporting.listing import find_answers, list_responses
from app.reporting.publication import RowScope
from app.reporting.shapes import month_text
from app.responses.models import SCORES
from app.responses.tags import SEPARATOR
from app.scoring import Distribution, category_of
from app.surveys.schemas import Questionnaire

ROWS_AT_ONCE = 500  # so that others get their turn every few milliseconds
CSV_TYPE = "text/csv; charset=utf-8"
BYTE_ORDER_MARK = "\ufeff"
TAGS_BETWEEN = f"{SEPARATOR} "
# What a spreadsheet would take for the start of a formula.
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


async def begin_export(
    session: AsyncSession, questionnaire: Questionnaire, actor: Actor, request: ListRequest
) -> None:
    """Note in the audit log that the answers of `request` leave as a file.

    Conflict where the subgroup is hidden: a file that is under way cannot say so any more.
    """
    listing = await list_responses(session, questionnaire, request)
    if listing.is_suppressed:
        raise Conflict(mark("This subgroup is hidden to protect respondents."))
    # What was searched for may quote a comment, and the log outlives it.
    asked = replace(request.filter, search=None, term=None)
    is_search = asked != request.filter
    record_event(
        session, questionnaire.workspace_id, actor, "responses.exported", questionnaire.survey_id,
        {"filter": asked.to_query(), **({"is_search": True} if is_search else {})},
    )  # fmt: skip


async def record_figures_export(
    session: AsyncSession,
    questionnaire: Questionnaire,
    actor: Actor,
    asked: ReportFilter,
    comments: int = 0,
    chart: str = "",
) -> None:
    """Note in the audit log that the figures of a filter leave as a file, with so many comments,
    or as one chart."""
    more = {"comments": comments, "chart": chart}
    record_event(
        session, questionnaire.workspace_id, actor, "figures.exported", questionnaire.survey_id,
        {"filter": asked.to_query(), **{name: value for name, value in more.items() if value}},
    )  # fmt: skip


def attachment(questionnaire: Questionnaire) -> dict[str, str]:
    """The headers of the file."""
    name = f"responses-{questionnaire.survey_id}.csv"
    return {"Content-Disposition": f'attachment; filename="{name}"'}


async def stream_csv(
    database: Database, questionnaire: Questionnaire, request: ListRequest, may_see_contacts: bool
) -> AsyncIterator[str]:
    """The lines of the file: a head, then the answers in the order of the list; with the addresses
    left with them where the survey asks for one and whoever asks `may_see_contacts`.

    UTF-8 with a byte order mark, so that spreadsheets read Japanese. A cell that would be run as a
    formula is led by an apostrophe. Postgres writes the lines. Everybody's answers are read in
    parts, each as it stands then: while a statement runs, Postgres keeps what every count was at
    its start, and each answer that comes has more of that to walk through. So what gives way does
    so between the parts, and a subgroup's one statement does not.
    """
    labels = request.filter.labels
    with_contacts = may_see_contacts and questionnaire.asks_contact and not labels
    head = [*_head(labels), *(["contact"] if with_contacts else [])]
    yield BYTE_ORDER_MARK + csv_lines([head])
    async with database.transaction(questionnaire.workspace_id) as session:
        found = await find_answers(session, questionnaire, replace(request, cursor=None))
        if found is None:
            return
        await session.execute(text("SET LOCAL statement_timeout = 0"))  # of many answers, or busy
        size = None if labels else ROWS_AT_ONCE  # an alias stands in no index to begin from

        @cache  # and none before its turn: to make each takes a few milliseconds
        def query_of(part: Select[*tuple[Any, ...]]) -> SQLCompiler:
            return csv_query(session, _as_cells(part.limit(size), found.scope, with_contacts))

        then = [] if labels else parts_after(found.statement)
        parts, values, pace = [found.statement], found.values, Pace(session)
        while parts:
            rows: list[bytes] = []
            async for rows in copy_csv(session, query_of(parts.pop(0)), values, ROWS_AT_ONCE):
                yield b"".join(rows).decode()
            if len(rows) == size:
                row_id, day, *_rest = rows[-1].decode().split(",", 2)
                place = place_after(date.fromisoformat(day), uuid.UUID(row_id))
                parts, values = then.copy(), {**found.values, **place}
                await pace.give_way()


def _head(labels: Mapping[str, str]) -> list[str]:
    if not labels:
        return ["id", "answered_on", "score", "category", "comment", "standing", "tags", "starred"]
    names = [name.removeprefix(SEGMENT_PREFIX) for name in labels]
    return ["id", "month", "score", "category", "comment", *names]


Columns = ReadOnlyColumnCollection[str, ColumnElement[Any]]


def _as_cells(
    statement: Select[*tuple[Any, ...]], scope: RowScope, with_contacts: bool
) -> Select[*tuple[Any, ...]]:
    """Around the statement, so that what a cell is made of is found once however often it is named
    there."""
    found = statement.subquery()
    address = [_safe(found.c.address)] if with_contacts else []
    in_order = found.c.shown_on.desc(), found.c.row_id
    return select(*_cells(found.c, scope), *address).order_by(*in_order)


def _cells(columns: Columns, scope: RowScope) -> list[ColumnElement[Any]]:
    category = case({score: category_of(score).value for score in SCORES}, value=columns.score)
    comment = _safe(columns.comment)
    if not scope.labels:
        day = columns.shown_on
        tags = _safe(func.array_to_string(columns.tags, TAGS_BETWEEN))
        starred = cast(columns.is_starred, Text)
        return [
            columns.row_id, day, columns.score, category, comment, columns.standing, tags, starred,
        ]  # fmt: skip
    numbered = list(enumerate(scope.blocks))
    month = case({at: month_text(block.period) for at, block in numbered}, value=columns.block)
    guarded = [at for at, block in numbered if not isinstance(block.counts, Distribution)]
    score = case((columns.block.in_(guarded), null()), else_=columns.score)
    values = [literal(harmless(value)) for value in scope.labels.values()]
    return [columns.row_id, month, score, category, comment, *values]


def _safe(cell: ColumnElement[str]) -> ColumnElement[str]:
    """What `harmless` makes of it."""
    return case((func.left(cell, 1).in_(FORMULA_STARTS), literal("'") + cell), else_=cell)


def csv_lines(rows: Iterable[Sequence[str | float]]) -> str:
    """The rows as CSV; text that would be run as a formula is led by an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def harmless(cell: str | float) -> str | float:
    """A cell that no spreadsheet runs: text that looks like a formula is led by an apostrophe."""
    is_formula = isinstance(cell, str) and cell.startswith(FORMULA_STARTS)
    return f"'{cell}" if is_formula else cell
