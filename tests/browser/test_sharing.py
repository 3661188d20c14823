"""What leaves the dashboard, in a browser: links, paper, pictures; the steps of a new survey."""

import re
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demo, NarrowOrWide, watched
from tests.browser.test_accessibility import RULES

PASSWORD = "seven blue herons at dusk"


def check_page(page: Page, language: str) -> None:
    assert page.locator("html").get_attribute("lang") == language
    results = Axe().run(page, options=RULES)
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def make_link(page: Page, demo: Demo, password: str = "") -> str:
    page.goto(f"{demo.dashboard}?period=12m")
    page.get_by_role("link", name="Share a report by link").click()
    page.locator("#f-name").fill("Board")
    page.locator("#f-password").fill(password)
    page.get_by_label("Show the latest comments, too").check()
    page.get_by_role("button", name="Make the link").click()
    return page.locator("#f-address").input_value()


def test_a_shared_report_reads_well_and_leads_nowhere(
    visit: NarrowOrWide, running_demo: Demo
) -> None:
    with visit(signed_in=True) as page:
        address = make_link(page, running_demo)
        check_page(page, "en")
    for width, language, dark in (("phone", "ja", False), ("desktop", "en", True)):
        with visit(width, language, dark=dark, javascript=dark) as page:
            page.goto(address)
            if dark:
                check_page(page, language)
            assert page.locator("main a, main form, main button, nav").count() == 0
            expect(page.locator(".headline-score")).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
            page.emulate_media(media="print")
            expect(page.locator(".page-head .lede")).to_be_visible()  # what the report is about
    with visit(signed_in=True) as page:
        page.goto(f"{running_demo.dashboard}/shared-reports")
        page.get_by_role("button", name="Revoke").first.click()
        check_page(page, "en")
    with visit(language="ja") as page:
        answer = page.goto(address)
        assert answer is not None
        assert answer.status == 410
        check_page(page, "ja")


def test_a_password_opens_it_by_keyboard(visit: NarrowOrWide, running_demo: Demo) -> None:
    with visit(signed_in=True) as page:
        address = make_link(page, running_demo, PASSWORD)
    with visit(width="phone") as page:
        page.goto(address)
        check_page(page, "en")
        page.locator("#f-password").focus()
        page.keyboard.type("a wrong one")
        page.keyboard.press("Enter")
        expect(page.locator("#f-password-error")).to_be_visible()
        check_page(page, "en")
        page.locator("#f-password").focus()
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.locator(".headline-score")).to_be_visible()


@pytest.mark.parametrize("query", ["period=all", "period=12m", "period=90d&segment.plan=pro"])
def test_a_dashboard_is_printed_on_one_page(
    chromium: Browser, running_demo: Demo, query: str
) -> None:
    context = chromium.new_context(storage_state=running_demo.signed_in)  # type: ignore[arg-type]
    with watched(context) as page:
        page.goto(f"{running_demo.dashboard}?{query}")
        paper = page.pdf(prefer_css_page_size=True)
        page.emulate_media(media="print")
        for shown in (".only-print", ".headline-score", ".shares .chart", ".histogram .chart"):
            expect(page.locator(shown).first).to_be_visible()
        for hidden in (".filters", ".downloads", ".comments", ".survey-nav"):
            assert page.locator(hidden).first.is_hidden()
        page.set_viewport_size({"width": 703, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= 703
    context.close()
    assert re.findall(rb"/Count (\d+)", paper) == [b"1"]


def test_a_chart_opens_on_its_own(chromium: Browser, running_demo: Demo, tmp_path: Path) -> None:
    context = chromium.new_context(storage_state=running_demo.signed_in)  # type: ignore[arg-type]
    for chart in ("shares", "scores", "trend", "segment.plan"):
        answer = context.request.get(f"{running_demo.dashboard}/charts/{chart}.svg?period=12m")
        file = tmp_path / f"{chart}.svg"
        file.write_bytes(answer.body())
        with watched(context) as page:
            page.goto(file.as_uri())
            right = page.evaluate(
                "Math.max(...[...document.querySelectorAll('text')]"
                ".map(text => text.getBoundingClientRect().right))"
            )
            assert right <= 840, f"{chart} is cut"
            assert page.locator("text").count() > 4
    context.close()


def test_a_new_survey_shows_its_steps(visit: NarrowOrWide, running_demo: Demo) -> None:
    key = {"Authorization": f"Bearer {running_demo.lines['api key']}"}
    made = httpx.post(
        f"{running_demo.address}/api/v1/surveys",
        headers=key,
        json={"name": "New one", "subject": "Acme"},
    )
    surveys = running_demo.dashboard.rpartition("/")[0]
    dashboard = f"{surveys}/{made.json()['id']}"
    with visit(width="phone", signed_in=True) as page:
        page.goto(dashboard)
        check_page(page, "en")
        steps = page.locator(".checklist")
        expect(steps.locator("li")).to_have_count(10)
        expect(steps.locator("[aria-current=step]")).to_contain_text("Choose whom to ask")
        page.get_by_role("button", name="Put this list away").click()
        expect(page.locator(".checklist")).to_have_count(0)
