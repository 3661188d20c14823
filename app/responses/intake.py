"""Takes answers in: those that arrive together are committed together, each workspace's by itself.

While one batch commits, the answers that arrive form the next one; nobody waits for a timer. Each
caller hears of success only after the COMMIT that made its answer durable has returned. Batches of
several workspaces are transactions of their own, but travel together where they can.

Few answers at a time are one writer's work: several would write smaller batches, which took a third
more processor time an answer. Others help where many wait, or where something waits for long.
"""

import asyncio
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy.exc import DataError, IntegrityError

from app.foundation.database import AWAY, Database
from app.foundation.errors import Unavailable
from app.foundation.line import Line
from app.foundation.tally import tally
from app.foundation.translation import mark
from app.responses.counts import NotRecent, apply_recent_changes
from app.responses.models import Standing
from app.responses.schemas import NewAnswer, StoredAnswer
from app.responses.storing import Known, are_recent, store_answers, write_rows

CAPACITY = 10_000  # answers that may wait in this process before callers are sent away
BATCH_SIZE = 500  # answers; a larger submission still is one batch
TOGETHER = 40  # batches that travel together
WRITERS = 3  # transactions at a time: one may prepare while another waits for the disk
MANY = 20  # answers that wait: enough for another writer
LONG_S = 0.03  # for an answer to wait until somebody begins with it
RETRY_AFTER_S = 5
COMMIT_WITHIN_S = 20.0  # a database that says nothing for longer counts as away
REFERENCE_MISSING = "23503"  # SQLSTATE of a foreign key that leads nowhere
LOCKED = "55P03"  # SQLSTATE of a lock that somebody holds for longer than our patience
ROLLED_BACK = ("22", "23", "26", "40", "42", LOCKED)  # SQLSTATE classes: nothing of it was stored


