"""What the pages of this feature share: showing refused input, leading on, languages to choose."""

from collections import defaultdict
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from app.accounts.access import keep_session
from app.accounts.models import Role, Scope
from app.foundation.errors import Invalid
from app.foundation.settings import Settings
from app.foundation.translation import current_language, gettext, mark
from app.foundation.web.rendering import render

LANGUAGE_NAMES = {"en": "English", "ja": "日本語"}
ROLE_NAMES = {
    Role.VIEWER: mark("Viewer"),
    Role.MANAGER: mark("Manager"),
    Role.OWNER: mark("Owner"),
}
ROLE_MEANINGS = {
    Role.VIEWER: mark("Viewer: reads scores and comments"),
    Role.MANAGER: mark("Manager: runs surveys, too"),
    Role.OWNER: mark("Owner: looks after members, keys and settings, too"),
}
SCOPE_NAMES = {
    Scope.READ: mark("Read surveys, answers and scores"),
    Scope.WRITE: mark("Write answers and change surveys"),
    Scope.AUDIT: mark("Read the audit log"),
    Scope.ADMIN: mark("Begin and end legal holds; delete the whole workspace"),
}
NOTICES = {
    "saved": mark("Saved."),
    "password": mark("Your password was changed, and your other browsers were signed out."),
    "signed-out": mark("The other browser was signed out."),
    "revoked": mark("Revoked. It does not work any more."),
    "removed": mark("The member was removed."),
    "joined": mark("Welcome! You are a member now."),
}


def show(
    request: Request, template: str, refused: Invalid | None = None, **values: Any
) -> HTMLResponse:
    """A page with its form; where input was refused, 422 with a sentence at each control."""
    errors = defaultdict[str, str](str)
    for param in refused.invalid_params if refused else ():
        errors[param.name] = param.text()
    notice = NOTICES.get(request.query_params.get("done", ""))
    return render(
        request,
        template,
        422 if refused else 200,
        **{
            "problems": [{"name": name, "message": text} for name, text in errors.items()],
            "errors": errors,
            "notice": gettext(notice) if notice else None,
            **values,
        },
    )


def lead_to(path: str, done: str = "") -> RedirectResponse:
    """See the result elsewhere; `done` names the sentence that says what happened."""
    return RedirectResponse(f"{path}?done={done}" if done else path, 303)


def signed_in(request: Request, token: str, path: str) -> Response:
    """Lead somebody on who has just got the session `token`."""
    answer = lead_to(path)
    keep_session(request, answer, token)
    return answer


def language_links(path: str, **query: str) -> list[dict[str, object]]:
    """The same page in each language, for people who are not signed in yet."""
    return [
        {
            "tag": tag,
            "label": name,
            "href": f"{path}?{urlencode({**query, 'lang': tag})}",
            "current": tag == current_language(),
        }
        for tag, name in LANGUAGE_NAMES.items()
    ]


def role_names() -> dict[str, str]:
    return {role.value: gettext(name) for role, name in ROLE_NAMES.items()}


def role_options() -> list[tuple[str, str]]:
    """The roles to choose from, each with what it may do."""
    return [(role.value, gettext(meaning)) for role, meaning in ROLE_MEANINGS.items()]


def scope_options() -> list[tuple[str, str]]:
    return [(scope.value, gettext(name)) for scope, name in SCOPE_NAMES.items()]


def language_options() -> list[tuple[str, str]]:
    return list(LANGUAGE_NAMES.items())


def settings_of(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings
