"""HTML routes of managers: saving and changing views, and choosing the one that opens first.

The query string of each is that of the page to go back to.
"""

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.responses import RedirectResponse, Response

from app.accounts.schemas import Actor
from app.foundation.errors import Conflict, Invalid
from app.foundation.web.openapi import once_each_but
from app.reporting.pages.reading_several import SEVERAL
from app.reporting.pages.showing import SURVEY
from app.reporting.pages.subjects import ManagedSubject, Subject
from app.reporting.pages.view_forms import ViewForm
from app.reporting.views import (
    delete_view,
    rename_view,
    replace_view,
    save_view,
    set_default_view,
    unset_default_view,
)

router = APIRouter(dependencies=[once_each_but("survey")])

VIEW = "/views/{view_id}"


@router.post(SURVEY + "/views")
@router.post(SEVERAL + "/views")
async def save(
    request: Request,
    of: ManagedSubject,
    name: Annotated[str, Form()] = "",
    is_default: Annotated[str, Form()] = "",
) -> Response:
    """Keeps the query string as a view."""
    query = await of.check()
    try:
        await save_view(*_whose(of), name, query, bool(is_default))
    except (Invalid, Conflict) as error:
        return await of.page(request, error.status, ViewForm(None, name, error, bool(is_default)))
    return _back(of)


@router.post(SURVEY + VIEW + "/name")
@router.post(SEVERAL + VIEW + "/name")
async def rename(
    request: Request, of: ManagedSubject, view_id: uuid.UUID, name: Annotated[str, Form()] = ""
) -> Response:
    try:
        await rename_view(*_whose(of), view_id, name)
    except Invalid as error:
        return await of.page(request, error.status, ViewForm(view_id, name, error))
    return _back(of)


@router.post(SURVEY + VIEW + "/filters")
@router.post(SEVERAL + VIEW + "/filters")
async def replace(of: ManagedSubject, view_id: uuid.UUID) -> Response:
    """Keeps the query string in place of the view's own."""
    await replace_view(*_whose(of), view_id, await of.check())
    return _back(of)


@router.post(SURVEY + VIEW + "/removal")
@router.post(SEVERAL + VIEW + "/removal")
async def delete(of: ManagedSubject, view_id: uuid.UUID) -> Response:
    await delete_view(*_whose(of), view_id)
    return _back(of)


@router.post(SURVEY + VIEW + "/default")
async def make_default(of: ManagedSubject, survey_id: uuid.UUID, view_id: uuid.UUID) -> Response:
    member = of.member
    await set_default_view(member.session, member.workspace_id, member.actor, survey_id, view_id)
    return _back(of)


@router.post(SURVEY + VIEW + "/default/removal")
async def end_default(of: ManagedSubject, survey_id: uuid.UUID, view_id: uuid.UUID) -> Response:
    member = of.member
    await unset_default_view(member.session, member.workspace_id, member.actor, survey_id, view_id)
    return _back(of)


def _whose(of: Subject) -> tuple[AsyncSession, uuid.UUID, Actor, uuid.UUID | None]:
    return of.member.session, of.member.workspace_id, of.member.actor, of.survey_id


def _back(of: Subject) -> Response:
    return RedirectResponse(of.href, 303)
