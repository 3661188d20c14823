"""Questions about events, actions, goals and benchmarks."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    CompoundSelect,
    Row,
    Select,
    bindparam,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from app.accounts.models import Membership, User
from app.followups.models import Annotation, AnnotationKind, Benchmark, SurveyGoal
from app.followups.schemas import Comparable, Goal, Note, Surroundings, Task
from app.foundation.errors import NotFound
from app.foundation.paging import Page, decode_cursor, encode_cursor, id_in_cursor, refused_cursor

Found = TypeVar("Found")
MOST_NOTES = 200
MOST_BENCHMARKS = 3


@dataclass(frozen=True, slots=True)
class AnnotationFilter:
    """Which events and actions; a survey's are its own and those of all surveys."""

    kind: AnnotationKind | None = None
    survey_id: uuid.UUID | None = None
    since: date | None = None
    until: date | None = None


async def get_task(
    session: AsyncSession, workspace_id: uuid.UUID, annotation_id: uuid.UUID
) -> Task:
    """The event or action; NotFound where the workspace has none with that id."""
    row = (
        await session.execute(_tasks(workspace_id).where(Annotation.id == annotation_id))
    ).one_or_none()
    if row is None:
        raise NotFound
    return _task(row)


async def get_survey_task(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, annotation_id: uuid.UUID
) -> Task:
    """As `get_task`, of this survey or of all surveys."""
    task = await get_task(session, workspace_id, annotation_id)
    if task.annotation.survey_id not in (None, survey_id):
        raise NotFound
    return task


async def list_tasks(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    asked: AnnotationFilter,
    limit: int,
    cursor: str | None = None,
) -> Page[Task]:
    """Events and actions, those that begin last first; Invalid for a cursor that is not ours."""
    statement = _tasks(workspace_id).where(*_conditions(asked))
    if cursor is not None:
        day, last = decode_cursor(cursor, 2)
        statement = statement.where(
            tuple_(Annotation.begins_on, Annotation.id) < (day_in_cursor(day), id_in_cursor(last))
        )
    return await _list(session, statement, limit)


async def list_tasks_from(
    session: AsyncSession, workspace_id: uuid.UUID, asked: AnnotationFilter, limit: int, first: Task
) -> Page[Task]:
    """As `list_tasks`, from that event or action on."""
    row = first.annotation
    statement = _tasks(workspace_id).where(
        *_conditions(asked),
        tuple_(Annotation.begins_on, Annotation.id) <= (row.begins_on, row.id),
    )
    return await _list(session, statement, limit)


async def _list(
    session: AsyncSession, statement: Select[Annotation, str], limit: int
) -> Page[Task]:
    statement = statement.order_by(Annotation.begins_on.desc(), Annotation.id.desc())
    rows = [_task(row) for row in await session.execute(statement.limit(limit + 1))]
    return page_of(
        rows, limit, lambda task: (task.annotation.begins_on.isoformat(), str(task.annotation.id))
    )


def _tasks(workspace_id: uuid.UUID) -> Select[Annotation, str]:
    # Somebody's name is shown only for as long as they belong to the workspace.
    return (
        select(Annotation, User.name)
        .outerjoin(
            Membership,
            (Membership.workspace_id == Annotation.workspace_id)
            & (Membership.user_id == Annotation.owner_id),
        )
        .outerjoin(User, User.id == Membership.user_id)
        .where(Annotation.workspace_id == workspace_id)
    )


def _task(row: Row[Annotation, str]) -> Task:
    annotation, owner_name = row
    return Task(annotation, owner_name)


