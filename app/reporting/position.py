"""Where a score stands: against its goal, against others, and by the usual bands."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.followups.schemas import Comparable, Goal, Surroundings
from app.reporting.metrics import Figures
from app.reporting.trend import Event, Landmarks
from app.scoring import Interval, whole_points

# Above these points a score is usually called good, favourable, excellent, world class; the words
# are ascribed to Bain & Company, where NPS comes from.
BANDS = (0, 20, 50, 80)


@dataclass(frozen=True, slots=True)
class Distance:
    """How far the score is from a line, in whole points as both are shown: positive above it.

    `is_clear`: the line lies outside of the score's 95 % interval.
    """

    points: int
    is_clear: bool

    @property
    def size(self) -> int:
        return abs(self.points)


@dataclass(frozen=True, slots=True)
class GoalPosition:
    goal: Goal
    distance: Distance


@dataclass(frozen=True, slots=True)
class BenchmarkPosition:
    """`from_average` and `from_median` are None where the benchmark does not say these. `quarter`
    is 1 (lowest) to 4, None without all three quartiles; `is_quarter_clear` says whether the whole
    interval lies in it."""

    benchmark: Comparable
    from_average: Distance | None
    from_median: Distance | None
    quarter: int | None
    is_quarter_clear: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """The band of the score, 0 (not above 0) to 4 (above 80), and those of its interval's ends;
    `is_early` where few answers do not carry the name of one band."""

    band: int
    low: int
    high: int
    is_early: bool


@dataclass(frozen=True, slots=True)
class Position:
    """What stands beside a score."""

    goal: GoalPosition | None
    benchmarks: tuple[BenchmarkPosition, ...]
    reading: Reading


def position_of(surroundings: Surroundings, figures: Figures | None) -> Position | None:
    """The position of a score; None where there is none."""
    nps = figures.nps if figures else None
    interval = figures.interval if figures else None
    if nps is None or interval is None:
        return None
    goal = surroundings.goal
    return Position(
        goal=GoalPosition(goal, _distance(nps.value, interval, goal.nps)) if goal else None,
        benchmarks=tuple(
            _benchmark_position(nps.value, interval, benchmark)
            for benchmark in surroundings.benchmarks
        ),
        reading=Reading(
            band=_steps(BANDS, nps.value),
            low=_steps(BANDS, interval.low),
            high=_steps(BANDS, interval.high),
            is_early=nps.has_few_answers,
        ),
    )


def landmarks_of(surroundings: Surroundings, list_href: str) -> Landmarks:
    """What the trend is drawn against; events lead to their place in the list of actions, at the
    survey whose answers are at `list_href`, or nowhere where that is none of our pages."""
    page, _slash, last = list_href.rpartition("/")
    return Landmarks(
        goal=float(surroundings.goal.nps) if surroundings.goal else None,
        benchmark=surroundings.benchmarks[0].middle if surroundings.benchmarks else None,
        events=[
            Event(
                note.day,
                note.title,
                f"{page}/actions?at={note.id}#a-{note.id}" if last else None,
                note.kind,
            )
            for note in surroundings.notes
        ],
    )


def _distance(score: float, interval: Interval, line: float) -> Distance:
    points = whole_points(score) - whole_points(line)
    return Distance(points, is_clear=points != 0 and line not in interval)


def _benchmark_position(
    score: float, interval: Interval, benchmark: Comparable
) -> BenchmarkPosition:
    quarters = _quarters(benchmark)
    ends = (interval.low, interval.high)
    return BenchmarkPosition(
        benchmark=benchmark,
        from_average=_maybe(score, interval, benchmark.average),
        from_median=_maybe(score, interval, benchmark.median),
        quarter=_steps(quarters, score) + 1 if quarters else None,
        is_quarter_clear=len({_steps(quarters, at) for at in ends}) == 1,
    )


def _maybe(score: float, interval: Interval, line: float | None) -> Distance | None:
    return None if line is None else _distance(score, interval, line)


def _quarters(benchmark: Comparable) -> tuple[float, ...]:
    """The three quartiles; none where one is missing."""
    found = (benchmark.lower_quartile, benchmark.median, benchmark.upper_quartile)
    known = tuple(at for at in found if at is not None)
    return known if len(known) == len(found) else ()


def _steps(limits: Sequence[float], points: float) -> int:
    """How many of the limits lie below."""
    return sum(points > limit for limit in limits)
