"""How far from a share that was counted the true one may be."""

from __future__ import annotations

import math
from dataclasses import dataclass

from app.scoring.intervals import DEFAULT_CONFIDENCE, critical_value


@dataclass(frozen=True, slots=True)
class Share:
    """A share of something counted, 0 to 1, with the interval that holds the true one."""

    value: float
    low: float
    high: float


def share_of(count: int, total: int, confidence: float = DEFAULT_CONFIDENCE) -> Share | None:
    """`count` of `total` with its interval; None where there is nothing to be a share of.

    Wilson, Journal of the American Statistical Association 22 (1927): it stays within 0 and 1 and
    is right for few, too. Raises ValueError where `count` is negative or above `total`.
    """
    if not 0 <= count <= total:
        raise ValueError(f"not a share: {count} of {total}")
    if total == 0:
        return None
    share, z = count / total, critical_value(confidence)
    weight = z * z / total
    middle = (share + weight / 2) / (1 + weight)
    reach = z * math.sqrt(share * (1 - share) / total + weight / (4 * total)) / (1 + weight)
    # At 0 and 1 the formula ends there exactly; what is left is a rounding error.
    return Share(share, min(share, max(0.0, middle - reach)), max(share, min(1.0, middle + reach)))
