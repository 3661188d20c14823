"""Respondent's pages from right to left, and Japanese lines, in a real browser."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, NarrowOrWide

LOOKS = [
    pytest.param("phone", True, id="phone-dark"),
    pytest.param("desktop", False, id="desktop-light"),
]


@pytest.fixture(scope="module")
def surveys() -> dict[str, str]:
    """Addresses by state; filled by the first test that needs them."""
    return {}


def _make(page: Page, demo: Demo, name: str) -> str:
    """A published survey in Arabic and Japanese, made as a manager makes it; its address."""
    page.goto(demo.dashboard.rpartition("/")[0] + "/new")
    page.locator("#f-name").fill(name)
    page.locator("#f-subject").fill("Acme Cloud")
    for tag in ("en", "ar", "ja"):
        page.locator(f"input[name=languages][value={tag}]").set_checked(tag != "en")
    page.locator("form[method=post] .btn:not(.btn-secondary)").last.click()
    page.wait_for_url("**/share*")
    page.locator("form[action$='/publication'] button").click()
    return page.locator("#f-url").input_value()


@pytest.fixture
def addresses(surveys: dict[str, str], running_demo: Demo, visit: NarrowOrWide) -> dict[str, str]:
    if not surveys:
        with visit(signed_in=True) as page:
            surveys["open"] = _make(page, running_demo, "Open")
            surveys["closed"] = _make(page, running_demo, "Closed")
            page.locator("form[action$='/publication/end'] button").click()
    return surveys


def _check(page: Page) -> None:
    html = page.locator("html")
    assert (html.get_attribute("lang"), html.get_attribute("dir")) == ("ar", "rtl")
    results = Axe().run(page, options={"resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize(("width", "dark"), LOOKS)
def test_arabic_pages_are_accessible(
    addresses: dict[str, str], visit: NarrowOrWide, width: str, dark: bool
) -> None:
    with visit(width, "ar-EG", dark=dark) as page:
        page.goto(addresses["open"])
        _check(page)
        page.locator("form button").click()
        expect(page.locator(".error-summary")).to_be_focused()
        _check(page)
        for path in ("/thanks", "/privacy", "/erasure", "/erasure/done"):
            page.goto(addresses["open"] + path)
            _check(page)
        page.goto(addresses["closed"])
        expect(page.locator("h1")).to_have_text("هذا الاستبيان مغلق")
        _check(page)


@pytest.mark.parametrize(("width", "last_in_row"), [("phone", 5), ("desktop", 10)])
def test_the_scale_begins_where_reading_begins(
    addresses: dict[str, str], visit: NarrowOrWide, width: str, last_in_row: int
) -> None:
    with visit(width, "ar") as page:
        page.goto(addresses["open"])
        boxes = [cell.bounding_box() for cell in page.locator(".cells span").all()]
        lefts = [box["x"] for box in boxes if box]
        row = lefts[: last_in_row + 1]
        assert row == sorted(row, reverse=True)
        assert all(box and box["width"] >= 44 and box["height"] >= 44 for box in boxes)
        low, high = (page.locator(f".ends-{end} span").bounding_box() for end in ("low", "high"))
        assert low
        assert high
        assert low["x"] + low["width"] > high["x"] + high["width"]
        assert page.locator(".cells").inner_text().split() == [str(score) for score in range(11)]


def test_japanese_lines_end_with_phrases(addresses: dict[str, str], visit: NarrowOrWide) -> None:
    with visit("phone", "ja") as page:
        page.goto(addresses["open"])
        # The last character of every line but the last, by where each character stands.
        ends = page.evaluate(
            """() => {
              const walker = document.createTreeWalker(document.querySelector('form h1'), 4)
              const range = document.createRange(), ends = []
              let before, top
              for (let node; (node = walker.nextNode());)
                for (let at = 0; at < node.length; at++) {
                  range.setStart(node, at); range.setEnd(node, at + 1)
                  const box = range.getBoundingClientRect()
                  if (top !== undefined && box.top > top + 5) ends.push(before)
                  top = box.top; before = node.data[at]
                }
              return ends
            }"""
        )
        phrases = page.locator("form h1").inner_html().split("<wbr>")
        assert len(ends) >= 1
        assert set(ends) <= {phrase[-1] for phrase in phrases} | {" "}
        assert page.locator("form h1").evaluate("e => getComputedStyle(e).wordBreak") == "keep-all"
