"""Verbs: note events and actions, set goals, enter benchmarks."""

import uuid

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.models import Membership
from app.accounts.queries import get_workspace
from app.accounts.schemas import Actor
from app.followups.inputs import AnnotationChanges, AnnotationInput, BenchmarkInput, GoalInput
from app.followups.models import Annotation, AnnotationKind, Benchmark, SurveyGoal
from app.followups.rules import NO_MEMBER, check_annotation, check_benchmark, check_goal
from app.foundation import clock
from app.foundation.errors import InvalidParam, NotFound
from app.foundation.tokens import new_id
from app.surveys.queries import get_survey
from app.surveys.rules import refuse

# What a change may set to nothing.
NULLABLE = ("survey_id", "owner_id", "due_on", "done_on")


async def create_annotation(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, given: AnnotationInput
) -> Annotation:
    """An event or an action; NotFound for a survey that is not the workspace's, Invalid for
    whatever else is wrong."""
    checked = await _check(session, workspace_id, given)
    row = Annotation(
        workspace_id=workspace_id, id=new_id(), created_at=clock.now(), **checked.model_dump()
    )
    session.add(row)
    record_event(
        session, workspace_id, actor, "annotation.created", row.id,
        {"name": row.title, "kind": row.kind},
    )  # fmt: skip
    await session.flush()
    return row


async def change_annotation(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    annotation_id: uuid.UUID,
    changes: AnnotationChanges,
) -> Annotation:
    """The event or action with `changes` made; its kind stays. Errors as for a new one."""
    row = await _lock_annotation(session, workspace_id, annotation_id)
    given = changes.model_dump(exclude_unset=True)
    wanted = {name: value for name, value in given.items() if value is not None or name in NULLABLE}
    before = {name: getattr(row, name) for name in AnnotationInput.model_fields}
    before["kind"] = AnnotationKind(row.kind)
    whole = AnnotationInput.model_construct(**{**before, **wanted})
    after = (await _check(session, workspace_id, whole, before["owner_id"])).model_dump()
    changed = [name for name, value in after.items() if before[name] != value]
    for name in changed:
        setattr(row, name, after[name])
    if changed:
        record_event(
            session, workspace_id, actor, "annotation.changed", row.id,
            {"name": row.title, "changed": changed},
        )  # fmt: skip
    await session.flush()
    return row


async def delete_annotation(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, annotation_id: uuid.UUID
) -> None:
    """NotFound where the workspace has no such event or action."""
    row = await _lock_annotation(session, workspace_id, annotation_id)
    record_event(
        session, workspace_id, actor, "annotation.deleted", row.id,
        {"name": row.title, "kind": row.kind},
    )  # fmt: skip
    await session.delete(row)
    await session.flush()


async def _check(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    given: AnnotationInput,
    owner_before: uuid.UUID | None = None,
) -> AnnotationInput:
    workspace = await get_workspace(session, workspace_id)
    if given.survey_id is not None:
        await get_survey(session, workspace_id, given.survey_id)
    checked = check_annotation(given, clock.today(workspace.time_zone))
    # Somebody who has left stays the owner of what they did, until it gets another one.
    if checked.owner_id not in (None, owner_before):
        await _require_member(session, workspace_id, checked.owner_id)
    return checked


async def _require_member(
    session: AsyncSession, workspace_id: uuid.UUID, user_id: uuid.UUID | None
) -> None:
    member = select(Membership.user_id).where(
        Membership.workspace_id == workspace_id, Membership.user_id == user_id
    )
    if await session.scalar(member) is None:
        refuse([InvalidParam("owner_id", NO_MEMBER)])


async def _lock_annotation(
    session: AsyncSession, workspace_id: uuid.UUID, annotation_id: uuid.UUID
) -> Annotation:
    row = await session.scalar(
        select(Annotation)
        .where(Annotation.workspace_id == workspace_id, Annotation.id == annotation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound
    return row


async def set_goal(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    given: GoalInput,
) -> None:
    """The survey's goal from now on; NotFound for a survey that is not the workspace's."""
    await get_survey(session, workspace_id, survey_id)
    check_goal(given)
    values = given.model_dump()
    await session.execute(
        insert(SurveyGoal)
        .values(workspace_id=workspace_id, survey_id=survey_id, **values)
        .on_conflict_do_update(
            index_elements=[SurveyGoal.workspace_id, SurveyGoal.survey_id], set_=values
        )
    )
    record_event(session, workspace_id, actor, "goal.set", survey_id, {"to": given.nps})


async def remove_goal(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, survey_id: uuid.UUID
) -> None:
    """The survey has no goal any more; harmless when repeated."""
    await get_survey(session, workspace_id, survey_id)
    removed = await session.scalar(
        delete(SurveyGoal)
        .where(SurveyGoal.workspace_id == workspace_id, SurveyGoal.survey_id == survey_id)
        .returning(SurveyGoal.nps)
    )
    if removed is not None:
        record_event(session, workspace_id, actor, "goal.removed", survey_id, {"from": removed})


async def create_benchmark(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, given: BenchmarkInput
) -> Benchmark:
    """Figures of others; NotFound for a survey that is not the workspace's."""
    checked = await _check_benchmark(session, workspace_id, given)
    row = Benchmark(workspace_id=workspace_id, id=new_id(), **checked.model_dump())
    session.add(row)
    record_event(session, workspace_id, actor, "benchmark.created", row.id, {"name": row.name})
    await session.flush()
    return row


async def replace_benchmark(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    benchmark_id: uuid.UUID,
    given: BenchmarkInput,
) -> Benchmark:
    """The benchmark as `given` says, whole."""
    row = await _lock_benchmark(session, workspace_id, benchmark_id)
    for name, value in (await _check_benchmark(session, workspace_id, given)).model_dump().items():
        setattr(row, name, value)
    record_event(session, workspace_id, actor, "benchmark.changed", row.id, {"name": row.name})
    await session.flush()
    return row


async def delete_benchmark(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, benchmark_id: uuid.UUID
) -> None:
    """NotFound where the workspace has no such benchmark."""
    row = await _lock_benchmark(session, workspace_id, benchmark_id)
    record_event(session, workspace_id, actor, "benchmark.deleted", row.id, {"name": row.name})
    await session.delete(row)
    await session.flush()


async def _check_benchmark(
    session: AsyncSession, workspace_id: uuid.UUID, given: BenchmarkInput
) -> BenchmarkInput:
    if given.survey_id is not None:
        await get_survey(session, workspace_id, given.survey_id)
    return check_benchmark(given)


async def _lock_benchmark(
    session: AsyncSession, workspace_id: uuid.UUID, benchmark_id: uuid.UUID
) -> Benchmark:
    row = await session.scalar(
        select(Benchmark)
        .where(Benchmark.workspace_id == workspace_id, Benchmark.id == benchmark_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if row is None:
        raise NotFound
    return row
