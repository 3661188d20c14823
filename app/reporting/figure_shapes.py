"""The JSON shapes that all figures share."""

from datetime import date

from pydantic import BaseModel, Field

from app.reporting.buckets import Period
from app.reporting.metrics import Figures
from app.scoring import DEFAULT_CONFIDENCE, Comparison, Verdict


class WindowOut(BaseModel):
    """Workspace days, both inclusive; null is open."""

    since: date | None = Field(examples=["2026-01-01"])
    until: date | None = Field(examples=["2026-03-31"])

    @classmethod
    def of(cls, period: Period) -> "WindowOut":
        return cls(since=period.since, until=period.until)


class FiguresOut(BaseModel):
    """Counts, shares in per cent and the score in points, unrounded. Null without answers."""

    nps: float | None = Field(description="−100 to 100", examples=[25.0])
    nps_low: float | None = Field(examples=[9.4787])
    nps_high: float | None = Field(examples=[39.0649])
    confidence: float = Field(examples=[0.95])
    response_count: int = Field(examples=[100])
    promoter_count: int = Field(examples=[45])
    promoter_percent: float | None = Field(examples=[45.0])
    passive_count: int = Field(examples=[35])
    passive_percent: float | None = Field(examples=[35.0])
    detractor_count: int = Field(examples=[20])
    detractor_percent: float | None = Field(examples=[20.0])
    distribution: list[int] | None = Field(
        description="How often each score from 0 to 10 was given; null for a subgroup of fewer "
        "than 20 answers that are all promoters, all passives or all detractors",
        examples=[[1, 0, 2, 2, 3, 5, 7, 15, 20, 25, 20]],
    )
    covered: list[WindowOut] | None = Field(
        description="For a subgroup, the runs of whole months that the figures are of: blocks of "
        "months with enough answers, published once; null for everybody"
    )


class ChangeOut(BaseModel):
    """How a score differs from that of the answers compared with, in points."""

    difference: float = Field(description="−200 to 200, of the plain scores", examples=[12.5])
    difference_low: float = Field(examples=[-3.1])
    difference_high: float = Field(examples=[26.2])
    confidence: float = Field(examples=[0.95])
    p_value: float = Field(
        description="Two-sided; corrected for their number where several are compared at once",
        examples=[0.12],
    )
    verdict: Verdict

    @classmethod
    def of(cls, change: Comparison | None) -> "ChangeOut | None":
        if change is None:
            return None
        return cls(
            difference=change.difference,
            difference_low=change.interval.low,
            difference_high=change.interval.high,
            confidence=change.interval.confidence,
            p_value=change.corrected_p_value,
            verdict=change.verdict,
        )


class HiddenOut(BaseModel):
    """Figures that are hidden to protect respondents: no number is given."""

    suppressed: bool = Field(True, examples=[True])


def figures_out(figures: Figures) -> FiguresOut:
    """The figures in the shape of the API."""
    counts, nps, interval = figures.counts, figures.nps, figures.interval
    return FiguresOut(
        nps=nps.value if nps else None,
        nps_low=interval.low if interval else None,
        nps_high=interval.high if interval else None,
        confidence=DEFAULT_CONFIDENCE,
        response_count=counts.total,
        promoter_count=counts.promoters,
        promoter_percent=nps.promoter_percent if nps else None,
        passive_count=counts.passives,
        passive_percent=nps.passive_percent if nps else None,
        detractor_count=counts.detractors,
        detractor_percent=nps.detractor_percent if nps else None,
        distribution=list(figures.scores) if figures.scores is not None else None,
        covered=[WindowOut.of(run) for run in figures.covered] if figures.covered else None,
    )
