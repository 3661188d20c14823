"""What a period is compared with: the one before, the same days a year before, or nothing."""

import re
from datetime import date, timedelta

import httpx
import pytest

from app.foundation.database import Database
from app.reporting.buckets import Compare, Period
from app.scoring import Distribution, compare
from tests.factories import Cast
from tests.reporting.data import Answer, make_survey, spread
from tests.reporting.test_boundaries import ask
from tests.reporting.test_pages import dashboard, page
from tests.responses.scene import Scene

JUNE, YEAR_BEFORE = date(2026, 6, 1), date(2025, 6, 1)
NOW, THEN = [10] * 18 + [7] * 2, [10] * 4 + [3] * 16
THIS_JUNE = {"since": "2026-06-01", "until": "2026-06-30"}


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        ("2026-04-10", "2026-07-09", ("2025-04-10", "2025-07-09")),
        ("2026-02-01", "2026-02-28", ("2025-02-01", "2025-02-28")),
        ("2025-02-01", "2025-02-28", ("2024-02-01", "2024-02-29")),  # whole months
        ("2024-02-01", "2024-02-29", ("2023-02-01", "2023-02-28")),
        ("2024-02-29", "2024-03-05", ("2023-02-28", "2023-03-05")),
        ("2025-01-01", "2025-12-31", ("2024-01-01", "2024-12-31")),
        ("2025-01-02", "2026-01-01", ("2024-01-02", "2025-01-01")),
        ("2025-01-01", "2026-01-01", None),  # a day would be in both
        ("2024-01-01", "2025-12-31", None),
    ],
)
def test_a_year_before(since: str, until: str, expected: tuple[str, str] | None) -> None:
    period = Period(date.fromisoformat(since), date.fromisoformat(until))
    found = period.compared(Compare.YEAR)
    assert found == (Period(*map(date.fromisoformat, expected)) if expected else None)
    assert period.compared(Compare.NONE) is None
    assert period.compared(Compare.PREVIOUS) == period.before()


def test_an_open_period_has_none_before() -> None:
    for period in (Period(None, JUNE), Period(JUNE, None), Period(None, None)):
        assert all(period.compared(compare) is None for compare in Compare)


@pytest.fixture
async def years(database: Database, cast: Cast) -> Scene:
    """20 free answers in June of this year and of the last one, and 10 of May this year."""
    return await make_survey(
        database,
        cast.acme,
        [
            *spread(JUNE, NOW, plan="free"),
            *spread(YEAR_BEFORE, THEN, plan="free"),
            *spread(date(2026, 5, 1), [10] * 10, plan="free"),
            Answer(date(2026, 7, 1), 0, {"plan": "pro"}, "a detractor writes"),
        ],
        "years",
    )


async def test_everybody_and_a_group_are_compared_with_a_year_before(
    acme_reader: httpx.AsyncClient, as_bob: httpx.AsyncClient, years: Scene
) -> None:
    expected = compare(Distribution.from_scores(NOW), Distribution.from_scores(THEN))
    assert expected is not None
    for query in (THIS_JUNE, {**THIS_JUNE, "segment.plan": "free"}):
        found = await ask(acme_reader, years, compare="year", **query)
        assert found["filters"]["compare"] == "year"
        assert found["compared_window"] == {"since": "2025-06-01", "until": "2025-06-30"}
        assert found["change"]["difference"] == expected.difference
        assert found["change"]["difference_low"] == expected.interval.low
        assert found["change"]["verdict"] == "clearly_higher"
        html = await page(as_bob, dashboard(years), compare="year", **query)
        assert "clearly higher than a year before." in html
        assert "NPS −60 from 20 answers" in html
    split = await ask(acme_reader, years, compare="year", group_by="plan", **THIS_JUNE)
    (free,) = [group for group in split["groups"] if group["key"] == "free"]
    assert free["change"]["difference"] == expected.difference


async def test_nothing_is_compared_where_that_is_asked_for(
    acme_reader: httpx.AsyncClient, as_bob: httpx.AsyncClient, years: Scene
) -> None:
    found = await ask(acme_reader, years, compare="none", **THIS_JUNE)
    assert (found["compared_window"], found["change"]) == (None, None)
    html = await page(as_bob, dashboard(years), compare="none", **THIS_JUNE)
    assert "The difference is" not in html
    long = {"since": "2024-01-01", "until": "2026-06-30", "compare": "year"}
    assert "nothing is compared" in await page(as_bob, dashboard(years), **long)
    before = str(date(2024, 6, 1) - timedelta(days=1))
    empty = {"since": "2024-05-01", "until": before, "compare": "year"}
    assert "No answers in this period" in await page(as_bob, dashboard(years), **empty)


async def test_a_group_of_scores_narrows_the_comments_only(
    as_bob: httpx.AsyncClient, years: Scene
) -> None:
    query = {"category": "detractor", "compare": "year", "since": "2026-06-01"}
    html = await page(as_bob, dashboard(years), **query)
    assert "NPS from 21 answers" in html
    assert "a detractor writes" in html
    assert html.count("<blockquote") == 1
    lists = re.findall(r'href="([^"]*/responses\?[^"]*)"', html)
    assert any("category=detractor" in href for href in lists)
    for href in lists:
        assert "compare=" not in href, "answers are compared with nothing"
        assert (await as_bob.get(href.replace("&amp;", "&"))).status_code == 200
