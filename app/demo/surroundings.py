"""What stands beside the score of the demo year: what happened, what was done and what came of it,
a goal, figures of others, and churn, retention and NRR by month.

All of it is invented. Readers of either language find their own: titles and notes hold both.
"""

import uuid
from collections.abc import Iterator
from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.schemas import SYSTEM
from app.demo.story import DEMO_EVENTS, REDESIGN_DAY, REPAIR_DAY, Texts, disruption
from app.followups.actions import create_annotation, create_benchmark, set_goal
from app.followups.indicators import store_indicators
from app.followups.inputs import AnnotationInput, BenchmarkInput, GoalInput, IndicatorInput
from app.followups.models import AnnotationKind
from app.reporting.buckets import add_months

HYPOTHESIS: Texts = {
    "en": "Enterprise customers miss their saved reports. With those back, fewer are unhappy.",
    "ja": "エンタープライズのお客様は保存済みレポートがなくて困っている。"
    "元に戻せば不満は減るはず。",
}
PLANNED: Texts = {
    "en": "A guided start for new administrators",
    "ja": "新任の管理者向けに導入ガイドを用意",
}
PLANNED_BECAUSE: Texts = {
    "en": "Customers in their first year score lower: many are still finding their way.",
    "ja": "利用1年未満のお客様は点が低い。使い始めでつまずいている方が多い。",
}
OTHERS: Texts = {"en": "Office software (invented)", "ja": "業務ソフトウェア（架空の数値）"}
SOURCE: Texts = {"en": "Made up for this demo", "ja": "デモのための架空の数値"}
GOAL = 30
MONTHS = 12
# NRR in per cent in a calm month, the oldest first, what the redesign took from it, the revenue.
CALM_NRR = (102.1, 102.4, 102.2, 102.9, 102.6, 103.0, 102.8, 102.7, 103.1, 103.0, 103.3, 103.6)
SHRUNK, REVENUE = 3.2, 61_000_000
# How churn went up and down in these months; of each plan, its usual churn in per cent, what the
# redesign added, and its customers.
WEATHER = (1.1, 1.0, 1.1, 0.9, 1.0, 0.9, 0.9, 1.0, 0.9, 1.0, 0.9, 0.8)
PLANS = {
    "free": (2.1, 0.1, 480),
    "standard": (1.3, 0.2, 690),
    "pro": (0.9, 0.2, 458),
    "enterprise": (0.6, 2.2, 212),
}


async def note_surroundings(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_id: uuid.UUID,
    owner_id: uuid.UUID,
    last_day: date,
) -> None:
    """Note all of it in the workspace of a demo whose story ends on `last_day`."""
    for given in _annotations(survey_id, owner_id, last_day):
        await create_annotation(session, workspace_id, SYSTEM, given)
    goal = GoalInput(nps=GOAL, reach_by=last_day + timedelta(days=120))
    await set_goal(session, workspace_id, SYSTEM, survey_id, goal)
    await create_benchmark(session, workspace_id, SYSTEM, _benchmark(last_day))
    await store_indicators(session, workspace_id, SYSTEM, list(_indicators(last_day)))


def _annotations(
    survey_id: uuid.UUID, owner_id: uuid.UUID, last_day: date
) -> Iterator[AnnotationInput]:
    """The events of the story, of which the repair is an action that is done, and one planned."""

    def day(days_before_end: int) -> date:
        return last_day - timedelta(days=days_before_end)

    for event in DEMO_EVENTS:
        if event.days_before_end != REPAIR_DAY:
            yield AnnotationInput(
                kind=AnnotationKind.EVENT,
                title=_both(event.title),
                begins_on=day(event.days_before_end),
                survey_id=survey_id,
            )
            continue
        yield AnnotationInput(
            kind=AnnotationKind.ACTION,
            title=_both(event.title),
            begins_on=day(REDESIGN_DAY - 40),
            survey_id=survey_id,
            hypothesis=_both(HYPOTHESIS, "\n"),
            owner_id=owner_id,
            due_on=day(REPAIR_DAY - 5),
            done_on=day(REPAIR_DAY),
        )
    yield AnnotationInput(
        kind=AnnotationKind.ACTION,
        title=_both(PLANNED),
        begins_on=day(12),
        survey_id=survey_id,
        hypothesis=_both(PLANNED_BECAUSE, "\n"),
        owner_id=owner_id,
        due_on=day(-45),
    )


def _benchmark(last_day: date) -> BenchmarkInput:
    return BenchmarkInput(
        name=_both(OTHERS), source=_both(SOURCE), as_of=last_day - timedelta(days=100),
        average=12, lower_quartile=-6, median=11, upper_quartile=27,
    )  # fmt: skip


def _indicators(last_day: date) -> Iterator[IndicatorInput]:
    """The rates of the last twelve whole months."""
    customers = sum(number for _usual, _added, number in PLANS.values())
    for at, (nrr, weather) in enumerate(zip(CALM_NRR, WEATHER, strict=True)):
        month = add_months(last_day.replace(day=1), at - MONTHS)
        harm = disruption((last_day - month.replace(day=15)).days)
        all_lost = 0.0
        for plan, (usual, added, number) in PLANS.items():
            lost = round(usual * weather + added * harm, 1)
            all_lost += lost * number / customers
            yield _rate("churn", month, lost, number, plan)
        yield _rate("churn", month, round(all_lost, 1), customers)
        yield _rate("retention", month, round(100 - all_lost, 1), customers)
        yield _rate("nrr", month, round(nrr - SHRUNK * harm, 1), REVENUE + 700_000 * at)


def _rate(metric: str, month: date, percent: float, base: int, plan: str = "") -> IndicatorInput:
    return IndicatorInput.model_validate(
        {
            "metric": metric,
            "month": f"{month:%Y-%m}",
            "segments": {"plan": plan} if plan else {},
            "percent": percent,
            "base": base,
        }
    )


def _both(texts: Texts, between: str = " / ") -> str:
    return f"{texts['en']}{between}{texts['ja']}"
