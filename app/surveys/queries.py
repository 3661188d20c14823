"""Questions about surveys and links."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ScalarSelect, bindparam, func, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.brands import BRAND_COLUMNS, brand_of
from app.accounts.models import Workspace, WorkspaceBrand
from app.foundation.errors import NotFound
from app.foundation.questions import Executor
from app.surveys.models import (
    Channel,
    DimensionSource,
    Link,
    Metric,
    SegmentDimension,
    SegmentValue,
    Survey,
    SurveyLink,
    SurveyState,
    SurveyVersion,
)
from app.surveys.schemas import Dimension, EntryLink, Questionnaire, Value
from app.surveys.wording import fill_subject


async def get_survey(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> Survey:
    """The survey; NotFound where the workspace has none with that id."""
    survey = await session.scalar(
        select(Survey).where(Survey.workspace_id == workspace_id, Survey.id == survey_id)
    )
    if survey is None:
        raise NotFound
    return survey


async def lock_survey(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> Survey:
    """The survey as last committed, held until this transaction ends; NotFound as in `get_survey`.

    Not stronger than needed: answers refer to the row and are stored meanwhile, all but the first,
    which has to turn `has_answers` and so waits its turn.
    """
    survey = await session.scalar(
        select(Survey)
        .where(Survey.workspace_id == workspace_id, Survey.id == survey_id)
        .with_for_update(key_share=True)
        .execution_options(populate_existing=True)
    )
    if survey is None:
        raise NotFound
    return survey


async def get_version(
    session: AsyncSession, workspace_id: uuid.UUID, survey: Survey
) -> SurveyVersion:
    """The wording the survey is asked in now, `{X}` not yet filled in."""
    version = await session.scalar(
        select(SurveyVersion).where(
            SurveyVersion.workspace_id == workspace_id,
            SurveyVersion.survey_id == survey.id,
            SurveyVersion.number == survey.version_number,
        )
    )
    if version is None:
        raise NotFound
    return version


async def get_questionnaire(
    executor: Executor, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> Questionnaire:
    """The survey as it is asked now; NotFound where there is none. One statement."""
    rows = await executor.execute(
        _QUESTIONNAIRE, {"workspace_id": workspace_id, "survey_id": survey_id}
    )
    row = next(iter(rows), None)
    if row is None:
        raise NotFound
    return Questionnaire(
        workspace_id=workspace_id,
        survey_id=survey_id,
        version_id=row.version_id,
        version_number=row.version_number,
        name=row.name,
        state=SurveyState(row.state),
        metric=Metric(row.metric),
        languages=tuple(row.languages),
        default_language=row.default_language,
        min_group_size=row.min_group_size,
        retention_months=row.retention_months,
        privacy_url=row.privacy_url,
        contact=row.contact,
        opens_on=row.opens_on,
        closes_on=row.closes_on,
        time_zone=row.time_zone,
        workspace_name=row.workspace_name,
        brand=brand_of(row),
        wording=fill_subject(row.wording),
        dimensions=_dimensions(row.declared),
        has_answers=row.has_answers,
        held_since=row.held_since,
        embed_origins=tuple(row.embed_origins),
        layout_version=row.layout_version,
        thanks_urls=row.thanks_urls,
        support=row.support,
        asks_contact=row.asks_contact,
        shows_steps=row.shows_steps,
    )


async def list_dimensions(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> tuple[Dimension, ...]:
    """The survey's dimensions with all their values, in order."""
    where = {"workspace_id": workspace_id, "survey_id": survey_id}
    return _dimensions(await session.scalar(select(_DECLARED), where))


def _declared() -> ScalarSelect[Any]:
    """A line for each value (and for a dimension without any) in one JSON array, in order: so a
    questionnaire is read in one statement."""
    line = func.jsonb_build_array(
        SegmentDimension.key, SegmentDimension.label, SegmentDimension.source,
        SegmentValue.key, SegmentValue.label, SegmentValue.is_archived,
    )  # fmt: skip
    in_order = aggregate_order_by(line, SegmentDimension.position, SegmentValue.position)
    return (
        select(func.jsonb_agg(in_order))
        .select_from(SegmentDimension)
        .outerjoin(
            SegmentValue,
            (SegmentValue.workspace_id == SegmentDimension.workspace_id)
            & (SegmentValue.dimension_id == SegmentDimension.id),
        )
        .where(
            SegmentDimension.workspace_id == bindparam("workspace_id"),
            SegmentDimension.survey_id == bindparam("survey_id"),
        )
        .scalar_subquery()
    )


