"""Views of a survey's dashboard, or of the page of several surveys: a filter kept under a name, for
everybody in the workspace.

`survey_id` is None for those of several surveys, whose filter names them.
"""

import uuid
from collections.abc import Sequence
from urllib.parse import parse_qsl

from sqlalchemy import bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.models import Workspace
from app.accounts.people import NAME_MAX_LENGTH, clean_text, refused
from app.accounts.schemas import Actor
from app.foundation.errors import Conflict, NotFound
from app.foundation.tokens import new_id
from app.foundation.translation import mark
from app.reporting.view_tables import SavedView
from app.surveys.queries import lock_survey

MAX_VIEWS = 30  # of a survey, or of several: as many as somebody finds their way in
EVERYTHING = "period=all"  # where nothing is asked for, the default view would open


async def list_views(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID | None
) -> Sequence[SavedView]:
    """The views of a survey, or of several, by name, at most `MAX_VIEWS`; none where there is no
    such survey."""
    where = {"workspace_id": workspace_id, "survey_id": survey_id}
    found = await session.scalars(_OF_SEVERAL if survey_id is None else _OF_SURVEY, where)
    return found.all()


# Made once: to make them takes longer than to run them.
_VIEWS = (
    select(SavedView)
    .where(SavedView.workspace_id == bindparam("workspace_id"))
    .order_by(SavedView.name)
)
_OF_SURVEY = _VIEWS.where(SavedView.survey_id == bindparam("survey_id"))
_OF_SEVERAL = _VIEWS.where(SavedView.survey_id.is_(None))


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
    survey_id: uuid.UUID | None,
    name: str,
    query: str,
    is_default: bool = False,
) -> SavedView:
    """Keep a page's query, read and found good before, under a name of its own.

    `is_default` is for one survey only. Invalid for a name that cannot be or is taken; Conflict
    past `MAX_VIEWS`.
    """
    name = clean_text("name", name, NAME_MAX_LENGTH)
    await _lock(session, workspace_id, survey_id)
    present = await list_views(session, workspace_id, survey_id)
    _refuse_twin(name, present)
    if len(present) >= MAX_VIEWS:
        raise _too_many(survey_id)
    view = SavedView(
        workspace_id=workspace_id,
        id=new_id(),
        survey_id=survey_id,
        name=name,
        query=query or EVERYTHING,
        is_default=False,
    )
    session.add(view)
    details = _details(view, name=name, filter=view.query)
    record_event(session, workspace_id, actor, "view.saved", view.id, details)
    await session.flush()
    if is_default and survey_id is not None:
        await set_default_view(session, workspace_id, actor, survey_id, view.id)
    return view


async def rename_view(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID | None,
    view_id: uuid.UUID,
    name: str,
) -> None:
    """Give the view another name; Invalid for one that cannot be, or that another view has."""
    name = clean_text("name", name, NAME_MAX_LENGTH)
    await _lock(session, workspace_id, survey_id)
    view = await _get_view(session, workspace_id, survey_id, view_id)
    present = await list_views(session, workspace_id, survey_id)
    _refuse_twin(name, [other for other in present if other.id != view_id])
    if view.name == name:
        return
    details = _details(view, **{"from": view.name, "to": name})
    record_event(session, workspace_id, actor, "view.renamed", view.id, details)
    view.name = name
    await session.flush()


async def replace_view(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID | None,
    view_id: uuid.UUID,
    query: str,
) -> None:
    """Let the view keep another query, read and found good before."""
    await _lock(session, workspace_id, survey_id)
    view = await _get_view(session, workspace_id, survey_id, view_id)
    query = query or EVERYTHING
    if is_same_query(view.query, query):
        return
    details = _details(view, name=view.name, filter=query)
    record_event(session, workspace_id, actor, "view.replaced", view.id, details)
    view.query = query
    await session.flush()


async def delete_view(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID | None,
    view_id: uuid.UUID,
) -> None:
    """Forget the view; NotFound where the survey has none such."""
    await _lock(session, workspace_id, survey_id)
    view = await _get_view(session, workspace_id, survey_id, view_id)
    details = _details(view, name=view.name)
    record_event(session, workspace_id, actor, "view.deleted", view.id, details)
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
    await _lock(session, workspace_id, survey_id)
    view = await _get_view(session, workspace_id, survey_id, view_id)
    if view.is_default:
        return
    await _clear_default(session, workspace_id, survey_id)
    view.is_default = True
    details = _details(view, name=view.name)
    record_event(session, workspace_id, actor, "view.made_default", view.id, details)
    await session.flush()


async def unset_default_view(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    survey_id: uuid.UUID,
    view_id: uuid.UUID,
) -> None:
    """Let everything be shown again where no filter is asked for."""
    await _lock(session, workspace_id, survey_id)
    view = await _get_view(session, workspace_id, survey_id, view_id)
    if not view.is_default:
        return
    view.is_default = False
    details = _details(view, name=view.name)
    record_event(session, workspace_id, actor, "view.no_longer_default", view.id, details)
    await session.flush()


async def _get_view(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID | None, view_id: uuid.UUID
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


async def _lock(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID | None
) -> None:
    """Let nobody else change the views meanwhile."""
    if survey_id is not None:
        await lock_survey(session, workspace_id, survey_id)
        return
    workspace = select(Workspace.id).where(Workspace.id == workspace_id)
    await session.execute(workspace.with_for_update(key_share=True))


def _details(view: SavedView, **details: str) -> dict[str, str]:
    """What the audit log notes of a change; of several surveys the filter names them."""
    return details if view.survey_id is None else {**details, "survey": str(view.survey_id)}


def _too_many(survey_id: uuid.UUID | None) -> Conflict:
    of_one = mark("A survey has at most %(limit)s saved views; delete some.")
    of_several = mark("There are at most %(limit)s saved views of several surveys; delete some.")
    return Conflict(of_one if survey_id else of_several, values={"limit": MAX_VIEWS})


def _refuse_twin(name: str, present: Sequence[SavedView]) -> None:
    if any(view.name.casefold() == name.casefold() for view in present):
        raise refused("name", mark("There is a view of this name already; choose another one."))
