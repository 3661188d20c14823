"""HTML route of a workspace's audit log."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Annotated
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from babel.dates import format_time
from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from app.accounts.access import WorkspaceManager
from app.accounts.audit_queries import AuditEntry, AuditFilter, list_audit_events
from app.accounts.audit_shapes import AuditPageQuery
from app.accounts.pages.audit_wording import (
    API_KEYS,
    KINDS,
    SERVER,
    describe_action,
    describe_details,
    describe_link,
    kind_options,
    name_actor,
)
from app.accounts.pages.forms import show
from app.accounts.queries import list_members
from app.accounts.schemas import Member
from app.foundation.paging import PAGE_SIZE
from app.foundation.translation import babel_locale, gettext
from app.foundation.web.openapi import OnceEach

router = APIRouter(prefix="/w/{workspace}", dependencies=[OnceEach])
HASH_LENGTH = 12


@dataclass(frozen=True, slots=True)
class Line:
    """A line as it is read; `day` and `time` are those of the workspace."""

    number: int
    day: date
    time: str
    actor: str
    actor_href: str
    action: str
    details: Sequence[tuple[str, str]]
    hash: str


@router.get("/audit")
async def show_audit_log(
    request: Request, member: WorkspaceManager, query: Annotated[AuditPageQuery, Query()]
) -> Response:
    asked = AuditFilter(
        time_zone=member.workspace.time_zone,
        since=query.since,
        until=query.until,
        nouns=KINDS[query.kind].nouns if query.kind in KINDS else (),
        actor=_read_actor(query.who),
    )
    page = await list_audit_events(
        member.session, member.workspace_id, asked, PAGE_SIZE, query.cursor
    )
    lines = [_line(member, entry) for entry in page.rows]
    return show(
        request,
        "accounts/audit.html",
        days=[(day, list(group)) for day, group in groupby(lines, lambda line: line.day)],
        query=query,
        is_filtered=bool(query.model_dump(exclude={"cursor"}, exclude_none=True)),
        kinds=kind_options(),
        people=await _people(member, query, page.rows),
        home=_address(member),
        older=_address(member, query, page.next_cursor) if page.next_cursor else None,
        newer=_address(member, query) if query.cursor else None,
    )


def _read_actor(who: str | None) -> uuid.UUID | str | None:
    try:
        return uuid.UUID(who) if who and who not in (SERVER, API_KEYS) else who
    except ValueError:
        return who


def _line(member: Member, entry: AuditEntry) -> Line:
    event = entry.event
    moment = event.happened_at.astimezone(ZoneInfo(member.workspace.time_zone))
    return Line(
        number=event.number,
        day=moment.date(),
        time=str(format_time(moment, "medium", tzinfo=moment.tzinfo, locale=babel_locale())),
        actor=name_actor(entry),
        actor_href=_address(member, AuditPageQuery(who=describe_link(event))),
        action=describe_action(event.action),
        details=describe_details(entry),
        hash=event.hash.hex()[:HASH_LENGTH],
    )


async def _people(
    member: Member, query: AuditPageQuery, entries: Sequence[AuditEntry]
) -> list[tuple[str, str]]:
    """Whom to choose from: everybody, the members, keys, the server; and who is chosen already,
    even where they have left."""
    members = await list_members(member.session, member.workspace_id)
    people = [(str(colleague.user_id), colleague.name) for colleague in members]
    others = [(API_KEYS, gettext("API keys")), (SERVER, gettext("The server"))]
    options = [("", gettext("Everybody")), *people, *others]
    if query.who and query.who not in dict(options):
        options.append((query.who, name_actor(entries[0]) if entries else gettext("Nobody known")))
    return options


def _address(member: Member, query: AuditPageQuery | None = None, cursor: str | None = None) -> str:
    asked = {} if query is None else query.model_dump(exclude={"cursor"}, exclude_none=True)
    if cursor is not None:
        asked["cursor"] = cursor
    return f"/w/{member.workspace_id}/audit" + (f"?{urlencode(asked)}" if asked else "")
