"""How a line of the audit log reads."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from app.accounts.audit_queries import AuditEntry
from app.accounts.models import AuditEvent
from app.accounts.pages.forms import LANGUAGE_NAMES, SCOPE_NAMES, role_names
from app.accounts.pages.wording import ACTIONS
from app.foundation.translation import gettext, mark
from app.foundation.web.rendering import format_number

SERVER = "system"
API_KEYS = "api_key"
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
SHORT = 8


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of act, by what its codes begin with."""

    name: str
    nouns: frozenset[str]


KINDS = {
    "sign-in": Kind(mark("Sign-in"), frozenset({"session", "password"})),
    "members": Kind(mark("Members and roles"), frozenset({"invitation", "member"})),
    "keys": Kind(mark("API keys"), frozenset({"api_key"})),
    "answers": Kind(
        mark("Answers and exports"),
        frozenset({"figures", "import", "report", "response", "responses", "tag", "view"}),
    ),
    "surveys": Kind(
        mark("Surveys"),
        frozenset({"dimension", "embed_origin", "link", "survey", "value", "values"}),
    ),
    "context": Kind(
        mark("Actions, goals and metrics"),
        frozenset({"annotation", "benchmark", "goal", "indicator", "indicators"}),
    ),
    "workspace": Kind(mark("Workspace"), frozenset({"brand", "workspace"})),
}
DETAILS = {
    "accent": mark("Colour"),
    "archived_at": mark("Archived at"),
    "before": mark("Answered before"),
    "browsers": mark("Browsers"),
    "comments": mark("Comments"),
    "changed": mark("Changed"),
    "chart": mark("Chart"),
    "filter": mark("Filter"),
    "from": mark("Before"),
    "hold_reason": mark("Held because"),
    "into": mark("Into"),
    "key": mark("Dimension"),
    "kind": mark("Kind"),
    "locale": mark("Language"),
    "name": mark("Name"),
    "number": mark("Number"),
    "origin": mark("Site"),
    "reason": mark("Reason"),
    "removed": mark("Removed"),
    "responses": mark("Answers"),
    "role": mark("Role"),
    "rows": mark("Rows"),
    "scopes": mark("Scopes"),
    "since": mark("Held since"),
    "skipped": mark("Skipped"),
    "stored": mark("Stored"),
    "survey": mark("Survey"),
    "survey_id": mark("Survey"),
    "surveys": mark("Surveys together"),
    "time_zone": mark("Time zone"),
    "to": mark("After"),
    "unscored": mark("Without a score"),
    "value": mark("Value"),
    "values": mark("Values"),
}

HOLD_REASONS = {
    "too_fast": mark("Sent within a second"),
    "trap": mark("A hidden field was filled in"),
    "flood": mark("Very many from one network"),
}


CHARTS = {
    "scores": mark("Scores"),
    "shares": mark("Promoters, passives and detractors"),
    "trend": mark("Trend"),
}
MOVED = "moved-"  # before what it is split by: the chart of what moved the score


def kind_options() -> list[tuple[str, str]]:
    return [("", gettext("All")), *((code, gettext(kind.name)) for code, kind in KINDS.items())]


def describe_action(action: str) -> str:
    """The act in the reader's language; its code where it has no name here."""
    return gettext(ACTIONS[action]) if action in ACTIONS else action


def name_actor(entry: AuditEntry) -> str:
    """Who it was, as readers know them."""
    if entry.event.actor_kind == SERVER:
        return gettext("The server")
    if entry.event.actor_kind == API_KEYS:
        return gettext("API key “%(name)s”") % {"name": entry.actor_name or "–"}
    return entry.actor_name or gettext("Somebody who has no account any more")


def describe_link(event: AuditEvent) -> str:
    """The choice of the filter that shows what this actor did."""
    return str(event.actor_id or event.actor_kind)


def describe_details(entry: AuditEntry) -> Sequence[tuple[str, str]]:
    """What else is known of the act: name and value of each detail that says something."""
    details = [
        (gettext(DETAILS[name]) if name in DETAILS else name, _describe(name, value))
        for name, value in sorted(entry.event.details.items())
        if value not in ("", None, [])
    ]
    if entry.subject_name is not None and entry.event.subject_id != entry.event.actor_id:
        details.insert(0, (gettext("Member"), entry.subject_name))
    return details


def _describe(name: str, value: Any) -> str:
    if isinstance(value, list):
        return gettext(", ").join(_describe(name, item) for item in value)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_describe(key, item)}" for key, item in value.items())
    if isinstance(value, int) and not isinstance(value, bool):
        return format_number(value)
    text = str(value)
    if name == "filter":
        return ", ".join(f"{key}={wanted}" for key, wanted in parse_qsl(text))
    if name == "chart":
        return _describe_chart(text)
    if name == "hold_reason" and text in HOLD_REASONS:
        return gettext(HOLD_REASONS[text])
    if UUID.fullmatch(text):
        return text[:SHORT]
    return {**role_names(), **_scope_names(), **LANGUAGE_NAMES}.get(text, text)


def _describe_chart(code: str) -> str:
    if code.startswith(MOVED):
        by = {"dimension": code.removeprefix(MOVED)}
        return gettext("What moved the score, by %(dimension)s") % by
    return gettext(CHARTS[code]) if code in CHARTS else code


def _scope_names() -> dict[str, str]:
    return {scope.value: gettext(name) for scope, name in SCOPE_NAMES.items()}
