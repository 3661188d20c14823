"""How far from the shown score the true one may be: the adjusted Wald interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

from app.scoring.groups import AnswerCounts
from app.scoring.nps import variance_of_one

DEFAULT_CONFIDENCE = 0.95

_ADDED_PROMOTERS = 0.75
_ADDED_PASSIVES = 1.5
_ADDED_DETRACTORS = 0.75
_ADDED_TOTAL = _ADDED_PROMOTERS + _ADDED_PASSIVES + _ADDED_DETRACTORS


@dataclass(frozen=True, slots=True)
class Interval:
    """A range in points that holds the true figure with `confidence`, between 0 and 1.

    Raises ValueError when the ends are the wrong way round.
    """

    low: float
    high: float
    confidence: float

    def __post_init__(self) -> None:
        if not self.low <= self.high:
            raise ValueError(f"an interval runs from low to high: {self.low}, {self.high}")

    def __contains__(self, points: float) -> bool:
        """Whether a figure in points lies in the range, its ends included."""
        return self.low <= points <= self.high

    @property
    def width(self) -> float:
        """The distance between the ends, in points."""
        return self.high - self.low


@dataclass(frozen=True, slots=True)
class Estimate:
    """A score on adjusted counts and its standard error, both in points.

    The standard error is never 0, because the adjustment puts answers into every group.
    """

    points: float
    standard_error: float


def interval_of(answers: AnswerCounts, confidence: float = DEFAULT_CONFIDENCE) -> Interval | None:
    """Return the interval of the score, within -100 to 100; None without answers.

    It always contains the plain score. Adjusted Wald: Rocks, "Interval Estimation for the Net
    Promoter Score", The American Statistician 70 (2016). Raises ValueError for a confidence
    that is not between 0 and 1.
    """
    z = critical_value(confidence)
    if answers.total == 0:
        return None
    estimate = adjusted_estimate(answers)
    plain = 100 * (answers.promoters - answers.detractors) / answers.total
    return interval_around(estimate, z, confidence, contains=plain, limit=100)


def adjusted_estimate(answers: AnswerCounts) -> Estimate:
    """Return the score after adding 3/4 promoters, 1 1/2 passives and 3/4 detractors."""
    promoters = answers.promoters + _ADDED_PROMOTERS
    detractors = answers.detractors + _ADDED_DETRACTORS
    total = answers.total + _ADDED_TOTAL
    variance = variance_of_one(promoters, detractors, total)
    return Estimate(
        points=100 * (promoters - detractors) / total,
        standard_error=100 * math.sqrt(variance / total),
    )


def interval_around(
    estimate: Estimate, z: float, confidence: float, *, contains: float, limit: float
) -> Interval:
    """Return estimate +- z standard errors, cut at +-limit and widened to hold a figure."""
    # The adjustment pulls towards 0, so an extreme plain figure can lie outside. A page that
    # says "100, between -49 and +99" would look broken.
    reach = z * estimate.standard_error
    low = max(-limit, estimate.points - reach)
    high = min(limit, estimate.points + reach)
    return Interval(min(low, contains), max(high, contains), confidence)


def critical_value(confidence: float) -> float:
    """Return the two-sided standard normal quantile, 1.959964 for 0.95.

    Raises ValueError for a confidence that is not between 0 and 1 (95 is not).
    """
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence is between 0 and 1, such as 0.95: {confidence}")
    # From the lower tail, where floats are dense: the upper one rounds to 1 too early.
    return -NormalDist().inv_cdf((1 - confidence) / 2)
