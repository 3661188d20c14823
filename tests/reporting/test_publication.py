"""No sum or difference of what is published says anything about one to k − 1 answers."""

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from app.reporting.buckets import Period
from app.reporting.counts import EVERYBODY, Cell, Cube
from app.reporting.publication import (
    Publication,
    fitting_months,
    publish_rows,
    publish_series,
)
from app.scoring import Distribution

JANUARY, FEBRUARY, MARCH = (date(2026, month, 1) for month in range(1, 4))
FIRST_QUARTER = Period(JANUARY, date(2026, 3, 31))
PLANS = ("free", "pro", "team", "other", "none")
REGIONS = ("east", "west", "none")
MONTHS = (JANUARY, FEBRUARY, MARCH, date(2026, 4, 1))
SIZES = st.one_of(st.integers(0, 6), st.integers(0, 40))
MINIMUM = 5


def nines(count: int) -> Distribution:
    return Distribution((0,) * 9 + (count, 0))


def plans(**counts: int) -> Cube:
    return Cube(("plan",), {(JANUARY, (plan,)): nines(n) for plan, n in counts.items()})


def cell(**labels: str) -> Cell:
    return frozenset(labels.items())


@st.composite
def cubes(draw: st.DrawFn) -> Cube:
    keys = st.tuples(
        st.sampled_from(MONTHS), st.tuples(st.sampled_from(PLANS), st.sampled_from(REGIONS))
    )
    sizes = draw(st.dictionaries(keys, SIZES, max_size=30))
    return Cube(("plan", "region"), {key: nines(n) for key, n in sizes.items() if n})


def size(cube: Cube, wanted: Cell, months: Period = FIRST_QUARTER) -> int:
    return cube.within(wanted, months).total


def test_a_group_below_the_minimum_is_hidden_together_with_the_next_smallest() -> None:
    published = Publication(plans(free=100, pro=20, team=4), MINIMUM, FIRST_QUARTER)
    assert published.figures(cell(plan="team")) is None
    assert published.figures(cell(plan="pro")) is None
    assert published.figures(cell(plan="free")) == nines(100)


def test_hidden_groups_that_are_few_together_take_another_with_them() -> None:
    published = Publication(plans(free=100, pro=20, team=2, other=2), MINIMUM, FIRST_QUARTER)
    assert published.figures(cell(plan="pro")) is None
    assert published.figures(cell(plan="free")) == nines(100)


def test_several_small_groups_cover_each_other() -> None:
    published = Publication(plans(free=100, pro=20, team=3, other=2), MINIMUM, FIRST_QUARTER)
    assert published.figures(cell(plan="pro")) == nines(20)


def test_no_answers_are_said_where_that_points_at_nobody() -> None:
    assert Publication(plans(free=9, pro=8), MINIMUM, FIRST_QUARTER).figures(
        cell(plan="team")
    ) == nines(0)
    # Everybody's total is public: with zeros beside it, the only hidden group would be that total.
    assert Publication(plans(pro=3), MINIMUM, FIRST_QUARTER).figures(cell(plan="team")) is None


def test_a_period_may_not_cut_a_bucket() -> None:
    cube = Cube(
        ("plan",),
        {
            (JANUARY, ("pro",)): nines(5),
            (FEBRUARY, ("pro",)): nines(3),
            (JANUARY, ("free",)): nines(50),
            (FEBRUARY, ("free",)): nines(50),
            (JANUARY, ("team",)): nines(60),
            (FEBRUARY, ("team",)): nines(60),
        },
    )
    whole = Publication(cube, MINIMUM, Period(None, date(2026, 2, 28)))
    part = Publication(cube, MINIMUM, Period(None, date(2026, 1, 31)))
    assert whole.figures(cell(plan="pro")) == nines(8)
    assert part.figures(cell(plan="pro")) is None, "the rest would be three answers of February"


def test_rows_of_a_hidden_group_are_not_listed() -> None:
    cube = plans(free=100, pro=20, team=4)
    assert publish_rows(cube, {"plan": "team"}, MINIMUM, FIRST_QUARTER).is_suppressed
    assert publish_rows(cube, {"plan": "free"}, MINIMUM, FIRST_QUARTER).buckets == (
        Period(JANUARY, date(2026, 1, 31)),
    )
    assert not publish_rows(None, {}, MINIMUM, None).is_suppressed


@given(cubes(), st.integers(3, 8))
def test_nothing_small_is_published(cube: Cube, minimum: int) -> None:
    published = Publication(cube, minimum, FIRST_QUARTER)
    for found in cube.totals:
        counts = published.figures(found)
        if counts is not None and found != EVERYBODY:
            assert counts.total == 0 or counts.total >= minimum


