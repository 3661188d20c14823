"""Takes answers in: those that arrive together are committed together, one workspace at a time.

While one batch commits, the answers that arrive form the next one; nobody waits for a timer. Each
caller hears of success only after the COMMIT that made its answer durable has returned.
"""

import asyncio
import uuid
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy import RowMapping, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.database import AWAY, Database
from app.foundation.errors import Unavailable
from app.foundation.translation import mark
from app.responses.closing import file_late_answers
from app.responses.counts import CountKey, apply_count_changes, count_key
from app.responses.models import HoldReason, Standing
from app.responses.schemas import NewAnswer, StoredAnswer
from app.responses.segment_sets import LabelSet, ensure_segment_sets, segment_set_id
from app.surveys.actions import mark_answered
from app.surveys.models import Channel

CAPACITY = 10_000  # answers that may wait in this process before callers are sent away
BATCH_SIZE = 500  # answers; a larger submission still is one batch
WRITERS = 3  # transactions at a time: one may prepare while another waits for the disk
KNOWN_LIMIT = 50_000
RETRY_AFTER_S = 5
REFERENCE_MISSING = "23503"  # SQLSTATE of a foreign key that leads nowhere
ROLLED_BACK = ("22", "23", "40", "42")  # SQLSTATE classes that say: nothing of it was stored

SubmissionName = tuple[uuid.UUID, uuid.UUID]  # survey, submission key


class Known:
    """Segment sets and answered surveys whose rows this process saw committed."""

    def __init__(self) -> None:
        self.set_ids: set[uuid.UUID] = set()
        self.survey_ids: set[uuid.UUID] = set()

    def remember(self, answers: Iterable[StoredAnswer]) -> None:
        """Call after the commit, never before: a rollback would leave ids without rows."""
        if len(self.set_ids) > KNOWN_LIMIT:
            self.set_ids.clear()
        if len(self.survey_ids) > KNOWN_LIMIT:
            self.survey_ids.clear()
        for answer in answers:
            self.set_ids.add(answer.segment_set_id)
            self.survey_ids.add(answer.survey_id)


async def store_answers(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    answers: Sequence[NewAnswer],
    known: Known | None = None,
) -> list[StoredAnswer]:
    """Write one workspace's answers and move its counts, within the caller's transaction.

    Returns what is stored for each of `answers`, in their order. One whose submission key is known
    amends the answer stored under it: the later score and comment replace the earlier, day and
    labels stay. So does the standing, but that a held answer counts once it comes again without
    suspicion; what a manager decided is never undone. Locks are taken in one order: editions,
    surveys, segment sets, submission keys, responses, counts. `known` spares statements; without it
    everything is written anew.
    """
    known = known or Known()
    answers = await file_late_answers(session, workspace_id, answers)
    for survey_id in sorted({answer.survey_id for answer in answers} - known.survey_ids):
        await mark_answered(session, workspace_id, survey_id)
    label_sets = (LabelSet(answer.survey_id, answer.labels) for answer in answers)
    await ensure_segment_sets(session, workspace_id, label_sets, known.set_ids)
    owners = await _claim_keys(session, workspace_id, answers)
    targets = [owners.get(_submission(answer), answer.id) for answer in answers]
    new_ids = {answer.id for answer in answers}
    before = await _lock_answers(session, workspace_id, set(targets) - new_ids)
    after = _fold(before, zip(targets, answers, strict=True))
    await insert_answers(session, workspace_id, [after[key] for key in after if key not in before])
    amended = [after[key] for key in before if after[key] != before[key]]
    await _amend(session, workspace_id, amended)
    await apply_count_changes(session, workspace_id, _count_changes(before, after))
    return [after[target] for target in targets]


def _submission(answer: NewAnswer) -> SubmissionName | None:
    return (answer.survey_id, answer.submission_key) if answer.submission_key else None


def _fold(
    before: Mapping[uuid.UUID, StoredAnswer], arrivals: Iterable[tuple[uuid.UUID, NewAnswer]]
) -> dict[uuid.UUID, StoredAnswer]:
    """Each answer as it stands after all arrivals, in their order."""
    after = dict(before)
    for target, answer in arrivals:
        if target in after:
            after[target] = after[target].amended_by(answer)
        else:
            after[target] = _first_version(target, answer)
    return after


