"""Once an answer can be amended no more, the order in which it came is taken out of the database.

Postgres knows the transaction (`xmin`) that wrote a row and its place (`ctid`): a copy of the
database would show the order of the answers of a day, and between which acts of members, whose
moments the audit log holds, each of them came. So the answers whose submission keys go are written
anew, unchanged, in one transaction and by their random ids; so are the rows that came with them.
"""

import uuid
from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import TextClause, delete, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.responses.counts import rewrite_counts
from app.responses.models import Response, ResponseContact, SubmissionKey
from app.responses.tag_models import ResponseTag

MIXED_AT_ONCE = 5_000  # answers a transaction


class _Answer(NamedTuple):
    id: uuid.UUID
    survey_id: uuid.UUID
    answered_on: date
    segment_set_id: uuid.UUID


async def mix_answers(session: AsyncSession, workspace_id: uuid.UUID, before: date) -> int:
    """Forget the submission keys of some answers given before a day, and the order these came in.

    Returns how many; 0 where none is left. Locks are taken in the order that intake takes them.
    """
    answers = await _find_unmixed(session, workspace_id, before)
    if answers:
        ids = [answer.id for answer in answers]
        sets = {answer.segment_set_id for answer in answers}
        await _rewrite(session, _REWRITE_SET, workspace_id, sorted(sets))
        await session.execute(
            delete(SubmissionKey)
            .where(SubmissionKey.workspace_id == workspace_id, SubmissionKey.response_id.in_(ids))
            .execution_options(synchronize_session=False)
        )
        await _rewrite(session, _REWRITE_ANSWER, workspace_id, ids)
        left = await _having(session, ResponseContact, workspace_id, ids)
        await _rewrite(session, _REWRITE_CONTACT, workspace_id, left)
        tagged = await _having(session, ResponseTag, workspace_id, ids)
        await _rewrite(session, _REWRITE_TAGS, workspace_id, tagged)
        await _rewrite(session, _REWRITE_TERMS, workspace_id, ids)
        days = {(answer.survey_id, answer.answered_on) for answer in answers}
        await rewrite_counts(session, workspace_id, days)
    return len(answers)


async def _find_unmixed(
    session: AsyncSession, workspace_id: uuid.UUID, before: date
) -> Sequence[_Answer]:
    """By their random ids, so that what is written together says nothing about when it came."""
    rows = await session.execute(
        select(Response.id, Response.survey_id, Response.answered_on, Response.segment_set_id)
        .join(
            SubmissionKey,
            (SubmissionKey.workspace_id == Response.workspace_id)
            & (SubmissionKey.response_id == Response.id),
        )
        .where(Response.workspace_id == workspace_id, Response.answered_on < before)
        .order_by(Response.id)
        .limit(MIXED_AT_ONCE)
    )
    return [_Answer(*row) for row in rows]


async def _having(
    session: AsyncSession,
    beside: type[ResponseContact | ResponseTag],
    workspace_id: uuid.UUID,
    ids: Sequence[uuid.UUID],
) -> Sequence[uuid.UUID]:
    """Those of the answers, by their ids, that have a row in a table beside them."""
    found = await session.scalars(
        select(beside.response_id)
        .where(beside.workspace_id == workspace_id, beside.response_id.in_(ids))
        .order_by(beside.response_id)
        .distinct()
    )
    return found.all()


async def _rewrite(
    session: AsyncSession, statement: TextClause, workspace_id: uuid.UUID, ids: Iterable[uuid.UUID]
) -> None:
    """One row after the other: a statement for all of them would go through the table as it lies,
    in the order of arrival."""
    rows = [{"workspace_id": workspace_id, "id": id_} for id_ in ids]
    if rows:
        await session.execute(statement, rows)


_REWRITE_SET = text(
    "UPDATE segment_sets SET labels = labels WHERE workspace_id = :workspace_id AND id = :id"
)
_REWRITE_ANSWER = text(
    "UPDATE responses SET standing = standing WHERE workspace_id = :workspace_id AND id = :id"
)
_REWRITE_CONTACT = text(
    "UPDATE response_contacts SET address = address"
    " WHERE workspace_id = :workspace_id AND response_id = :id"
)
_REWRITE_TAGS = text(
    "UPDATE response_tags SET tag_id = tag_id"
    " WHERE workspace_id = :workspace_id AND response_id = :id"
)
# Not every answer has terms, and of the others nothing is written.
_REWRITE_TERMS = text(
    "UPDATE comment_terms SET keys = keys WHERE workspace_id = :workspace_id AND response_id = :id"
)
