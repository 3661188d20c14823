"""What a trend is seen against: goal, benchmark, and numbered events above its points."""

import re
import uuid
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.foundation import clock
from app.foundation.web.rendering import _environment
from app.reporting.buckets import Interval, Period, split
from app.reporting.filters import ReportFilter
from app.reporting.metrics import Figures, Metrics, SeriesPoint
from app.reporting.trend import NARROWEST, Event, Landmarks, Trend, chosen_interval, trend_of
from app.scoring import Distribution

MONTHS = split(date(2026, 1, 1), date(2026, 6, 30), Interval.MONTH)
COUNTS = Distribution.from_scores([10] * 40 + [3] * 10)


def months(periods: list[Period]) -> Metrics:
    """Figures with a series of those periods; 50 answers in each, NPS 60."""
    whole = Period(periods[0].since, periods[-1].until)
    return Metrics(
        filter=ReportFilter(uuid.uuid4(), interval=Interval.MONTH),
        as_of=clock.now(),
        period=whole,
        figures=Figures(COUNTS),
        held=0,
        excluded=0,
        change=None,
        recent=None,
        groups_period=None,
        groups={},
        series=tuple(SeriesPoint(period, Figures(COUNTS)) for period in periods),
    )


def draw(landmarks: Landmarks) -> str:
    """The chart of half a year."""
    return drawn(trend_of(months(MONTHS), landmarks))


def drawn(found: Any) -> str:
    macro: Any = _environment().get_template("charts/trend.html").module
    return str(
        macro.trend(
            "trend", found.points, found.text, goal=found.goal, benchmark=found.benchmark,
            markers=found.markers, flags=found.flags,
        )
    )  # fmt: skip


def test_events_are_numbered_in_order_and_stand_at_their_point() -> None:
    events = [
        Event(date(2026, 6, 30), "Price list", "/b"),
        Event(date(2026, 2, 1), "New office", None),
        Event(date(2026, 7, 1), "After the last point"),
        Event(date(2025, 12, 31), "Before the first point"),
    ]
    found = trend_of(months(MONTHS), Landmarks(events=events))
    assert [(marker.number, marker.point, marker.title) for marker in found.markers] == [
        (1, 1, "New office"),
        (2, 5, "Price list"),
    ]
    assert [(flag.point, flag.text, flag.row) for flag in found.flags] == [
        (1, "1", 0),
        (5, "2", 0),
    ]


@given(
    st.integers(1, 53),
    st.lists(st.dates(date(2026, 1, 1), date(2026, 2, 22)), max_size=60),
)
def test_no_flag_lies_on_another_even_on_a_phone(points: int, days: list[date]) -> None:
    periods = split(date(2026, 1, 1), date(2026, 2, 22), Interval.DAY)[:points]
    found = trend_of(months(periods), Landmarks(events=[Event(day, "x") for day in days]))
    assert len(found.flags) == len({marker.point for marker in found.markers})
    placed: dict[int, float] = {}
    for flag in found.flags:
        middle = NARROWEST * (flag.point + 0.5) / len(periods)
        assert middle - flag.width / 2 >= placed.get(flag.row, -100)
        placed[flag.row] = middle + flag.width / 2
    assert len(placed) <= 12, "the chart does not grow without end"


def test_the_chart_draws_and_says_what_it_is_seen_against() -> None:
    event = Event(date(2026, 3, 9), "Support & <hours>", "/w/1/actions/2")
    html = draw(Landmarks(goal=40, benchmark=-12.5, events=[event]))
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    assert "The goal is +40. The benchmark is −13." in text
    assert "Goal: +40" in text
    assert re.search(r'class="goal" x1="0" x2="100%" y1="74"', html)
    assert re.search(r'class="benchmark" x1="0" x2="100%" y1="126.5"', html)
    assert '<a href="/w/1/actions/2">Support &amp; &lt;hours&gt;</a>' in html
    table = html.partition("<details>")[2]
    assert "Support &amp; &lt;hours&gt;" in table, "the table behind holds it too"


def figures(promoters: int, detractors: int) -> Figures:
    return Figures(Distribution.from_scores([10] * promoters + [3] * detractors))


