"""Answers as a CSV file, written while it is sent: memory does not grow with the survey."""

import csv
import io
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.schemas import Actor
from app.foundation.database import Database
from app.foundation.errors import Conflict
from app.foundation.translation import mark
from app.reporting.filters import SEGMENT_PREFIX
from app.reporting.listing import ListedResponse, ListRequest, list_responses
from app.reporting.shapes import month_text
from app.surveys.schemas import Questionnaire

ROWS_AT_ONCE = 1_000
CSV_TYPE = "text/csv; charset=utf-8"
BYTE_ORDER_MARK = "\ufeff"
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
    record_event(
        session, questionnaire.workspace_id, actor, "responses.exported", questionnaire.survey_id,
        {"filter": request.filter.to_query()},
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
    formula is led by an apostrophe.
    """
    labels = request.filter.labels
    with_contacts = may_see_contacts and questionnaire.asks_contact and not labels
    yield BYTE_ORDER_MARK + csv_lines([[*_head(labels), *(["contact"] if with_contacts else [])]])
    cursor: str | None = None
    async with database.transaction(questionnaire.workspace_id) as session:
        while True:
            page = replace(request, limit=ROWS_AT_ONCE, cursor=cursor)
            listing = await list_responses(session, questionnaire, page)
            yield csv_lines(
                [*_cells(row), *([row.address or ""] if with_contacts else [])]
                for row in listing.rows
            )
            session.expunge_all()
            cursor = listing.next_cursor
            if cursor is None:
                return


def _head(labels: Mapping[str, str]) -> list[str]:
    if not labels:
        return ["id", "answered_on", "score", "category", "comment", "standing"]
    names = [name.removeprefix(SEGMENT_PREFIX) for name in labels]
    return ["id", "month", "score", "category", "comment", *names]


def _cells(row: ListedResponse) -> list[str]:
    score = "" if row.score is None else str(row.score)
    common = [score, row.category.value, row.comment or ""]
    if row.months is None:
        day = row.answered_on.isoformat() if row.answered_on else ""
        return [str(row.id), day, *common, row.standing.value]
    return [str(row.id), month_text(row.months), *common, *row.labels.values()]


def csv_lines(rows: Iterable[Sequence[str | float]]) -> str:
    """The rows as CSV; text that would be run as a formula is led by an apostrophe."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def _harmless(cell: str | float) -> str | float:
    is_formula = isinstance(cell, str) and cell.startswith(FORMULA_STARTS)
    return f"'{cell}" if is_formula else cell