_DECLARED = _declared()
_QUESTIONNAIRE = (
    select(
        Survey.name,
        Survey.state,
        Survey.metric,
        Survey.languages,
        Survey.default_language,
        Survey.min_group_size,
        Survey.retention_months,
        Survey.privacy_url,
        Survey.contact,
        Survey.opens_on,
        Survey.closes_on,
        Survey.version_number,
        Survey.has_answers,
        Survey.held_since,
        Survey.embed_origins,
        Survey.layout_version,
        Survey.thanks_urls,
        Survey.support,
        Survey.asks_contact,
        Survey.shows_steps,
        SurveyVersion.id.label("version_id"),
        SurveyVersion.wording,
        Workspace.time_zone,
        *BRAND_COLUMNS,
        _DECLARED.label("declared"),
    )
    .join(
        SurveyVersion,
        (SurveyVersion.workspace_id == Survey.workspace_id)
        & (SurveyVersion.survey_id == Survey.id)
        & (SurveyVersion.number == Survey.version_number),
    )
    .join(Workspace, Workspace.id == Survey.workspace_id)
    .outerjoin(WorkspaceBrand, WorkspaceBrand.workspace_id == Survey.workspace_id)
    .where(
        Survey.workspace_id == bindparam("workspace_id"),
        Survey.id == bindparam("survey_id"),
        Workspace.deleted_at.is_(None),
    )
)


def _dimensions(lines: Sequence[Sequence[Any]] | None) -> tuple[Dimension, ...]:
    found: dict[str, tuple[Mapping[str, str], str, list[Value]]] = {}
    for key, label, source, value_key, value_label, is_archived in lines or ():
        _label, _source, values = found.setdefault(key, (label, source, []))
        if value_key is not None:
            values.append(Value(value_key, value_label, is_archived))
    return tuple(
        Dimension(key, label, DimensionSource(source), tuple(values))
        for key, (label, source, values) in found.items()
    )


async def list_dimension_rows(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> Sequence[SegmentDimension]:
    """The survey's dimensions in order."""
    return (
        await session.scalars(
            select(SegmentDimension)
            .where(
                SegmentDimension.workspace_id == workspace_id,
                SegmentDimension.survey_id == survey_id,
            )
            .order_by(SegmentDimension.position)
        )
    ).all()


async def get_dimension(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, key: str
) -> SegmentDimension:
    """The survey's dimension with that key; NotFound where there is none."""
    dimension = await session.scalar(
        select(SegmentDimension).where(
            SegmentDimension.workspace_id == workspace_id,
            SegmentDimension.survey_id == survey_id,
            SegmentDimension.key == key,
        )
    )
    if dimension is None:
        raise NotFound
    return dimension


async def list_value_rows(
    session: AsyncSession, workspace_id: uuid.UUID, dimension_id: uuid.UUID
) -> Sequence[SegmentValue]:
    """The dimension's values in order, archived ones included."""
    return (
        await session.scalars(
            select(SegmentValue)
            .where(
                SegmentValue.workspace_id == workspace_id,
                SegmentValue.dimension_id == dimension_id,
            )
            .order_by(SegmentValue.position)
        )
    ).all()


async def get_value(
    session: AsyncSession, workspace_id: uuid.UUID, dimension_id: uuid.UUID, key: str
) -> SegmentValue:
    """The dimension's value with that key; NotFound where there is none."""
    value = await session.scalar(
        select(SegmentValue).where(
            SegmentValue.workspace_id == workspace_id,
            SegmentValue.dimension_id == dimension_id,
            SegmentValue.key == key,
        )
    )
    if value is None:
        raise NotFound
    return value


_LINK = select(Link.workspace_id).where(Link.slug == bindparam("slug"))
_ENTRY_LINK = select(
    SurveyLink.survey_id, SurveyLink.channel, SurveyLink.preset, SurveyLink.revoked_at
).where(SurveyLink.workspace_id == bindparam("workspace_id"), SurveyLink.slug == bindparam("slug"))


async def unscoped_find_workspace_of(executor: Executor, slug: str) -> uuid.UUID | None:
    """The workspace a link is of, across all workspaces; the caller then enters it."""
    found = next(iter(await executor.execute(_LINK, {"slug": slug})), None)
    return None if found is None else found.workspace_id


async def get_entry_link(executor: Executor, workspace_id: uuid.UUID, slug: str) -> EntryLink:
    """The tenant's side of a link: channel, preset values, whether it was revoked."""
    rows = await executor.execute(_ENTRY_LINK, {"workspace_id": workspace_id, "slug": slug})
    link = next(iter(rows), None)
    if link is None:
        raise NotFound
    return EntryLink(
        slug, workspace_id, link.survey_id, Channel(link.channel), link.preset,
        link.revoked_at is not None,
    )  # fmt: skip
