"""The values of a split side by side: the share of each, and its score against the others'."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.reporting.metrics import Group
from app.scoring import Comparison, GroupCounts, compare_many, together


@dataclass(frozen=True, slots=True)
class Contrast:
    """How one value stands among those shown.

    `percent` is its share of their answers; `difference` compares its score with that of the others
    together, with the p-value corrected for the number of values. Both are None where the value
    is hidden, and `difference` where no other one is shown.
    """

    percent: float | None
    difference: Comparison | None


def contrasts(groups: Sequence[Group]) -> list[Contrast]:
    """A contrast for each value, in order. What is hidden is in none of the figures."""
    shown = [group.figures.counts if group.figures else GroupCounts(0, 0, 0) for group in groups]
    whole = together(shown)
    differences = compare_many((mine, whole - together([mine])) for mine in shown)
    return [
        Contrast(100 * mine.total / whole.total if mine.total else None, difference)
        for mine, difference in zip(shown, differences, strict=True)
    ]
