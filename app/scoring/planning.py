"""How many answers a score needs before it is as sure as wanted."""

from __future__ import annotations

import math

from app.scoring.intervals import DEFAULT_CONFIDENCE, critical_value

VARIANCE_WHEN_UNKNOWN = 0.75
"""Variance of one answer to plan with while nothing is known; `Nps.variance` once it is."""


def answers_needed(
    margin: float,
    variance: float = VARIANCE_WHEN_UNKNOWN,
    confidence: float = DEFAULT_CONFIDENCE,
) -> int:
    """Return how many answers give the score to within +- margin points: at least 1.

    n = v (100 z / margin)^2, rounded up. Raises ValueError unless the margin is above 0 and at
    most 100, the variance from 0 to 1 and the confidence between 0 and 1.
    """
    if not 0 < margin <= 100:
        raise ValueError(f"a margin is above 0 and at most 100 points: {margin}")
    if not 0 <= variance <= 1:
        raise ValueError(f"the variance of one answer is between 0 and 1: {variance}")
    needed = variance * (100 * critical_value(confidence) / margin) ** 2
    return max(1, math.ceil(needed))