def _conditions(asked: AnnotationFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if asked.kind is not None:
        conditions.append(Annotation.kind == asked.kind)
    if asked.survey_id is not None:
        conditions.append(of_surveys(Annotation.survey_id, [asked.survey_id]))
    if asked.since is not None:
        conditions.append(Annotation.begins_on >= asked.since)
    if asked.until is not None:
        conditions.append(Annotation.begins_on <= asked.until)
    return conditions


def of_surveys(
    column: InstrumentedAttribute[uuid.UUID | None],
    survey_ids: Sequence[uuid.UUID] | BindParameter[Any],
) -> ColumnElement[bool]:
    """What belongs to one of the surveys, or to all."""
    return or_(column.in_(survey_ids), column.is_(None))


def day_in_cursor(text: str) -> date:
    """A part of a cursor that was a day; Invalid for anything else."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise refused_cursor() from None


def page_of(
    rows: Sequence[Found], limit: int, key: Callable[[Found], tuple[str, ...]]
) -> Page[Found]:
    """The first `limit` of the rows, and the cursor after them where there are more."""
    shown = rows[:limit]
    return Page(shown, encode_cursor(*key(shown[-1])) if len(rows) > limit else None)


async def find_goal(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> SurveyGoal | None:
    """The survey's goal, if it has one."""
    return await session.scalar(
        select(SurveyGoal).where(
            SurveyGoal.workspace_id == workspace_id, SurveyGoal.survey_id == survey_id
        )
    )


async def list_goals(session: AsyncSession, workspace_id: uuid.UUID) -> Sequence[SurveyGoal]:
    """The goals of all surveys that have one."""
    goals = select(SurveyGoal).where(SurveyGoal.workspace_id == workspace_id)
    return (await session.scalars(goals.order_by(SurveyGoal.survey_id))).all()


async def get_benchmark(
    session: AsyncSession, workspace_id: uuid.UUID, benchmark_id: uuid.UUID
) -> Benchmark:
    """The benchmark; NotFound where the workspace has none with that id."""
    found = await session.scalar(
        select(Benchmark).where(
            Benchmark.workspace_id == workspace_id, Benchmark.id == benchmark_id
        )
    )
    if found is None:
        raise NotFound
    return found


async def list_benchmarks(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    limit: int,
    cursor: str | None = None,
    survey_id: uuid.UUID | None = None,
) -> Page[Benchmark]:
    """The latest figures first; with `survey_id` those of this survey and of all."""
    statement = (
        select(Benchmark)
        .where(Benchmark.workspace_id == workspace_id)
        .order_by(Benchmark.as_of.desc(), Benchmark.id.desc())
        .limit(limit + 1)
    )
    if survey_id is not None:
        statement = statement.where(of_surveys(Benchmark.survey_id, [survey_id]))
    if cursor is not None:
        day, last = decode_cursor(cursor, 2)
        statement = statement.where(
            tuple_(Benchmark.as_of, Benchmark.id) < (day_in_cursor(day), id_in_cursor(last))
        )
    rows = (await session.scalars(statement)).all()
    return page_of(rows, limit, lambda row: (row.as_of.isoformat(), str(row.id)))


async def load_surroundings(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_ids: Sequence[uuid.UUID],
    since: date | None = None,
    until: date | None = None,
) -> Surroundings:
    """What stands around the score of these surveys; notes between the days, the latest
    `MOST_NOTES` of them, in order. Several surveys together have no goal. One statement.
    """
    rows = await session.execute(
        _surroundings(since is not None, until is not None),
        {
            "workspace_id": workspace_id,
            "survey_ids": survey_ids,
            "only_survey": survey_ids if len(survey_ids) == 1 else [],
            "since": since,
            "until": until,
        },
    )
    found: dict[str, list[dict[str, Any]]] = {"note": [], "goal": [], "benchmark": []}
    for row, name in rows:
        found[name].append(row)
    return Surroundings(
        notes=tuple(sorted(map(_note, found["note"]), key=lambda note: (note.day, note.id))),
        goal=_read_goal(found["goal"][0]) if found["goal"] else None,
        benchmarks=tuple(map(_comparable, sorted(found["benchmark"], key=_rank, reverse=True))),
    )


@cache  # of four: to make it takes longer than to run it
def _surroundings(has_since: bool, has_until: bool) -> CompoundSelect[Any]:
    parts = {"note": _notes(has_since, has_until), "goal": _goal(), "benchmark": _benchmarks()}
    return union_all(
        *(
            select(func.to_jsonb(part.subquery(f"{name}s").table_valued()), literal(name))
            for name, part in parts.items()
        )
    )


_WORKSPACE: BindParameter[uuid.UUID] = bindparam("workspace_id")
_SURVEYS: BindParameter[Any] = bindparam("survey_ids", expanding=True)


def _notes(has_since: bool, has_until: bool) -> Select[*tuple[Any, ...]]:
    day = func.coalesce(Annotation.done_on, Annotation.begins_on)
    statement = (
        select(Annotation.id, Annotation.kind, Annotation.title, day.label("day"))
        .where(Annotation.workspace_id == _WORKSPACE, of_surveys(Annotation.survey_id, _SURVEYS))
        .order_by(day.desc(), Annotation.id.desc())
        .limit(MOST_NOTES)
    )
    if has_since:
        statement = statement.where(day >= bindparam("since"))
    return statement.where(day <= bindparam("until")) if has_until else statement


def _goal() -> Select[*tuple[Any, ...]]:
    only: BindParameter[Any] = bindparam("only_survey", expanding=True)
    return select(SurveyGoal.nps, SurveyGoal.reach_by).where(
        SurveyGoal.workspace_id == _WORKSPACE, SurveyGoal.survey_id.in_(only)
    )


def _benchmarks() -> Select[*tuple[Any, ...]]:
    """A survey's own before those of all."""
    return (
        select(
            Benchmark.name, Benchmark.average, Benchmark.lower_quartile, Benchmark.median,
            Benchmark.upper_quartile, Benchmark.source, Benchmark.as_of,
            Benchmark.survey_id.is_not(None).label("is_own"), Benchmark.id,
        )
        .where(Benchmark.workspace_id == _WORKSPACE, of_surveys(Benchmark.survey_id, _SURVEYS))
        .order_by(Benchmark.survey_id.is_(None), Benchmark.as_of.desc(), Benchmark.id.desc())
        .limit(MOST_BENCHMARKS)
    )  # fmt: skip


def _note(row: dict[str, Any]) -> Note:
    return Note(
        uuid.UUID(row["id"]),
        AnnotationKind(row["kind"]),
        date.fromisoformat(row["day"]),
        row["title"],
    )


def _read_goal(row: dict[str, Any]) -> Goal:
    return Goal(row["nps"], date.fromisoformat(row["reach_by"]) if row["reach_by"] else None)


def _rank(row: dict[str, Any]) -> tuple[bool, str, str]:
    """A survey's own before those of all, the latest first: a union keeps no order."""
    return row["is_own"], row["as_of"], row["id"]


def _comparable(row: dict[str, Any]) -> Comparable:
    figures = {
        name: row[name] for name in ("average", "lower_quartile", "median", "upper_quartile")
    }
    return Comparable(
        name=row["name"],
        source=row["source"],
        as_of=date.fromisoformat(row["as_of"]),
        **figures,
    )
