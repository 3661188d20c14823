"""The terms of every comment, kept as rows: found once, counted whenever somebody looks.

A comment can be changed as long as its answer has a submission key; its terms are found again then,
and so are all where Honne has come to read words by other rules. They go with their answer, by the
foreign key.
"""

import asyncio
import json
import time
import uuid
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    and_,
    bindparam,
    func,
    literal_column,
    or_,
    select,
    text,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import InstrumentedAttribute

from app.accounts.rounds import unscoped_go_round
from app.foundation.database import Database
from app.foundation.errors import sqlstate_of
from app.foundation.giving_way import rest
from app.reporting.terms import RULES, find_terms
from app.responses.models import CommentTerms, Response, SubmissionKey

ANSWERS_AT_ONCE = 2_000  # a look: Postgres is at each for some milliseconds
COMMENTS_AT_ONCE = 200  # a transaction: for somewhat longer
FOREIGN_KEY_VIOLATION = "23503"
LAST_ID = uuid.UUID(int=2**128 - 1)
LONGEST_KEY = 100  # what is longer is no word that five people write


async def index_comments(database: Database) -> int:
    """Find the terms of all comments that are new, were changed, or were read by other rules;
    returns how many these were.

    The words are read in a thread, so that whoever wants to be answered meanwhile is.
    """
    return sum(
        [await _index_workspace(database, id_) async for id_, _zone in unscoped_go_round(database)]
    )


async def _index_workspace(database: Database, workspace_id: uuid.UUID) -> int:
    done = 0
    last: uuid.UUID | None = uuid.UUID(int=0)
    started = time.monotonic()
    while last is not None:
        unread, last = await _find_unread(database, workspace_id, last)
        for start in range(0, max(len(unread), 1), COMMENTS_AT_ONCE):
            done += await _index(database, workspace_id, unread[start : start + COMMENTS_AT_ONCE])
            await rest(time.monotonic() - started)
            started = time.monotonic()
    return done


async def _index(database: Database, workspace_id: uuid.UUID, comments: Sequence[Any]) -> int:
    if not comments:
        return 0
    try:
        await _keep(database, workspace_id, await asyncio.to_thread(_read, comments))
    except IntegrityError as error:
        # An answer that went meanwhile: the others are read in the next round.
        if sqlstate_of(error) != FOREIGN_KEY_VIOLATION:
            raise
        return 0
    return len(comments)


async def _find_unread(
    database: Database, workspace_id: uuid.UUID, after: uuid.UUID
) -> tuple[Sequence[Any], uuid.UUID | None]:
    """The unread comments of the next answers, and where these end; None where all do.

    By their random ids, so that what is written together says nothing about when it came. So many
    answers and no more, and in transactions that end before anybody reads the rows: while one is
    open Postgres keeps what every count was, and each answer that comes has more of that to walk
    through.
    """
    look_ups = database.look_ups(workspace_id)
    values = {"workspace_id": workspace_id, "after": after, "more": ANSWERS_AT_ONCE - 1}
    last = next((id_ for (id_,) in await look_ups.execute(_END, values)), None)
    values = {**values, "last": last or LAST_ID, "rules": RULES}
    return list(await look_ups.execute(_UNREAD, values)), last


def _read(comments: Sequence[Any]) -> str:
    """The terms of the comments, as JSON."""
    rows = []
    for id_, comment, language, comment_hash in comments:
        found = find_terms(comment or "", language)
        terms = {key: written for key, written in found.items() if len(key) <= LONGEST_KEY}
        rows.append(
            {
                "response_id": str(id_),
                "comment_hash": comment_hash,
                "keys": list(terms),
                "written": list(terms.values()),
            }
        )
    return json.dumps(rows, ensure_ascii=False)


async def _keep(database: Database, workspace_id: uuid.UUID, rows: str) -> None:
    async with database.transaction(workspace_id) as session:
        values = {"workspace_id": workspace_id, "rows": rows, "rules": RULES}
        await session.execute(_KEEP, values)


def _between(id_: InstrumentedAttribute[uuid.UUID]) -> ColumnElement[bool]:
    """Said of each table, so that an index leads to these rows; a look would read all of it."""
    return and_(id_ > bindparam("after"), id_ <= bindparam("last"))


_MINE = Response.workspace_id == bindparam("workspace_id")
_END = (
    select(Response.id)
    .where(_MINE, Response.id > bindparam("after"))
    .order_by(Response.id)
    .offset(bindparam("more"))
    .limit(literal_column("1"))
)
_COMMENT_HASH = func.hashtextextended(
    func.coalesce(Response.comment, literal_column("''")), literal_column("0")
)
_UNREAD = (
    select(Response.id, Response.comment, Response.language, _COMMENT_HASH.label("comment_hash"))
    .outerjoin(
        CommentTerms,
        (CommentTerms.workspace_id == Response.workspace_id)
        & (CommentTerms.response_id == Response.id)
        & _between(CommentTerms.response_id),
    )
    .outerjoin(
        SubmissionKey,
        (SubmissionKey.workspace_id == Response.workspace_id)
        & (SubmissionKey.response_id == Response.id)
        & _between(SubmissionKey.response_id),
    )
    .where(
        _MINE,
        _between(Response.id),
        or_(
            and_(CommentTerms.response_id.is_(None), Response.comment.is_not(None)),
            SubmissionKey.response_id.is_not(None) & (CommentTerms.comment_hash != _COMMENT_HASH),
            CommentTerms.rules != bindparam("rules"),
        ),
    )
    .order_by(Response.id)
)
# One statement for a batch: its rows travel together.
_KEEP = text(
    "INSERT INTO comment_terms (workspace_id, response_id, comment_hash, keys, written, rules)"
    " SELECT CAST(:workspace_id AS uuid), response_id, comment_hash, keys, written, :rules"
    " FROM json_to_recordset(CAST(:rows AS json))"
    " AS found (response_id uuid, comment_hash bigint, keys text[], written text[])"
    " ON CONFLICT (workspace_id, response_id) DO UPDATE SET"
    " comment_hash = excluded.comment_hash, keys = excluded.keys, written = excluded.written,"
    " rules = excluded.rules"
)
