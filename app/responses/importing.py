"""Takes a whole file of answers in, or nothing of it; and takes it back out.

A file is read once. What it says goes to a temporary table first, which a dry run leaves out: a
file with bad rows is refused before a single lock is taken. From there the database stores and
counts the answers, so that a million of them take no more memory here than a thousand.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from itertools import islice

from sqlalchemy import delete, func, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.schemas import Actor
from app.foundation import clock
from app.foundation.copying import copy_into, escaped
from app.foundation.errors import Conflict, Invalid, NotFound
from app.foundation.tokens import new_id
from app.responses.closing import BY_API, close_import, close_in_time, lock_edition
from app.responses.csv_reading import CsvFile, Progress
from app.responses.deletions import record_deletions
from app.responses.import_counts import count_import
from app.responses.import_rows import BadRow, ImportedAnswer, ImportPlan, RowReader
from app.responses.models import SCORES, DeletionReason, Edition, Import, Response, Standing
from app.responses.segment_sets import LabelSet, ensure_segment_sets
from app.surveys.actions import mark_answered
from app.surveys.dimensions import add_values
from app.surveys.holds import refuse_while_held
from app.surveys.inputs import ValueInput
from app.surveys.models import Channel
from app.surveys.queries import lock_survey
from app.surveys.schemas import OTHER, Questionnaire

BAD_ROWS_KEPT = 20


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
        if OTHER in answer.values:
            found = zip(answer.keys, answer.values, strict=True)
            self.other_counts.update(key for key, value in found if value == OTHER)
        day = answer.answered_on
        if self.first_day is None or self.last_day is None:
            self.first_day = self.last_day = day
        elif day < self.first_day:
            self.first_day = day
        elif day > self.last_day:
            self.last_day = day


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
    for _answer in _answers(reader, report, source, progress):
        pass
    return report


def _answers(
    reader: RowReader, report: ImportReport, source: CsvFile, progress: Progress | None
) -> Iterator[ImportedAnswer]:
    """The good rows of a file; all of them are in the report in the end."""
    for row in source.rows(progress):
        found = reader.read(row)
        report.add(found)
        if isinstance(found, ImportedAnswer):
            yield found
    report.declared = reader.declared


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
    unless `plan.is_again`, and what `check_file` raises.
    """
    workspace_id = questionnaire.workspace_id
    await _take_turn(session, workspace_id)
    if not plan.is_again:
        await refuse_repetition(session, questionnaire, source)
    report, sets = await _read(session, questionnaire, plan, source, progress)
    if not source.is_unchanged():
        raise Conflict("The file changed while it was read; nothing was stored.")
    _require_answers(report, plan)
    today = clock.today(questionnaire.time_zone)
    in_time = await close_in_time(session, workspace_id, questionnaire.survey_id, today)
    await lock_survey(session, workspace_id, questionnaire.survey_id)
    await mark_answered(session, workspace_id, questionnaire.survey_id)
    for key, values in report.declared.items():
        await add_values(session, workspace_id, actor, questionnaire.survey_id, key, values)
    report.import_id = await _record_import(session, questionnaire, actor, source, report)
    await _store(session, questionnaire, plan, report.import_id, sets)
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
    removed = await _hold_answers(session, workspace_id, import_id)
    await count_import(session, workspace_id, found.survey_id, import_id, is_undone=True)
    await session.execute(
        delete(Response).where(
            Response.workspace_id == workspace_id, Response.import_id == import_id
        )
    )
    # What was published of the import goes with its edition.
    await session.execute(
        delete(Edition).where(Edition.workspace_id == workspace_id, Edition.import_id == import_id)
    )
    found.undone_at = clock.now()
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