def _first_version(response_id: uuid.UUID, answer: NewAnswer) -> StoredAnswer:
    return StoredAnswer(
        id=response_id,
        survey_id=answer.survey_id,
        version_id=answer.version_id,
        segment_set_id=segment_set_id(answer.survey_id, answer.labels),
        score=answer.score,
        comment=answer.comment,
        language=answer.language,
        channel=answer.channel,
        answered_on=answer.answered_on,
        standing=answer.standing,
        import_id=answer.import_id,
        hold_reason=answer.hold_reason,
    )


def _count_changes(
    before: Mapping[uuid.UUID, StoredAnswer], after: Mapping[uuid.UUID, StoredAnswer]
) -> Counter[CountKey]:
    changes = Counter(count_key(answer) for answer in after.values())
    changes.subtract(count_key(answer) for answer in before.values())
    return changes


async def _claim_keys(
    session: AsyncSession, workspace_id: uuid.UUID, answers: Iterable[NewAnswer]
) -> dict[SubmissionName | None, uuid.UUID]:
    """Which answer each submission key belongs to: one stored before, or the first of `answers`.

    The upsert decides a race with another transaction, and holds the key against its expiry.
    """
    claims: dict[SubmissionName, uuid.UUID] = {}
    for answer in answers:
        if name := _submission(answer):
            claims.setdefault(name, answer.id)
    if not claims:
        return {}
    rows = await session.execute(
        _CLAIM,
        {
            "workspace_id": workspace_id,
            "survey_ids": [survey_id for survey_id, _key in sorted(claims)],
            "keys": [key for _survey_id, key in sorted(claims)],
            "response_ids": [claims[name] for name in sorted(claims)],
        },
    )
    return {(survey_id, key): response_id for survey_id, key, response_id in rows}


async def _lock_answers(
    session: AsyncSession, workspace_id: uuid.UUID, ids: Iterable[uuid.UUID]
) -> dict[uuid.UUID, StoredAnswer]:
    wanted = sorted(ids)
    if not wanted:
        return {}
    rows = await session.execute(_LOCK, {"workspace_id": workspace_id, "ids": wanted})
    return {row["id"]: _stored(row) for row in rows.mappings()}


def _stored(row: RowMapping) -> StoredAnswer:
    reason = row["hold_reason"]
    enums = {
        "channel": Channel(row["channel"]),
        "standing": Standing(row["standing"]),
        "hold_reason": HoldReason(reason) if reason else None,
    }
    return StoredAnswer(**{**row, **enums})


async def insert_answers(
    session: AsyncSession, workspace_id: uuid.UUID, answers: Sequence[StoredAnswer]
) -> None:
    """Write rows only; the caller made their segment sets and moves the counts, last of all."""
    if answers:
        await session.execute(_INSERT, {"workspace_id": workspace_id} | _columns(answers))


async def _amend(
    session: AsyncSession, workspace_id: uuid.UUID, answers: Sequence[StoredAnswer]
) -> None:
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
_AMENDED = ("id", "score", "comment", "standing", "hold_reason")


def _columns(
    answers: Sequence[StoredAnswer], names: Iterable[str] = tuple(_COLUMNS)
) -> dict[str, object]:
    return {f"{name}_values": [getattr(answer, name) for answer in answers] for name in names}


def _unnest(names: Iterable[str]) -> str:
    return ", ".join(f"CAST(:{name}_values AS {_COLUMNS[name]}[])" for name in names)