def monthly(*counts: tuple[int, int]) -> Trend:
    """Months from January with so many promoters and detractors each."""
    series = zip(MONTHS, (figures(*count) for count in counts), strict=False)
    points = tuple(SeriesPoint(period, found) for period, found in series)
    return trend_of(replace(months(MONTHS), series=points))


FEW, LOW, HIGH, NOBODY = (4, 0), (10, 40), (40, 10), (0, 0)


@pytest.mark.parametrize(
    ("counts", "text"),
    [
        (
            (FEW, LOW, NOBODY, HIGH, FEW, NOBODY),
            "The NPS of Apr 2026 (+60) is clearly higher than that of Feb 2026",
        ),
        (
            (HIGH, LOW),
            "The NPS of Feb 2026 (\u221260) is clearly lower than that of Jan 2026 (+60).",
        ),
        ((HIGH, LOW, HIGH), "The NPS shows no clear change from Jan 2026 (+60) to Mar 2026 (+60)."),
        (
            (FEW, FEW, HIGH, NOBODY),
            "NPS by month. Months can be compared once two have 30 answers.",
        ),
        ((FEW, NOBODY), "The NPS of Jan 2026 is +100."),
    ],
)
def test_the_trend_speaks_only_from_points_with_enough_answers(
    counts: tuple[tuple[int, int], ...], text: str
) -> None:
    assert monthly(*counts).text.startswith(text)


def test_a_point_without_answers_is_no_score_and_few_answers_have_no_figure_on_the_line() -> None:
    html = drawn(monthly(LOW, HIGH, FEW, NOBODY))
    assert len(re.findall('class="dot"', html)) == 3
    ((place, figure),) = re.findall('class="value" x="([^"]+)%"[^>]*>([^<]+)<', html)
    assert (place, figure) == ("37.5", "+60"), "above the second of four"
    assert "n=0</text>" in html
    alone = drawn(monthly(FEW, NOBODY))
    assert 'class="value"' not in alone


def test_without_anything_beside_it_the_chart_is_plain() -> None:
    html = draw(Landmarks())
    assert not re.search('class="(goal|benchmark|flag|chart-key|chart-events)', html)
    assert "What happened" not in html


def test_a_long_series_keeps_its_last_points() -> None:
    many = months(split(date(2026, 1, 1), date(2026, 12, 31), Interval.DAY))
    found = trend_of(replace(many, filter=replace(many.filter, interval=Interval.DAY)))
    assert (len(found.points), found.is_cut) == (120, True)
    assert found.text == "NPS by day.", "a sentence: others on goal and benchmark follow it"
    assert found.choices == (Interval.WEEK, Interval.MONTH, Interval.QUARTER)


def test_only_what_a_chart_can_show_is_offered() -> None:
    assert trend_of(months(MONTHS)).choices == (Interval.WEEK, Interval.MONTH, Interval.QUARTER)
    april = trend_of(months(split(date(2026, 4, 1), date(2026, 4, 30), Interval.DAY)))
    assert april.choices == (Interval.DAY, Interval.WEEK)
    of_subgroup = months(MONTHS)
    of_subgroup = replace(of_subgroup, filter=replace(of_subgroup.filter, language="ja"))
    assert trend_of(of_subgroup).choices == (Interval.MONTH, Interval.QUARTER)


def test_an_interval_that_is_not_possible_gives_way_to_the_usual_one() -> None:
    found = months(MONTHS)
    asked = found.filter
    assert chosen_interval(replace(asked, interval=Interval.QUARTER), found) is Interval.QUARTER
    assert chosen_interval(replace(asked, interval=Interval.DAY), found) is Interval.MONTH
    assert chosen_interval(replace(asked, interval=None), found) is Interval.MONTH
    of_subgroup = replace(found, filter=replace(asked, language="ja"))
    assert chosen_interval(replace(asked, interval=Interval.WEEK), of_subgroup) is Interval.MONTH
    decades = months(split(date(2010, 1, 1), date(2026, 6, 30), Interval.MONTH))
    assert chosen_interval(replace(asked, interval=None), decades) is Interval.QUARTER
