"""Takes a whole file of answers in, or nothing of it; and takes it back out.

A file is read twice: once to see what it says, which writes nothing and is all a dry run does, and
once to store it. So a file with bad rows is refused before a single lock is taken.
"""

import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.schemas import Actor
from app.foundation import clock
from app.foundation.errors import Conflict, Invalid, NotFound
from app.foundation.tokens import new_id
from app.responses.answer_rows import insert_answers
from app.responses.closing import BY_API, close_import, close_in_time, lock_edition
from app.responses.counts import CountKey, apply_count_changes, count_key
from app.responses.csv_reading import CsvFile, Progress
from app.responses.deletions import record_deletions
from app.responses.import_rows import BadRow, ImportedAnswer, ImportPlan, RowReader
from app.responses.models import SCORES, DeletionReason, Edition, Import, Response, Standing
from app.responses.schemas import StoredAnswer
from app.responses.segment_sets import LabelSet, ensure_segment_sets
from app.surveys.actions import mark_answered
from app.surveys.dimensions import add_values
from app.surveys.holds import refuse_while_held
from app.surveys.inputs import ValueInput
from app.surveys.models import Channel
from app.surveys.queries import lock_survey
from app.surveys.schemas import OTHER, Questionnaire

BAD_ROWS_KEPT = 20
BATCH_SIZE = 2_000
COUNTS_AT_ONCE = 20_000


@dataclass(slots=True)
class ImportReport:
    """What a file says, or said. Counts are of rows; `bad_rows` are the first twenty.

    `scores` are the eleven counts of scores 0 to 10, `other_counts` the answers whose value of a
    dimension went to `other`, `declared` the values the import declares, by dimension.
    """

    import_id: uuid.UUID | None = None
    row_count: int = 0
    unscored_count: int = 0
    bad_count: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    scores: list[int] = field(default_factory=lambda: [0] * len(SCORES))
    comment_count: int = 0
    other_counts: Counter[str] = field(default_factory=Counter)
    declared: Mapping[str, Sequence[ValueInput]] = field(default_factory=dict)
    first_day: date | None = None
    last_day: date | None = None

    @property
    def stored_count(self) -> int:
        """Answers stored, or to be stored."""
        return sum(self.scores)

    def add(self, found: ImportedAnswer | BadRow | None) -> None:
        self.row_count += 1
        if found is None:
            self.unscored_count += 1
        elif isinstance(found, BadRow):
            self.bad_count += 1
            self.bad_rows += [found] if self.bad_count <= BAD_ROWS_KEPT else []
        else:
            self._add_answer(found)

    def _add_answer(self, answer: ImportedAnswer) -> None:
        self.scores[answer.score] += 1
        self.comment_count += answer.comment is not None
        self.other_counts.update(key for key, value in answer.labels.items() if value == OTHER)
        self.first_day = min(self.first_day or answer.answered_on, answer.answered_on)
        self.last_day = max(self.last_day or answer.answered_on, answer.answered_on)


class BadRows(Invalid):
    """The file has rows that cannot be imported, so nothing was; `report` says which."""

    def __init__(self, report: ImportReport) -> None:
        super().__init__(
            "%(count)s rows cannot be imported; nothing was stored.",
            values={"count": report.bad_count},
        )
        self.report = report


def check_file(
    questionnaire: Questionnaire,
    plan: ImportPlan,
    source: CsvFile,
    progress: Progress | None = None,
) -> ImportReport:
    """Read all of a file and say what importing it would do. Stores nothing.

    Raises UnreadableFile or Invalid for a file or plan that cannot be read at all; rows that
    cannot be imported are in the report.
    """
    reader, report = RowReader(questionnaire, plan, source), ImportReport()
    for row in source.rows(progress):
        report.add(reader.read(row))
    report.declared = reader.declared
    return report


