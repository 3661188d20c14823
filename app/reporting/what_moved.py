"""What moved the score, in names: for each dimension of the dashboard, who and how much."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.foundation.translation import gettext
from app.reporting.filters import SEGMENT_PREFIX
from app.reporting.labels import name_of_selector, name_of_value
from app.reporting.metrics import Metrics
from app.reporting.movement import Movement, Mover, movement_of
from app.surveys.schemas import Questionnaire


@dataclass(frozen=True, slots=True)
class WhatMoved:
    """The movement by one dimension; `rows` are named, the greatest first, all others last."""

    selector: str
    name: str
    movement: Movement
    rows: tuple[tuple[str, Mover], ...]

    @property
    def widest(self) -> float:
        """The longest bar of the chart, in points."""
        return max(
            (abs(p) for _name, mover in self.rows for p in (mover.mix, mover.rate)), default=0
        )

    @property
    def title(self) -> str:
        """What the chart and its table are called."""
        return gettext("What moved the score, by %(dimension)s") % {"dimension": self.name}

    @property
    def most(self) -> tuple[str, Mover] | None:
        """The named value that moved the score the most in the direction of the change; None
        where no change can be read."""
        if not round(self.movement.change, 1):
            return None
        sign = 1 if self.movement.change > 0 else -1
        named = [row for row in self.rows if row[1].value is not None and sign * row[1].total > 0]
        return max(named, key=lambda row: abs(row[1].total), default=None)


def what_moved(questionnaire: Questionnaire, metrics: Metrics) -> Iterator[WhatMoved]:
    """By every dimension of the split that tells values apart; nothing without a comparison."""
    if metrics.whole is None or metrics.whole_before is None:
        return
    for selector, groups in metrics.groups.items():
        if not selector.startswith(SEGMENT_PREFIX) and len(groups) < 2:
            continue
        found = movement_of(
            groups, metrics.whole, metrics.whole_before, questionnaire.min_group_size
        )
        if found is not None:
            yield WhatMoved(
                selector,
                name_of_selector(questionnaire, selector),
                found,
                tuple(_named(questionnaire, selector, found)),
            )


def _named(
    questionnaire: Questionnaire, selector: str, movement: Movement
) -> Iterator[tuple[str, Mover]]:
    for mover in sorted(
        movement.movers, key=lambda mover: (mover.value is None, -abs(mover.total))
    ):
        if mover.value is None:
            yield gettext("All others"), mover
        else:
            yield name_of_value(questionnaire, selector, mover.value), mover
