"""Nothing that is published of 200 random surveys singles out one to k − 1 answers."""

from collections import Counter

from app.reporting.decisions import Decided
from app.scoring import Distribution
from tests.attack.pure import attack, known_of
from tests.attack.surveys import RandomSurvey, random_survey

SURVEYS = 200
HISTORIES = 100


def test_no_group_below_the_minimum_follows_from_all_that_is_published() -> None:
    result = attack(range(SURVEYS))
    assert result.isolated == ()
    assert result.smallest is not None, "an attack that finds nothing at all proves nothing"
    assert result.smallest >= 1
    assert result.targets > 50 * SURVEYS


def test_the_attack_breaks_what_hides_only_small_figures() -> None:
    broken = 0
    for seed in range(20):
        survey = random_survey(seed)
        knowledge, _sums = known_of(survey, naive(survey))
        small = [
            target
            for target in knowledge.targets(widest=1)
            if 0 < survey.size(target.labels, target.first, target.last) < survey.minimum
        ]
        found = knowledge.isolated(small)
        for target in found[:3]:
            lowest, highest = knowledge.bounds(target)
            assert round(lowest, 4) == round(highest, 4), "both ways of reckoning agree"
        broken += bool(found)
    assert broken > 10


def naive(survey: RandomSurvey) -> list[Decided]:
    """Every label and month of at least k answers, and nothing else hidden."""
    sizes: Counter[tuple[int, tuple[str, str]]] = Counter()
    for (month, values), counts in survey.answers.items():
        for label in zip(survey.selectors, values, strict=True):
            sizes[month, label] += counts.total
    return [
        Decided(frozenset([label]), month, month, Distribution((size,) + (0,) * 10))
        for (month, label), size in sizes.items()
        if size >= survey.minimum
    ]


def test_closing_month_by_month_gives_the_same_figures_as_at_once() -> None:
    for seed in range(HISTORIES):
        survey = random_survey(seed)
        assert survey.decided_by_month() == survey.decided(), f"survey {seed}"


def test_every_figure_holds_the_minimum_and_what_it_says() -> None:
    for seed in range(HISTORIES):
        survey = random_survey(seed)
        for figure in survey.decided():
            size = survey.size(dict(figure.labels), figure.first, figure.last)
            assert figure.counts.total == size >= survey.minimum
