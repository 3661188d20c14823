"""What an action may have done: everybody's figures of the days before and after it was done."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from app.followups.models import Annotation
from app.foundation import clock
from app.reporting.buckets import DAY, Period
from app.reporting.counts import DailyTotals
from app.reporting.metrics import Figures
from app.reporting.queries import load_daily_totals
from app.scoring import Comparison, compare
from app.surveys.schemas import Questionnaire

WINDOW = 90  # days on each side


@dataclass(frozen=True, slots=True)
class Side:
    """Whole days on one side of the day an action was done, and everybody's figures of them."""

    period: Period
    days: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Effect:
    """The days before against the days after; the day itself belongs to neither.

    A side is None where it has no day: nothing was asked before, or none has passed since.
    `change` is None where a side has no answers, or days that are known only as parts of a month
    past its retention. `others` counts further events and actions between the first and last day.
    """

    done_on: date
    before: Side | None
    after: Side | None
    change: Comparison | None
    others: int
    is_month_cut: bool


async def measure_effects(
    session: AsyncSession,
    questionnaire: Questionnaire,
    actions: Iterable[Annotation],
    notes: Iterable[tuple[uuid.UUID, date]],
) -> Mapping[uuid.UUID, Effect]:
    """By id, the effects of the actions that are done; `notes` are the ids and days of all events
    and actions around them. One statement, or none."""
    done = [(row.id, row.done_on) for row in actions if row.done_on is not None]
    if not done:
        return {}
    today = clock.today(questionnaire.time_zone)
    until = max(day for _id, day in done) + timedelta(WINDOW)
    totals = await load_daily_totals(
        session, questionnaire.workspace_id, questionnaire.survey_id, Period(None, until)
    )
    marked = list(notes)
    return {id_: effect_of(totals, day, today, _others(marked, id_)) for id_, day in done}


def _others(notes: Iterable[tuple[uuid.UUID, date]], own: uuid.UUID) -> list[date]:
    return [day for id_, day in notes if id_ != own]


def effect_of(totals: DailyTotals, done_on: date, today: date, others: Iterable[date]) -> Effect:
    """The effect of what was done on that day; `totals` reach back to the first answer."""
    asked_since = min((day for day, counts in totals.parts(_ALWAYS) if counts.total), default=today)
    before = _side(totals, max(done_on - timedelta(WINDOW), asked_since), done_on - DAY)
    after = _side(totals, done_on + DAY, min(done_on + timedelta(WINDOW), today - DAY))
    sides = [side for side in (before, after) if side]
    is_cut = any(totals.is_month_cut(side.period) for side in sides)
    change = None
    if before and after and not is_cut:
        change = compare(after.figures.counts, before.figures.counts)
    first = before.period.since if before else done_on
    last = after.period.until if after else done_on
    return Effect(
        done_on=done_on,
        before=before,
        after=after,
        change=change,
        others=sum(day in Period(first, last) for day in others),
        is_month_cut=is_cut,
    )


_ALWAYS = Period(None, None)


def _side(totals: DailyTotals, since: date, until: date) -> Side | None:
    if since > until:
        return None
    period = Period(since, until)
    return Side(period, (until - since).days + 1, Figures(totals.within(period)))
