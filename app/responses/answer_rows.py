"""The rows of answers and of the keys that make a retry the same answer: one statement each.

Any number of rows go in one statement, whose text is made of column names only and never changes.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter
from typing import Any, NamedTuple

from sqlalchemy import text

from app.foundation.questions import Executor
from app.responses.models import FINAL, HoldReason, Standing
from app.responses.schemas import StoredAnswer
from app.surveys.models import Channel

SubmissionName = tuple[uuid.UUID, uuid.UUID]  # survey, submission key


class Claim(NamedTuple):
    """The answer a submission key belongs to, and the highest number sent under the key, 1 to
    `FINAL`."""

    response_id: uuid.UUID
    number: int


async def claim_keys(
    session: Executor, workspace_id: uuid.UUID, claims: Mapping[SubmissionName, Claim]
) -> dict[SubmissionName | None, Claim]:
    """Which answer each submission key belongs to, one stored before or that of its claim, and
    the highest number under it, the claim's included.

    The upsert decides a race with another transaction, and holds the key against its expiry.
    """
    if not claims:
        return {}
    names = sorted(claims)
    rows = await session.execute(
        _CLAIM,
        {
            "workspace_id": workspace_id,
            "survey_ids": [survey_id for survey_id, _key in names],
            "keys": [key for _survey_id, key in names],
            "response_ids": [claims[name].response_id for name in names],
            "numbers": [claims[name].number for name in names],
        },
    )
    return {(survey_id, key): Claim(*claim) for survey_id, key, *claim in rows}


async def find_early(
    session: Executor, workspace_id: uuid.UUID, names: Iterable[SubmissionName]
) -> set[uuid.UUID]:
    """The answers under these keys that were saved early and not sent so far; ask before claiming.

    Nothing is locked: what is sent at the same moment may or may not be seen.
    """
    wanted = list(names)
    if not wanted:
        return set()
    survey_ids, keys = zip(*wanted, strict=True)
    rows = await session.execute(
        _FIND_EARLY,
        {"workspace_id": workspace_id, "survey_ids": list(survey_ids), "keys": list(keys)},
    )
    return {response_id for (response_id,) in rows}


async def lock_answers(
    session: Executor, workspace_id: uuid.UUID, ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, StoredAnswer]:
    """The answers of these ids that are there, held until the transaction ends."""
    wanted = sorted(ids)
    if not wanted:
        return {}
    rows = await session.execute(_LOCK, {"workspace_id": workspace_id, "ids": wanted})
    return {answer.id: answer for answer in map(_stored, rows)}


def _stored(row: Iterable[Any]) -> StoredAnswer:
    values = dict(zip(_COLUMNS, row, strict=True))
    reason = values["hold_reason"]
    enums = {
        "channel": Channel(values["channel"]),
        "standing": Standing(values["standing"]),
        "hold_reason": HoldReason(reason) if reason else None,
    }
    return StoredAnswer(**{**values, **enums})


async def insert_answers(
    session: Executor, workspace_id: uuid.UUID, answers: Sequence[StoredAnswer]
) -> None:
    """Write rows only; the caller made their segment sets and moves the counts, last of all."""
    if answers:
        await session.execute(_INSERT, {"workspace_id": workspace_id} | _columns(answers))


async def amend_answers(
    session: Executor, workspace_id: uuid.UUID, answers: Sequence[StoredAnswer]
) -> None:
    """Write what an amendment may change; the caller holds the rows and moves the counts."""
    if answers:
        await session.execute(_AMEND, {"workspace_id": workspace_id} | _columns(answers, _AMENDED))


_COLUMNS = {
    "id": "uuid",
    "survey_id": "uuid",
    "version_id": "uuid",
    "segment_set_id": "uuid",
    "score": "smallint",
    "comment": "text",
    "language": "text",
    "channel": "text",
    "answered_on": "date",
    "standing": "text",
    "import_id": "uuid",
    "hold_reason": "text",
}
_AMENDED = (
    "id",
    "version_id",
    "segment_set_id",
    "score",
    "comment",
    "language",
    "standing",
    "hold_reason",
)


def _columns(
    answers: Sequence[StoredAnswer], names: Sequence[str] = tuple(_COLUMNS)
) -> dict[str, object]:
    columns = zip(*map(attrgetter(*names), answers), strict=True)
    return {f"{name}_values": list(column) for name, column in zip(names, columns, strict=True)}


def _unnest(names: Iterable[str]) -> str:
    return ", ".join(f"CAST(:{name}_values AS {_COLUMNS[name]}[])" for name in names)


_CLAIM = text(
    """
    INSERT INTO submission_keys (workspace_id, survey_id, key, response_id, number)
    SELECT :workspace_id, claim.* FROM unnest(
        CAST(:survey_ids AS uuid[]), CAST(:keys AS uuid[]), CAST(:response_ids AS uuid[]),
        CAST(:numbers AS smallint[])
    ) AS claim
    ON CONFLICT (workspace_id, survey_id, key) DO UPDATE
    SET number = greatest(submission_keys.number, excluded.number)
    RETURNING survey_id, key, response_id, number
    """
)
_FIND_EARLY = text(
    f"""
    SELECT response_id FROM submission_keys
    JOIN unnest(CAST(:survey_ids AS uuid[]), CAST(:keys AS uuid[])) AS wanted (survey_id, key)
    USING (survey_id, key)
    WHERE workspace_id = :workspace_id AND number < {FINAL}
    """  # noqa: S608
)
_LOCK = text(
    f"""
    SELECT {", ".join(_COLUMNS)} FROM responses
    WHERE workspace_id = :workspace_id AND id = ANY(CAST(:ids AS uuid[]))
    ORDER BY id FOR UPDATE
    """  # noqa: S608
)
_INSERT = text(
    f"""
    INSERT INTO responses (workspace_id, {", ".join(_COLUMNS)})
    SELECT :workspace_id, answer.* FROM unnest({_unnest(_COLUMNS)}) AS answer
    """  # noqa: S608
)
_AMEND = text(
    f"""
    UPDATE responses SET {", ".join(f"{name} = answer.{name}" for name in _AMENDED[1:])}
    FROM unnest({_unnest(_AMENDED)}) AS answer ({", ".join(_AMENDED)})
    WHERE responses.workspace_id = :workspace_id AND responses.id = answer.id
    """  # noqa: S608
)