async def _read(
    session: AsyncSession,
    questionnaire: Questionnaire,
    plan: ImportPlan,
    source: CsvFile,
    progress: Progress | None,
) -> tuple[ImportReport, Collection[LabelSet]]:
    """Read the file into a temporary table; returns what it says, and its segment sets."""
    reader, report = RowReader(questionnaire, plan, source), ImportReport()
    sets = _Sets(questionnaire.survey_id)
    found = _answers(reader, report, source, progress)
    lines = (
        f"{sets.id_of(answer)}\t{answer.score}\t"
        f"{NULL if answer.comment is None else escaped(answer.comment)}\t"
        f"{_written(answer.answered_on)}\n"
        for answer in found
    )
    await session.execute(_MAKE_TABLE)
    await copy_into(session, TABLE, COLUMNS, _in_parts(lines))
    return report, sets.known.values()


def _in_parts(lines: Iterator[str]) -> Iterator[str]:
    while part := "".join(islice(lines, LINES_AT_ONCE)):
        yield part


class _Sets:
    """The combinations of segment values that a file has."""

    def __init__(self, survey_id: uuid.UUID) -> None:
        self.known: dict[tuple[str, ...], LabelSet] = {}
        self._survey_id = survey_id
        self._ids: dict[tuple[str, ...], str] = {}

    def id_of(self, answer: ImportedAnswer) -> str:
        known = self._ids.get(answer.values)
        if known is None:
            found = LabelSet(self._survey_id, answer.labels)
            self.known[answer.values] = found
            known = self._ids[answer.values] = str(found.id)
        return known


async def _store(
    session: AsyncSession,
    questionnaire: Questionnaire,
    plan: ImportPlan,
    import_id: uuid.UUID,
    sets: Collection[LabelSet],
) -> None:
    """Counts come last, as everywhere: nothing is locked after them."""
    workspace_id, survey_id = questionnaire.workspace_id, questionnaire.survey_id
    await ensure_segment_sets(session, workspace_id, sets)
    await session.execute(
        _STORE,
        {
            "workspace_id": workspace_id,
            "survey_id": survey_id,
            "version_id": questionnaire.version_id,
            "language": plan.language or questionnaire.default_language,
            "channel": Channel.IMPORT.value,
            "standing": Standing.COUNTED.value,
            "import_id": import_id,
        },
    )
    await count_import(session, workspace_id, survey_id, import_id)


async def _hold_answers(
    session: AsyncSession, workspace_id: uuid.UUID, import_id: uuid.UUID
) -> int:
    """Hold the import's answers, so that none is excluded meanwhile; returns how many there are."""
    of_import = (Response.workspace_id == workspace_id) & (Response.import_id == import_id)
    held = select(Response.id).where(of_import).order_by(Response.id).with_for_update().subquery()
    number: int = await session.scalar(select(func.count()).select_from(held)) or 0
    return number


# Row-level security leaves temporary tables alone, so COPY may write into this one.
TABLE = "imported_answers"
COLUMNS = ("segment_set_id", "score", "comment", "answered_on")
NULL = "\\N"
LINES_AT_ONCE = 500
_written = cache(date.isoformat)  # a file has many rows of the same few thousand days
# Ids are drawn while the file is read, when the database has time to spare.
_MAKE_TABLE = text(
    f"""
    CREATE TEMPORARY TABLE {TABLE} (
        id uuid DEFAULT gen_random_uuid(),
        segment_set_id uuid, score smallint, comment text, answered_on date
    ) ON COMMIT DROP
    """
)
# In the order in which answers are listed, so that their index grows at one place at a time; sorted
# before all that every row has in common is put to them.
_STORE = text(
    f"""
    INSERT INTO responses (workspace_id, id, survey_id, version_id, segment_set_id, score, comment,
        language, channel, answered_on, standing, import_id)
    SELECT :workspace_id, id, :survey_id, :version_id, segment_set_id, score,
        comment, :language, :channel, answered_on, :standing, :import_id
    FROM (SELECT * FROM pg_temp.{TABLE} ORDER BY answered_on DESC, id) AS imported
    """  # noqa: S608
)
