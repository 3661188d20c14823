"""The JSON shape of what followed an action."""

import uuid
from datetime import date

from pydantic import BaseModel, ConfigDict, Field

from app.reporting.effects import WINDOW, Effect, Side
from app.reporting.figure_shapes import FiguresOut, figures_out
from app.scoring import Verdict


class SideOut(FiguresOut):
    """Everybody's figures of whole days on one side of the day an action was done."""

    since: date
    until: date
    days: int = Field(description=f"1 to {WINDOW}", examples=[90])

    @classmethod
    def of(cls, side: Side) -> "SideOut":
        assert side.period.since is not None
        assert side.period.until is not None
        return cls(
            since=side.period.since,
            until=side.period.until,
            days=side.days,
            **figures_out(side.figures).model_dump(),
        )


class EffectOut(BaseModel):
    """Up to 90 whole days before an action was done against up to 90 after; the day itself belongs
    to neither. A difference is no proof that the action made it.

    A side without a day is null; the difference is null where nothing can be compared.
    """

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    annotation_id: uuid.UUID
    survey_id: uuid.UUID
    done_on: date
    before: SideOut | None
    after: SideOut | None
    difference: float | None = Field(description="After less before, in points", examples=[12.5])
    difference_low: float | None = Field(examples=[3.1])
    difference_high: float | None = Field(examples=[21.9])
    confidence: float | None = Field(examples=[0.95])
    verdict: Verdict | None
    others: int = Field(description="Other events and actions within these days", examples=[1])

    @classmethod
    def of(cls, effect: Effect, survey_id: uuid.UUID, annotation_id: uuid.UUID) -> "EffectOut":
        change = effect.change
        return cls(
            annotation_id=annotation_id,
            survey_id=survey_id,
            done_on=effect.done_on,
            before=SideOut.of(effect.before) if effect.before else None,
            after=SideOut.of(effect.after) if effect.after else None,
            difference=change.difference if change else None,
            difference_low=change.interval.low if change else None,
            difference_high=change.interval.high if change else None,
            confidence=change.interval.confidence if change else None,
            verdict=change.verdict if change else None,
            others=effect.others,
        )
