"""Tags, stars and themes in a browser: by keyboard, without scripts, narrow, in print."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Demo, NarrowOrWide
from tests.browser.test_accessibility import check_page, read_in

# What of the page stands out at its side, within something that scrolls by itself or not.
TOO_WIDE = """
[...document.querySelectorAll('.table-stack, .table-stack *')]
  .filter(part => part.getBoundingClientRect().right > innerWidth).length
"""


def _tab_to(page: Page, name: str) -> None:
    """Press the tab key until what is focused has this text."""
    for _press in range(80):
        page.keyboard.press("Tab")
        focused = page.evaluate("document.activeElement.textContent.trim()")
        if re.fullmatch(name, focused):
            return
    raise AssertionError(f"{name} is not reached by keyboard")


def test_an_answer_is_marked_by_keyboard_without_scripts(
    running_demo: Demo, visit: NarrowOrWide
) -> None:
    with visit("phone", signed_in=True, javascript=False) as page:
        read_in("en", page, running_demo)
        page.goto(f"{running_demo.dashboard}/responses?commented=yes&standing=counted")
        # From its search field on, as whoever has looked for something.
        page.locator("input[name=search]").focus()
        _tab_to(page, "Add a star")
        page.keyboard.press("Enter")
        expect(page.locator("li.comment").first.get_by_role("img", name="Starred")).to_be_visible()
        assert "#a-" in page.url, "where the answer stands"
        _tab_to(page, "Tag")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("Keyboard")
        page.keyboard.press("Enter")
        expect(
            page.locator("li.comment").first.get_by_role("link", name="Keyboard")
        ).to_be_visible()
        page.get_by_role("link", name="Keyboard").click()
        expect(page.locator("li.comment")).to_have_count(1)


@pytest.mark.parametrize(("width", "language", "dark"), [("phone", "ja", True),
                                                         ("desktop", "en", False)])  # fmt: skip
def test_all_of_a_page_are_ticked_and_tagged(
    running_demo: Demo, visit: NarrowOrWide, width: str, language: str, dark: bool
) -> None:
    with visit(width, language, dark=dark, signed_in=True) as page:
        read_in(language, page, running_demo)
        page.goto(f"{running_demo.dashboard}/responses?commented=yes")
        page.locator("details.card > summary").click()
        page.locator("li.comment details > summary").first.click()
        page.locator("[data-tick-all] input").check()
        number = page.locator("li.comment").count()
        assert page.locator("input[name=answers]:checked").count() == number
        page.locator("input[name=answers]").first.uncheck()
        expect(page.locator("[data-tick-all] input")).not_to_be_checked()
        check_page(page, language)
        page.locator("#f-marks").fill(f"Bulk {width}")
        page.locator("button[value=tag]").click()
        expect(page.get_by_role("status")).to_contain_text(str(number - 1))
        expect(page.locator(".tag", has_text=f"Bulk {width}")).to_have_count(number - 1)
        page.goto(f"{running_demo.dashboard}/tags")
        page.locator("td details > summary").first.click()
        check_page(page, language)
        assert page.evaluate(TOO_WIDE) == 0


@pytest.fixture
def with_themes(running_demo: Demo, visit: NarrowOrWide) -> Iterator[Page]:
    """The narrow dashboard, its comments read."""
    with visit("phone", signed_in=True) as page:
        read_in("en", page, running_demo)
        for _second in range(30):
            page.goto(f"{running_demo.dashboard}?period=all")
            if not page.locator("section[aria-labelledby=themes] progress").count():
                break
            page.wait_for_timeout(500)
        yield page


def test_themes_are_read_narrow_and_in_print(with_themes: Page) -> None:
    page = with_themes
    row = page.locator(".themes tbody tr").first
    expect(row).to_be_visible()
    assert page.evaluate(TOO_WIDE) == 0
    assert row.get_by_role("cell").count() == 4, "a card is still the row of a table"
    check_page(page, "en")
    theme = page.locator("section[aria-labelledby=themes] th a").first
    theme.focus()
    page.emulate_media(media="print")
    expect(row).to_be_visible()
    page.emulate_media(media="screen")
    page.keyboard.press("Enter")
    expect(page.locator("li.comment").first).to_be_visible()
    page.emulate_media(media="print")
    for hidden in ("form", "button", "summary", "input"):
        assert page.locator(f"main {hidden}:visible").count() == 0, hidden
    expect(page.locator("li.comment blockquote").first).to_be_visible()
