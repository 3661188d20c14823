"""What the pages of surveys share: leading on, and the sentence that says what happened."""

import uuid
from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse

from app.foundation.settings import Settings
from app.foundation.translation import gettext, mark
from app.foundation.web.rendering import render

NOTICES = {
    "created": mark("The survey is ready. Look at the preview, then publish it."),
    "saved": mark("Saved."),
    "published": mark("Published. The survey takes answers now."),
    "closed": mark("Closed. The survey takes no more answers."),
    "worded": mark("From now on the survey is asked in the new wording."),
    "added": mark("Added."),
    "archived": mark("Archived. New answers do not get this value any more."),
    "restored": mark("Restored."),
    "removed": mark("Removed."),
    "linked": mark("The link is ready."),
    "revoked": mark("Revoked. The link leads nowhere any more."),
    "led": mark("The link leads to the other survey now."),
    "allowed": mark("Pages of this site may show the form now."),
    "disallowed": mark("Pages of this site may not show the form any more."),
}


def show(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page of this feature, with the notice that `?done=` names."""
    done = NOTICES.get(request.query_params.get("done", ""))
    notice = gettext(done) if done and status == 200 else None
    return render(request, template, status, **{"notice": notice, **values})


def survey_path(workspace_id: uuid.UUID, survey_id: uuid.UUID, page: str = "") -> str:
    """The path of a survey's page."""
    return f"/w/{workspace_id}/surveys/{survey_id}{page}"


def lead_to(path: str, done: str) -> RedirectResponse:
    """See the result elsewhere; `done` names the notice shown there."""
    return RedirectResponse(f"{path}?done={done}", 303)


def public_url(request: Request) -> str:
    """Where respondents reach us, without a trailing slash."""
    settings: Settings = request.app.state.settings
    return settings.public_url
