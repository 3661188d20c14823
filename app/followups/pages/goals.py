"""HTML routes of a survey's goal and of the benchmarks it is compared with."""

import uuid
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.accounts.access import SignedInMember, WorkspaceManager
from app.accounts.schemas import Member
from app.followups.actions import (
    create_benchmark,
    delete_benchmark,
    remove_goal,
    replace_benchmark,
    set_goal,
)
from app.followups.inputs import BenchmarkInput, GoalInput
from app.followups.models import Benchmark
from app.followups.pages.showing import (
    SURVEY,
    lead_to,
    read_typed,
    scope_of,
    scope_options,
    show,
)
from app.followups.queries import find_goal, get_benchmark, list_benchmarks
from app.followups.rules import FIGURES
from app.followups.typed import Typed
from app.followups.words import survey_base
from app.foundation.errors import Invalid, NotFound
from app.foundation.paging import PAGE_SIZE
from app.surveys.queries import get_survey

router = APIRouter(prefix=SURVEY)


@router.get("/goals")
async def show_goals(
    request: Request, member: SignedInMember, survey_id: uuid.UUID, cursor: str | None = None
) -> Response:
    return await _page(request, member, survey_id, cursor=cursor)


@router.post("/goal")
async def change_goal(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    await get_survey(member.session, member.workspace_id, survey_id)
    typed = await read_typed(request)
    try:
        nps, reach_by = typed.whole("nps", needed=True), typed.day("reach_by")
        typed.refuse()
        given = GoalInput.model_validate({"nps": nps, "reach_by": reach_by})
        await set_goal(member.session, member.workspace_id, member.actor, survey_id, given)
    except Invalid as refused:
        return await _page(request, member, survey_id, refused, typed)
    return lead_to(member, survey_id, "/goals")


@router.post("/goal/removal")
async def take_goal_away(member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    await remove_goal(member.session, member.workspace_id, member.actor, survey_id)
    return lead_to(member, survey_id, "/goals", "deleted")


@router.get("/benchmarks/new")
async def show_new(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    return await _form(request, member, survey_id, {"scope": "all"})


@router.post("/benchmarks")
async def create(request: Request, member: WorkspaceManager, survey_id: uuid.UUID) -> Response:
    await get_survey(member.session, member.workspace_id, survey_id)
    typed = await read_typed(request)
    try:
        given = _read(typed, survey_id)
        await create_benchmark(member.session, member.workspace_id, member.actor, given)
    except Invalid as refused:
        return await _form(request, member, survey_id, typed.values, refused)
    return lead_to(member, survey_id, "/goals")


@router.get("/benchmarks/{benchmark_id}/edit")
async def show_edit(
    request: Request, member: WorkspaceManager, survey_id: uuid.UUID, benchmark_id: uuid.UUID
) -> Response:
    row = await _get(member, survey_id, benchmark_id)
    return await _form(request, member, survey_id, _values(row), row_id=row.id)


@router.post("/benchmarks/{benchmark_id}")
async def change(
    request: Request, member: WorkspaceManager, survey_id: uuid.UUID, benchmark_id: uuid.UUID
) -> Response:
    await _get(member, survey_id, benchmark_id)
    typed = await read_typed(request)
    try:
        given = _read(typed, survey_id)
        await replace_benchmark(
            member.session, member.workspace_id, member.actor, benchmark_id, given
        )
    except Invalid as refused:
        return await _form(request, member, survey_id, typed.values, refused, benchmark_id)
    return lead_to(member, survey_id, "/goals")


@router.post("/benchmarks/{benchmark_id}/removal")
async def remove(
    member: WorkspaceManager, survey_id: uuid.UUID, benchmark_id: uuid.UUID
) -> Response:
    await _get(member, survey_id, benchmark_id)
    await delete_benchmark(member.session, member.workspace_id, member.actor, benchmark_id)
    return lead_to(member, survey_id, "/goals", "deleted")


async def _get(member: Member, survey_id: uuid.UUID, benchmark_id: uuid.UUID) -> Benchmark:
    await get_survey(member.session, member.workspace_id, survey_id)
    row = await get_benchmark(member.session, member.workspace_id, benchmark_id)
    if row.survey_id not in (None, survey_id):
        raise NotFound
    return row


def _read(typed: Typed, survey_id: uuid.UUID) -> BenchmarkInput:
    figures = {name: typed.number(name) for name in FIGURES}
    as_of = typed.day("as_of", needed=True)
    typed.refuse()
    return BenchmarkInput.model_validate(
        {
            "name": typed["name"],
            "source": typed["source"],
            "survey_id": scope_of(typed, survey_id),
            "as_of": as_of,
            **figures,
        }
    )


def _values(row: Benchmark) -> dict[str, str]:
    """A stored benchmark in the form."""
    return {
        "name": row.name,
        "source": row.source,
        "as_of": row.as_of.isoformat(),
        "scope": "this" if row.survey_id else "all",
        **{name: _shown(getattr(row, name)) for name in FIGURES},
    }


def _shown(figure: float | None) -> str:
    return "" if figure is None else str(figure).removesuffix(".0")


async def _page(
    request: Request,
    member: Member,
    survey_id: uuid.UUID,
    refused: Invalid | None = None,
    typed: Typed | None = None,
    cursor: str | None = None,
) -> Response:
    where = (member.session, member.workspace_id)
    survey = await get_survey(*where, survey_id)
    goal = await find_goal(*where, survey_id)
    page = await list_benchmarks(*where, PAGE_SIZE, cursor, survey_id)
    kept = {
        "nps": str(goal.nps) if goal else "",
        "reach_by": goal.reach_by.isoformat() if goal and goal.reach_by else "",
    }
    return show(
        request,
        "followups/goals.html",
        refused,
        survey=survey,
        base=survey_base(member, survey_id),
        goal=goal,
        typed=typed or Typed(kept),
        benchmarks=page.rows,
        next_cursor=page.next_cursor,
        is_first=cursor is None,
    )


async def _form(
    request: Request,
    member: Member,
    survey_id: uuid.UUID,
    values: Mapping[str, str],
    refused: Invalid | None = None,
    row_id: uuid.UUID | None = None,
) -> Response:
    shown: dict[str, Any] = {
        "survey": await get_survey(member.session, member.workspace_id, survey_id),
        "base": survey_base(member, survey_id),
        "typed": Typed(values),
        "scopes": scope_options(),
        "row_id": row_id,
    }
    return show(request, "followups/benchmark.html", refused, **shown)
