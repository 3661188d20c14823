"""Programs that open the links of mails: they leave no answer, or one that waits for a manager."""

import csv
import io
import time
from collections import Counter

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demo, NarrowOrWide, think
from tests.browser.test_accessibility import LOOKS, check_page, read_in

# What link checkers run in a page: clicks that no person makes.
CLICK_EVERYTHING = """
wanted => [...document.querySelectorAll(wanted)].forEach(element => {
  for (const name of ["pointerdown", "mousedown", "pointerup", "mouseup", "click", "change"])
    element.dispatchEvent(new MouseEvent(name, {bubbles: true, cancelable: true}))
})
"""


def _answers(demo: Demo, chromium: Browser) -> Counter[str]:
    """How many answers of each standing the survey has."""
    context = chromium.new_context(storage_state=demo.signed_in)  # type: ignore[arg-type]
    try:
        answer = context.request.get(f"{demo.dashboard}/responses.csv?since=2020-01-01")
        assert answer.ok, answer.text()
        rows = csv.DictReader(io.StringIO(answer.text().removeprefix("\ufeff")))
        return Counter(row["standing"] for row in rows)
    finally:
        context.close()


def _type_answer(page: Page, score: int) -> None:
    """By real keys: to the scale, along it, and on to the button."""
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    for _ in range(score):
        page.keyboard.press("ArrowRight")
    expect(page.locator(f"input[name=score][value='{score}']")).to_be_checked()


def test_a_scanner_that_looks_leaves_nothing(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    form = running_demo.lines["form"]
    with visit() as page:
        request = page.context.request
        for address in (form, f"{form}?score=9", f"{form}/thanks", f"{form}/privacy"):
            assert request.get(address).ok
            assert request.head(address).ok
        assert request.get(f"{form}/responses").status in (404, 405)
        page.goto(f"{form}#9")
        page.evaluate(CLICK_EVERYTHING, "input:not(.hp *), label, textarea, fieldset")
        page.wait_for_timeout(2_500)
        page.close(run_before_unload=True)
    assert _answers(running_demo, chromium) == before


EVERYTHING = "input:not(.hp *), label, textarea, fieldset, main button"


@pytest.mark.parametrize("fragment", ["", "#10"])
def test_a_scanner_that_clicks_by_script_leaves_nothing(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide, fragment: str
) -> None:
    before = _answers(running_demo, chromium)
    with visit() as page:
        page.goto(running_demo.lines["form"] + fragment)
        page.wait_for_timeout(2_000)
        page.evaluate(CLICK_EVERYTHING, EVERYTHING)
        page.evaluate("document.querySelector('#send').click()")
        page.evaluate("document.forms[0].submit()")
        page.evaluate("document.forms[0].requestSubmit()")
        page.evaluate("document.forms[0].requestSubmit(document.querySelector('#send'))")
        page.wait_for_timeout(1_500)
        assert "/thanks" not in page.url
        page.close(run_before_unload=True)
    assert _answers(running_demo, chromium) == before


def test_a_scanner_that_clicks_through_at_once_is_held(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    for _attempt in range(12):  # a busy machine takes longer than the second that a scanner may
        before = _answers(running_demo, chromium)
        with visit() as page:
            started = time.monotonic()
            with page.expect_response(lambda response: "/responses" in response.url):
                page.goto(running_demo.lines["form"], wait_until="domcontentloaded")
                for key in ("Tab", "Space", "Enter"):
                    page.keyboard.press(key)
            seconds = time.monotonic() - started
            page.wait_for_url("**/thanks*")
        if seconds < 1:
            assert _answers(running_demo, chromium) - before == {"held": 1}
            return
    pytest.fail("this machine is too slow to be a scanner")


def test_a_program_that_fills_in_everything_is_held(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    with visit() as page:
        page.goto(running_demo.lines["form"])
        page.evaluate("document.querySelector('.hp input').value = 'https://buy.example'")
        _type_answer(page, 10)
        think(page)
        page.locator("main form button[type=submit]").click()
        page.wait_for_url("**/thanks*")
        expect(page.locator("h1")).to_be_visible()
    after = _answers(running_demo, chromium)
    assert (after - before) == {"held": 1}


def test_a_person_at_the_keyboard_is_counted_and_never_meets_the_trap(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    with visit() as page:
        page.goto(running_demo.lines["form"])
        expect(page.locator(".hp")).to_be_hidden()
        assert "Leave this field" not in page.locator("main").aria_snapshot()
        _type_answer(page, 7)
        think(page)
        for _ in range(20):
            page.keyboard.press("Tab")
            focused = page.evaluate("[document.activeElement.tagName, document.activeElement.name]")
            assert focused[1] != "subject"
            if focused[0] == "BUTTON":
                break
        page.keyboard.press("Enter")
        page.wait_for_url("**/thanks*")
    assert (_answers(running_demo, chromium) - before) == {"counted": 1}


@pytest.mark.parametrize(("width", "language", "dark"), LOOKS)
def test_everybody_can_read_what_is_held(
    running_demo: Demo, visit: NarrowOrWide, width: str, language: str, dark: bool
) -> None:
    with visit() as page:
        page.goto(running_demo.lines["form"])
        page.evaluate("document.querySelector('.hp input').value = 'x'")
        _type_answer(page, 1)
        page.locator("main form button[type=submit]").click()
        page.wait_for_url("**/thanks*")
    with visit(width, language, dark=dark, signed_in=True) as page:
        read_in(language, page, running_demo)
        page.goto(f"{running_demo.dashboard}/responses?standing=held")
        page.locator("section[aria-labelledby=held] summary").first.click()
        check_page(page, language)
