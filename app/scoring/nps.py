"""The Net Promoter Score of a set of answers, with its spread."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.scoring.groups import AnswerCounts, GroupCounts

FEW_ANSWERS = 30
"""Below this many answers a figure is shown with the words "few answers"."""


@dataclass(frozen=True, slots=True)
class Nps:
    """The score of at least one answer. All figures are unrounded.

    `value` is in points, -100 to 100. `variance` is that of one answer counted as +1, 0 or -1,
    so 0 to 1. `standard_error` is in points and 0 when all answers fall into one group, which
    is why an interval comes from `interval_of` and never from this.
    """

    value: float
    variance: float
    standard_error: float
    counts: GroupCounts

    @property
    def total(self) -> int:
        """The number of answers, at least 1."""
        return self.counts.total

    @property
    def promoter_percent(self) -> float:
        """Promoters in per cent of all answers."""
        return 100 * self.counts.promoters / self.total

    @property
    def passive_percent(self) -> float:
        """Passives in per cent of all answers."""
        return 100 * self.counts.passives / self.total

    @property
    def detractor_percent(self) -> float:
        """Detractors in per cent of all answers."""
        return 100 * self.counts.detractors / self.total

    @property
    def has_few_answers(self) -> bool:
        """Whether the figure needs the words "few answers" beside it."""
        return self.total < FEW_ANSWERS


def nps_of(answers: AnswerCounts) -> Nps | None:
    """Return 100 (P - D) / n with its standard error 100 sqrt(v / n); None without answers."""
    total = answers.total
    if total == 0:
        return None
    counts = GroupCounts(answers.promoters, answers.passives, answers.detractors)
    variance = variance_of_one(counts.promoters, counts.detractors, total)
    return Nps(
        value=100 * (counts.promoters - counts.detractors) / total,
        variance=variance,
        standard_error=100 * math.sqrt(variance / total),
        counts=counts,
    )


def variance_of_one(promoters: float, detractors: float, total: float) -> float:
    """Return p + d - (p - d)^2, the variance of one answer counted as +1, 0 or -1."""
    # Over a common denominator the numerator is exact for counts, so it cannot come out a
    # little below zero, where the square root would fail.
    spread = total * (promoters + detractors) - (promoters - detractors) ** 2
    return spread / total**2
