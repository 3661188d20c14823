"""E-mail addresses that people chose to leave with their answers: kept, found, deleted.

Each is a row of its own beside its answer, written with it and gone with it at the latest.
"""

import uuid
from collections.abc import Container, Mapping

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.schemas import Actor
from app.foundation.errors import NotFound
from app.foundation.questions import Executor
from app.responses.models import Response, ResponseContact


async def keep_addresses(
    session: Executor,
    workspace_id: uuid.UUID,
    left: Mapping[uuid.UUID, str],
    stored_before: Container[uuid.UUID],
) -> None:
    """Write the address left with each answer; an empty one deletes what an answer of before has.

    The caller holds the answers. Of those that say nothing about an address none is touched, and
    nothing is asked of the database.
    """
    kept = sorted((id_, address) for id_, address in left.items() if address)
    if kept:
        ids, addresses = zip(*kept, strict=True)
        values = {"workspace_id": workspace_id, "ids": list(ids), "addresses": list(addresses)}
        await session.execute(_KEEP, values)
    gone = [id_ for id_, address in left.items() if not address and id_ in stored_before]
    if gone:
        await session.execute(_DROP, {"workspace_id": workspace_id, "ids": sorted(gone)})


_KEEP = text(
    """
    INSERT INTO response_contacts (workspace_id, response_id, address)
    SELECT :workspace_id, kept.* FROM unnest(
        CAST(:ids AS uuid[]), CAST(:addresses AS text[])
    ) AS kept
    ON CONFLICT (workspace_id, response_id) DO UPDATE SET address = excluded.address
    """
)
_DROP = text(
    """
    DELETE FROM response_contacts
    WHERE workspace_id = :workspace_id AND response_id = ANY(CAST(:ids AS uuid[]))
    """
)


async def get_contact(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, response_id: uuid.UUID
) -> ResponseContact:
    """The address left with an answer of the survey; NotFound where there is none."""
    contact = await session.scalar(
        select(ResponseContact)
        .join(
            Response,
            (Response.workspace_id == ResponseContact.workspace_id)
            & (Response.id == ResponseContact.response_id),
        )
        .where(
            ResponseContact.workspace_id == workspace_id,
            ResponseContact.response_id == response_id,
            Response.workspace_id == workspace_id,
            Response.survey_id == survey_id,
        )
    )
    if contact is None:
        raise NotFound
    return contact


async def delete_contact(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    response_id: uuid.UUID,
) -> None:
    """Delete the address and leave the answer; NotFound where there is none (any more)."""
    contact = await get_contact(session, workspace_id, survey_id, response_id)
    await session.delete(contact)
    record_event(session, workspace_id, actor, "response.contact_deleted", response_id)
    await session.flush()
