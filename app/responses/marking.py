"""Tags and stars on answers: put on and taken off, one answer or thousands at a time.

A mark is a note of the team about a single answer. It stands beside the answer's day and never
beside its labels, and no figure of a subgroup knows of it (docs/decisions/0020).
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.schemas import Actor
from app.foundation.errors import Invalid, InvalidParam, NotFound
from app.foundation.translation import mark
from app.responses.models import Response
from app.responses.tag_models import ResponseTag, Tag

MOST_AT_ONCE = 5_000  # answers, so that nobody waits for a lock longer than a second


@dataclass(frozen=True, slots=True)
class Marks:
    """What becomes of the marks of some answers; `is_starred` None leaves the star as it is."""

    add: Collection[uuid.UUID] = ()
    remove: Collection[uuid.UUID] = ()
    is_starred: bool | None = None


@dataclass(frozen=True, slots=True)
class MarksOf:
    """The marks of one answer, its tags by name."""

    response_id: uuid.UUID
    tags: Sequence[Tag]
    is_starred: bool


async def mark_response(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
    marks: Marks,
) -> None:
    """Mark one answer; NotFound where the survey has none with that id, or lacks a tag."""
    if not await _mark(session, workspace_id, survey_id, [response_id], marks):
        raise NotFound


async def mark_responses(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    ids: Collection[uuid.UUID],
    marks: Marks,
) -> int:
    """Mark all of these answers that the survey still has; returns how many.

    Invalid for more than `MOST_AT_ONCE`; NotFound where the survey lacks one of the tags.
    """
    if len(ids) > MOST_AT_ONCE:
        raise too_many()
    number = await _mark(session, workspace_id, survey_id, ids, marks)
    if number:
        record_event(
            session, workspace_id, actor, "responses.marked", survey_id, {"responses": number}
        )
    return number


def too_many() -> Invalid:
    """The error for more answers than are marked at once."""
    reason = mark("At most %(limit)s answers are marked at once; narrow the list.")
    return Invalid(reason, values={"limit": MOST_AT_ONCE}, invalid_params=[
        InvalidParam("response_ids", reason, {"limit": MOST_AT_ONCE})
    ])  # fmt: skip


async def get_marks(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, response_id: uuid.UUID
) -> MarksOf:
    """The marks of an answer of the survey; NotFound where there is no such answer."""
    is_starred = await session.scalar(
        select(Response.is_starred).where(
            Response.workspace_id == workspace_id,
            Response.survey_id == survey_id,
            Response.id == response_id,
        )
    )
    if is_starred is None:
        raise NotFound
    tags = await session.scalars(
        select(Tag)
        .join(
            ResponseTag,
            (ResponseTag.workspace_id == Tag.workspace_id) & (ResponseTag.tag_id == Tag.id),
        )
        .where(
            Tag.workspace_id == workspace_id,
            ResponseTag.workspace_id == workspace_id,
            ResponseTag.response_id == response_id,
        )
        .order_by(Tag.folded)
    )
    return MarksOf(response_id, tags.all(), is_starred)


async def _mark(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_id: uuid.UUID,
    ids: Collection[uuid.UUID],
    marks: Marks,
) -> int:
    """First the tags are held, then the answers by id, so that neither goes meanwhile."""
    await _hold_tags(session, workspace_id, survey_id, {*marks.add, *marks.remove})
    found = (
        await session.scalars(
            select(Response.id)
            .where(
                Response.workspace_id == workspace_id,
                Response.survey_id == survey_id,
                Response.id.in_(ids),
            )
            .order_by(Response.id)
            .with_for_update(key_share=True)
        )
    ).all()
    for tag_id in sorted(marks.add):
        values = {"workspace_id": workspace_id, "ids": found, "tag_id": tag_id}
        await session.execute(_PUT_ON, values)
    if marks.remove:
        await session.execute(
            delete(ResponseTag)
            .where(
                ResponseTag.workspace_id == workspace_id,
                ResponseTag.response_id.in_(found),
                ResponseTag.tag_id.in_(marks.remove),
            )
            .execution_options(synchronize_session=False)
        )
    if marks.is_starred is not None:
        await _set_stars(session, workspace_id, found, marks.is_starred)
    return len(found)


async def _hold_tags(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, ids: set[uuid.UUID]
) -> None:
    if not ids:
        return
    found = await session.scalars(
        select(Tag.id)
        .where(Tag.workspace_id == workspace_id, Tag.survey_id == survey_id, Tag.id.in_(ids))
        .order_by(Tag.id)
        .with_for_update(read=True, key_share=True)
    )
    if set(found) != ids:
        raise NotFound


async def _set_stars(
    session: AsyncSession, workspace_id: uuid.UUID, ids: Sequence[uuid.UUID], is_starred: bool
) -> None:
    await session.execute(
        update(Response)
        .where(
            Response.workspace_id == workspace_id,
            Response.id.in_(ids),
            Response.is_starred != is_starred,
        )
        .values(is_starred=is_starred)
        .execution_options(synchronize_session=False)
    )


_PUT_ON = text(
    "INSERT INTO response_tags (workspace_id, response_id, tag_id)"
    " SELECT :workspace_id, id, :tag_id FROM unnest(CAST(:ids AS uuid[])) AS found (id)"
    " ON CONFLICT (workspace_id, response_id, tag_id) DO NOTHING"
)
