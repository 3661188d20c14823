"""Whole numbers for display. Nothing rounded here is stored or returned by the API."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import NamedTuple

from app.scoring.groups import AnswerCounts, require_counts


class WholeShares(NamedTuple):
    """The three groups in whole per cent, which add up to 100."""

    promoters: int
    passives: int
    detractors: int


def whole_points(points: float) -> int:
    """Round a score, an end of an interval or a difference; a half goes away from zero.

    That way swapping promoters and detractors only changes the sign.
    """
    # Adding 0.5 and cutting off would turn 0.49999999999999994 into 1; Decimal is exact, and
    # its ROUND_HALF_UP is away from zero.
    return int(Decimal(points).to_integral_value(ROUND_HALF_UP))


def whole_shares(answers: AnswerCounts) -> WholeShares | None:
    """Return the shares of the three groups in whole per cent; None without answers."""
    shares = whole_percents((answers.promoters, answers.passives, answers.detractors))
    return None if shares is None else WholeShares(*shares)


def whole_percents(counts: Sequence[int]) -> tuple[int, ...] | None:
    """Return each count in whole per cent of their sum, adding up to 100; None if that is 0.

    By largest remainder, so each is less than 1 from its exact share and 0 stays 0. Among
    equal remainders the later count is rounded up: detractors come last, and rounding should
    not flatter. Raises as `GroupCounts` does for what is not a count.
    """
    require_counts(counts)
    total = sum(counts)
    if total == 0:
        return None
    percents = [100 * count // total for count in counts]
    by_remainder = sorted(
        range(len(counts)), key=lambda index: (100 * counts[index] % total, index), reverse=True
    )
    for index in by_remainder[: 100 - sum(percents)]:
        percents[index] += 1
    return tuple(percents)
