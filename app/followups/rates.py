"""What a rate of a month may be: every rule on churn, retention and NRR, each problem named."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from app.followups.inputs import MAX_AMOUNT, IndicatorInput
from app.followups.models import MAX_PERCENT, IndicatorMetric
from app.foundation.errors import InvalidParam
from app.foundation.translation import mark
from app.scoring import Ratio, churn_rate, net_revenue_retention, retention_rate

COUNTS = ("customers_at_start", "customers_lost")
AMOUNTS = ("starting_revenue", "expansion", "contraction", "churned")
PARTS = {
    IndicatorMetric.CHURN: COUNTS,
    IndicatorMetric.RETENTION: COUNTS,
    IndicatorMetric.NRR: AMOUNTS,
}
EVERYBODY = ("", "")
NO_RATE = mark("Write the percentage, or all the figures that it follows from.")
NOT_BOTH = mark("Give the percentage or the figures that it follows from, not both.")
OTHER_METRIC = mark("This belongs to another metric.")
LOST_MORE = mark("More was lost than there was.")
NOTHING_THERE = mark("There was nothing at the start, so there is no rate.")
NOT_DECLARED = mark("No survey of the workspace declares this segment value.")
TWICE = mark("This metric is there twice for the same month and segment.")


@dataclass(frozen=True, slots=True)
class Rate:
    """One rate as it is stored: `percent` of `base` (None where it is not known)."""

    metric: IndicatorMetric
    month: date
    segment: tuple[str, str]
    percent: float
    base: float | None

    @property
    def key(self) -> tuple[IndicatorMetric, date, tuple[str, str]]:
        """What only one rate of a workspace has."""
        return (self.metric, self.month, self.segment)


@dataclass(frozen=True, slots=True)
class RateRules:
    """What a workspace can have rates of: `declared` segment values, months that have begun."""

    declared: Collection[tuple[str, str]]
    today: date

    def check(
        self, given: Sequence[IndicatorInput], path: str = "indicators."
    ) -> tuple[list[Rate], list[InvalidParam]]:
        """The rates, and what is wrong with any of them, each named as `path` and its place."""
        rates: list[Rate] = []
        problems: list[InvalidParam] = []
        seen = set()
        for at, one in enumerate(given):
            found = list(self._problems(one))
            rate = None if found else _rate(one)
            if isinstance(rate, Rate) and rate.key in seen:
                found = [InvalidParam("month", TWICE)]
            elif isinstance(rate, Rate):
                seen.add(rate.key)
                rates.append(rate)
            elif rate is not None:
                found = [rate]
            problems += [
                InvalidParam(f"{path}{at}.{problem.name}", problem.reason, problem.values)
                for problem in found
            ]
        return rates, problems

    def _problems(self, given: IndicatorInput) -> Iterator[InvalidParam]:
        if given.month > self.today:
            yield InvalidParam("month", mark("This month has not begun yet."))
        if len(given.segments) > 1:
            yield InvalidParam("segments", mark("Name one segment value, or none."))
        for segment in given.segments.items():
            if segment not in self.declared:
                yield InvalidParam(f"segments.{segment[0]}", NOT_DECLARED)
        yield from _part_problems(given)


def _part_problems(given: IndicatorInput) -> Iterator[InvalidParam]:
    own = PARTS[given.metric]
    for name in dict.fromkeys((*COUNTS, *AMOUNTS)):
        if name not in own and getattr(given, name) is not None:
            yield InvalidParam(name, OTHER_METRIC)
    known = [name for name in own if getattr(given, name) is not None]
    if given.percent is not None and known:
        yield InvalidParam("percent", NOT_BOTH)
    elif given.percent is None and len(known) < len(own):
        yield InvalidParam("percent", NO_RATE)
    elif known and given.base is not None:
        yield InvalidParam("base", NOT_BOTH)
    for name in (*known, "base"):
        yield from _amount_problems(name, getattr(given, name))
    if given.base == 0:
        yield InvalidParam("base", NOTHING_THERE)


def _amount_problems(name: str, amount: float | None) -> Iterator[InvalidParam]:
    if amount is not None and not 0 <= amount <= MAX_AMOUNT:
        yield InvalidParam(name, mark("Write a number from 0 on."))


def _rate(given: IndicatorInput) -> Rate | InvalidParam:
    """The rate, or why there is none; nothing else is wrong with `given`."""
    percent, base = given.percent, given.base
    if percent is None:
        try:
            ratio = _ratio(given)
        except ValueError:
            return InvalidParam(PARTS[given.metric][1], LOST_MORE)
        if ratio is None:
            return InvalidParam(PARTS[given.metric][0], NOTHING_THERE)
        percent, base = 100 * ratio.value, float(ratio.denominator)
    most = MAX_PERCENT if given.metric is IndicatorMetric.NRR else 100
    if not 0 <= percent <= most:
        reason = mark("Write a number from %(least)s to %(most)s.")
        return InvalidParam("percent", reason, {"least": 0, "most": most})
    segment = next(iter(given.segments.items()), EVERYBODY)
    return Rate(given.metric, given.month, segment, float(percent), base and float(base))


def _ratio(given: IndicatorInput) -> Ratio | None:
    if given.metric is IndicatorMetric.NRR:
        amounts = {name: Decimal(str(getattr(given, name))) for name in AMOUNTS}
        return net_revenue_retention(**amounts)
    rate = churn_rate if given.metric is IndicatorMetric.CHURN else retention_rate
    counts = {name: getattr(given, name) for name in COUNTS}
    return rate(**counts)
