"""HTML route of a survey's events and actions, with what followed those that are done."""

import uuid
from datetime import date

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import SignedInMember
from app.followups.models import AnnotationKind
from app.followups.queries import AnnotationFilter, list_tasks, load_surroundings
from app.followups.schemas import Task
from app.followups.words import NOTICES
from app.foundation import clock
from app.foundation.paging import PAGE_SIZE
from app.foundation.translation import gettext, mark
from app.foundation.web.rendering import render
from app.reporting import labels
from app.reporting.effects import WINDOW, measure_effects
from app.reporting.pages.showing import SURVEY, survey_base
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
    request: Request, member: SignedInMember, survey_id: uuid.UUID, cursor: str | None = None
) -> Response:
    where = (member.session, member.workspace_id)
    survey = await get_questionnaire(*where, survey_id)
    page = await list_tasks(*where, AnnotationFilter(survey_id=survey_id), PAGE_SIZE, cursor)
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
        is_first=cursor is None,
        notice=gettext(done) if done else None,
    )


def _group_of(task: Task, today: date) -> str:
    if task.annotation.kind == AnnotationKind.EVENT:
        return "event"
    if task.annotation.done_on:
        return "done"
    return "overdue" if task.is_overdue(today) else "open"
