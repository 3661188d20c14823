"""Rates shown beside the score, each with the denominator it is a share of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.scoring.groups import require_counts

_SATISFACTION_STEPS = 5
_BEST_SATISFACTION_STEPS = 2
_EFFORT_STEPS = 7


class Denominator(StrEnum):
    """What a rate is divided by, to be named wherever the rate is shown."""

    CUSTOMERS_AT_START = "customers_at_start"
    STARTING_RECURRING_REVENUE = "starting_recurring_revenue"
    ANSWERS = "answers"


@dataclass(frozen=True, slots=True)
class Ratio:
    """A figure together with what it was divided by; the denominator is never 0."""

    numerator: int | Decimal
    denominator: int | Decimal
    denominator_name: Denominator

    @property
    def value(self) -> float:
        """The unrounded quotient: 0.05 stands for a rate of 5 per cent."""
        return float(Decimal(self.numerator) / Decimal(self.denominator))


def churn_rate(*, customers_at_start: int, customers_lost: int) -> Ratio | None:
    """Return customers lost / customers at the start, 0 to 1; None without any at the start.

    Lost are those of the start only. Raises ValueError for more lost than there were, and for
    negative counts.
    """
    return _share_of_customers(customers_lost, customers_at_start, customers_lost)


def retention_rate(*, customers_at_start: int, customers_lost: int) -> Ratio | None:
    """Return 1 - churn rate, under the same conditions."""
    kept = customers_at_start - customers_lost
    return _share_of_customers(kept, customers_at_start, customers_lost)


def net_revenue_retention(
    *,
    starting_revenue: int | Decimal,
    expansion: int | Decimal,
    contraction: int | Decimal,
    churned: int | Decimal,
) -> Ratio | None:
    """Return (starting + expansion - contraction - churned) / starting recurring revenue.

    All amounts in one currency, from the customers of the start only, and at least 0; the
    result may exceed 1. None when the starting revenue is 0. Raises ValueError for a negative
    amount or when more was lost than there was.
    """
    if min(starting_revenue, expansion, contraction, churned) < 0:
        raise ValueError("revenue amounts are at least 0; losses are given as positive amounts")
    if starting_revenue == 0:
        return None
    kept = Decimal(starting_revenue) + expansion - contraction - churned
    if kept < 0:
        raise ValueError("contraction and churned revenue exceed what there was")
    return Ratio(kept, starting_revenue, Denominator.STARTING_RECURRING_REVENUE)


def customer_satisfaction(counts: Sequence[int]) -> Ratio | None:
    """Return CSAT, the share of the two best of five answers; None without answers.

    `counts` are five, the worst answer first. Raises ValueError for another number of them.
    """
    total = _total_on_scale(counts, _SATISFACTION_STEPS)
    if total == 0:
        return None
    return Ratio(sum(counts[-_BEST_SATISFACTION_STEPS:]), total, Denominator.ANSWERS)


def customer_effort(counts: Sequence[int]) -> Ratio | None:
    """Return CES, the mean answer on a scale from 1 to 7; None without answers.

    `counts` are seven, that of answer 1 first. Raises ValueError for another number of them.
    """
    total = _total_on_scale(counts, _EFFORT_STEPS)
    if total == 0:
        return None
    points = sum(step * count for step, count in enumerate(counts, start=1))
    return Ratio(points, total, Denominator.ANSWERS)


def _share_of_customers(part: int, at_start: int, lost: int) -> Ratio | None:
    require_counts((at_start, lost))
    if lost > at_start:
        raise ValueError(f"{lost} customers lost of only {at_start} at the start")
    return Ratio(part, at_start, Denominator.CUSTOMERS_AT_START) if at_start else None


def _total_on_scale(counts: Sequence[int], steps: int) -> int:
    if len(counts) != steps:
        raise ValueError(f"this scale has {steps} counts, not {len(counts)}")
    require_counts(counts)
    return sum(counts)
