"""Takes answers in: those that arrive together are committed together, each workspace's by itself.

While one batch commits, the answers that arrive form the next one; nobody waits for a timer. Each
caller hears of success only after the COMMIT that made its answer durable has returned. Batches of
several workspaces are transactions of their own, but travel together where they can.

Few answers at a time are one writer's work: several would write smaller batches, which took a third
more processor time an answer. Others help where many wait, or where something waits for long. What
stands behind a lock is kept apart, so that no other workspace waits with it.
"""

import asyncio
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy.exc import IntegrityError

from app.foundation.database import AWAY, Database
from app.foundation.errors import Unavailable, sqlstate_of
from app.foundation.line import Line
from app.foundation.tally import tally
from app.foundation.translation import mark
from app.responses.counts import NotRecent, apply_recent_changes
from app.responses.schemas import NewAnswer, StoredAnswer
from app.responses.storing import Known, are_recent, store_answers, tally_stored, write_rows
from app.responses.waiting import Queue, Submission

CAPACITY = 10_000  # answers that may wait in this process before callers are sent away
BATCH_SIZE = 500  # answers; a larger submission still is one batch
TOGETHER = 40  # batches that travel together
WRITERS = 3  # transactions at a time: one may prepare while another waits for the disk
MANY = 20  # answers that wait: enough for another writer
LONG_S = 0.03  # for an answer to wait until somebody begins with it
LOCK_MS = 5_000  # for a transaction to wait for a lock
STUCK_S = 1.0  # after which another writer may begin in place of one that waits for the database
RETRY_AFTER_S = 5
COMMIT_WITHIN_S = 20.0  # a database that says nothing for longer counts as away
BEGIN_WITHIN_S = 20.0  # what nobody could begin with for as long is sent away
REFERENCE_MISSING = "23503"  # SQLSTATE of a foreign key that leads nowhere
LOCKED = "55P03"  # SQLSTATE of a lock that somebody holds for longer than our patience
# SQLSTATE classes: nothing of it was stored.
ROLLED_BACK = ("0A", "22", "23", "26", "40", "42", LOCKED)


T = TypeVar("T")