async def import_answers(
    session: AsyncSession,
    questionnaire: Questionnaire,
    actor: Actor,
    plan: ImportPlan,
    source: CsvFile,
    progress: Progress | None = None,
) -> ImportReport:
    """Store a file's answers under one import, within the caller's transaction.

    Raises BadRows unless `plan.skips_bad_rows`, Conflict for a file that was imported before
    unless `plan.is_again`, and what `check_file` raises. `progress` hears of the file twice.
    """
    workspace_id = questionnaire.workspace_id
    await _take_turn(session, workspace_id)
    if not plan.is_again:
        await refuse_repetition(session, questionnaire, source)
    report = check_file(questionnaire, plan, source, progress)
    _require_answers(report, plan)
    today = clock.today(questionnaire.time_zone)
    in_time = await close_in_time(session, workspace_id, questionnaire.survey_id, today)
    await lock_survey(session, workspace_id, questionnaire.survey_id)
    await mark_answered(session, workspace_id, questionnaire.survey_id)
    for key, values in report.declared.items():
        await add_values(session, workspace_id, actor, questionnaire.survey_id, key, values)
    report.import_id = await _record_import(session, questionnaire, actor, source, report)
    await _store(session, questionnaire, plan, source, report, progress)
    assert in_time.closed_through is not None
    await close_import(
        session, workspace_id, questionnaire.survey_id, report.import_id, in_time.closed_through
    )
    return report


async def refuse_repetition(
    session: AsyncSession, questionnaire: Questionnaire, source: CsvFile
) -> None:
    """Conflict where the survey has this very file already."""
    earlier = await session.scalar(
        select(Import)
        .where(
            Import.workspace_id == questionnaire.workspace_id,
            Import.survey_id == questionnaire.survey_id,
            Import.file_hash == source.file_hash,
            Import.undone_at.is_(None),
        )
        .limit(1)
    )
    if earlier is not None:
        raise Conflict(
            "This very file was imported before (import %(id)s); --again imports it once more.",
            values={"id": earlier.id},
        )


async def list_imports(session: AsyncSession, workspace_id: uuid.UUID) -> Sequence[Import]:
    """The workspace's imports, the latest first, undone ones included."""
    found = await session.scalars(
        select(Import)
        .where(Import.workspace_id == workspace_id)
        .order_by(Import.created_at.desc(), Import.id)
    )
    return found.all()


async def undo_import(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, import_id: uuid.UUID
) -> int:
    """Remove all answers of an import and correct the counts; returns how many there were.

    Raises NotFound, and Conflict where it was undone before or where a legal hold keeps what the
    survey has. Values it declared stay declared.
    """
    await _take_turn(session, workspace_id)
    found = await session.scalar(
        select(Import).where(Import.workspace_id == workspace_id, Import.id == import_id)
    )
    if found is None:
        raise NotFound
    if found.undone_at is not None:
        raise Conflict("This import was undone before.")
    if found.file_hash == BY_API:  # the day may not be over: let nothing be added meanwhile
        await lock_edition(session, workspace_id, found.survey_id)
    await refuse_while_held(session, workspace_id, found.survey_id)
    changes = await _lock_and_count(session, workspace_id, import_id)
    await session.execute(
        delete(Response).where(
            Response.workspace_id == workspace_id, Response.import_id == import_id
        )
    )
    await _apply(session, workspace_id, {key: -number for key, number in changes.items()})
    # What was published of the import goes with its edition.
    await session.execute(
        delete(Edition).where(Edition.workspace_id == workspace_id, Edition.import_id == import_id)
    )
    found.undone_at = clock.now()
    removed = changes.total()
    await record_deletions(
        session, workspace_id, found.survey_id, DeletionReason.IMPORT_UNDONE, removed
    )
    record_event(session, workspace_id, actor, "import.undone", import_id, {"removed": removed})
    return removed


async def _take_turn(session: AsyncSession, workspace_id: uuid.UUID) -> None:
    """One import or undoing at a time in a workspace: the same file twice at once is a repetition
    too. Large files take longer than the limit for a statement of a request."""
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    await session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))"),
        {"name": f"imports of {workspace_id}"},
    )


def _require_answers(report: ImportReport, plan: ImportPlan) -> None:
    if report.bad_count and not plan.skips_bad_rows:
        raise BadRows(report)
    if not report.stored_count:
        raise Invalid(
            "No row has a score in the column %(column)s; nothing was stored.",
            values={"column": plan.score_column},
        )


