"""The steps of running a survey, and how far one has come: computed from what exists."""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from app.followups.models import Annotation, AnnotationKind
from app.foundation.translation import gettext
from app.foundation.web.rendering import format_number
from app.reporting.sharing_tables import SharedReport
from app.responses.closing import settled_before
from app.responses.models import Response, Standing
from app.surveys.models import Survey, SurveyLink, SurveyState
from app.surveys.schemas import Questionnaire

# Below that a score is called one of few answers everywhere.
ENOUGH_ANSWERS = 30
# Apart from each other are the first and the last answer of a survey that was asked again.
ASKED_AGAIN = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what to do, why or how far it is, where to do it, and whether it is done."""

    label: str
    hint: str
    href: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class _Facts:
    """What the survey itself does not say. `answers` are counted up to `ENOUGH_ANSWERS`."""

    answers: int
    first: date | None
    last: date | None
    has_ways: bool
    has_shared: bool
    has_actions: bool


async def list_steps(
    session: AsyncSession, questionnaire: Questionnaire, today: date, base: str
) -> Sequence[Step]:
    """The ten steps in order; none once all are done, or somebody has put them away. At most one
    statement. `base` is the address of the dashboard."""
    if not questionnaire.shows_steps:
        return ()
    steps = _steps(questionnaire, await _read_facts(session, questionnaire), today, base)
    return () if all(step.is_done for step in steps) else steps


async def put_steps_away(
    session: AsyncSession, workspace_id: uuid.UUID, survey_id: uuid.UUID
) -> None:
    """Show the steps of this survey to nobody any more."""
    await session.execute(
        update(Survey)
        .where(Survey.workspace_id == workspace_id, Survey.id == survey_id)
        .values(shows_steps=False)
    )


async def _read_facts(session: AsyncSession, survey: Questionnaire) -> _Facts:
    where, which = survey.workspace_id, survey.survey_id
    counted = select(Response.answered_on).where(
        Response.workspace_id == where,
        Response.survey_id == which,
        Response.standing == Standing.COUNTED,
    )
    some = counted.limit(ENOUGH_ANSWERS).subquery()
    days = counted.with_only_columns(func.min(Response.answered_on), func.max(Response.answered_on))
    first, last = days.subquery().c
    row = (
        await session.execute(
            select(
                select(func.count()).select_from(some).scalar_subquery(),
                select(first).scalar_subquery(),
                select(last).scalar_subquery(),
                exists().where(
                    SurveyLink.workspace_id == where,
                    SurveyLink.survey_id == which,
                    SurveyLink.is_default.is_(False),
                ),
                exists().where(SharedReport.workspace_id == where, SharedReport.survey_id == which),
                exists().where(
                    Annotation.workspace_id == where,
                    Annotation.kind == AnnotationKind.ACTION,
                    or_(Annotation.survey_id == which, Annotation.survey_id.is_(None)),
                ),
            )
        )
    ).one()
    return _Facts(*row)


def _steps(survey: Questionnaire, facts: _Facts, today: date, base: str) -> list[Step]:
    is_out = survey.state is not SurveyState.DRAFT
    return [*_before(survey, facts, base, is_out), *_after(facts, today, base, is_out)]


def _before(survey: Questionnaire, facts: _Facts, base: str, is_out: bool) -> list[Step]:
    return [
        Step(
            gettext("Set an objective"),
            gettext("What is recommended, by whom, and what you want to find out."),
            f"{base}/edit",
            is_done=True,
        ),
        Step(
            gettext("Choose whom to ask"),
            gettext("Add the segments that you want to compare, such as plan or region."),
            f"{base}/edit",
            is_done=bool(survey.dimensions),
        ),
        Step(
            gettext("Look at the question"),
            gettext("Read the form as your customers will, in each language, then publish it."),
            f"{base}/preview",
            is_done=is_out,
        ),
        Step(
            gettext("Choose how to deliver it"),
            gettext("A link for each channel or group, a QR code, or the form in your own pages."),
            f"{base}/share",
            is_done=facts.has_ways or bool(survey.embed_origins) or facts.answers > 0,
        ),
        Step(
            gettext("Send it out"),
            gettext("Put the link where customers meet you. The first answer ticks this step."),
            f"{base}/share",
            is_done=facts.answers > 0,
        ),
    ]


def _after(facts: _Facts, today: date, base: str, is_out: bool) -> list[Step]:
    has_enough = facts.answers >= ENOUGH_ANSWERS
    has_months = facts.first is not None and facts.first < settled_before(today)
    was_asked_again = bool(facts.first and facts.last and facts.last - facts.first >= ASKED_AGAIN)
    number, all_ = format_number(facts.answers), format_number(ENOUGH_ANSWERS)
    progress = gettext("%(number)s of %(all)s answers: from there on the score says something.")
    return [
        Step(
            gettext("Collect answers"),
            progress % {"number": number, "all": all_},
            f"{base}/responses" if is_out else f"{base}/share",
            is_done=has_enough,
        ),
        Step(
            gettext("Find out who differs, and why"),
            gettext("Segments show once a month is over; comments and themes say why."),
            f"{base}?period=all",
            is_done=has_enough and has_months,
        ),
        Step(
            gettext("Share it inside the company"),
            gettext("Low scores, too: a link to the report, a workbook, or one page on paper."),
            f"{base}/shared-reports",
            is_done=facts.has_shared,
        ),
        Step(
            gettext("Improve something"),
            gettext("Note what you change, what you expect of it, who does it and by when."),
            f"{base}/actions",
            is_done=facts.has_actions,
        ),
        Step(
            gettext("Ask again and compare"),
            gettext("Three months later the dashboard says whether more than chance has changed."),
            f"{base}?period=90d",
            is_done=was_asked_again,
        ),
    ]