@given(cubes(), st.integers(3, 8))
def test_a_total_less_any_visible_siblings_is_none_or_enough(cube: Cube, minimum: int) -> None:
    published = Publication(cube, minimum, FIRST_QUARTER)
    lines = [(EVERYBODY, "plan", PLANS), (EVERYBODY, "region", REGIONS)]
    lines += [(cell(plan=plan), "region", REGIONS) for plan in PLANS]
    lines += [(cell(region=region), "plan", PLANS) for region in REGIONS]
    for shared, selector, values in lines:
        siblings = [shared | {(selector, value)} for value in values]
        visible = [found for found in siblings if published.shows(found)]
        if not published.shows(shared):
            assert not visible, "what is inside of a hidden group would add up to it"
            continue
        hidden = [size(cube, found) for found in siblings if found not in visible]
        hidden = [n for n in hidden if n]
        if hidden and not (len(hidden) > 1 and sum(hidden) >= minimum):
            assert not visible, "total less siblings would be a hidden group, or too few answers"


@given(cubes(), st.integers(3, 8))
def test_a_decision_does_not_depend_on_further_splits(cube: Cube, minimum: int) -> None:
    coarse = Cube(
        ("plan",),
        {
            (month, (plan,)): cube.within(cell(plan=plan), Period(month, month))
            for (month, (plan, _region)) in cube.rows
        },
    )
    both = Publication(cube, minimum, FIRST_QUARTER)
    alone = Publication(coarse, minimum, FIRST_QUARTER)
    for plan in PLANS:
        assert both.figures(cell(plan=plan)) == alone.figures(cell(plan=plan))


@given(cubes(), st.integers(3, 8), st.sampled_from(PLANS))
def test_a_series_adds_up_to_its_figure_and_hides_none_or_several(
    cube: Cube, minimum: int, plan: str
) -> None:
    wanted = cell(plan=plan)
    whole = Publication(cube, minimum, FIRST_QUARTER).figures(wanted)
    if whole is None:
        return
    points = publish_series(cube, wanted, minimum, FIRST_QUARTER)
    shown = [point.counts.total for point in points if point.counts]
    assert all(n >= minimum for n in shown)
    hidden = whole.total - sum(shown)
    assert hidden == 0 or hidden >= minimum
    assert sum(size(cube, wanted, point.period) for point in points) == whole.total


def _year(**by_month: tuple[int, ...]) -> Cube:
    """A cube of plans, with answers from January 2026 on."""
    return Cube(
        ("plan",),
        {
            (date(2026, month, 1), (plan,)): nines(count)
            for plan, counts in by_month.items()
            for month, count in enumerate(counts, start=1)
            if count
        },
    )


def test_a_window_gives_up_a_month_rather_than_two_groups() -> None:
    cube = _year(free=(50,) * 8, pro=(20,) * 8, none=(3, 6, 5, 7, 5, 5, 6, 5))
    asked = Period(FEBRUARY, date(2026, 8, 31))  # cuts the bucket of January and February
    assert Publication(cube, MINIMUM, asked).figures(cell(plan="pro")) is None
    window = fitting_months([cube], MINIMUM, asked)
    assert window == Period(MARCH, date(2026, 8, 31))
    assert Publication(cube, MINIMUM, window).hides_nothing


def test_a_window_that_fits_is_kept() -> None:
    cube = _year(free=(50,) * 8, pro=(20,) * 8)
    assert fitting_months([cube], MINIMUM, FIRST_QUARTER) == FIRST_QUARTER


def test_a_window_is_not_given_up_for_nothing() -> None:
    cube = _year(free=(50,) * 8, pro=(20,) * 8, team=(0, 0, 0, 1, 1, 0, 0, 0))
    asked = Period(JANUARY, date(2026, 8, 31))
    assert not Publication(cube, MINIMUM, asked).hides_nothing
    assert fitting_months([cube], MINIMUM, asked) == asked


@given(cubes())
def test_a_fitted_window_never_shows_less(cube: Cube) -> None:
    asked = Period(JANUARY, date(2026, 4, 30))
    window = fitting_months([cube], MINIMUM, asked)
    assert window.since is not None
    assert window.until is not None
    assert window.since >= JANUARY
    assert window.until <= date(2026, 4, 30)
    before, after = (Publication(cube, MINIMUM, months) for months in (asked, window))
    assert after.answers_shown >= before.answers_shown
