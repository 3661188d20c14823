"""The attack on what `Decisions` publishes of one random survey after the other."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.reporting.decisions import Decided
from tests.attack.knowledge import Knowledge, Sum
from tests.attack.surveys import RandomSurvey, random_survey


@dataclass
class Result:
    """What attacks on surveys found.

    `known` are the sums that were read, `targets` the groups of 1 to k − 1 answers that were
    looked for, `isolated` those of them that were found, by the number of the survey. `smallest`
    is the smallest group, by labels and months, whose size follows from what is published, in
    units of its survey's minimum; None where there was none.
    """

    surveys: int = 0
    known: int = 0
    targets: int = 0
    isolated: tuple[tuple[int, Sum], ...] = ()
    smallest: float | None = None

    def add(self, seed: int) -> None:
        survey = random_survey(seed)
        knowledge, sums = known_of(survey, survey.decided())
        targets = [target for target in knowledge.targets() if _size(survey, target)]
        found = knowledge.isolated(targets)
        small = [target for target in targets if _size(survey, target) < survey.minimum]
        self.surveys += 1
        self.known += len(sums)
        self.targets += len(small)
        self.isolated += tuple((seed, target) for target in found if target in small)
        sizes = [_size(survey, target) / survey.minimum for target in found]
        self.smallest = min([*sizes, *([self.smallest] if self.smallest else [])], default=None)


def attack(seeds: Iterable[int]) -> Result:
    """Attack the surveys with these numbers."""
    result = Result()
    for seed in seeds:
        result.add(seed)
    return result


def known_of(
    survey: RandomSurvey, decided: Sequence[Decided]
) -> tuple[Knowledge, list[tuple[Sum, int]]]:
    """What everybody knows: the total of each month, and what was decided to publish."""
    sums = [
        (Sum({}, month, month), survey.size({}, month, month)) for month in range(survey.months)
    ]
    sums += [
        (Sum(dict(figure.labels), figure.first, figure.last), figure.counts.total)
        for figure in decided
    ]
    known = [([of], size) for of, size in sums]
    return Knowledge(survey.selectors, survey.values, survey.months, known), sums


def _size(survey: RandomSurvey, target: Sum) -> int:
    return survey.size(target.labels, target.first, target.last)
