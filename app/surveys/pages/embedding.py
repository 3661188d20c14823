"""HTML routes of the sites that may show a survey's form on their pages."""

import uuid
from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import Response

from app.accounts.access import WorkspaceManager
from app.foundation.errors import Invalid
from app.surveys.embedding import add_embed_origin, remove_embed_origin
from app.surveys.pages.forms import errors_of
from app.surveys.pages.sharing import share_page
from app.surveys.pages.showing import lead_to, survey_path

router = APIRouter(prefix="/w/{workspace}/surveys/{survey_id}/embed_origins")


@router.post("")
async def allow(
    request: Request,
    member: WorkspaceManager,
    survey_id: uuid.UUID,
    origin: Annotated[str, Form()] = "",
) -> Response:
    try:
        await add_embed_origin(member.session, member.workspace_id, member.actor, survey_id, origin)
    except Invalid as error:
        typed, errors = {"origin": origin}, errors_of(error)
        return await share_page(
            request, member, survey_id, error.status, typed=typed, errors=errors
        )
    return lead_to(survey_path(member.workspace_id, survey_id, "/share"), "allowed")


@router.post("/removal")
async def disallow(
    member: WorkspaceManager, survey_id: uuid.UUID, origin: Annotated[str, Form()] = ""
) -> Response:
    await remove_embed_origin(member.session, member.workspace_id, member.actor, survey_id, origin)
    return lead_to(survey_path(member.workspace_id, survey_id, "/share"), "disallowed")
