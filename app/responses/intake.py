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
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
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
from app.responses.waiting import Order, Queue, Submission, answers_of, are_plain

CAPACITY = 10_000  # answers that may wait in this process before callers are sent away
BATCH_SIZE = 500  # answers; a larger submission still is one batch
TOGETHER = 20  # batches that travel together, while others are made ready
WRITERS = 3  # transactions at a time: one may prepare while another waits for the disk
MANY = 20  # answers that wait: enough for another writer
LONG_S = 0.03  # for an answer to wait until somebody begins with it
LOCK_MS = 300  # for a transaction to wait for a lock, each time it is tried
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

    Writers take turns between workspaces, and end when nothing waits. What stands behind a lock is
    kept apart: as many others try it again and again, and whatever else comes from its workspace,
    until some of that gets through.
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
        self._held_up = Queue()  # of the workspaces that stand behind a lock
        self._order = Order()
        self._locked: set[uuid.UUID] = set()
        self._writers: set[asyncio.Task[None]] = set()
        self._patient: set[asyncio.Task[None]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._given_up: set[asyncio.Future[Any]] = set()
        self._known = Known()
        self._is_open = True

    @property
    def waiting(self) -> int:
        """How many answers no transaction has begun with."""
        return sum(queue.count for queue in self._queues)

    @property
    def _queues(self) -> tuple[Queue, ...]:
        return self._waiting, self._held_up, self._order.behind

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
        if not self._is_open or len(answers) > self._room_for(workspace_id):
            tally.count("honne_answers", "shed", by=len(answers))
            raise _unavailable()
        submission = Submission(workspace_id, answers)
        self._enqueue([submission])
        return await submission.outcome

    def _room_for(self, workspace_id: uuid.UUID) -> int:
        """Locks leave half of it to the workspaces that stand behind none."""
        room = self._capacity - self.waiting
        if workspace_id in self._locked:
            room = min(room, self._capacity // 2 - self._held_up.count - self._order.behind.count)
        return room

    def _enqueue(self, submissions: Sequence[Submission]) -> None:
        """Of one workspace; where some were in a queue before, they stand where they stood."""
        if submissions[0].workspace_id in self._locked:
            self._hold_up(submissions)
            return
        self._waiting.add(submissions)
        if not self._writers or self._waiting.count >= MANY:
            self._start_writer()
        self._look_again()

    def _hold_up(self, submissions: Sequence[Submission]) -> None:
        """Somebody will be patient with what stands behind a lock."""
        self._held_up.add(submissions)
        if len(self._patient) < self._writer_limit:
            self._patient.add(asyncio.create_task(self._be_patient()))
        self._look_again()

    def _start_writer(self) -> None:
        if len(self._writers) < self._writer_limit:
            self._writers.add(asyncio.create_task(self._write()))

    def _look_again(self) -> None:
        if self._alarm is None:
            self._alarm = asyncio.get_running_loop().call_later(LONG_S, self._help)

    def _help(self) -> None:
        """What waits may wait behind a lock, or a slow disk."""
        self._alarm = None
        now = time.monotonic()
        for queue in self._queues:
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

    async def _be_patient(self) -> None:
        """With one workspace after the other: each try takes as long as a lock is waited for. Of
        what was tried before ever less is tried together, or one row would keep all the others."""
        try:
            while self._held_up:
                [first] = self._held_up.next_up(1)
                await self._store(self._held_up.take(self._batch_size >> 2 * first.tries))
        finally:
            self._patient.remove(asyncio.current_task())  # type: ignore[arg-type]

    def _next_batches(self) -> list[list[Submission]]:
        """Several only where each is one round trip, and could be a part of the same; together not
        much more than a batch may hold, since others of this process wait while it is sent."""
        enough = self._waiting.count - self._batch_size
        batches = [self._waiting.take(self._batch_size)]
        if are_plain(batches[0]):
            while self._waiting and self._waiting.count > enough and len(batches) < TOGETHER:
                if not are_plain(self._waiting.next_up(self._batch_size)):
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
                self._set_aside(batch)
            else:
                refused.append(batch)
        for batch in refused:  # what ails it may be mended, or be one answer's alone
            await self._store(batch)

    async def _store(self, batch: Sequence[Submission]) -> None:
        """Store a batch. What has a key that is under way waits until that is settled: so neither
        a lock nor a retry changes the order of what was sent under one key."""
        too_late = time.monotonic() - BEGIN_WITHIN_S
        self._send_away([one for one in batch if one.since < too_late])
        free = self._order.begin([one for one in batch if one.since >= too_late])
        if not free:
            return
        try:
            await self._store_parts(free)
        finally:
            if later := self._order.end(free):
                self._enqueue(later)

    async def _store_parts(self, batch: Sequence[Submission]) -> None:
        """Where a batch was refused, each half of it by itself, so that one bad answer fails alone.
        Where the database went away nobody is told that all went well."""
        parts = [batch]
        while parts:
            part = parts.pop()
            started = time.perf_counter()
            try:
                stored = await self._in_time(self._commit(part))
            except Exception as error:
                rest = [one for some in (part, *reversed(parts)) for one in some]
                if _is_database_away(error):
                    self._send_away(rest)
                    return
                if sqlstate_of(error) == LOCKED:
                    self._set_aside(rest)
                    return
                if len(part) == 1:
                    part[0].fail(error)
                else:
                    half = len(part) // 2
                    parts += [part[half:], part[:half]]
            else:
                self._acknowledge(part, stored, started)
        self._let_in(batch[0].workspace_id)

    def _set_aside(self, batch: Sequence[Submission]) -> None:
        """What comes from its workspace stands behind the same lock."""
        workspace_id = batch[0].workspace_id
        self._locked.add(workspace_id)
        for submission in batch:
            submission.tries += 1
        self._hold_up(batch)
        self._held_up.add(self._waiting.take_all(workspace_id))

    def _let_in(self, workspace_id: uuid.UUID) -> None:
        """The workspace takes turns again."""
        if workspace_id in self._locked:
            self._locked.remove(workspace_id)
            if held_up := self._held_up.take_all(workspace_id):
                self._enqueue(held_up)

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

    async def _in_time(self, commit: Coroutine[Any, Any, T]) -> T:
        """TimeoutError where the database is silent; what waits behind is then sent away as well,
        as it would only learn the same later. The transaction is cancelled, which ends its
        connection: whoever was told that it was not saved may have sent something else under the
        same key since, which this must not overwrite. A COMMIT that is under way does no harm: it
        holds the key, so what came later waits for it. What has no key goes out together with its
        COMMIT: it is stored after all only where the server comes to it before it notices."""
        work = asyncio.ensure_future(commit)
        done, _waiting = await asyncio.wait({work}, timeout=COMMIT_WITHIN_S)
        if done:
            return work.result()
        work.cancel()
        self._given_up.add(work)
        work.add_done_callback(self._forget)
        self._send_away([one for queue in self._queues for one in queue.take_all()])
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
            answers = answers_of(batch)
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
        answers = answers_of(batch)
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
