"""The terms of every comment, kept as rows: found once, counted whenever somebody looks.

A comment can be changed as long as its answer has a submission key; its terms are found again then.
They go with their answer, by the foreign key.
"""

import asyncio
import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from sqlalchemy import and_, func, or_, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError

from app.accounts.models import Workspace
from app.foundation.database import Database
from app.reporting.models import CommentTerms
from app.reporting.terms import find_terms
from app.responses.models import Response, SubmissionKey

AT_ONCE = 2_000  # comments a transaction
LONGEST_KEY = 100  # what is longer is no word that five people write


async def index_comments(database: Database) -> int:
    """Find the terms of all comments that are new or were changed; returns how many these were.

    The words are read in a thread, so that whoever wants to be answered meanwhile is.
    """
    async with database.transaction() as session:
        workspaces = await session.scalars(
            select(Workspace.id).where(Workspace.deleted_at.is_(None))
        )
    return sum([await _index_workspace(database, id_) for id_ in workspaces])


async def _index_workspace(database: Database, workspace_id: uuid.UUID) -> int:
    done, last = 0, uuid.UUID(int=0)
    while comments := await _find_unread(database, workspace_id, last):
        last = comments[-1].id
        rows = await asyncio.to_thread(_read, workspace_id, comments)
        # An answer that went meanwhile: the others are read in the next round.
        with suppress(IntegrityError):
            await _keep(database, workspace_id, rows)
            done += len(rows)
    return done


async def _find_unread(
    database: Database, workspace_id: uuid.UUID, after: uuid.UUID
) -> Sequence[Any]:
    """By their random ids, so that what is written together says nothing about when it came."""
    hashed = func.hashtextextended(func.coalesce(Response.comment, ""), 0)
    is_changed = SubmissionKey.response_id.is_not(None) & (CommentTerms.comment_hash != hashed)
    unread = (
        select(Response.id, Response.comment, Response.language, hashed.label("comment_hash"))
        .outerjoin(
            CommentTerms,
            (CommentTerms.workspace_id == Response.workspace_id)
            & (CommentTerms.response_id == Response.id),
        )
        .outerjoin(
            SubmissionKey,
            (SubmissionKey.workspace_id == Response.workspace_id)
            & (SubmissionKey.response_id == Response.id),
        )
        .where(
            Response.workspace_id == workspace_id,
            Response.id > after,
            or_(
                and_(CommentTerms.response_id.is_(None), Response.comment.is_not(None)), is_changed
            ),
        )
        .order_by(Response.id)
        .limit(AT_ONCE)
    )
    async with database.transaction(workspace_id) as session:
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        return (await session.execute(unread)).all()


def _read(workspace_id: uuid.UUID, comments: Sequence[Any]) -> list[dict[str, Any]]:
    rows = []
    for id_, comment, language, comment_hash in comments:
        found = find_terms(comment or "", language)
        terms = {key: written for key, written in found.items() if len(key) <= LONGEST_KEY}
        rows.append(
            {
                "workspace_id": workspace_id,
                "response_id": id_,
                "comment_hash": comment_hash,
                "keys": list(terms),
                "written": list(terms.values()),
            }
        )
    return rows


async def _keep(database: Database, workspace_id: uuid.UUID, rows: list[dict[str, Any]]) -> None:
    statement = insert(CommentTerms)
    kept = statement.on_conflict_do_update(
        index_elements=[CommentTerms.workspace_id, CommentTerms.response_id],
        set_={name: statement.excluded[name] for name in ("comment_hash", "keys", "written")},
    )
    async with database.transaction(workspace_id) as session:
        await session.execute(kept, rows)
