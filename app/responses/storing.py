"""Writes answers and what goes with them: keys, rows, addresses and counts, in one transaction."""

import time
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation import clock
from app.foundation.questions import Executor
from app.foundation.tally import tally
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

KNOWN_LIMIT = 50_000


class Known:
    """Segment sets and answered surveys whose rows this process saw committed."""

    def __init__(self) -> None:
        self.set_ids: set[uuid.UUID] = set()
        self.survey_ids: set[uuid.UUID] = set()

    def remember(self, answers: Sequence[StoredAnswer]) -> None:
        """Call after the commit, never before: a rollback would leave ids without rows."""
        if len(self.set_ids) > KNOWN_LIMIT:
            self.set_ids.clear()
        if len(self.survey_ids) > KNOWN_LIMIT:
            self.survey_ids.clear()
        self.set_ids.update({answer.segment_set_id for answer in answers})
        self.survey_ids.update({answer.survey_id for answer in answers})


def are_recent(answers: Iterable[NewAnswer]) -> bool:
    """Whether all are of today or so: neither in closed months nor in totals of days."""
    yesterday = clock.now().date() - timedelta(days=1)
    return all(answer.answered_on >= yesterday for answer in answers)


async def store_answers(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    answers: Sequence[NewAnswer],
) -> list[StoredAnswer]:
    """Write one workspace's answers and move its counts, within the caller's transaction.

    Returns what is stored for each of `answers`, in their order. One whose submission key is known
    amends the answer stored under it, unless something with a higher number came before: then it
    changes nothing. The later score and comment replace the earlier; so do labels, language and
    wording until the day's month can be closed. Day and channel stay. So does the standing, but
    that a held answer counts once it comes again without suspicion, and that what was only saved
    early is held where a program sends it; what a manager decided is never undone. Locks are taken
    in one order: editions, surveys, segment sets, submission keys, responses, addresses, counts.
    """
    answers = await file_late_answers(session, workspace_id, answers)
    count = partial(apply_count_changes, session, workspace_id)
    return await write_rows(session, workspace_id, answers, count, Known())


def tally_stored(stored: Sequence[StoredAnswer], started: float) -> None:
    """For the metrics: what one transaction has stored, begun at `started` (`perf_counter`). Call
    it after the commit."""
    tally.observe(time.perf_counter() - started, "honne_commit_seconds")
    tally.observe(len(stored), "honne_batch_answers")
    held = sum(answer.standing is Standing.HELD for answer in stored)
    tally.count("honne_answers", "held", by=held)
    tally.count("honne_answers", "taken", by=len(stored) - held)


async def write_rows(
    session: Executor,
    workspace_id: uuid.UUID,
    answers: Sequence[NewAnswer],
    count: Callable[[Mapping[CountKey, int]], Awaitable[None]],
    known: Known,
) -> list[StoredAnswer]:
    """The rows of answers and of what they refer to, unless `known`; `count` counts."""
    await _prepare(session, workspace_id, answers, known)
    early = await find_early(session, workspace_id, _trapped(answers))
    claims = await claim_keys(session, workspace_id, _highest_claims(answers))
    claimed = [claims.get(submission_name(answer), Claim(answer.id, FINAL)) for answer in answers]
    ids = [claim.response_id for claim in claimed]
    before = await lock_answers(session, workspace_id, set(ids) - {new.id for new in answers})
    after = _fold(before, zip(claimed, answers, strict=True), early)
    await insert_answers(session, workspace_id, [after[key] for key in after if key not in before])
    amended = [after[key] for key in before if after[key] != before[key]]
    await amend_answers(session, workspace_id, amended)
    await keep_addresses(session, workspace_id, _addresses(claimed, answers), before)
    await count(_count_changes(before, after))
    if amended:
        await forget_empty_counts(session, workspace_id, _left_rows(before, amended))
    return [after[id_] for id_ in ids]


async def _prepare(
    session: Executor, workspace_id: uuid.UUID, answers: Sequence[NewAnswer], known: Known
) -> None:
    """What the rows of the answers refer to."""
    for survey_id in sorted({answer.survey_id for answer in answers} - known.survey_ids):
        await mark_answered(session, workspace_id, survey_id)
    sets = {segment_set_id(new.survey_id, new.labels): new for new in answers}
    missing = [new for set_id, new in sets.items() if set_id not in known.set_ids]
    label_sets = [LabelSet(answer.survey_id, answer.labels) for answer in missing]
    await ensure_segment_sets(session, workspace_id, label_sets)


def submission_name(answer: NewAnswer) -> SubmissionName | None:
    """What tells a submission from all others, where it has a key."""
    return (answer.survey_id, answer.submission_key) if answer.submission_key else None


def _trapped(answers: Iterable[NewAnswer]) -> set[SubmissionName]:
    """The keys of what was sent, not just saved early, by something that fell into the trap."""
    names = (submission_name(answer) for answer in answers if _is_trapped(answer))
    return {name for name in names if name}


def _is_trapped(answer: NewAnswer) -> bool:
    return answer.number == FINAL and answer.hold_reason is HoldReason.TRAP


def _highest_claims(answers: Iterable[NewAnswer]) -> dict[SubmissionName, Claim]:
    """For each submission key its first answer and its highest number."""
    claims: dict[SubmissionName, Claim] = {}
    for answer in answers:
        if name := submission_name(answer):
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
