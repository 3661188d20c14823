"""What the pages of this feature share."""

import uuid
from collections import defaultdict
from typing import Any

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse

from app.accounts.schemas import Member
from app.followups.typed import Typed
from app.followups.words import NOTICES, survey_base
from app.foundation.errors import Invalid
from app.foundation.translation import gettext
from app.foundation.web.rendering import render

SURVEY = "/w/{workspace}/surveys/{survey_id}"


def show(
    request: Request, template: str, refused: Invalid | None = None, **values: Any
) -> HTMLResponse:
    """A page with its form; where input was refused, 422 with a sentence at each control."""
    errors = defaultdict[str, str](str)
    for param in refused.invalid_params if refused else ():
        errors.setdefault(param.name, param.text())
    notice = NOTICES.get(request.query_params.get("done", ""))
    return render(
        request,
        template,
        refused.status if refused else 200,
        **{
            "problems": [{"name": name, "message": text} for name, text in errors.items()],
            "errors": errors,
            "notice": gettext(notice) if notice and not refused else None,
            **values,
        },
    )


def lead_to(
    member: Member, survey_id: uuid.UUID, page: str, done: str = "saved"
) -> RedirectResponse:
    """See the result on a page of the survey; `done` names the sentence that says what happened."""
    return RedirectResponse(f"{survey_base(member, survey_id)}{page}?done={done}", 303)


async def read_typed(request: Request) -> Typed:
    """The form as it was sent; files are left out."""
    sent = await request.form()
    return Typed({name: value for name, value in sent.items() if isinstance(value, str)})


def scope_options() -> list[tuple[str, str]]:
    """For one survey or for all."""
    return [("this", gettext("This survey")), ("all", gettext("All surveys of the workspace"))]


def scope_of(typed: Typed, survey_id: uuid.UUID) -> uuid.UUID | None:
    """The survey, or None where all were chosen."""
    return None if typed["scope"] == "all" else survey_id