class Intake:
    """The waiting answers of this process and the few writers that store them.

    Writers take turns between workspaces, and end when nothing waits. While one is stuck, what
    comes from the same workspace is kept apart, and another writer may begin.
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
        self._waiting = Queue()
        self._held_up = Queue()
        self._locked: set[uuid.UUID] = set()
        self._unattended: deque[uuid.UUID] = deque()
        self._writers: set[asyncio.Task[None]] = set()
        self._patient: set[asyncio.Task[None]] = set()
        self._stuck: set[asyncio.Task[Any]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._given_up: set[asyncio.Future[Any]] = set()
        self._known = Known()
        self._is_open = True

    @property
    def waiting(self) -> int:
        """How many answers no transaction has begun with."""
        return self._waiting.count + self._held_up.count

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take answers in; on leaving, take no more and store those that wait."""
        try:
            yield
        finally:
            self._is_open = False
            while busy := self._writers | self._patient:
                await asyncio.wait(busy)

    async def submit(
        self, workspace_id: uuid.UUID, answers: Sequence[NewAnswer]
    ) -> list[StoredAnswer]:
        """Store `answers`, all or none, and return them once they are durable.

        Raises Unavailable where too many wait, where Honne is stopping, and where the database
        went away: then the answers were probably not stored, and sending them again under the
        same submission key is safe either way.
        """
        if not self._is_open or self.waiting + len(answers) > self._capacity:
            tally.count("honne_answers", "shed", by=len(answers))
            raise _unavailable()
        submission = Submission(workspace_id, answers)
        if workspace_id in self._locked:
            self._held_up.add(submission)
        else:
            self._waiting.add(submission)
            if not self._writers or self._waiting.count >= MANY:
                self._start_writer()
        self._look_again()
        return await submission.outcome

    def _start_writer(self) -> None:
        if len(self._writers - self._stuck) < self._writer_limit and self._has_room():
            self._writers.add(asyncio.create_task(self._write()))

    def _has_room(self) -> bool:
        """Each holds a connection; there are twice as many as writers."""
        return len(self._writers) + len(self._patient) < 2 * self._writer_limit

    def _look_again(self) -> None:
        if self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(LONG_S, self._help)

    def _help(self) -> None:
        """What waits may wait behind a lock, or a slow disk."""
        self._alarm = None
        now = time.monotonic()
        for queue in (self._waiting, self._held_up):
            if queue.oldest() < now - BEGIN_WITHIN_S:
                self._send_away(queue.take_older(now - BEGIN_WITHIN_S))
        if self._waiting.oldest() < now - LONG_S:
            self._start_writer()
        if self.waiting:
            self._look_again()

    async def _write(self) -> None:
        try:
            while self._waiting:
                await self._store_all(self._next_batches())
        finally:
            # Nothing else has run since: what arrives from here on starts a writer of its own.
            self._writers.remove(asyncio.current_task())  # type: ignore[arg-type]
            self._attend()

    def _next_batches(self) -> list[list[Submission]]:
        """Several only where each is one round trip, and could be a part of the same; together not
        much more than a batch may hold, since others of this process wait while it is sent."""
        enough = self._waiting.count - self._batch_size
        batches = [self._waiting.take(self._batch_size)]
        if _are_plain(batches[0]):
            while self._waiting and self._waiting.count > enough and len(batches) < TOGETHER:
                if not _are_plain(self._waiting.next_up(self._batch_size)):
                    break
                batches.append(self._waiting.take(self._batch_size))
        return batches

    async def _store_all(self, batches: Sequence[list[Submission]]) -> None:
        """Store several batches in one round trip, or a single one as it needs."""
        if len(batches) == 1:
            await self._store(batches[0])
            return
        started = time.perf_counter()
        outcomes: Sequence[list[StoredAnswer] | Exception]
        try:
            outcomes = await self._in_time(self._commit_together(batches))
        except Exception as error:
            # Unless nothing was sent, the database is away: nobody knows which of them arrived.
            outcomes = [error] * len(batches)
        refused: list[list[Submission]] = []
        for batch, outcome in zip(batches, outcomes, strict=True):
            if isinstance(outcome, list):
                self._acknowledge(batch, outcome, started)
            elif _is_database_away(outcome):
                self._send_away(batch)
            elif sqlstate_of(outcome) == LOCKED:
                self._hold_up(batch)
            else:
                refused.append(batch)
        for batch in refused:  # what ails it may be mended, or be one answer's alone
            await self._store(batch)

    async def _store(self, batch: Sequence[Submission]) -> None:
        """Store a batch; where it was refused, each half of it by itself, so that one bad answer
        fails alone. Where the database went away nobody is told that all went well."""
        started = time.perf_counter()
        workspace_id = batch[0].workspace_id
        try:
            stored = await self._in_time(self._commit(batch), workspace_id)
        except Exception as error:
            if _is_database_away(error):
                self._send_away(batch)
            elif sqlstate_of(error) == LOCKED:  # what waits behind it would only learn that later
                for queue in (self._waiting, self._held_up):
                    batch = [*batch, *queue.take_all(workspace_id)]
                self._send_away(batch)
            elif len(batch) == 1:
                batch[0].fail(error)
            else:
                half = len(batch) // 2
                await self._store(batch[:half])
                await self._store(batch[half:])
            return
        self._acknowledge(batch, stored, started)

    def _hold_up(self, batch: Sequence[Submission]) -> None:
        """Somebody will be patient with a batch that stands behind a lock."""
        workspace_id = batch[0].workspace_id
        for submission in batch:
            self._held_up.add(submission)
        self._look_again()
        if workspace_id not in self._locked:
            self._keep_apart(workspace_id)
            self._unattended.append(workspace_id)
            self._attend()

    def _keep_apart(self, workspace_id: uuid.UUID) -> None:
        self._locked.add(workspace_id)
        for submission in self._waiting.take_all(workspace_id):
            self._held_up.add(submission)

    def _let_in(self, workspace_id: uuid.UUID) -> None:
        """The workspace takes turns again."""
        self._locked.remove(workspace_id)
        for submission in self._held_up.take_all(workspace_id):
            self._waiting.add(submission)
        if self._waiting:
            self._start_writer()

    def _attend(self) -> None:
        if self._unattended and len(self._patient) < self._writer_limit and self._has_room():
            self._patient.add(asyncio.create_task(self._wait_for_locks()))

    async def _wait_for_locks(self) -> None:
        """Of one workspace after the other."""
        try:
            while self._unattended:
                workspace_id = self._unattended.popleft()
                if batch := self._held_up.take(self._batch_size, workspace_id):
                    await self._store(batch)
                self._let_in(workspace_id)
        finally:
            self._patient.remove(asyncio.current_task())  # type: ignore[arg-type]

    @contextmanager
    def _while_stuck(self, workspace_id: uuid.UUID | None) -> Iterator[None]:
        """What comes from the workspace would get stuck as well, one writer after the other."""
        task = asyncio.current_task()
        assert task is not None
        self._stuck.add(task)
        apart = None if workspace_id in self._locked else workspace_id
        if apart:
            self._keep_apart(apart)
        if self._waiting:
            self._start_writer()
        try:
            yield
        finally:
            self._stuck.remove(task)
            if apart:
                self._let_in(apart)

    def _acknowledge(
        self, batch: Sequence[Submission], stored: Sequence[StoredAnswer], started: float
    ) -> None:
        self._known.remember(stored)
        tally_stored(stored, started)
        in_order = iter(stored)
        for submission in batch:
            submission.succeed(list(islice(in_order, len(submission.answers))))

    def _send_away(self, submissions: Sequence[Submission]) -> None:
        for submission in submissions:
            submission.fail(_unavailable())
        tally.count("honne_answers", "shed", by=sum(len(one.answers) for one in submissions))

    async def _in_time(
        self, commit: Coroutine[Any, Any, T], workspace_id: uuid.UUID | None = None
    ) -> T:
        """TimeoutError where the database is silent; what waits behind is then sent away as well,
        as it would only learn the same later. The transaction is cancelled, which ends its
        connection: whoever was told that it was not saved may have sent something else under the
        same key since, which this must not overwrite. A COMMIT that is under way does no harm: it
        holds the key, so what came later waits for it. What has no key goes out together with its
        COMMIT: it is stored after all only where the server comes to it before it notices."""
        work = asyncio.ensure_future(commit)
        done, _waiting = await asyncio.wait({work}, timeout=min(STUCK_S, COMMIT_WITHIN_S))
        if not done:
            with self._while_stuck(workspace_id):
                done, _waiting = await asyncio.wait({work}, timeout=COMMIT_WITHIN_S - STUCK_S)
        if done:
            return work.result()
        work.cancel()
        self._given_up.add(work)
        work.add_done_callback(self._forget)
        self._send_away([*self._waiting.take_all(), *self._held_up.take_all()])
        raise TimeoutError

    def _forget(self, work: asyncio.Future[Any]) -> None:
        self._given_up.discard(work)
        if not work.cancelled():
            work.exception()  # whoever waited for it was told long ago

    async def _commit_together(
        self, batches: Sequence[Sequence[Submission]]
    ) -> list[list[StoredAnswer] | Exception]:
        """What is stored of each batch, or why it was refused."""
        stored: list[list[StoredAnswer]] = []

        async def write(batch: Sequence[Submission], line: Line) -> None:
            workspace_id = batch[0].workspace_id
            count = partial(apply_recent_changes, line, workspace_id)
            answers = _answers_of(batch)
            stored.append(await write_rows(line, workspace_id, answers, count, self._known))

        line = self.database.lines.take()
        works = [(batch[0].workspace_id, partial(write, batch)) for batch in batches]
        errors = await line.store(works)
        self.database.lines.give(line)
        return [error or found for error, found in zip(errors, stored, strict=True)]

    async def _commit(self, batch: Sequence[Submission]) -> list[StoredAnswer]:
        """Once more where a row that answers refer to is missing: retention forgets segment sets
        that nothing is left of, also ones that this process remembers."""
        workspace_id = batch[0].workspace_id
        answers = _answers_of(batch)
        try:
            return await self._write_all(workspace_id, answers)
        except IntegrityError as error:
            if sqlstate_of(error) != REFERENCE_MISSING:
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
            return await store_answers(session, workspace_id, answers)

    async def _write_directly(
        self, workspace_id: uuid.UUID, answers: Sequence[NewAnswer]
    ) -> list[StoredAnswer]:
        """As nearly all are written: in the fewest round trips and without a session."""
        line = self.database.lines.take()
        async with line.transaction(workspace_id):
            count = partial(apply_recent_changes, line, workspace_id)
            stored = await write_rows(line, workspace_id, answers, count, self._known)
        self.database.lines.give(line)
        return stored


def _are_plain(submissions: Iterable[Submission]) -> bool:
    """Whether nothing need be looked up for these answers."""
    answers = _answers_of(submissions)
    is_new = all(new.submission_key is None and new.address is None for new in answers)
    return is_new and are_recent(answers)


def _answers_of(submissions: Iterable[Submission]) -> list[NewAnswer]:
    return [answer for submission in submissions for answer in submission.answers]


def _is_database_away(error: Exception) -> bool:
    """True unless the server itself said that it refused the batch: after a lost connection
    nobody knows whether the COMMIT arrived."""
    if sqlstate := sqlstate_of(error):
        return not sqlstate.startswith(ROLLED_BACK)
    return isinstance(error, AWAY)


def _unavailable() -> Unavailable:
    return Unavailable(
        mark("Your answer could not be saved just now. Please try again shortly."),
        headers={"Retry-After": str(RETRY_AFTER_S)},
    )
