"""Random surveys: months of answers with labels, small, lopsided, and with nested dimensions."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.reporting.decisions import Decided, Decisions
from app.scoring import Distribution

Values = tuple[str, ...]
Row = tuple[int, Values]
"""A month and one value for each selector."""

MINIMUM = 5
WEIGHTS = (0.1, 0.5, 1, 3, 8)
MOST_UNKNOWNS = 400


@dataclass(frozen=True)
class RandomSurvey:
    """Counts of answers by month (numbered from 0) and values; `values` has those that were met:
    to know that there are no others helps whoever attacks."""

    selectors: tuple[str, ...]
    values: tuple[Values, ...]
    months: int
    minimum: int
    answers: Mapping[Row, Distribution]

    def decided(self) -> list[Decided]:
        """What is published of it, closed in one go."""
        decisions = Decisions(self.selectors, self.answers, self.minimum)
        decisions.close_all(0, self.months - 1)
        return decisions.new

    def decided_by_month(self) -> list[Decided]:
        """The same, each month closed by somebody who knows only what was published before and
        the answers so far."""
        published: list[Decided] = []
        paired_through = None
        for month in range(self.months):
            so_far = {row: counts for row, counts in self.answers.items() if row[0] <= month}
            decisions = Decisions(
                self.selectors, so_far, self.minimum, tuple(published), paired_through
            )
            decisions.close_all(month, month)
            published += decisions.new
            paired_through = decisions.paired_through
        return published

    def size(self, labels: Mapping[str, str], first: int, last: int) -> int:
        """The true number of answers with these labels in these months."""
        wanted = [labels.get(selector) for selector in self.selectors]
        return sum(
            counts.total
            for (month, values), counts in self.answers.items()
            if first <= month <= last
            and all(want in (None, had) for want, had in zip(wanted, values, strict=True))
        )


def random_survey(seed: int) -> RandomSurvey:
    """The survey with that number: always the same one."""
    source = random.Random(seed)
    width = source.choice((1, 2, 3, 3, 4))
    values = tuple(
        tuple(f"{letter}{at}" for at in range(source.randint(2, 4 if width < 4 else 3)))
        for letter in "abcd"[:width]
    )
    number = 1
    for found in values:
        number *= len(found)
    months = min(source.choice((1, 2, 3, 4, 4, 6, 9)), max(1, MOST_UNKNOWNS // number))
    rows = _rows(source, values, months)
    values = tuple(_met({row[1][at] for row in rows}) for at in range(width))
    return RandomSurvey(
        selectors=tuple(f"segment.{found[0][0]}" for found in values),
        values=values,
        months=months,
        minimum=source.choice((3, MINIMUM, MINIMUM, MINIMUM, 8)),
        answers={row: _scores(source, size) for row, size in rows.items()},
    )


def _rows(source: random.Random, values: Sequence[Values], months: int) -> Counter[Row]:
    size = source.choice((8, 15, 40, 100, 200))
    weights = [[source.choice(WEIGHTS) for _value in found] for found in values]
    nested = source.choice((0.0, 0.0, 0.9, 1.0)) if len(values) > 1 else 0.0
    rows: Counter[Row] = Counter()
    for month in range(months):
        for _answer in range(1 + int(size * source.choice((0.0, 0.1, 0.3, 1, 1, 2)))):
            chosen = [
                source.choices(found, weight)[0]
                for found, weight in zip(values, weights, strict=True)
            ]
            if source.random() < nested:
                chosen[1] = values[1][values[0].index(chosen[0]) % len(values[1])]
            rows[month, tuple(chosen)] += 1
    return rows


def _met(values: set[str]) -> Values:
    """Where all have the same value nobody is told that there is no other."""
    return tuple(sorted(values if len(values) > 1 else {*values, "none"}))


def _scores(source: random.Random, size: int) -> Distribution:
    return Distribution.from_scores([source.randint(0, 10) for _answer in range(size)])
