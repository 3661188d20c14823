"""What moved a score: who answered (mix) or how they scored (rate), segment by segment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from app.scoring.groups import AnswerCounts
from app.scoring.nps import nps_of

Segment = TypeVar("Segment")


@dataclass(frozen=True, slots=True)
class Contribution:
    """How many points of a change come from one segment.

    `mix` from its share of the answers, against a segment that scores like everybody; `rate` from
    its own score.
    """

    mix: float
    rate: float

    @property
    def total(self) -> float:
        """Both together, in points."""
        return self.mix + self.rate


def decompose_change(
    before: Mapping[Segment, AnswerCounts], after: Mapping[Segment, AnswerCounts]
) -> dict[Segment, Contribution] | None:
    """Split the change of the overall score among the segments; None where a period is empty.

    The segments must not overlap and must cover all answers of their period. The contributions
    add up to the change exactly: Kitagawa, Journal of the American Statistical Association 50
    (1955), with the mix measured from the mean of both overall scores, which moves points between
    segments and none in sum. A segment absent from one period moved the score by mix alone.
    """
    totals = [sum(counts.total for counts in period.values()) for period in (before, after)]
    if 0 in totals:
        return None
    segments = [segment for segment in {**before, **after} if _is_there(segment, before, after)]
    scores = {segment: _scores(before.get(segment), after.get(segment)) for segment in segments}
    shares = {
        segment: tuple(
            period[segment].total / total if segment in period else 0.0
            for period, total in zip((before, after), totals, strict=True)
        )
        for segment in segments
    }
    middle = sum(
        share * score
        for segment in segments
        for share, score in zip(shares[segment], scores[segment], strict=True)
    ) / len(totals)
    return {
        segment: _contribution(shares[segment], scores[segment], middle) for segment in segments
    }


def _is_there(
    segment: Segment, before: Mapping[Segment, AnswerCounts], after: Mapping[Segment, AnswerCounts]
) -> bool:
    return any(segment in period and period[segment].total for period in (before, after))


def _scores(before: AnswerCounts | None, after: AnswerCounts | None) -> tuple[float, float]:
    """Both scores; where one is undefined, the other stands for it, so that the rate is 0."""
    found = [nps_of(counts) if counts else None for counts in (before, after)]
    first, second = (score.value if score else None for score in found)
    known = first if first is not None else second
    assert known is not None  # `_is_there` left out segments without any answer
    return known if first is None else first, known if second is None else second


def _contribution(
    shares: tuple[float, ...], scores: tuple[float, float], middle: float
) -> Contribution:
    mean_score, mean_share = sum(scores) / 2, sum(shares) / 2
    return Contribution(
        mix=(shares[1] - shares[0]) * (mean_score - middle),
        rate=mean_share * (scores[1] - scores[0]),
    )
