"""Whether one score is clearly higher than another, for one pair or for many at once."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from app.scoring.groups import AnswerCounts
from app.scoring.intervals import (
    DEFAULT_CONFIDENCE,
    Estimate,
    Interval,
    adjusted_estimate,
    critical_value,
    interval_around,
)


class Verdict(StrEnum):
    """What a page may say about a difference."""

    CLEARLY_HIGHER = "clearly_higher"
    CLEARLY_LOWER = "clearly_lower"
    NO_CLEAR_CHANGE = "no_clear_change"


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the score of one set of answers differs from that of a reference set.

    `difference` is score minus reference score in points, -200 to 200, of the plain scores;
    `interval`, `z` and `p_value` (two-sided) come from the adjusted counts. `corrected_p_value`
    is `p_value` for a single comparison and larger when several were made at once; the
    interval is always that of the single comparison.
    """

    difference: float
    interval: Interval
    z: float
    p_value: float
    corrected_p_value: float

    @property
    def verdict(self) -> Verdict:
        """Whether the difference is clear at the confidence of the interval."""
        if self.corrected_p_value >= 1 - self.interval.confidence:
            return Verdict.NO_CLEAR_CHANGE
        # One promoter alone is adjusted to +25, far below a thousand promoters at +99.7. The
        # scores shown are 100 and 100, and "clearly lower" beside them would be wrong.
        if self.difference * self.z <= 0:
            return Verdict.NO_CLEAR_CHANGE
        return Verdict.CLEARLY_HIGHER if self.difference > 0 else Verdict.CLEARLY_LOWER


def compare(
    answers: AnswerCounts, reference: AnswerCounts, confidence: float = DEFAULT_CONFIDENCE
) -> Comparison | None:
    """Compare two independent sets of answers; None when either has no answers.

    z = (m1 - m2) / sqrt(v1/n1 + v2/n2) on the counts adjusted as for the interval. The sets
    must not overlap: compare a segment with the rest, not with the whole. Raises ValueError
    for a confidence that is not between 0 and 1.
    """
    critical = critical_value(confidence)
    if answers.total == 0 or reference.total == 0:
        return None
    difference = _plain_difference(answers, reference)
    estimate = _adjusted_difference(answers, reference)
    z = estimate.points / estimate.standard_error
    p_value = math.erfc(abs(z) / math.sqrt(2))
    return Comparison(
        difference=difference,
        interval=interval_around(estimate, critical, confidence, contains=difference, limit=200),
        z=z,
        p_value=p_value,
        corrected_p_value=p_value,
    )


def compare_many(
    pairs: Iterable[tuple[AnswerCounts, AnswerCounts]], confidence: float = DEFAULT_CONFIDENCE
) -> list[Comparison | None]:
    """Compare several pairs shown side by side, each as (answers, reference), in order.

    The p-values are corrected for their number, so that one segment out of twenty is not
    called clear by chance. A pair without answers is None and is not counted.
    """
    single = [compare(answers, reference, confidence) for answers, reference in pairs]
    made = [comparison for comparison in single if comparison is not None]
    corrected = iter(benjamini_hochberg([comparison.p_value for comparison in made]))
    return [
        None if comparison is None else replace(comparison, corrected_p_value=next(corrected))
        for comparison in single
    ]


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return p-values corrected for their number, in the order given.

    Calling those below alpha clear keeps the share of false ones among them at alpha or less:
    Benjamini and Hochberg, Journal of the Royal Statistical Society B 57 (1995). Raises
    ValueError for a value outside 0 to 1.
    """
    if not all(0 <= p_value <= 1 for p_value in p_values):
        raise ValueError("a p-value is between 0 and 1")
    corrected = [1.0] * len(p_values)
    smallest = 1.0
    falling = sorted(range(len(p_values)), key=p_values.__getitem__, reverse=True)
    for rank, index in zip(range(len(p_values), 0, -1), falling, strict=True):
        smallest = min(smallest, p_values[index] * len(p_values) / rank)
        corrected[index] = smallest
    return corrected


def _plain_difference(answers: AnswerCounts, reference: AnswerCounts) -> float:
    # Over a common denominator, so that equal scores differ by exactly 0 whatever their n.
    mine = (answers.promoters - answers.detractors) * reference.total
    theirs = (reference.promoters - reference.detractors) * answers.total
    return 100 * (mine - theirs) / (answers.total * reference.total)


def _adjusted_difference(answers: AnswerCounts, reference: AnswerCounts) -> Estimate:
    mine, theirs = adjusted_estimate(answers), adjusted_estimate(reference)
    return Estimate(
        points=mine.points - theirs.points,
        standard_error=math.hypot(mine.standard_error, theirs.standard_error),
    )
