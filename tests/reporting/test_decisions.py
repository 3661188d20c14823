"""What is decided about an edition: single labels, pairs and guarded scores, month after month."""

from hypothesis import given, settings
from hypothesis import strategies as st

from app.reporting.decisions import Answers, Decided, Decisions, is_alike
from app.scoring import Distribution

SELECTORS = ("segment.plan", "language")
PLANS, LANGUAGES = ("free", "pro", "team"), ("en", "ja")
MONTHS = range(24_000, 24_004)
MINIMUM = 5
SCORES = st.one_of(
    st.lists(st.integers(0, 10), max_size=24),
    st.lists(st.integers(9, 10), max_size=12),
)


@st.composite
def editions(draw: st.DrawFn) -> Answers:
    keys = st.tuples(
        st.sampled_from(MONTHS), st.tuples(st.sampled_from(PLANS), st.sampled_from(LANGUAGES))
    )
    found = draw(st.dictionaries(keys, SCORES, max_size=16))
    return {key: Distribution.from_scores(scores) for key, scores in found.items() if scores}


def decided(answers: Answers, earlier: list[Decided] | None = None) -> list[Decided]:
    decisions = Decisions(SELECTORS, answers, MINIMUM, tuple(earlier or ()))
    decisions.close_all(MONTHS[0], MONTHS[-1])
    return decisions.new


def month(**plans: list[int]) -> Answers:
    """One month of answers in English."""
    return {
        (MONTHS[0], (plan, "en")): Distribution.from_scores(scores)
        for plan, scores in plans.items()
    }


def told(figures: list[Decided]) -> dict[str, int]:
    """The plans that are shown in the first month."""
    return {
        value: figure.counts.total
        for figure in figures
        for selector, value in figure.labels
        if selector == "segment.plan" and len(figure.labels) == 1 and figure.last == MONTHS[0]
    }


def test_a_small_group_hides_one_more_where_it_would_be_what_is_left() -> None:
    assert told(decided(month(free=[10] * 30, pro=[8] * 9, team=[3] * 4))) == {"free": 30}
    two_small = decided(month(free=[10] * 30, pro=[8] * 3, team=[3] * 4))
    assert told(two_small) == {"free": 30}


def test_small_months_wait_for_others() -> None:
    answers: Answers = {
        (at, (plan, "en")): Distribution.from_scores(scores)
        for at in MONTHS[:2]
        for plan, scores in (("free", [9, 3] * 10), ("pro", [10, 2, 7]))
    }
    assert [
        (sorted(value for _selector, value in figure.labels), figure.first, figure.last)
        for figure in decided(answers)
        if frozenset([("segment.plan", "pro")]) == figure.labels
    ] == [(["pro"], MONTHS[0], MONTHS[1])]


@given(editions())
@settings(max_examples=60)
def test_a_figure_is_exact_and_holds_the_minimum(answers: Answers) -> None:
    for figure in decided(answers):
        sizes = [
            counts.total
            for (at, values), counts in answers.items()
            if figure.first <= at <= figure.last
            and figure.labels <= set(zip(SELECTORS, values, strict=True))
        ]
        assert figure.counts.total == sum(sizes) >= MINIMUM


@given(editions())
@settings(max_examples=60)
def test_nothing_is_published_twice(answers: Answers) -> None:
    figures = decided(answers)
    met = [(figure.labels, at) for figure in figures for at in range(figure.first, figure.last + 1)]
    assert len(met) == len(set(met))


@given(editions())
@settings(max_examples=60)
def test_month_by_month_is_the_same_as_at_once(answers: Answers) -> None:
    published: list[Decided] = []
    paired_through = None
    for month_ in MONTHS:
        so_far = {key: counts for key, counts in answers.items() if key[0] <= month_}
        decisions = Decisions(SELECTORS, so_far, MINIMUM, tuple(published), paired_through)
        decisions.close_all(month_, month_)
        published += decisions.new
        paired_through = decisions.paired_through
    assert published == decided(answers)


@given(editions())
@settings(max_examples=100)
def test_scores_of_people_who_are_alike_are_not_told(answers: Answers) -> None:
    for figure in decided(answers):
        if is_alike(figure.counts):
            assert figure.is_guarded


@given(editions())
@settings(max_examples=100)
def test_nor_are_they_what_the_totals_leave(answers: Answers) -> None:
    figures = [figure for figure in decided(answers) if len(figure.labels) == 1]
    for selector in SELECTORS:
        mine = [
            figure for figure in figures if {name for name, _value in figure.labels} == {selector}
        ]
        for first in MONTHS:
            for last in range(first, MONTHS[-1] + 1):
                inside = [at for at in mine if first <= at.first and at.last <= last]
                shown = [at for at in inside if not at.is_guarded]
                covered = {at for figure in shown for at in range(figure.first, figure.last + 1)}
                # A month of which nothing is told is given by its own total anyway.
                if len(shown) < len(inside) and covered == set(range(first, last + 1)):
                    left = _left(answers, first, last, shown)
                    assert not is_alike(left), "the totals less what is told gives these scores"


def _left(answers: Answers, first: int, last: int, told_: list[Decided]) -> Distribution:
    everybody = [counts.counts for (at, _v), counts in answers.items() if first <= at <= last]
    shown = [figure.counts.counts for figure in told_]
    columns = zip(*everybody, strict=True)
    taken = list(zip(*shown, strict=True)) or [()] * 11
    return Distribution(
        tuple(sum(column) - sum(less) for column, less in zip(columns, taken, strict=True))
    )
