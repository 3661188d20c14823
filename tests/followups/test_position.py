"""Where a score stands, worked out from known scores."""

from datetime import date

import pytest

from app.followups.schemas import Comparable, Goal, Surroundings
from app.reporting.metrics import Figures
from app.reporting.position import Reading, position_of
from app.scoring import Distribution, GroupCounts

# The worked case of the definition: NPS 25, between +9 and +39.
WORKED = Figures(GroupCounts(45, 35, 20))


def others(**figures: float | None) -> Comparable:
    given = {"average": None, "lower_quartile": None, "median": None, "upper_quartile": None}
    return Comparable(
        name="Others", source="A study", as_of=date(2026, 1, 1), **{**given, **figures}
    )


@pytest.mark.parametrize(
    ("goal", "points", "is_clear"),
    [(37, -12, False), (40, -15, True), (25, 0, False), (10, 15, False), (9, 16, True)],
)
def test_the_distance_to_a_goal(goal: int, points: int, is_clear: bool) -> None:
    found = position_of(Surroundings(goal=Goal(goal, None)), WORKED)
    assert found is not None
    assert found.goal is not None
    assert (found.goal.distance.points, found.goal.distance.is_clear) == (points, is_clear)


def test_the_distance_fits_the_points_as_they_are_shown() -> None:
    """NPS 12.5 is shown as +13: four below a goal of +17 and not five."""
    found = position_of(Surroundings(goal=Goal(17, None)), Figures(GroupCounts(3, 3, 2)))
    assert found is not None
    assert found.goal is not None
    assert found.goal.distance.size == 4


@pytest.mark.parametrize(
    ("quartiles", "quarter", "is_clear"),
    [
        ((40, 50, 60), 1, True),
        ((10, 30, 60), 2, False),
        ((0, 5, 41), 3, True),
        ((-30, -20, -10), 4, True),
        ((25, 30, 40), 1, False),
    ],
)
def test_the_quarter_among_others(
    quartiles: tuple[float, float, float], quarter: int, is_clear: bool
) -> None:
    lower, median, upper = quartiles
    benchmark = others(lower_quartile=lower, median=median, upper_quartile=upper)
    found = position_of(Surroundings(benchmarks=(benchmark,)), WORKED)
    assert found is not None
    at = found.benchmarks[0]
    assert (at.quarter, at.is_quarter_clear) == (quarter, is_clear)


def test_without_all_quartiles_there_is_no_quarter() -> None:
    found = position_of(Surroundings(benchmarks=(others(median=20, upper_quartile=30),)), WORKED)
    assert found is not None
    assert found.benchmarks[0].quarter is None
    assert found.benchmarks[0].from_median is not None
    assert found.benchmarks[0].from_median.points == 5
    assert found.benchmarks[0].benchmark.middle == 20


def test_the_usual_bands() -> None:
    found = position_of(Surroundings(), WORKED)
    assert found is not None
    assert found.reading == Reading(2, 1, 2, is_early=False)
    alone = position_of(Surroundings(), Figures(GroupCounts(1, 0, 0)))
    assert alone is not None
    assert alone.reading.is_early, "one promoter is not world class"
    none_above = position_of(Surroundings(), Figures(GroupCounts(10, 0, 10)))
    assert none_above is not None
    assert none_above.reading.band == 0, "a score of 0 is not above 0"


def test_without_answers_there_is_no_position() -> None:
    assert position_of(Surroundings(), Figures(Distribution.empty())) is None
    assert position_of(Surroundings(), None) is None
