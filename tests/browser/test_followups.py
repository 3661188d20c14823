"""Actions, goals and other metrics in a real browser, with something noted."""

import re
from datetime import date, timedelta

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Demo, NarrowOrWide
from tests.browser.test_accessibility import check_page, read_in

LOOKS = [
    pytest.param("phone", "ja", False, id="phone-ja-light"),
    pytest.param("desktop", "en", True, id="desktop-en-dark"),
]
PAGES = (
    "?period=12m", "/actions", "/actions/new", "/goals", "/benchmarks/new", "/indicators",
    "/indicators/new", "/indicators/file", "/indicators/entries",
)  # fmt: skip


def _ago(days: int) -> str:
    return (date.today() - timedelta(days)).isoformat()  # noqa: DTZ011


@pytest.fixture(scope="module")
def noted(running_demo: Demo) -> str:
    """The address of the demo's dashboard, with a goal, a benchmark, two actions and rates."""
    headers = {"Authorization": f"Bearer {running_demo.lines['api key']}"}
    survey_id = running_demo.dashboard.rpartition("/")[2].partition("?")[0]
    action = {
        "kind": "action", "title": "Answer within a day", "begins_on": _ago(120),
        "done_on": _ago(100), "hypothesis": "They wait too long.",
    }  # fmt: skip
    late = {
        "kind": "action",
        "title": "Rework the export",
        "begins_on": _ago(60),
        "due_on": _ago(5),
    }
    quartiles = {"lower_quartile": -20, "median": 0, "upper_quartile": 20, "average": 2}
    others = {"name": "Others", "source": "A study", "as_of": _ago(200), **quartiles}
    rates = [
        {"metric": metric, "month": _ago(30 * at)[:7], "percent": percent + at}
        for at in range(1, 13, 2)
        for metric, percent in (("churn", 2.5), ("nrr", 98))
    ]
    with httpx.Client(base_url=f"{running_demo.address}/api/v1", headers=headers) as api:
        api.put(f"/surveys/{survey_id}/goal", json={"nps": 40}).raise_for_status()
        api.post("/benchmarks", json=others).raise_for_status()
        for given in (action, late):
            api.post("/annotations", json=given).raise_for_status()
        api.post("/indicators", json={"indicators": rates}).raise_for_status()
    return running_demo.dashboard.partition("?")[0]


@pytest.mark.parametrize(("width", "language", "dark"), LOOKS)
def test_axe_finds_nothing(
    noted: str, running_demo: Demo, visit: NarrowOrWide, width: str, language: str, dark: bool
) -> None:
    with visit(width, language, dark=dark, signed_in=True) as page:
        read_in(language, page, running_demo)
        for path in PAGES:
            page.goto(noted + path)
            check_page(page, language)
        read_in("en", page, running_demo)


def test_a_mark_on_the_trend_leads_to_its_action_by_keyboard(
    noted: str, visit: NarrowOrWide
) -> None:
    with visit(signed_in=True, javascript=False) as page:
        page.goto(f"{noted}?period=12m")
        mark = page.get_by_role("link", name="Answer within a day")
        mark.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(re.compile(r"/actions\?at=[0-9a-f-]+#a-"))
        expect(page.locator(":target h3")).to_contain_text("Answer within a day")
        expect(page.locator(":target")).to_contain_text("90 days before")
