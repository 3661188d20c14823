"""Answers that wait to be stored, and their callers."""

import asyncio
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from app.responses.answer_rows import SubmissionName
from app.responses.schemas import NewAnswer, StoredAnswer
from app.responses.storing import are_recent, submission_name


@dataclass(slots=True, eq=False)
class Submission:
    """Answers of one caller, stored together or not at all, and the caller's wait for them,
    `since` a moment of the monotonic clock; `tries` ended behind a lock."""

    workspace_id: uuid.UUID
    answers: Sequence[NewAnswer]
    since: float = field(default_factory=time.monotonic)
    outcome: asyncio.Future[list[StoredAnswer]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    tries: int = 0

    def succeed(self, stored: list[StoredAnswer]) -> None:
        if not self.outcome.done():  # done already where the caller went away
            self.outcome.set_result(stored)

    def fail(self, error: Exception) -> None:
        if not self.outcome.done():
            self.outcome.set_exception(error)


class Queue:
    """Submissions of each workspace in their order; workspaces take turns."""

    def __init__(self) -> None:
        self._turns: OrderedDict[uuid.UUID, deque[Submission]] = OrderedDict()
        self.count = 0  # answers

    def __bool__(self) -> bool:
        return bool(self._turns)

    def add(self, submissions: Sequence[Submission]) -> None:
        """Of one workspace, in their order; behind those that came before them."""
        if not submissions:
            return
        workspace_id = submissions[0].workspace_id
        waiting = self._turns.setdefault(workspace_id, deque())
        is_late = bool(waiting) and submissions[0].since < waiting[-1].since
        waiting.extend(submissions)
        if is_late:
            self._turns[workspace_id] = deque(sorted(waiting, key=lambda one: one.since))
        self.count += sum(len(one.answers) for one in submissions)

    def take(self, size: int, workspace_id: uuid.UUID | None = None) -> list[Submission]:
        """What waits longest in the workspace whose turn it is, or in the one named: up to `size`
        answers, but one submission where anything waits. The next turn is another's."""
        workspace_id = workspace_id or next(iter(self._turns))
        waiting = self._turns.pop(workspace_id, None)
        if not waiting:
            return []
        batch = [waiting.popleft()]
        taken = len(batch[0].answers)
        while waiting and taken + len(waiting[0].answers) <= size:
            batch.append(waiting.popleft())
            taken += len(batch[-1].answers)
        if waiting:
            self._turns[workspace_id] = waiting
        self.count -= taken
        return batch

    def take_all(self, workspace_id: uuid.UUID | None = None) -> list[Submission]:
        """All there is, or all of one workspace."""
        workspace_ids = list(self._turns) if workspace_id is None else [workspace_id]
        return [one for id_ in workspace_ids for one in self.take(self.count, id_)]

    def take_older(self, than: float) -> list[Submission]:
        """All that wait since earlier `than`."""
        older = []
        for workspace_id, waiting in list(self._turns.items()):
            while waiting and waiting[0].since < than:
                older.append(waiting.popleft())
            if not waiting:
                del self._turns[workspace_id]
        self.count -= sum(len(one.answers) for one in older)
        return older

    def oldest(self) -> float:
        """Since when something waits; infinite where nothing does."""
        return min((waiting[0].since for waiting in self._turns.values()), default=float("inf"))

    def next_up(self, most: int) -> Iterable[Submission]:
        """What the next turn is about, without taking it."""
        return islice(next(iter(self._turns.values()), ()), most)


class Order:
    """Keeps what comes under a submission key behind what is under way with the same key."""

    def __init__(self) -> None:
        self.behind = Queue()
        self._under_way: set[SubmissionName] = set()
        self._kept_back: dict[uuid.UUID, set[SubmissionName]] = {}

    def begin(self, submissions: Sequence[Submission]) -> list[Submission]:
        """Those of one workspace that may go now; call `end` with them."""
        free = []
        for submission in submissions:
            kept_back = self._kept_back.get(submission.workspace_id, set())
            names = _names_of([submission])
            if names.isdisjoint(self._under_way) and names.isdisjoint(kept_back):
                free.append(submission)
            else:
                self.behind.add([submission])
                self._kept_back[submission.workspace_id] = kept_back | names
        self._under_way |= _names_of(free)
        return free

    def end(self, free: Sequence[Submission]) -> list[Submission]:
        """What may be tried in its turn, now that these are settled."""
        workspace_id, names = free[0].workspace_id, _names_of(free)
        self._under_way -= names
        if names.isdisjoint(self._kept_back.get(workspace_id, ())):
            return []
        del self._kept_back[workspace_id]
        return self.behind.take_all(workspace_id)


def _names_of(submissions: Iterable[Submission]) -> set[SubmissionName]:
    names = (submission_name(answer) for answer in answers_of(submissions))
    return {name for name in names if name}


def are_plain(submissions: Iterable[Submission]) -> bool:
    """Whether nothing need be looked up for these answers."""
    answers = answers_of(submissions)
    is_new = all(new.submission_key is None and new.address is None for new in answers)
    return is_new and are_recent(answers)


def answers_of(submissions: Iterable[Submission]) -> list[NewAnswer]:
    """All of them, in their order."""
    return [answer for submission in submissions for answer in submission.answers]
