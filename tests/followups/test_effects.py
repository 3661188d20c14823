"""What followed an action: the days on each side, the comparison, and what is said of it."""

from datetime import date, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reporting.buckets import Period
from app.reporting.counts import DailyTotals
from app.reporting.effects import WINDOW, effect_of
from app.responses.models import Standing
from app.scoring import Distribution, compare
from tests.followups.conftest import DAYS_BEFORE, DONE, home
from tests.responses.scene import Scene

TODAY = date(2026, 7, 10)


def totals_of(scores: dict[date, list[int]]) -> DailyTotals:
    return DailyTotals(
        days={
            (day, Standing.COUNTED): Distribution.from_counts([given.count(s) for s in range(11)])
            for day, given in scores.items()
        }
    )


def test_the_day_itself_counts_on_no_side() -> None:
    totals = totals_of({DONE - timedelta(1): [0], DONE: [5] * 9, DONE + timedelta(1): [10]})
    effect = effect_of(totals, DONE, TODAY, [])
    assert effect.before is not None
    assert effect.after is not None
    assert effect.before.figures.counts.total == effect.after.figures.counts.total == 1
    assert effect.change is not None
    assert effect.change.difference == 200


@given(
    answered=st.dictionaries(
        st.integers(-200, 200).map(lambda days: DONE + timedelta(days)),
        st.lists(st.integers(0, 10), min_size=1, max_size=3),
    ),
    passed=st.integers(0, 200),
)
def test_each_side_is_at_most_ninety_whole_days(
    answered: dict[date, list[int]], passed: int
) -> None:
    today = DONE + timedelta(passed)
    known = {day: scores for day, scores in answered.items() if day <= today}
    effect = effect_of(totals_of(known), DONE, today, [])
    before = {day for day in known if DONE - timedelta(WINDOW) <= day < DONE}
    after = {
        day for day in known if DONE < day <= min(DONE + timedelta(WINDOW), today - timedelta(1))
    }
    for side, days in ((effect.before, before), (effect.after, after)):
        found = side.figures.counts.total if side else 0
        assert found == sum(len(known[day]) for day in days)
    assert (effect.after.days if effect.after else 0) == max(min(passed - 1, WINDOW), 0)
    if known and min(known) < DONE:
        assert effect.before is not None
        assert effect.before.days == min((DONE - min(known)).days, WINDOW)
    else:
        assert effect.before is None
    if effect.change and effect.before and effect.after:
        expected = compare(effect.after.figures.counts, effect.before.figures.counts)
        assert effect.change == expected


def test_other_events_within_the_days_are_counted() -> None:
    totals = totals_of({DONE - timedelta(20): [5], DONE + timedelta(20): [5]})
    days = [DONE - timedelta(21), DONE - timedelta(20), DONE, TODAY, DONE + timedelta(3)]
    assert effect_of(totals, DONE, TODAY, days).others == 3


def test_days_of_a_month_past_its_retention_are_not_compared() -> None:
    whole = Distribution.from_counts([5] * 11)
    totals = DailyTotals(
        days=totals_of({DONE + timedelta(2): [9]}).days,
        months={(date(2026, 4, 1), Standing.COUNTED): whole},
    )
    effect = effect_of(totals, DONE, TODAY, [])
    assert effect.before is not None
    assert effect.before.period == Period(date(2026, 4, 1), DONE - timedelta(1))
    assert effect.change is not None, "all of April lies in these days"
    later = effect_of(totals, date(2026, 7, 5), TODAY, [])
    assert later.is_month_cut
    assert later.change is None


@pytest.fixture
async def action(acme_api: httpx.AsyncClient) -> str:
    made = await acme_api.post(
        "/api/v1/annotations",
        json={
            "kind": "action",
            "title": "Answer within a day",
            "begins_on": "2026-05-01",
            "done_on": DONE.isoformat(),
            "hypothesis": "They wait too long.",
        },
    )
    found: str = made.json()["id"]
    return found


async def test_the_page_and_the_api_say_the_same(
    as_bob: httpx.AsyncClient, acme_reader: httpx.AsyncClient, scene: Scene, action: str
) -> None:
    answer = await acme_reader.get(f"/api/v1/surveys/{scene.survey_id}/annotations/{action}/effect")
    effect = answer.json()
    assert (effect["before"]["days"], effect["after"]["days"]) == (DAYS_BEFORE, 55)
    assert effect["before"]["nps"] == -50
    assert effect["after"]["nps"] == 100
    assert effect["difference"] == 150
    assert effect["verdict"] == "clearly_higher"
    page = (await as_bob.get(home(scene) + "/actions")).text
    assert "Clearly higher than before: by +150 points" in page
    assert f"{DAYS_BEFORE} days before" in page
    assert "55 days after" in page
    assert "So far 55 whole days have passed; up to 90 count." in page
    assert "no proof that the action made it" in page


async def test_what_is_not_done_has_no_effect(
    acme_api: httpx.AsyncClient, scene: Scene, action: str
) -> None:
    await acme_api.patch(f"/api/v1/annotations/{action}", json={"done_on": None})
    path = f"/api/v1/surveys/{scene.survey_id}/annotations/{action}/effect"
    assert (await acme_api.get(path)).status_code == 404
    await acme_api.patch(f"/api/v1/annotations/{action}", json={"done_on": TODAY.isoformat()})
    effect = (await acme_api.get(path)).json()
    assert effect["after"] is None
    assert effect["difference"] is None
    assert effect["verdict"] is None