# One statement for any number of rows: its text, made of column names only, never changes.
_CLAIM = text(
    """
    INSERT INTO submission_keys (workspace_id, survey_id, key, response_id)
    SELECT :workspace_id, claim.* FROM unnest(
        CAST(:survey_ids AS uuid[]), CAST(:keys AS uuid[]), CAST(:response_ids AS uuid[])
    ) AS claim
    ON CONFLICT (workspace_id, survey_id, key) DO UPDATE
    SET response_id = submission_keys.response_id
    RETURNING survey_id, key, response_id
    """
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


@dataclass(frozen=True, slots=True, eq=False)
class _Submission:
    """Answers of one caller, stored together or not at all, and the caller's wait for them."""

    workspace_id: uuid.UUID
    answers: Sequence[NewAnswer]
    outcome: asyncio.Future[list[StoredAnswer]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def succeed(self, stored: list[StoredAnswer]) -> None:
        if not self.outcome.done():  # done already where the caller went away
            self.outcome.set_result(stored)

    def fail(self, error: Exception) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)


class Intake:
    """The waiting answers of this process and the few writers that store them.

    Writers take turns between workspaces, and end when nothing waits.
    """

    def __init__(
        self,
        database: Database,
        *,
        capacity: int = CAPACITY,
        batch_size: int = BATCH_SIZE,
        writers: int = WRITERS,
    ) -> None:
        self.database = database
        self._capacity = capacity
        self._batch_size = batch_size
        self._writer_limit = writers
        self._waiting: OrderedDict[uuid.UUID, deque[_Submission]] = OrderedDict()
        self._count = 0
        self._writers: set[asyncio.Task[None]] = set()
        self._known = Known()
        self._is_open = True

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take answers in; on leaving, take no more and store those that wait."""
        try:
            yield
        finally:
            self._is_open = False
            while self._writers:
                await asyncio.wait(self._writers)

    async def submit(
        self, workspace_id: uuid.UUID, answers: Sequence[NewAnswer]
    ) -> list[StoredAnswer]:
        """Store `answers`, all or none, and return them once they are durable.

        Raises Unavailable where too many wait, where Honne is stopping, and where the database
        went away: then the answers were probably not stored, and sending them again under the
        same submission key is safe either way.
        """
        if not self._is_open or self._count + len(answers) > self._capacity:
            raise _unavailable()
        submission = _Submission(workspace_id, answers)
        self._waiting.setdefault(workspace_id, deque()).append(submission)
        self._count += len(answers)
        if len(self._writers) < self._writer_limit:
            writer = asyncio.create_task(self._write())
            self._writers.add(writer)
            writer.add_done_callback(self._writers.discard)
        return await submission.outcome

    async def _write(self) -> None:
        while self._waiting:
            await self._store(self._next_batch())

    def _next_batch(self) -> list[_Submission]:
        """What waits longest in the workspace whose turn it is, up to the batch size."""
        workspace_id, waiting = self._waiting.popitem(last=False)
        batch = [waiting.popleft()]
        size = len(batch[0].answers)
        while waiting and size + len(waiting[0].answers) <= self._batch_size:
            batch.append(waiting.popleft())
            size += len(batch[-1].answers)
        if waiting:
            self._waiting[workspace_id] = waiting
        self._count -= size
        return batch

    async def _store(self, batch: Sequence[_Submission]) -> None:
        """Store a batch; where it was refused, each submission by itself, so that one bad answer
        fails alone. Where the database went away nobody is told that all went well."""
        try:
            stored = await self._commit(batch)
        except Exception as error:
            if _is_database_away(error):
                for submission in batch:
                    submission.fail(_unavailable())
            elif len(batch) == 1:
                batch[0].fail(error)
            else:
                for submission in batch:
                    await self._store([submission])
            return
        for submission in batch:
            submission.succeed(stored[: len(submission.answers)])
            stored = stored[len(submission.answers) :]

    async def _commit(self, batch: Sequence[_Submission]) -> list[StoredAnswer]:
        """Once more where a row that answers refer to is missing: retention forgets segment sets
        that nothing is left of, also ones that this process remembers."""
        workspace_id = batch[0].workspace_id
        answers = [answer for submission in batch for answer in submission.answers]
        try:
            return await self._write_all(workspace_id, answers)
        except IntegrityError as error:
            if getattr(error.orig, "sqlstate", None) != REFERENCE_MISSING:
                raise
        self._known = Known()
        return await self._write_all(workspace_id, answers)

    async def _write_all(
        self, workspace_id: uuid.UUID, answers: Sequence[NewAnswer]
    ) -> list[StoredAnswer]:
        async with self.database.transaction(workspace_id) as session:
            stored = await store_answers(session, workspace_id, answers, self._known)
        self._known.remember(stored)
        return stored


def _is_database_away(error: Exception) -> bool:
    """True unless the server itself said that it refused the batch: after a lost connection
    nobody knows whether the COMMIT arrived."""
    if isinstance(error, DBAPIError) and (sqlstate := getattr(error.orig, "sqlstate", None)):
        return not sqlstate.startswith(ROLLED_BACK)
    return isinstance(error, AWAY)


def _unavailable() -> Unavailable:
    return Unavailable(
        mark("Your answer could not be saved just now. Please try again shortly."),
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )
