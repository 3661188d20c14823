"""HTML routes of what is deleted: when, why, what goes next, and the legal hold that stops it."""

import uuid

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.accounts.access import WorkspaceManager, WorkspaceOwner
from app.foundation.paging import PAGE_SIZE
from app.foundation.translation import gettext, mark
from app.foundation.web.rendering import render
from app.responses.deletions import list_deletions
from app.responses.models import DeletionReason
from app.responses.retention import get_outlook
from app.surveys.holds import hold_survey, release_survey
from app.surveys.queries import get_questionnaire

router = APIRouter(prefix="/w/{workspace}/surveys/{survey_id}")

REASONS = {
    DeletionReason.RETENTION: mark("Their time was over"),
    DeletionReason.RECEIPT: mark("Asked for with a receipt"),
    DeletionReason.IMPORT_UNDONE: mark("An import was undone"),
    DeletionReason.API: mark("Asked for through the API"),
}
NOTICES = {
    "held": mark("The hold is on: from now on nothing is deleted for its age."),
    "released": mark("The hold has ended: what is past its time goes with the next run."),
}


@router.get("/deletions")
async def show_deletions(
    request: Request, member: WorkspaceManager, survey_id: uuid.UUID, cursor: str | None = None
) -> HTMLResponse:
    questionnaire = await get_questionnaire(member.session, member.workspace_id, survey_id)
    page = await list_deletions(member.session, member.workspace_id, survey_id, PAGE_SIZE, cursor)
    done = NOTICES.get(request.query_params.get("done", ""))
    return render(
        request,
        "surveys/deletions.html",
        notice=gettext(done) if done else None,
        survey=questionnaire,
        outlook=await get_outlook(member.session, member.workspace_id, survey_id),
        deletions=page.rows,
        next_cursor=page.next_cursor,
        is_first=cursor is None,
        reasons=REASONS,
    )


@router.post("/hold")
async def hold(member: WorkspaceOwner, survey_id: uuid.UUID) -> Response:
    await hold_survey(member.session, member.workspace_id, member.actor, survey_id)
    return _lead_back(member.workspace_id, survey_id, "held")


@router.post("/hold/end")
async def release(member: WorkspaceOwner, survey_id: uuid.UUID) -> Response:
    await release_survey(member.session, member.workspace_id, member.actor, survey_id)
    return _lead_back(member.workspace_id, survey_id, "released")


def _lead_back(workspace_id: uuid.UUID, survey_id: uuid.UUID, done: str) -> RedirectResponse:
    return RedirectResponse(f"/w/{workspace_id}/surveys/{survey_id}/deletions?done={done}", 303)