async def _record_import(
    session: AsyncSession,
    questionnaire: Questionnaire,
    actor: Actor,
    source: CsvFile,
    report: ImportReport,
) -> uuid.UUID:
    record = Import(
        workspace_id=questionnaire.workspace_id,
        id=new_id(),
        survey_id=questionnaire.survey_id,
        file_name=source.path.name,
        file_hash=source.file_hash,
        stored=report.stored_count,
        unscored=report.unscored_count,
        skipped=report.bad_count,
        created_at=clock.now(),
    )
    session.add(record)
    record_event(
        session, questionnaire.workspace_id, actor, "import.stored", record.id,
        {
            "survey_id": str(questionnaire.survey_id),
            "stored": record.stored,
            "unscored": record.unscored,
            "skipped": record.skipped,
        },
    )  # fmt: skip
    await session.flush()
    return record.id


async def _store(
    session: AsyncSession,
    questionnaire: Questionnaire,
    plan: ImportPlan,
    source: CsvFile,
    report: ImportReport,
    progress: Progress | None,
) -> None:
    """The second reading. Counts come last, as everywhere: nothing is locked after them."""
    assert report.import_id is not None
    reader = RowReader(questionnaire, plan, source)
    found = (reader.read(row) for row in source.rows(progress))
    answers = (answer for answer in found if isinstance(answer, ImportedAnswer))
    changes: Counter[CountKey] = Counter()
    sets: dict[frozenset[tuple[str, str]], uuid.UUID] = {}
    while batch := list(islice(answers, BATCH_SIZE)):
        await _add_sets(session, questionnaire, batch, sets)
        stored = [
            _stored(questionnaire, reader.language, report.import_id, answer, sets)
            for answer in batch
        ]
        await insert_answers(session, questionnaire.workspace_id, stored)
        changes.update(map(count_key, stored))
    if changes.total() != report.stored_count:
        raise Conflict("The file changed while it was read; nothing was stored.")
    await _apply(session, questionnaire.workspace_id, changes)


async def _add_sets(
    session: AsyncSession,
    questionnaire: Questionnaire,
    batch: Sequence[ImportedAnswer],
    sets: dict[frozenset[tuple[str, str]], uuid.UUID],
) -> None:
    """Make the segment sets that the batch is the first to need; `sets` has their ids by label."""
    combinations = {frozenset(answer.labels.items()) for answer in batch}
    new = {
        labels: LabelSet(questionnaire.survey_id, dict(labels))
        for labels in combinations
        if labels not in sets
    }
    await ensure_segment_sets(session, questionnaire.workspace_id, new.values())
    sets.update({labels: label_set.id for labels, label_set in new.items()})


def _stored(
    questionnaire: Questionnaire,
    language: str,
    import_id: uuid.UUID,
    answer: ImportedAnswer,
    sets: Mapping[frozenset[tuple[str, str]], uuid.UUID],
) -> StoredAnswer:
    return StoredAnswer(
        id=new_id(),
        survey_id=questionnaire.survey_id,
        version_id=questionnaire.version_id,
        segment_set_id=sets[frozenset(answer.labels.items())],
        score=answer.score,
        comment=answer.comment,
        language=language,
        channel=Channel.IMPORT,
        answered_on=answer.answered_on,
        standing=Standing.COUNTED,
        import_id=import_id,
    )


async def _apply(
    session: AsyncSession, workspace_id: uuid.UUID, changes: Mapping[CountKey, int]
) -> None:
    """Move many counts a part at a time, still locking their rows in the one order."""
    keys = iter(sorted(changes))
    while part := list(islice(keys, COUNTS_AT_ONCE)):
        await apply_count_changes(session, workspace_id, {key: changes[key] for key in part})


async def _lock_and_count(
    session: AsyncSession, workspace_id: uuid.UUID, import_id: uuid.UUID
) -> Counter[CountKey]:
    """Hold the import's answers, so that none is excluded meanwhile, and say where they count."""
    of_import = (Response.workspace_id == workspace_id) & (Response.import_id == import_id)
    held = select(Response.id).where(of_import).order_by(Response.id).with_for_update().subquery()
    await session.execute(select(func.count()).select_from(held))
    keys = (
        Response.survey_id,
        Response.answered_on,
        Response.segment_set_id,
        Response.language,
        Response.channel,
        Response.standing,
        Response.score,
    )
    rows = await session.execute(select(*keys, func.count()).where(of_import).group_by(*keys))
    return Counter(
        {
            CountKey(
                survey_id, day, set_id, language, Channel(channel), Standing(standing), score
            ): number
            for survey_id, day, set_id, language, channel, standing, score, number in rows
        }
    )
