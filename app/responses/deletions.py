"""What is remembered of deletions: how many answers went on which day, and why. No answer's id."""

import uuid
from datetime import date

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.queries import get_workspace
from app.foundation import clock
from app.foundation.paging import Page, decode_cursor, encode_cursor, refused_cursor
from app.responses.models import Deletion, DeletionReason


async def record_deletions(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_id: uuid.UUID,
    reason: DeletionReason,
    number: int,
) -> None:
    """Count `number` answers of a survey as deleted today, by the workspace's calendar; none for 0.

    Call it last in the transaction that deletes: the day's row stays locked until that ends.
    """
    if not number:
        return
    workspace = await get_workspace(session, workspace_id)
    deletion = insert(Deletion).values(
        workspace_id=workspace_id,
        survey_id=survey_id,
        deleted_on=clock.today(workspace.time_zone),
        reason=reason,
        responses=number,
    )
    await session.execute(
        deletion.on_conflict_do_update(
            index_elements=["workspace_id", "survey_id", "deleted_on", "reason"],
            set_={"responses": Deletion.responses + deletion.excluded.responses},
        )
    )


async def list_deletions(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_id: uuid.UUID,
    limit: int,
    cursor: str | None = None,
) -> Page[Deletion]:
    """The survey's deletions by day and reason, the latest day first; Invalid for a bad cursor."""
    query = select(Deletion).where(
        Deletion.workspace_id == workspace_id, Deletion.survey_id == survey_id
    )
    if cursor is not None:
        day, reason = decode_cursor(cursor, 2)
        query = query.where(
            tuple_(Deletion.deleted_on, Deletion.reason) < tuple_(_day(day), reason)
        )
    query = query.order_by(Deletion.deleted_on.desc(), Deletion.reason.desc()).limit(limit + 1)
    found = (await session.scalars(query)).all()
    rows = found[:limit]
    if len(found) == len(rows):
        return Page(rows, None)
    return Page(rows, encode_cursor(rows[-1].deleted_on.isoformat(), rows[-1].reason))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise refused_cursor() from None