T = TypeVar("T")


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
        self._alarm: asyncio.TimerHandle | None = None
        self._silent: set[asyncio.Future[Any]] = set()
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
        if not self._writers or self._count >= MANY:
            self._start_writer()
        else:
            self._look_again()
        return await submission.outcome

    def _start_writer(self) -> None:
        if len(self._writers) < self._writer_limit:
            self._writers.add(asyncio.create_task(self._write()))

    def _look_again(self) -> None:
        if self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(LONG_S, self._help)

    def _help(self) -> None:
        """What waits may wait behind a lock, or a slow disk."""
        self._alarm = None
        if self._waiting:
            self._start_writer()
            self._look_again()

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._store_all(self._next_batches())
        finally:
            # Nothing else has run since: what arrives from here on starts a writer of its own.
            self._writers.remove(asyncio.current_task())  # type: ignore[arg-type]

    def _next_batches(self) -> list[list[_Submission]]:
        """Several only where each is one round trip, and could be a part of the same."""
        batches = [self._next_batch()]
        if _are_plain(batches[0]):
            while self._waiting and len(batches) < TOGETHER:
                following = next(iter(self._waiting.values()))
                if not _are_plain(islice(following, self._batch_size)):
                    break
                batches.append(self._next_batch())
        return batches

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

    async def _store_all(self, batches: Sequence[list[_Submission]]) -> None:
        """Store several batches in one round trip, or a single one as it needs."""
        if len(batches) == 1:
            await self._store(batches[0])
            return
        started = time.perf_counter()
        outcomes: Sequence[list[StoredAnswer] | Exception]
        try:
            outcomes = await self._in_time(self._commit_together(batches))
        except Exception as error:
            # Unless nothing was sent, nobody knows which of them arrived.
            outcomes = [error] * len(batches)
        refused: list[list[_Submission]] = []
        for batch, outcome in zip(batches, outcomes, strict=True):
            if isinstance(outcome, list):
                self._acknowledge(batch, outcome, started)
            elif _is_refused(outcome):
                # Those that wait for a lock come last.
                refused.insert(len(refused) if _sqlstate(outcome) == LOCKED else 0, batch)
            else:
                self._fail(batch, outcome)
        for batch in refused:  # what ails it may be mended, be one answer's alone, or be a lock
            await self._store(batch)

    async def _store(self, batch: Sequence[_Submission]) -> None:
        """Store a batch; where it was refused, each submission by itself, so that one bad answer
        fails alone. Where the database went away nobody is told that all went well."""
        started = time.perf_counter()
        try:
            stored = await self._in_time(self._commit(batch))
        except Exception as error:
            if len(batch) == 1 or _is_database_away(error) or _sqlstate(error) == LOCKED:
                self._fail(batch, error)
            else:
                for submission in batch:
                    await self._store([submission])
            return
        self._acknowledge(batch, stored, started)

    def _acknowledge(
        self, batch: Sequence[_Submission], stored: list[StoredAnswer], started: float
    ) -> None:
        self._known.remember(stored)
        tally.observe(time.perf_counter() - started, "honne_commit_seconds")
        tally.observe(len(stored), "honne_batch_answers")
        held = sum(answer.standing is Standing.HELD for answer in stored)
        tally.count("honne_answers", "held", by=held)
        tally.count("honne_answers", "taken", by=len(stored) - held)
        for submission in batch:
            submission.succeed(stored[: len(submission.answers)])
            stored = stored[len(submission.answers) :]

    def _fail(self, batch: Sequence[_Submission], error: Exception) -> None:
        if _is_database_away(error) or _sqlstate(error) == LOCKED:
            self._send_away(batch)
            return
        for submission in batch:
            submission.fail(error)

    def _send_away(self, batch: Sequence[_Submission]) -> None:
        for submission in batch:
            submission.fail(_unavailable())
        tally.count("honne_answers", "shed", by=sum(len(one.answers) for one in batch))

    async def _in_time(self, commit: Coroutine[Any, Any, T]) -> T:
        """TimeoutError where the database is silent; what waits behind is then sent away as well,
        as it would only learn the same later. The transaction is left to itself, not cancelled:
        to cancel also takes a server that answers."""
        work = asyncio.ensure_future(commit)
        done, _waiting = await asyncio.wait({work}, timeout=COMMIT_WITHIN_S)
        if done:
            return work.result()
        self._silent.add(work)
        work.add_done_callback(self._forget)
        while self._waiting:
            self._send_away(self._next_batch())
        raise TimeoutError

    def _refuse_if_given_up(self) -> None:
        """Before COMMIT is sent: whoever was told that it was not saved may have sent something
        else under the same key since, which this must not overwrite. A COMMIT that is under way
        does no harm: it holds the key, so what came later waits for it. What has no key goes out
        together with its COMMIT: for that the server waits for no lock for so long."""
        if asyncio.current_task() in self._silent:
            raise TimeoutError

    def _forget(self, work: asyncio.Future[Any]) -> None:
        self._silent.discard(work)
        if not work.cancelled():
            work.exception()  # whoever waited for it was told long ago

    async def _commit_together(
        self, batches: Sequence[Sequence[_Submission]]
    ) -> list[list[StoredAnswer] | Exception]:
        """What is stored of each batch, or why it was refused."""
        stored: list[list[StoredAnswer]] = []

        async def write(batch: Sequence[_Submission], line: Line) -> None:
            workspace_id = batch[0].workspace_id
            count = partial(apply_recent_changes, line, workspace_id)
            answers = _answers_of(batch)
            stored.append(await write_rows(line, workspace_id, answers, count, self._known))
            self._refuse_if_given_up()

        line = self.database.lines.take()
        works = [(batch[0].workspace_id, partial(write, batch)) for batch in batches]
        errors = await line.store(works)
        self.database.lines.give(line)
        return [error or found for error, found in zip(errors, stored, strict=True)]

    async def _commit(self, batch: Sequence[_Submission]) -> list[StoredAnswer]:
        """Once more where a row that answers refer to is missing: retention forgets segment sets
        that nothing is left of, also ones that this process remembers."""
        workspace_id = batch[0].workspace_id
        answers = _answers_of(batch)
        try:
            return await self._write_all(workspace_id, answers)
        except IntegrityError as error:
            if _sqlstate(error) != REFERENCE_MISSING:
                raise
        self._known = Known()
        return await self._write_all(workspace_id, answers)

    async def _write_all(
        self, workspace_id: uuid.UUID, answers: Sequence[NewAnswer]
    ) -> list[StoredAnswer]:
        try:
            if are_recent(answers):
                return await self._write_directly(workspace_id, answers)
        except NotRecent:
            pass  # an answer of a day long gone is amended; nothing has been stored
        async with self.database.transaction(workspace_id) as session:
            stored = await store_answers(session, workspace_id, answers)
            self._refuse_if_given_up()
        return stored

    async def _write_directly(
        self, workspace_id: uuid.UUID, answers: Sequence[NewAnswer]
    ) -> list[StoredAnswer]:
        """As nearly all are written: in the fewest round trips and without a session."""
        line = self.database.lines.take()
        async with line.transaction(workspace_id):
            count = partial(apply_recent_changes, line, workspace_id)
            stored = await write_rows(line, workspace_id, answers, count, self._known)
            self._refuse_if_given_up()
        self.database.lines.give(line)
        return stored


def _are_plain(submissions: Iterable[_Submission]) -> bool:
    """Whether nothing need be looked up for these answers."""
    answers = _answers_of(submissions)
    is_new = all(new.submission_key is None and new.address is None for new in answers)
    return is_new and are_recent(answers)


def _answers_of(submissions: Iterable[_Submission]) -> list[NewAnswer]:
    return [answer for submission in submissions for answer in submission.answers]


def _is_database_away(error: Exception) -> bool:
    """True unless the server itself said that it refused the batch: after a lost connection
    nobody knows whether the COMMIT arrived."""
    if sqlstate := _sqlstate(error):
        return not sqlstate.startswith(ROLLED_BACK)
    return isinstance(error, AWAY)


def _is_refused(error: Exception) -> bool:
    """By us before anything was sent, or by the server: nothing of it was stored."""
    return isinstance(error, NotRecent | DataError) or _sqlstate(error).startswith(ROLLED_BACK)


def _sqlstate(error: Exception) -> str:
    """Empty where the server has said nothing."""
    return getattr(getattr(error, "orig", None), "sqlstate", None) or ""


def _unavailable() -> Unavailable:
    return Unavailable(
        mark("Your answer could not be saved just now. Please try again shortly."),
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )
