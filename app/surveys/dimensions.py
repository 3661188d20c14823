"""Segment dimensions and their values: added, archived, restored; keys never change."""

import uuid
from collections.abc import Sequence

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.schemas import Actor
from app.foundation.errors import Conflict, InvalidParam
from app.foundation.tokens import new_id
from app.foundation.translation import mark
from app.surveys.inputs import DimensionInput, ValueInput
from app.surveys.models import (
    MAX_DIMENSIONS,
    MAX_QUESTION_DIMENSIONS,
    MAX_VALUES,
    DimensionSource,
    SegmentDimension,
    SegmentValue,
    Survey,
)
from app.surveys.queries import (
    get_dimension,
    get_value,
    list_dimension_rows,
    list_value_rows,
    lock_survey,
)
from app.surveys.rules import (
    check_dimension,
    clean_label,
    find_value_problems,
    refuse,
)


async def insert_dimension(
    session: AsyncSession, survey: Survey, given: DimensionInput, position: int
) -> SegmentDimension:
    """Write a dimension that passed the rules, with its values in order."""
    dimension = SegmentDimension(
        workspace_id=survey.workspace_id,
        id=new_id(),
        survey_id=survey.id,
        key=given.key,
        label=clean_label(given.label, given.key, survey.languages),
        source=given.source,
        position=position,
    )
    session.add(dimension)
    await session.flush()
    for index, value in enumerate(given.values):
        session.add(_value(survey, dimension, value, index))
    await session.flush()
    return dimension


def _value(
    survey: Survey, dimension: SegmentDimension, given: ValueInput, position: int
) -> SegmentValue:
    return SegmentValue(
        workspace_id=survey.workspace_id,
        id=new_id(),
        dimension_id=dimension.id,
        key=given.key,
        label=clean_label(given.label, given.key, survey.languages),
        position=position,
        is_archived=False,
    )


async def add_dimension(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    given: DimensionInput,
) -> SegmentDimension:
    """A further dimension; Invalid past four, or two asked on the form, or for a known key."""
    survey = await lock_survey(session, workspace_id, survey_id)
    check_dimension(given)
    present = await list_dimension_rows(session, workspace_id, survey_id)
    refuse(_room_problems(given, present))
    dimension = await insert_dimension(
        session, survey, given, max((row.position for row in present), default=-1) + 1
    )
    record_event(session, workspace_id, actor, "dimension.added", survey_id, {"key": dimension.key})
    return dimension


def _room_problems(
    given: DimensionInput, present: Sequence[SegmentDimension]
) -> list[InvalidParam]:
    asked = [row for row in present if row.source == DimensionSource.QUESTION]
    problems = []
    if given.key in [row.key for row in present]:
        problems.append(InvalidParam("key", mark("This key is there twice.")))
    if len(present) >= MAX_DIMENSIONS:
        problems.append(
            InvalidParam("key", mark("At most %(limit)s dimensions."), {"limit": MAX_DIMENSIONS})
        )
    if given.source is DimensionSource.QUESTION and len(asked) >= MAX_QUESTION_DIMENSIONS:
        problems.append(
            InvalidParam(
                "source",
                mark("At most %(limit)s dimensions may be asked on the form."),
                {"limit": MAX_QUESTION_DIMENSIONS},
            )
        )
    return problems


async def remove_dimension(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    key: str,
) -> None:
    """Take back a dimension that no answer can carry yet; Conflict once there are answers."""
    survey = await lock_survey(session, workspace_id, survey_id)
    dimension = await get_dimension(session, workspace_id, survey_id, key)
    if survey.has_answers:
        raise Conflict(mark("The survey has answers, so its dimensions stay; archive values."))
    await session.execute(
        delete(SegmentDimension).where(
            SegmentDimension.workspace_id == workspace_id, SegmentDimension.id == dimension.id
        )
    )
    record_event(session, workspace_id, actor, "dimension.removed", survey_id, {"key": key})


async def add_values(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    key: str,
    given: Sequence[ValueInput],
) -> list[SegmentValue]:
    """Further values of the dimension `key`, in the order given; Invalid past fifty (archived ones
    included) or for a known key, naming `values.INDEX.key`."""
    survey = await lock_survey(session, workspace_id, survey_id)
    dimension = await get_dimension(session, workspace_id, survey_id, key)
    present = await list_value_rows(session, workspace_id, dimension.id)
    refuse(_value_problems(given, [row.key for row in present]))
    start = max((row.position for row in present), default=-1) + 1
    added = [_value(survey, dimension, value, start + index) for index, value in enumerate(given)]
    session.add_all(added)
    record_event(
        session, workspace_id, actor, "values.added", survey_id,
        {"key": key, "values": [row.key for row in added]},
    )  # fmt: skip
    await session.flush()
    return added


def _value_problems(given: Sequence[ValueInput], present: Sequence[str]) -> list[InvalidParam]:
    problems = []
    if len(given) + len(present) > MAX_VALUES:
        problems.append(
            InvalidParam("values", mark("At most %(limit)s values."), {"limit": MAX_VALUES})
        )
    known = set(present)
    for index, value in enumerate(given):
        problems += find_value_problems(f"values.{index}", value)
        if value.key in known:
            problems.append(InvalidParam(f"values.{index}.key", mark("This key is there twice.")))
        known.add(value.key)
    return problems


async def archive_value(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    key: str,
    value_key: str,
) -> SegmentValue:
    """The value is offered and taken no more; answers that have it keep it."""
    return await _set_archived(session, workspace_id, actor, survey_id, key, value_key, True)


async def restore_value(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    key: str,
    value_key: str,
) -> SegmentValue:
    """An archived value is offered and taken again."""
    return await _set_archived(session, workspace_id, actor, survey_id, key, value_key, False)


async def _set_archived(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    key: str,
    value_key: str,
    is_archived: bool,
) -> SegmentValue:
    await lock_survey(session, workspace_id, survey_id)
    dimension = await get_dimension(session, workspace_id, survey_id, key)
    value = await get_value(session, workspace_id, dimension.id, value_key)
    if value.is_archived != is_archived:
        value.is_archived = is_archived
        verb = "value.archived" if is_archived else "value.restored"
        record_event(
            session, workspace_id, actor, verb, survey_id, {"key": key, "value": value_key}
        )
        await session.flush()
    return value
