"""What moved the score between two periods: who answered, or how they scored, value by value.

It follows from published figures alone: what is shown of the values, and what is known of all
answers of the same months. The values that are not shown for all of these months are taken
together, as what is left of the whole.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from app.reporting.buckets import months_in
from app.reporting.metrics import Figures, Group
from app.scoring import Contribution, GroupCounts, decompose_change, nps_of, together


class Withheld(StrEnum):
    """Why it is not said what moved a score."""

    NONE_SHOWN = "none_shown"  # no value is shown for all months of both periods
    FEW_OTHERS = "few_others"  # all others together are fewer than the group minimum
    NOT_DERIVABLE = "not_derivable"  # what is shown does not add up to the whole


@dataclass(frozen=True, slots=True)
class Mover:
    """How many points of the change come from one value; None are all others together."""

    value: str | None
    mix: float
    rate: float
    counts: GroupCounts
    before: GroupCounts

    @property
    def total(self) -> float:
        """Both together, in points."""
        return self.mix + self.rate


@dataclass(frozen=True, slots=True)
class Movement:
    """The change of the score of all answers between two runs of months, in points.

    `movers` add up to it, those of `mix` and `rate` together; they are empty where `withheld` says
    why.
    """

    before: float
    after: float
    movers: tuple[Mover, ...] = ()
    withheld: Withheld | None = None

    @property
    def change(self) -> float:
        return self.after - self.before

    @property
    def mix(self) -> float:
        """Points from who answered."""
        return sum(mover.mix for mover in self.movers)

    @property
    def rate(self) -> float:
        """Points from how they scored."""
        return sum(mover.rate for mover in self.movers)


def movement_of(
    groups: Sequence[Group], whole: Figures, whole_before: Figures, minimum: int
) -> Movement | None:
    """What moved the score of the whole; None where one of the periods has no answers.

    `minimum` is the group minimum of the survey. What has been excluded after its month was
    published is missing from the whole and not from the values, hence from all others.
    """
    after, before = nps_of(whole.counts), nps_of(whole_before.counts)
    if after is None or before is None:
        return None
    named = [group for group in groups if _is_whole(group, whole, whole_before)]
    parts: dict[str | None, GroupCounts] = {g.value: _counts(g.figures) for g in named}
    parts_before: dict[str | None, GroupCounts] = {g.value: _counts(g.before) for g in named}
    reason = None if named else Withheld.NONE_SHOWN
    for found, all_answers in ((parts, whole), (parts_before, whole_before)):
        reason = reason or _add_others(found, all_answers, minimum)
    if reason:
        return Movement(before.value, after.value, withheld=reason)
    return Movement(before.value, after.value, tuple(_movers(parts_before, parts)))


def _is_whole(group: Group, whole: Figures, whole_before: Figures) -> bool:
    """Whether a value is shown for all months of the whole, in both periods."""
    return _spans(group.figures, whole) and _spans(group.before, whole_before)


def _spans(figures: Figures | None, whole: Figures) -> bool:
    return figures is not None and _months(figures) >= _months(whole)


def _months(figures: Figures) -> set[int]:
    return {month for run in figures.covered or () for month in months_in(run)}


def _counts(figures: Figures | None) -> GroupCounts:
    return together([figures.counts] if figures else [])


def _add_others(
    parts: dict[str | None, GroupCounts], whole: Figures, minimum: int
) -> Withheld | None:
    """Adds what is left of the whole, or says why it may not be told."""
    try:
        others = together([whole.counts]) - together(parts.values())
    except ValueError:
        return Withheld.NOT_DERIVABLE
    parts[None] = others
    return Withheld.FEW_OTHERS if 0 < others.total < minimum else None


def _movers(
    before: Mapping[str | None, GroupCounts], after: Mapping[str | None, GroupCounts]
) -> list[Mover]:
    nothing = Contribution(0, 0)
    found = decompose_change(before, after) or {}
    return [
        Mover(value, part.mix, part.rate, after[value], before[value])
        for value in after
        if (part := found.get(value, nothing)) is not nothing
    ]
