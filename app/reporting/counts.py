"""Everybody's counts by day, as a value."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from app.reporting.buckets import Period, month_end
from app.responses.models import Standing
from app.scoring import AnswerCounts, Distribution, together


@dataclass(frozen=True, slots=True)
class DailyTotals:
    """Answers to a survey by day and standing, not split in any way.

    `months` holds those of months past their retention, by first day: no day of theirs is known
    any more, so they count in a period only where it holds the whole month.
    """

    days: Mapping[tuple[date, Standing], Distribution]
    months: Mapping[tuple[date, Standing], Distribution] = field(default_factory=dict)

    def within(self, period: Period, standing: Standing = Standing.COUNTED) -> Distribution:
        """All answers of that standing in the period."""
        return add(counts for _day, counts in self.parts(period, standing))

    def parts(
        self, period: Period, standing: Standing = Standing.COUNTED
    ) -> list[tuple[date, Distribution]]:
        """The answers in the period day by day, those of a whole month on its first day."""
        since, until = period.since or date.min, period.until or date.max
        days = [
            (day, counts)
            for (day, of), counts in self.days.items()
            if of is standing and since <= day <= until
        ]
        months = [
            (month, counts)
            for (month, of), counts in self.months.items()
            if of is standing and since <= month and month_end(month) <= until
        ]
        return days + months

    def is_month_cut(self, period: Period) -> bool:
        """True where the period holds a part only of a month that is not known by day."""
        return any(
            (period.until is None or month <= period.until)
            and (period.since is None or month_end(month) >= period.since)
            and not (month in period and month_end(month) in period)
            for month, _standing in self.months
        )


def add(parts: Iterable[Distribution]) -> Distribution:
    """All answers of the parts together; none where there are no parts."""
    columns = list(zip(*(part.counts for part in parts), strict=True))
    return Distribution(tuple(map(sum, columns))) if columns else Distribution.empty()


def add_answers(parts: Sequence[AnswerCounts]) -> AnswerCounts:
    """All answers of the parts together: of single scores where every part has them."""
    told = [part for part in parts if isinstance(part, Distribution)]
    if len(told) == len(parts):
        return add(told)
    return together(parts)


def add_totals(surveys: Sequence[DailyTotals]) -> DailyTotals:
    """The totals of several surveys, day by day."""
    return DailyTotals(
        days=_by_key([totals.days for totals in surveys]),
        months=_by_key([totals.months for totals in surveys]),
    )


def _by_key(
    surveys: Sequence[Mapping[tuple[date, Standing], Distribution]],
) -> dict[tuple[date, Standing], Distribution]:
    keys = sorted({key for found in surveys for key in found})
    return {key: add(found[key] for found in surveys if key in found) for key in keys}
