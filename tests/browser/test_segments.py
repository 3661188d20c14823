"""The dashboard's groups, pairs and choices in a browser: full, small and filtered, by keyboard."""

import gzip

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Demo, NarrowOrWide
from tests.browser.test_accessibility import check_page, read_in

MOST_BYTES = 60_000
FULL = "?period=12m&pair=segment.plan,segment.region&sort=-nps&interval=week"
SMALL = "?period=90d&channel=qr&sort=n"
HIDDEN = "?period=30d&channel=qr&language=en"
FILTERED = "?period=12m&segment.plan=pro&sort=-difference"


@pytest.mark.parametrize(
    ("width", "language", "dark"), [("phone", "ja", True), ("desktop", "en", False)]
)
def test_full_small_and_filtered(
    running_demo: Demo, visit: NarrowOrWide, width: str, language: str, dark: bool
) -> None:
    with visit(width, language, dark=dark, signed_in=True) as page:
        read_in(language, page, running_demo)
        for query in (FULL, SMALL, HIDDEN, FILTERED):
            response = page.goto(running_demo.dashboard + query)
            assert response is not None
            assert response.status == 200
            assert len(gzip.compress(response.body())) <= MOST_BYTES
            check_page(page, language)


def test_rows_are_sorted_and_opened_by_keyboard_without_javascript(
    running_demo: Demo, visit: NarrowOrWide
) -> None:
    with visit(signed_in=True, javascript=False) as page:
        page.goto(running_demo.dashboard + "?period=12m")
        plans = page.locator("#by-segment-plan")
        plans.locator("thead a").nth(2).focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**sort=-nps**")
        head = plans.locator("th[aria-sort]")
        expect(head).to_have_attribute("aria-sort", "descending")
        scores = plans.locator("tbody tr:not(.quiet) td:nth-child(3)").all_inner_texts()
        figures = [int(text.replace("−", "-")) for text in scores]
        assert figures == sorted(figures, reverse=True)
        page.locator("#f-pair").select_option(index=1)
        page.locator(".pair-choice button").click()
        page.wait_for_url("**pair=**")
        expect(page.locator(".heat-table td a").first).to_be_visible()
        page.locator(".heat-table td a").first.focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**segment.**")
        expect(page.locator(".headline")).to_be_visible()
