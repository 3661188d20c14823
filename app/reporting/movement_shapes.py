"""The JSON shape of what moved a score."""

from pydantic import BaseModel, Field

from app.reporting.metrics import Metrics
from app.reporting.movement import Movement, Mover, Withheld, movement_of


class MoverOut(BaseModel):
    """How many points of the change come from one value of the split."""

    key: str | None = Field(
        description="Null for all others together: those that are not shown for all of the months",
        examples=["pro"],
    )
    mix: float = Field(description="Points from its share of the answers", examples=[1.5])
    rate: float = Field(description="Points from its own score", examples=[4.25])
    response_count: int = Field(examples=[60])
    response_count_before: int = Field(examples=[40])


class MovementOut(BaseModel):
    """What moved the score of all answers from the months of `groups_compared_window` to those of
    `groups_window`: the `mix` and `rate` of all parts add up to `change`. `parts` is null where
    `withheld` says why."""

    nps_before: float = Field(examples=[25.0])
    nps_after: float = Field(examples=[31.5])
    change: float = Field(description="In points", examples=[6.5])
    mix: float | None = Field(description="Points from who answered", examples=[2.0])
    rate: float | None = Field(description="Points from how they scored", examples=[4.5])
    parts: list[MoverOut] | None
    withheld: Withheld | None = Field(
        description="`none_shown`: no value is shown for all of the months; `few_others`: all "
        "others are fewer than the group minimum; `not_derivable`: what is shown does not add up"
    )

    @classmethod
    def of(cls, movement: Movement) -> "MovementOut":
        is_told = movement.withheld is None
        return cls(
            nps_before=movement.before,
            nps_after=movement.after,
            change=movement.change,
            mix=movement.mix if is_told else None,
            rate=movement.rate if is_told else None,
            parts=[_part_out(mover) for mover in movement.movers] if is_told else None,
            withheld=movement.withheld,
        )


def movement_out(metrics: Metrics, minimum: int) -> MovementOut | None:
    """What moved the score by the split that was asked for; None where nothing is compared."""
    if metrics.whole is None or metrics.whole_before is None:
        return None
    for groups in metrics.groups.values():
        found = movement_of(groups, metrics.whole, metrics.whole_before, minimum)
        return MovementOut.of(found) if found else None
    return None


def _part_out(mover: Mover) -> MoverOut:
    return MoverOut(
        key=mover.value,
        mix=mover.mix,
        rate=mover.rate,
        response_count=mover.counts.total,
        response_count_before=mover.before.total,
    )
