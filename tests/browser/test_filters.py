"""Saved views and several surveys, without scripts and by keyboard, and what axe says of them."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, NarrowOrWide
from tests.browser.test_accessibility import LOOKS, check_page, read_in


@pytest.fixture(scope="module")
def second_survey(running_demo: Demo) -> str:
    """The name of a second wave with two dozen answers."""
    headers = {"Authorization": f"Bearer {running_demo.lines['api key']}"}
    with httpx.Client(base_url=f"{running_demo.address}/api/v1", headers=headers) as api:
        made = api.post("/surveys", json={"name": "Second wave", "subject": "Acme"})
        survey_id = made.raise_for_status().json()["id"]
        api.put(f"/surveys/{survey_id}/publication").raise_for_status()
        answers = [{"score": score} for score in [10, 9, 8, 3] * 6]
        sent = api.post(f"/surveys/{survey_id}/responses/batch", json={"responses": answers})
        sent.raise_for_status()
    return "Second wave"


def save_view(page: Page, demo: Demo) -> None:
    page.goto(f"{demo.dashboard}?period=90d&compare=year")
    page.locator(".views summary").click()
    page.get_by_label(re.compile("Name of the view|ビューの名前")).first.fill("Board meeting")
    page.locator(".views input[name=is_default]").check()
    page.locator(".views form button").first.click()


def test_a_view_is_saved_opens_first_and_leaves_a_way_back(
    running_demo: Demo, visit: NarrowOrWide
) -> None:
    with visit("phone", signed_in=True, javascript=False) as page:
        save_view(page, running_demo)
        here = page.locator(".views [aria-current]")
        expect(here).to_have_text("Board meeting")
        page.goto(running_demo.dashboard)
        expect(page).to_have_url(re.compile(r"period=90d&compare=year$"))
        expect(page.locator("#f-compare")).to_have_value("year")
        page.get_by_role("link", name="Everything").click()
        expect(here).to_have_text("Everything")
        page.locator(".views summary").focus()
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Delete the view").click()
        expect(page.locator(".views nav")).to_have_count(0)


@pytest.mark.parametrize(("width", "language", "dark"), LOOKS)
def test_nothing_is_found_on_views_and_several_surveys(
    running_demo: Demo,
    second_survey: str,
    visit: NarrowOrWide,
    width: str,
    language: str,
    dark: bool,
) -> None:
    with visit(width, language, dark=dark, signed_in=True) as page:
        read_in(language, page, running_demo)
        save_view(page, running_demo)
        page.locator(".views summary").click()
        check_page(page, language)
        page.locator(".view .btn-danger").click()
        page.goto(running_demo.dashboard.rpartition("/")[0])
        for tick in page.locator("input[name=survey]").all():
            tick.check()
        page.locator("form[action$='/results'] button").click()
        expect(page.get_by_role("link", name=second_survey)).to_be_visible()
        page.locator(".filters-wide summary").click()
        check_page(page, language)
        page.goto(page.url.partition("?")[0])
        check_page(page, language)
        read_in("en", page, running_demo)


def test_views_and_links_of_several_surveys_need_no_scripts(
    running_demo: Demo, second_survey: str, visit: NarrowOrWide
) -> None:
    with visit("phone", signed_in=True, javascript=False) as page:
        page.goto(running_demo.dashboard.rpartition("/")[0])
        for tick in page.locator("input[name=survey]").all():
            tick.check()
        page.locator("form[action$='/results'] button").click()
        page.locator(".views summary").click()
        page.get_by_label("Name of the view").first.fill("All waves")
        page.get_by_role("button", name="Save these filters").click()
        expect(page.locator(".views [aria-current]")).to_have_text("All waves")
        kept = page.url
        page.get_by_role("link", name="Share a report by link").click()
        page.locator("#f-name").fill("Board")
        page.get_by_role("button", name="Make the link").click()
        guest, listed = page.locator("#f-address").input_value(), page.url
        page.goto(guest)
        expect(page.get_by_role("rowheader", name=second_survey)).to_be_visible()
        assert page.locator("main a, main form, main button, nav").count() == 0
        page.emulate_media(media="print")
        expect(page.locator(".page-head .lede")).to_contain_text(second_survey)
    for language in ("ja", "en"):
        with visit("phone", language, signed_in=True) as page:
            read_in(language, page, running_demo)
            for address in (kept, f"{kept}&period=days&since=2026-02-30", listed, guest):
                page.goto(address)
                page.eval_on_selector_all("details", "all => all.forEach(one => one.open = true)")
                check_page(page, language)


def test_several_surveys_are_printed_on_one_page(
    running_demo: Demo, second_survey: str, visit: NarrowOrWide
) -> None:
    with visit("desktop", signed_in=True) as page:
        page.goto(running_demo.dashboard.rpartition("/")[0])
        for tick in page.locator("input[name=survey]").all():
            tick.check()
        page.locator("form[action$='/results'] button").click()
        paper = page.pdf(prefer_css_page_size=True)
        page.emulate_media(media="print")
        for shown in (".only-print", ".headline-score", ".shares .chart", ".trend .chart"):
            expect(page.locator(shown).first).to_be_visible()
        expect(page.get_by_role("rowheader", name=second_survey)).to_be_visible()
        for hidden in (".filters", ".downloads", ".choices"):
            assert page.locator(hidden).first.is_hidden()
        page.set_viewport_size({"width": 703, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= 703
    assert re.findall(rb"/Count (\d+)", paper) == [b"1"]
