"""Which group a score belongs to, and how many answers gave it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

LOWEST_SCORE = 0
HIGHEST_SCORE = 10
_LOWEST_PASSIVE = 7
_LOWEST_PROMOTER = 9
_SCORE_COUNT = HIGHEST_SCORE - LOWEST_SCORE + 1
_ONLY_INTS = {int}


class Category(StrEnum):
    """The three groups of answers: scores 9-10, 7-8 and 0-6."""

    PROMOTER = "promoter"
    PASSIVE = "passive"
    DETRACTOR = "detractor"


def category_of(score: int) -> Category:
    """Return the group of a score from 0 to 10.

    Raises TypeError for anything but an int (a bool is none) and ValueError out of range.
    """
    _require_score(score)
    if score >= _LOWEST_PROMOTER:
        return Category.PROMOTER
    if score >= _LOWEST_PASSIVE:
        return Category.PASSIVE
    return Category.DETRACTOR


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """How many promoters, passives and detractors answered.

    Raises TypeError for a count that is not an int, ValueError for a negative one.
    """

    promoters: int
    passives: int
    detractors: int

    def __post_init__(self) -> None:
        require_counts((self.promoters, self.passives, self.detractors))

    @property
    def total(self) -> int:
        """The number of answers."""
        return self.promoters + self.passives + self.detractors

    def __sub__(self, other: GroupCounts) -> GroupCounts:
        """Return the answers without those of a part; ValueError if it is not a part."""
        if not isinstance(other, GroupCounts):
            return NotImplemented
        return GroupCounts(
            self.promoters - other.promoters,
            self.passives - other.passives,
            self.detractors - other.detractors,
        )


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many answers gave each score: eleven counts, index 0 for score 0 to index 10.

    Raises TypeError for a count that is not an int, ValueError for a negative one or when
    there are not eleven.
    """

    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        # A list would be accepted by everything below and make the value unhashable.
        if not isinstance(self.counts, tuple):
            raise TypeError("counts must be a tuple; use Distribution.from_counts")
        if len(self.counts) != _SCORE_COUNT:
            raise ValueError(f"a distribution has {_SCORE_COUNT} counts, not {len(self.counts)}")
        require_counts(self.counts)

    @classmethod
    def empty(cls) -> Distribution:
        """Return the distribution of no answers, the start value for `sum`."""
        return cls((0,) * _SCORE_COUNT)

    @classmethod
    def from_counts(cls, counts: Iterable[int]) -> Distribution:
        """Return the distribution of eleven counts, that of score 0 first."""
        return cls(tuple(counts))

    @classmethod
    def from_scores(cls, scores: Iterable[int]) -> Distribution:
        """Count single scores; raises as `category_of` does for what is not a score."""
        counts = [0] * _SCORE_COUNT
        for score in scores:
            _require_score(score)
            counts[score] += 1
        return cls(tuple(counts))

    @property
    def promoters(self) -> int:
        """Answers with a score of 9 or 10."""
        return sum(self.counts[_LOWEST_PROMOTER:])

    @property
    def passives(self) -> int:
        """Answers with a score of 7 or 8."""
        return sum(self.counts[_LOWEST_PASSIVE:_LOWEST_PROMOTER])

    @property
    def detractors(self) -> int:
        """Answers with a score of 0 to 6."""
        return sum(self.counts[:_LOWEST_PASSIVE])

    @property
    def total(self) -> int:
        """The number of answers."""
        return sum(self.counts)

    @property
    def mean(self) -> float | None:
        """The mean score, 0 to 10; None without answers."""
        total = self.total
        if total == 0:
            return None
        return sum(score * count for score, count in enumerate(self.counts)) / total

    def __add__(self, other: Distribution) -> Distribution:
        """Return both sets of answers together."""
        if not isinstance(other, Distribution):
            return NotImplemented
        return Distribution(
            tuple(mine + theirs for mine, theirs in zip(self.counts, other.counts, strict=True))
        )

    def __sub__(self, other: Distribution) -> Distribution:
        """Return the answers without those of a part; ValueError if it is not a part."""
        if not isinstance(other, Distribution):
            return NotImplemented
        return Distribution(
            tuple(mine - theirs for mine, theirs in zip(self.counts, other.counts, strict=True))
        )


AnswerCounts = Distribution | GroupCounts
"""Anything that knows its promoters, passives, detractors and total."""


def together(parts: Iterable[AnswerCounts]) -> GroupCounts:
    """Return the answers of all parts, none where there are no parts, by group alone."""
    found = list(parts)
    return GroupCounts(
        sum(part.promoters for part in found),
        sum(part.passives for part in found),
        sum(part.detractors for part in found),
    )


def require_counts(counts: Iterable[int]) -> None:
    """Raise TypeError for a count that is not an int, ValueError for a negative one."""
    counts = tuple(counts)
    # As good as always; a report makes a thousand of these.
    if set(map(type, counts)) <= _ONLY_INTS and min(counts, default=0) >= 0:
        return
    for count in counts:
        # `type` and not `isinstance`: True would count as one answer. A Decimal comes from
        # summing bigint columns in Postgres and must be cast there.
        if type(count) is not int:
            raise TypeError(f"a count must be an int, not {type(count).__name__}")
        if count < 0:
            raise ValueError(f"a count cannot be negative: {count}")


def _require_score(score: int) -> None:
    if type(score) is not int:
        raise TypeError(f"a score must be an int, not {type(score).__name__}")
    if not LOWEST_SCORE <= score <= HIGHEST_SCORE:
        raise ValueError(f"a score is between {LOWEST_SCORE} and {HIGHEST_SCORE}: {score}")
