"""Lists of surveys, links and versions, and one survey with all that belongs to it."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.errors import NotFound
from app.foundation.paging import (
    Page,
    decode_cursor,
    encode_cursor,
    id_in_cursor,
    moment_in_cursor,
    refused_cursor,
)
from app.surveys.models import Survey, SurveyLink, SurveyVersion
from app.surveys.queries import get_survey, get_version, list_dimensions
from app.surveys.schemas import Dimension

Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class ListedSurvey:
    """A survey and the slug of its own link."""

    survey: Survey
    slug: str


@dataclass(frozen=True, slots=True)
class SurveyDetail:
    """A survey with its present wording (`{X}` not filled in), its dimensions and its slug."""

    survey: Survey
    version: SurveyVersion
    dimensions: tuple[Dimension, ...]
    slug: str


async def get_survey_detail(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> SurveyDetail:
    """All that belongs to the survey; NotFound where the workspace has none with that id."""
    survey = await get_survey(session, workspace_id, survey_id)
    version = await get_version(session, workspace_id, survey)
    dimensions = await list_dimensions(session, workspace_id, survey_id)
    slug = await session.scalar(
        select(SurveyLink.slug).where(
            SurveyLink.workspace_id == workspace_id,
            SurveyLink.survey_id == survey_id,
            SurveyLink.is_default,
        )
    )
    return SurveyDetail(survey, version, dimensions, slug or "")


async def list_surveys(
    session: AsyncSession, workspace_id: uuid.UUID, limit: int, cursor: str | None = None
) -> Page[ListedSurvey]:
    """The workspace's surveys, newest first; Invalid for a cursor that is not ours."""
    statement = (
        select(Survey, SurveyLink.slug)
        .outerjoin(
            SurveyLink,
            (SurveyLink.workspace_id == Survey.workspace_id)
            & (SurveyLink.survey_id == Survey.id)
            & SurveyLink.is_default,
        )
        .where(Survey.workspace_id == workspace_id)
        .order_by(Survey.created_at.desc(), Survey.id.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        moment, last = decode_cursor(cursor, 2)
        statement = statement.where(
            tuple_(Survey.created_at, Survey.id) < (moment_in_cursor(moment), id_in_cursor(last))
        )
    rows = [ListedSurvey(survey, slug or "") for survey, slug in await session.execute(statement)]
    return _page(rows, limit, lambda row: (row.survey.created_at.isoformat(), str(row.survey.id)))


async def list_links(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_id: uuid.UUID,
    limit: int,
    cursor: str | None = None,
) -> Page[SurveyLink]:
    """The survey's own link first, then the newest; revoked ones included."""
    await get_survey(session, workspace_id, survey_id)
    order = (SurveyLink.is_default, SurveyLink.created_at, SurveyLink.id)
    statement = (
        select(SurveyLink)
        .where(SurveyLink.workspace_id == workspace_id, SurveyLink.survey_id == survey_id)
        .order_by(*(column.desc() for column in order))
        .limit(limit + 1)
    )
    if cursor is not None:
        own, moment, last = decode_cursor(cursor, 3)
        if own not in ("0", "1"):
            raise refused_cursor()
        statement = statement.where(
            tuple_(*order) < (own == "1", moment_in_cursor(moment), id_in_cursor(last))
        )
    rows = (await session.scalars(statement)).all()
    return _page(
        rows, limit, lambda row: (str(int(row.is_default)), row.created_at.isoformat(), str(row.id))
    )


async def get_link(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, link_id: uuid.UUID
) -> SurveyLink:
    """The survey's link; NotFound where it has none with that id."""
    link = await session.scalar(
        select(SurveyLink).where(
            SurveyLink.workspace_id == workspace_id,
            SurveyLink.survey_id == survey_id,
            SurveyLink.id == link_id,
        )
    )
    if link is None:
        raise NotFound
    return link


async def list_versions(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_id: uuid.UUID,
    limit: int,
    cursor: str | None = None,
) -> Page[SurveyVersion]:
    """The survey's wordings, newest first."""
    await get_survey(session, workspace_id, survey_id)
    statement = (
        select(SurveyVersion)
        .where(SurveyVersion.workspace_id == workspace_id, SurveyVersion.survey_id == survey_id)
        .order_by(SurveyVersion.number.desc())
        .limit(limit + 1)
    )
    if cursor is not None:
        (last,) = decode_cursor(cursor, 1)
        if not (last.isascii() and last.isdigit() and len(last) <= 9):
            raise refused_cursor()
        statement = statement.where(SurveyVersion.number < int(last))
    rows = (await session.scalars(statement)).all()
    return _page(rows, limit, lambda row: (str(row.number),))


def _page(rows: Sequence[Row], limit: int, key: Callable[[Row], tuple[str, ...]]) -> Page[Row]:
    shown = rows[:limit]
    return Page(shown, encode_cursor(*key(shown[-1])) if len(rows) > limit else None)
