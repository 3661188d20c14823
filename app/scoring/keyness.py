"""Which terms one set of comments uses more than another: log-odds with a Dirichlet prior.

Monroe, Colaresi and Quinn, "Fightin' Words", Political Analysis 16 (2008), equations 16 and 22:
the difference of the terms' log-odds, shrunk towards a prior, over its standard error. A rare term
is not called typical because it happens to stand in one set alone.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Keyness:
    """How much more one set uses a term: log-odds ratio `delta` and its `z`, negative for less.

    `p_value` is two-sided, for a single term: correct it for the number of terms looked at.
    """

    delta: float
    z: float

    @property
    def p_value(self) -> float:
        """How often a term used alike in both sets would differ this much, 0 to 1."""
        return math.erfc(abs(self.z) / math.sqrt(2))


def keyness_of(
    counts: Mapping[str, int], others: Mapping[str, int], prior: Mapping[str, float]
) -> dict[str, Keyness]:
    """Compare two sets' counts of each term; `prior` is what each term counted beforehand.

    Every term met in either set needs a prior above 0; a term of the prior alone is compared too.
    With a prior of fewer than two terms there is nothing to compare, and the result is empty.
    """
    if any(not weight > 0 for weight in prior.values()):
        raise ValueError("a prior is above 0 for every term")
    if len(prior) < 2:
        return {}
    met = {term for found in (counts, others) for term, count in found.items() if count}
    if missing := met - prior.keys():
        raise ValueError(f"terms without a prior: {', '.join(sorted(missing))}")
    weight = sum(prior.values())
    mine, theirs = sum(counts.values()) + weight, sum(others.values()) + weight
    return {
        term: _compare(counts.get(term, 0) + alpha, mine, others.get(term, 0) + alpha, theirs)
        for term, alpha in prior.items()
    }


def informative_prior(counts: Mapping[str, int], others: Mapping[str, int]) -> dict[str, float]:
    """Each term's share of both sets together, weighing as much as the smaller set does.

    Common words such as "the" thus need a large difference to be called typical. Empty where
    either set is.
    """
    mine, theirs = sum(counts.values()), sum(others.values())
    if not mine or not theirs:
        return {}
    scale = min(mine, theirs) / (mine + theirs)
    return {
        term: scale * both
        for term in {**counts, **others}
        if (both := counts.get(term, 0) + others.get(term, 0))
    }


def _compare(mine: float, my_total: float, theirs: float, their_total: float) -> Keyness:
    delta = math.log(mine / (my_total - mine)) - math.log(theirs / (their_total - theirs))
    return Keyness(delta, delta / math.sqrt(1 / mine + 1 / theirs))
