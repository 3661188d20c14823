"""Takes answers in: those that arrive together are committed together, one workspace at a time.

While one batch commits, the answers that arrive form the next one; nobody waits for a timer. Each
caller hears of success only after the COMMIT that made its answer durable has returned.
"""

import asyncio
import time
import uuid
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.database import AWAY, Database
from app.foundation.errors import Unavailable
from app.foundation.tally import tally
from app.foundation.translation import mark
from app.responses.answer_rows import (
    Claim,
    SubmissionName,
    amend_answers,
    claim_keys,
    find_early,
    insert_answers,
    lock_answers,
)
from app.responses.closing import file_late_answers, latest_open_day
from app.responses.contacts import keep_addresses
from app.responses.counts import (
    CountKey,
    RowKey,
    apply_count_changes,
    count_key,
    forget_empty_counts,
)
from app.responses.models import FINAL, HoldReason, Standing
from app.responses.schemas import NewAnswer, StoredAnswer
from app.responses.segment_sets import LabelSet, ensure_segment_sets, segment_set_id
from app.surveys.actions import mark_answered

CAPACITY = 10_000  # answers that may wait in this process before callers are sent away
BATCH_SIZE = 500  # answers; a larger submission still is one batch
WRITERS = 3  # transactions at a time: one may prepare while another waits for the disk
KNOWN_LIMIT = 50_000
RETRY_AFTER_S = 5
COMMIT_WITHIN_S = 20.0  # a database that says nothing for longer counts as away
REFERENCE_MISSING = "23503"  # SQLSTATE of a foreign key that leads nowhere
ROLLED_BACK = ("22", "23", "40", "42")  # SQLSTATE classes that say: nothing of it was stored


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
    amends the answer stored under it, unless something with a higher number came before: then it
    changes nothing. The later score and comment replace the earlier; so do labels, language and
    wording until the day's month can be closed. Day and channel stay. So does the standing, but
    that a held answer counts once it comes again without suspicion, and that what was only saved
    early is held where a program sends it; what a manager decided is never undone. Locks are taken
    in one order: editions, surveys, segment sets, submission keys, responses, addresses, counts.
    `known` spares statements; without it everything is written anew.
    """
    answers = await file_late_answers(session, workspace_id, answers)
    await _prepare(session, workspace_id, answers, known or Known())
    early = await find_early(session, workspace_id, _trapped(answers))
    claims = await claim_keys(session, workspace_id, _highest_claims(answers))
    claimed = [claims.get(_submission(answer), Claim(answer.id, FINAL)) for answer in answers]
    ids = [claim.response_id for claim in claimed]
    before = await lock_answers(session, workspace_id, set(ids) - {new.id for new in answers})
    after = _fold(before, zip(claimed, answers, strict=True), early)
    await insert_answers(session, workspace_id, [after[key] for key in after if key not in before])
    amended = [after[key] for key in before if after[key] != before[key]]
    await amend_answers(session, workspace_id, amended)
    await keep_addresses(session, workspace_id, _addresses(claimed, answers), before)
    await apply_count_changes(session, workspace_id, _count_changes(before, after))
    if amended:
        await forget_empty_counts(session, workspace_id, _left_rows(before, amended))
    return [after[id_] for id_ in ids]


async def _prepare(
    session: AsyncSession, workspace_id: uuid.UUID, answers: Sequence[NewAnswer], known: Known
) -> None:
    """What the rows of the answers refer to."""
    for survey_id in sorted({answer.survey_id for answer in answers} - known.survey_ids):
        await mark_answered(session, workspace_id, survey_id)
    label_sets = (LabelSet(answer.survey_id, answer.labels) for answer in answers)
    await ensure_segment_sets(session, workspace_id, label_sets, known.set_ids)


def _submission(answer: NewAnswer) -> SubmissionName | None:
    return (answer.survey_id, answer.submission_key) if answer.submission_key else None


def _trapped(answers: Iterable[NewAnswer]) -> set[SubmissionName]:
    """The keys of what was sent, not just saved early, by something that fell into the trap."""
    names = (_submission(answer) for answer in answers if _is_trapped(answer))
    return {name for name in names if name}


def _is_trapped(answer: NewAnswer) -> bool:
    return answer.number == FINAL and answer.hold_reason is HoldReason.TRAP


def _highest_claims(answers: Iterable[NewAnswer]) -> dict[SubmissionName, Claim]:
    """For each submission key its first answer and its highest number."""
    claims: dict[SubmissionName, Claim] = {}
    for answer in answers:
        if name := _submission(answer):
            first = claims.setdefault(name, Claim(answer.id, answer.number))
            claims[name] = first._replace(number=max(first.number, answer.number))
    return claims


def _fold(
    before: Mapping[uuid.UUID, StoredAnswer],
    arrivals: Iterable[tuple[Claim, NewAnswer]],
    early: Iterable[uuid.UUID],
) -> dict[uuid.UUID, StoredAnswer]:
    """Each answer as it stands after all arrivals, in their order, but for those that something
    with a higher number has overtaken. `early` names those that were only saved early so far."""
    after = dict(before)
    unsent = set(early)
    open_day = latest_open_day()
    for (target, number), answer in arrivals:
        if answer.number < number:
            continue
        new = _first_version(target, answer)
        if target in after:
            stored = after[target]
            new = stored.amended_by(new, is_open=stored.answered_on >= open_day)
            if target in unsent and _is_trapped(answer):
                new = new.held_for(HoldReason.TRAP)
        after[target] = new
        unsent.discard(target)
    return after


def _addresses(claimed: Iterable[Claim], answers: Iterable[NewAnswer]) -> dict[uuid.UUID, str]:
    """What was said last about the address of each answer, by those that nothing has overtaken."""
    return {
        claim.response_id: answer.address
        for claim, answer in zip(claimed, answers, strict=True)
        if answer.address is not None and answer.number >= claim.number
    }


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


def _left_rows(
    before: Mapping[uuid.UUID, StoredAnswer], amended: Iterable[StoredAnswer]
) -> set[RowKey]:
    """The rows in which amended answers are counted no more."""
    rows = ((count_key(before[answer.id]).row, count_key(answer).row) for answer in amended)
    return {left for left, entered in rows if left != entered}


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
        self._silent: set[asyncio.Future[list[StoredAnswer]]] = set()
        self._known = Known()
        self._is_open = True

    @property
    def waiting(self) -> int:
        """How many answers no transaction has begun with."""
        return self._count

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
            tally.count("honne_answers", "shed", by=len(answers))
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
        started = time.perf_counter()
        try:
            stored = await self._commit_in_time(batch)
        except Exception as error:
            if _is_database_away(error):
                self._send_away(batch)
            elif len(batch) == 1:
                batch[0].fail(error)
            else:
                for submission in batch:
                    await self._store([submission])
            return
        tally.observe(time.perf_counter() - started, "honne_commit_seconds")
        tally.observe(len(stored), "honne_batch_answers")
        held = sum(answer.standing is Standing.HELD for answer in stored)
        tally.count("honne_answers", "held", by=held)
        tally.count("honne_answers", "taken", by=len(stored) - held)
        for submission in batch:
            submission.succeed(stored[: len(submission.answers)])
            stored = stored[len(submission.answers) :]

    def _send_away(self, batch: Sequence[_Submission]) -> None:
        for submission in batch:
            submission.fail(_unavailable())
        tally.count("honne_answers", "shed", by=sum(len(one.answers) for one in batch))

    async def _commit_in_time(self, batch: Sequence[_Submission]) -> list[StoredAnswer]:
        """TimeoutError where the database is silent; what waits behind is then sent away as well,
        as it would only learn the same later. The transaction is left to itself, not cancelled:
        to cancel also takes a server that answers."""
        work = asyncio.ensure_future(self._commit(batch))
        done, _waiting = await asyncio.wait({work}, timeout=COMMIT_WITHIN_S)
        if done:
            return work.result()
        self._silent.add(work)
        work.add_done_callback(self._forget)
        while self._waiting:
            self._send_away(self._next_batch())
        raise TimeoutError

    def _forget(self, work: asyncio.Future[list[StoredAnswer]]) -> None:
        self._silent.discard(work)
        if not work.cancelled():
            work.exception()  # whoever waited for it was told long ago

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
