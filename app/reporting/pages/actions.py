"""HTML route of a survey's events and actions, with what followed those that are done."""

import uuid
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import SignedInMember
from app.accounts.schemas import Member
from app.followups.models import AnnotationKind
from app.followups.queries import (
    AnnotationFilter,
    get_survey_task,
    list_tasks,
    list_tasks_from,
    load_surroundings,
)
from app.followups.schemas import Task
from app.followups.words import NOTICES, survey_base
from app.foundation import clock
from app.foundation.errors import NotFound
from app.foundation.paging import PAGE_SIZE, Page
from app.foundation.translation import gettext, mark
from app.foundation.web.rendering import render
from app.reporting import labels
from app.reporting.effects import WINDOW, measure_effects
from app.reporting.pages.showing import SURVEY
from app.surveys.queries import get_questionnaire

router = APIRouter()

GROUPS = (
    ("overdue", mark("Overdue")),
    ("open", mark("In progress")),
    ("done", mark("Done")),
    ("event", mark("Events")),
)


@router.get(SURVEY + "/actions")
async def show_actions(
    request: Request,
    member: SignedInMember,
    survey_id: uuid.UUID,
    cursor: str | None = None,
    at: uuid.UUID | None = None,
) -> Response:
    """Begins with what was noted last, at a cursor, or so that it shows the one named by `at`."""
    where = (member.session, member.workspace_id)
    survey = await get_questionnaire(*where, survey_id)
    asked = AnnotationFilter(survey_id=survey_id)
    first = await list_tasks(*where, asked, PAGE_SIZE, cursor)
    page = await _holding(member, survey_id, first, at) if at else first
    around = await load_surroundings(*where, [survey_id])
    effects = await measure_effects(
        member.session,
        survey,
        [task.annotation for task in page.rows],
        [(note.id, note.day) for note in around.notes],
    )
    today = clock.today(survey.time_zone)
    groups = [
        (key, gettext(name), [task for task in page.rows if _group_of(task, today) == key])
        for key, name in GROUPS
    ]
    done = NOTICES.get(request.query_params.get("done", ""))
    return render(
        request,
        "reporting/actions.html",
        survey=survey,
        base=survey_base(member, survey_id),
        groups=[group for group in groups if group[2]],
        effects=effects,
        window=WINDOW,
        name_of_days=labels.name_of_days,
        next_cursor=page.next_cursor,
        is_first=cursor is None and page is first,
        notice=gettext(done) if done else None,
    )


async def _holding(
    member: Member, survey_id: uuid.UUID, first: Page[Task], wanted: uuid.UUID
) -> Page[Task]:
    """The first page where it holds what is wanted, or where that is gone; else one from it on."""
    if any(task.annotation.id == wanted for task in first.rows):
        return first
    where, asked = (member.session, member.workspace_id), AnnotationFilter(survey_id=survey_id)
    try:
        task = await get_survey_task(*where, survey_id, wanted)
    except NotFound:
        return first
    return await list_tasks_from(*where, asked, PAGE_SIZE, task)


def _group_of(task: Task, today: date) -> str:
    if task.annotation.kind == AnnotationKind.EVENT:
        return "event"
    if task.annotation.done_on:
        return "done"
    return "overdue" if task.is_overdue(today) else "open"
