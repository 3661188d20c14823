"""Views of a survey's dashboard: a filter kept under a name, for everybody in the workspace."""

import uuid
from collections.abc import Sequence
from urllib.parse import parse_qsl

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.people import NAME_MAX_LENGTH, clean_text, refused
from app.accounts.schemas import Actor
from app.foundation.errors import Conflict, NotFound
from app.foundation.tokens import new_id
from app.foundation.translation import mark
from app.reporting.view_tables import SavedView
from app.surveys.queries import lock_survey

MAX_VIEWS = 30  # of a survey: as many as somebody finds their way in
EVERYTHING = "period=all"  # where nothing is asked for, the default view would open


async def list_views(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> Sequence[SavedView]:
    """The views of a survey by name, at most `MAX_VIEWS`; none where there is no such survey."""
    found = await session.scalars(
        select(SavedView)
        .where(SavedView.workspace_id == workspace_id, SavedView.survey_id == survey_id)
        .order_by(SavedView.name)
    )
    return found.all()


def default_of(views: Sequence[SavedView]) -> SavedView | None:
    """The view that opens where no filter is asked for."""
    return next((view for view in views if view.is_default), None)


def is_same_query(one: str, other: str) -> bool:
    """Whether two query strings ask for the same, in whatever order."""
    return sorted(parse_qsl(one or EVERYTHING)) == sorted(parse_qsl(other or EVERYTHING))


async def save_view(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    name: str,
    query: str,
    is_default: bool = False,
) -> SavedView:
    """Keep a dashboard's query, read and found good before, under a name of its own.

    Invalid for a name that cannot be or is taken; Conflict past `MAX_VIEWS`.
    """
    name = clean_text("name", name, NAME_MAX_LENGTH)
    await lock_survey(session, workspace_id, survey_id)
    present = await list_views(session, workspace_id, survey_id)
    _refuse_twin(name, present)
    if len(present) >= MAX_VIEWS:
        raise Conflict(
            mark("A survey has at most %(limit)s saved views; delete some."),
            values={"limit": MAX_VIEWS},
        )
    view = SavedView(
        workspace_id=workspace_id,
        id=new_id(),
        survey_id=survey_id,
        name=name,
        query=query or EVERYTHING,
        is_default=False,
    )
    session.add(view)
    details = {"name": name, "survey": str(survey_id), "filter": view.query}
    record_event(session, workspace_id, actor, "view.saved", view.id, details)
    await session.flush()
    if is_default:
        await set_default_view(session, workspace_id, actor, survey_id, view.id)
    return view


async def rename_view(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    view_id: uuid.UUID,
    name: str,
) -> None:
    """Give the view another name; Invalid for one that cannot be, or that another view has."""
    name = clean_text("name", name, NAME_MAX_LENGTH)
    await lock_survey(session, workspace_id, survey_id)
    view = await _get_view(session, workspace_id, survey_id, view_id)
    present = await list_views(session, workspace_id, survey_id)
    _refuse_twin(name, [other for other in present if other.id != view_id])
    if view.name == name:
        return
    details = {"from": view.name, "to": name, "survey": str(survey_id)}
    record_event(session, workspace_id, actor, "view.renamed", view_id, details)
    view.name = name
    await session.flush()


async def delete_view(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    view_id: uuid.UUID,
) -> None:
    """Forget the view; NotFound where the survey has none such."""
    await lock_survey(session, workspace_id, survey_id)
    view = await _get_view(session, workspace_id, survey_id, view_id)
    details = {"name": view.name, "survey": str(survey_id)}
    record_event(session, workspace_id, actor, "view.deleted", view_id, details)
    await session.delete(view)
    await session.flush()


async def set_default_view(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    view_id: uuid.UUID,
) -> None:
    """Let the view open where no filter is asked for, in place of any other one."""
    await lock_survey(session, workspace_id, survey_id)
    view = await _get_view(session, workspace_id, survey_id, view_id)
    if view.is_default:
        return
    await _clear_default(session, workspace_id, survey_id)
    view.is_default = True
    details = {"name": view.name, "survey": str(survey_id)}
    record_event(session, workspace_id, actor, "view.made_default", view_id, details)
    await session.flush()


async def unset_default_view(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    view_id: uuid.UUID,
) -> None:
    """Let everything be shown again where no filter is asked for."""
    await lock_survey(session, workspace_id, survey_id)
    view = await _get_view(session, workspace_id, survey_id, view_id)
    if not view.is_default:
        return
    view.is_default = False
    details = {"name": view.name, "survey": str(survey_id)}
    record_event(session, workspace_id, actor, "view.no_longer_default", view_id, details)
    await session.flush()


async def _get_view(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID, view_id: uuid.UUID
) -> SavedView:
    view = await session.scalar(
        select(SavedView).where(
            SavedView.workspace_id == workspace_id,
            SavedView.survey_id == survey_id,
            SavedView.id == view_id,
        )
    )
    if view is None:
        raise NotFound
    return view


async def _clear_default(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> None:
    await session.execute(
        update(SavedView)
        .where(
            SavedView.workspace_id == workspace_id,
            SavedView.survey_id == survey_id,
            SavedView.is_default,
        )
        .values(is_default=False)
    )


def _refuse_twin(name: str, present: Sequence[SavedView]) -> None:
    if any(view.name.casefold() == name.casefold() for view in present):
        raise refused("name", mark("There is a view of this name already; choose another one."))
