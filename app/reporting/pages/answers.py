"""The page that lists a survey's answers, and the way back to it."""

import uuid
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.accounts.schemas import Member
from app.followups.words import survey_base
from app.foundation import clock
from app.foundation.translation import gettext
from app.foundation.web.edge import PAGE_CSP
from app.foundation.web.rendering import render
from app.reporting.filters import ReportFilter
from app.reporting.finding import ListRequest
from app.reporting.listing import Listing, list_responses
from app.reporting.page_filters import (
    HOLD_NAMES,
    Choice,
    ListPageQuery,
    Preset,
    category_options,
    held_groups,
    read_page_filter,
    standing_options,
)
from app.reporting.pages.showing import shared_values
from app.responses.marking import MOST_AT_ONCE
from app.responses.models import HoldReason
from app.responses.reviewing import count_held
from app.responses.tag_models import TAG_NAME_LIMIT, Tag
from app.responses.tags import list_tags
from app.surveys.schemas import Questionnaire

ANSWERS_AT_ONCE = 50
MARKING_CSP = f"{PAGE_CSP}; script-src 'self'"  # marks.js
NOTHING_WRONG: Mapping[str, Any] = {
    "error": None, "error_id": None, "is_mark_error": False, "typed": "", "reach": "", "ticked": (),
    "typed_days": None,
}  # fmt: skip


async def answers_page(
    request: Request,
    member: Member,
    questionnaire: Questionnaire,
    query: ListPageQuery,
    status: int = 200,
    **values: Any,
) -> Response:
    """The answers that `query` asks for; `values` say what was wrong with something sent from it:
    `error`, `error_id` (of which form), what was `typed` and which answers were `ticked`;
    `typed_days` are days that cannot be, of which nothing is listed."""
    asked, preset, wanted = read_list(request, questionnaire, query)
    if values.get("typed_days"):
        wanted = None
    listing = Listing((), None, is_suppressed=True)
    if wanted is not None:
        listing = await list_responses(member.session, questionnaire, wanted)
    listed = wanted.filter if wanted else None
    base = survey_base(member, questionnaire.survey_id)
    list_href = f"{base}/responses?"
    more = {**asked_again(query), "cursor": listing.next_cursor or ""}
    held: Mapping[HoldReason | None, int] = {}
    if not asked.is_subgroup:
        held = await count_held(member.session, member.workspace_id, questionnaire.survey_id)
    tags = await list_tags(member.session, member.workspace_id, questionnaire.survey_id)
    values = {**NOTHING_WRONG, **values}
    may_mark = member.is_manager and not asked.is_subgroup
    shown = render(
        request,
        "reporting/responses.html",
        status,
        **shared_values(questionnaire, asked, preset),
        listing=listing,
        listed=listed,
        query=query,
        back=urlencode(asked_again(query)),
        here=urlencode(
            {**asked_again(query), **({"cursor": query.cursor} if query.cursor else {})}
        ),
        without_term_href=list_href
        + urlencode(asked_again(query.model_copy(update={"term": None}))),
        without_marks_href=list_href + urlencode(_without_marks(query)),
        categories=category_options(),
        standings=standing_options(),
        tags=tags,
        tag_ids={tag.name: tag.id for tag in tags},
        mark_choices=_mark_choices(query, tags),
        may_mark=may_mark,
        most_marked=MOST_AT_ONCE,
        name_limit=TAG_NAME_LIMIT,
        held_count=sum(held.values()),
        held_groups=held_groups(held),
        hold_names=HOLD_NAMES,
        older_href=list_href + urlencode(more) if listing.next_cursor else None,
        newer_href=list_href + urlencode(asked_again(query)) if query.cursor else None,
        csv_href=f"{base}/responses.csv?{(listed or asked).to_query()}",
        **values,
    )
    if may_mark:
        shown.headers["Content-Security-Policy"] = MARKING_CSP
    return shown


def read_list(
    request: Request, questionnaire: Questionnaire, query: ListPageQuery
) -> tuple[ReportFilter, Preset, ListRequest | None]:
    """The filter of a list as it was asked for, its preset, and the list itself: None where there
    is none to be shown, as of a subgroup without a whole month, or by tag."""
    today = clock.today(questionnaire.time_zone)
    asked, preset = read_page_filter(query, questionnaire, today, Preset.ALL)
    listed = asked.on_whole_months(today)
    if listed is None or (asked.is_subgroup and asked.has_marks):
        return asked, preset, None
    wanted = ListRequest(
        filter=listed,
        secret_key=request.app.state.settings.secret_key,
        limit=ANSWERS_AT_ONCE,
        cursor=query.cursor,
        only_commented=query.commented,
        standing=query.standing,
    )
    return asked, preset, wanted


def back_to_list(
    member: Member,
    survey_id: uuid.UUID,
    query: ListPageQuery,
    response_id: uuid.UUID | None = None,
    **more: Any,
) -> Response:
    """To the list of `query`: to its beginning, or to where a response stands in it."""
    given = {**asked_again(query), **more}
    if response_id and query.cursor:
        given["cursor"] = query.cursor
    href = f"{survey_base(member, survey_id)}/responses?{urlencode(given)}".rstrip("?")
    return RedirectResponse(f"{href}#a-{response_id}" if response_id else href, 303)


def asked_again(query: ListPageQuery) -> dict[str, str]:
    """The query of a list as it was asked, without its place in the list."""
    left_out = {"cursor", "lang", "marked"}
    given = query.model_dump(mode="json", exclude_defaults=True, exclude=left_out)
    if query.commented:
        given["commented"] = "yes"
    return {name: str(value) for name, value in given.items()}


def _without_marks(query: ListPageQuery) -> dict[str, str]:
    return asked_again(query.model_copy(update={"tag": None, "starred": False}))


def _mark_choices(query: ListPageQuery, tags: Sequence[Tag]) -> list[Choice]:
    """Selects for tags, where there are any, and for stars."""
    all_tags = [("", gettext("All")), *((str(tag.id), tag.name) for tag in tags)]
    stars = [("", gettext("All")), ("true", gettext("Starred only"))]
    of_tag = Choice("tag", gettext("Tag"), tuple(all_tags), str(query.tag or ""))
    of_star = Choice("starred", gettext("Star"), tuple(stars), "true" if query.starred else "")
    return [of_tag, of_star] if tags else [of_star]
