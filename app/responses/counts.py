"""The daily counts: moved in the very transaction that writes, amends or excludes an answer.

Nobody else writes `daily_counts`, but `import_counts` for whole files.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from datetime import date
from typing import NamedTuple

from sqlalchemy import select, text, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.questions import Executor
from app.responses.day_totals import forget_empty_total, may_have_total, move_totals
from app.responses.models import SCORES, DailyCount, Response, Standing
from app.responses.schemas import StoredAnswer
from app.surveys.models import Channel


class RowKey(NamedTuple):
    """Names one row of `daily_counts` within a workspace."""

    survey_id: uuid.UUID
    answered_on: date
    segment_set_id: uuid.UUID
    language: str
    channel: Channel
    standing: Standing


class CountKey(NamedTuple):
    """Names one number: a row and the score, 0 to 10, whose column it is."""

    survey_id: uuid.UUID
    answered_on: date
    segment_set_id: uuid.UUID
    language: str
    channel: Channel
    standing: Standing
    score: int

    @property
    def row(self) -> RowKey:
        return RowKey(*self[:-1])


def count_key(answer: StoredAnswer | Response, standing: Standing | None = None) -> CountKey:
    """Where `answer` is counted, or would be with another `standing`."""
    return CountKey(
        answer.survey_id,
        answer.answered_on,
        answer.segment_set_id,
        answer.language,
        answer.channel,
        standing or answer.standing,
        answer.score,
    )


async def apply_count_changes(
    session: AsyncSession, workspace_id: uuid.UUID, changes: Mapping[CountKey, int]
) -> None:
    """Add `changes` (answers more or fewer) to the workspace's counts.

    Raises IntegrityError where a count would fall below zero: then counts and answers disagree.
    The caller has locked the answers concerned; nothing is locked after the counts.
    """
    rows = _by_row(changes)
    await move_totals(
        session,
        workspace_id,
        (((row.survey_id, row.answered_on, row.standing), rows[row]) for row in rows),
    )
    await _apply(session, workspace_id, rows)


class NotRecent(Exception):
    """A change concerns a day that may have totals."""


async def apply_recent_changes(
    session: Executor, workspace_id: uuid.UUID, changes: Mapping[CountKey, int]
) -> None:
    """`apply_count_changes` where no day concerned has totals; NotRecent where one might."""
    rows = _by_row(changes)
    if any(may_have_total(row.answered_on) for row in rows):
        raise NotRecent
    await _apply(session, workspace_id, rows)


async def _apply(
    session: Executor, workspace_id: uuid.UUID, rows: Mapping[RowKey, list[int]]
) -> None:
    if not rows:
        return
    # A CHECK looks at the row an INSERT proposes even where it then becomes an UPDATE, so nothing
    # negative may be proposed. The upsert therefore adds what grows and, doing so, locks every
    # row, the shrinking ones too, in one sorted order: two writers cannot wait for each other in
    # a circle. What shrinks follows on rows that are already ours.
    await session.execute(_ADD, _parameters(workspace_id, rows, _growth))
    shrinking = {key: deltas for key, deltas in rows.items() if min(deltas) < 0}
    if shrinking:
        await session.execute(_SUBTRACT, _parameters(workspace_id, shrinking, _shrinkage))


async def forget_empty_counts(
    session: Executor, workspace_id: uuid.UUID, rows: Collection[RowKey]
) -> None:
    """Delete those of `rows` whose counts are all zero: they would still say that somebody with
    these labels had answered on that day. The transaction holds the rows already."""
    for row in sorted(rows):
        await session.execute(_FORGET_EMPTY, {"workspace_id": workspace_id, **row._asdict()})
    for survey_id, day in sorted({(row.survey_id, row.answered_on) for row in rows}):
        await forget_empty_total(session, workspace_id, survey_id, day)


async def rewrite_counts(
    session: AsyncSession, workspace_id: uuid.UUID, days: Collection[tuple[uuid.UUID, date]]
) -> None:
    """Write the rows of some surveys' days anew, unchanged: see `mixing`."""
    key = [getattr(DailyCount, name) for name in RowKey._fields]
    rows = await session.execute(
        select(*key).where(
            DailyCount.workspace_id == workspace_id,
            tuple_(DailyCount.survey_id, DailyCount.answered_on).in_(days),
        )
    )
    ordered = sorted(RowKey(*row) for row in rows)
    if ordered:
        named = [{"workspace_id": workspace_id, **row._asdict()} for row in ordered]
        await session.execute(_REWRITE, named)


def _by_row(changes: Mapping[CountKey, int]) -> dict[RowKey, list[int]]:
    """Eleven changes for each row that changes at all, rows in the order of their locks."""
    rows: dict[RowKey, list[int]] = {}
    for key, change in Counter(changes).items():
        rows.setdefault(key.row, [0] * len(SCORES))[key.score] += change
    return {key: rows[key] for key in sorted(rows) if any(rows[key])}


def _growth(delta: int) -> int:
    return max(delta, 0)


def _shrinkage(delta: int) -> int:
    return max(-delta, 0)


def _parameters(
    workspace_id: uuid.UUID, rows: Mapping[RowKey, list[int]], part: Callable[[int], int]
) -> dict[str, object]:
    columns = {
        f"{name}_values": list(column)
        for name, column in zip(_KEYS, zip(*rows, strict=True), strict=True)
    }
    scores = {
        f"score_{score}_values": [part(deltas[score]) for deltas in rows.values()]
        for score in SCORES
    }
    return {"workspace_id": workspace_id, **columns, **scores}


# The statements below are made of these column names only.
_KEYS = dict(zip(RowKey._fields, ("uuid", "date", "uuid", "text", "text", "text"), strict=True))
_SCORES = [f"score_{score}" for score in SCORES]
_CHANGES = "unnest({}) AS change ({})".format(
    ", ".join(
        f"CAST(:{name}_values AS {kind}[])"
        for name, kind in (_KEYS | dict.fromkeys(_SCORES, "integer")).items()
    ),
    ", ".join([*_KEYS, *_SCORES]),
)
_ADD = text(
    f"""
    INSERT INTO daily_counts (workspace_id, {", ".join([*_KEYS, *_SCORES])})
    SELECT :workspace_id, change.* FROM {_CHANGES}
    ON CONFLICT (workspace_id, {", ".join(_KEYS)}) DO UPDATE
    SET {", ".join(f"{name} = daily_counts.{name} + excluded.{name}" for name in _SCORES)}
    """  # noqa: S608
)
_SUBTRACT = text(
    f"""
    UPDATE daily_counts
    SET {", ".join(f"{name} = daily_counts.{name} - change.{name}" for name in _SCORES)}
    FROM {_CHANGES}
    WHERE daily_counts.workspace_id = :workspace_id
    AND {" AND ".join(f"daily_counts.{name} = change.{name}" for name in _KEYS)}
    """  # noqa: S608
)
_REWRITE = text(
    f"""
    UPDATE daily_counts SET score_0 = score_0 WHERE workspace_id = :workspace_id
    AND {" AND ".join(f"{name} = :{name}" for name in _KEYS)}
    """  # noqa: S608
)
_FORGET_EMPTY = text(
    f"""
    DELETE FROM daily_counts WHERE workspace_id = :workspace_id
    AND {" AND ".join(f"{name} = :{name}" for name in _KEYS)}
    AND ({", ".join(_SCORES)}) = ({", ".join("0" for _score in SCORES)})
    """  # noqa: S608
)
