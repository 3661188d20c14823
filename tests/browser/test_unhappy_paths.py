"""Offline, twice, back again, two tabs, no storage, no script: no answer is lost or doubled."""

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import Demo, NarrowOrWide, choose, think
from tests.browser.test_accessibility import check_page
from tests.browser.test_scanners import _answers

ALREADY = "You have already answered."


def _answer(page: Page, demo: Demo, score: int = 9) -> None:
    page.goto(demo.lines["form"])
    choose(page, score)
    think(page)
    page.locator("#send").click()
    page.wait_for_url("**/thanks*")


def test_offline_everything_stays_and_goes_out_later(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    with visit("phone") as page:
        page.goto(running_demo.lines["form"])
        choose(page, 6)
        page.locator("textarea").fill("Written in the underground")
        think(page)
        page.context.set_offline(True)
        page.locator("#send").click()
        expect(page.locator("#offline")).to_contain_text("You are offline.")
        check_page(page, "en")
        expect(page.locator("textarea")).to_have_value("Written in the underground")
        page.context.set_offline(False)
        expect(page.locator("#offline")).to_be_hidden()
        page.locator("#send").click()
        page.wait_for_url("**/thanks*")
    assert _answers(running_demo, chromium) - before == {"counted": 1}


def test_a_double_click_sends_once(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    with visit() as page:
        sent: list[str] = []
        page.on("request", lambda request: sent.append(request.method))
        page.goto(running_demo.lines["form"])
        choose(page, 6)
        think(page)
        page.locator("#send").dblclick(no_wait_after=True)
        page.wait_for_url("**/thanks*")
        assert sent.count("POST") == 1
    assert _answers(running_demo, chromium) - before == {"counted": 1}


def test_enter_that_ends_a_composition_sends_nothing(
    running_demo: Demo, visit: NarrowOrWide
) -> None:
    with visit("phone", "ja") as page:
        page.goto(running_demo.lines["form"])
        choose(page, 6)
        page.locator("textarea").focus()
        ime = page.context.new_cdp_session(page)
        ime.send(
            "Input.imeSetComposition",
            {"text": "にほんご", "selectionStart": 4, "selectionEnd": 4},
        )
        for kind in ("rawKeyDown", "keyUp"):
            ime.send("Input.dispatchKeyEvent", {"type": kind, "windowsVirtualKeyCode": 229})
        ime.send("Input.insertText", {"text": "日本語"})
        page.keyboard.press("Enter")
        page.wait_for_timeout(500)
        assert "/thanks" not in page.url
        expect(page.locator("textarea")).to_have_value("日本語\n")


def test_going_back_says_that_it_was_sent_and_changes_the_same_answer(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    with visit("phone") as page:
        _answer(page, running_demo, 9)
        page.reload()
        expect(page.locator("h1")).to_be_visible()
        page.go_back()
        expect(page.get_by_role("heading", name=ALREADY)).to_be_visible()
        expect(page.locator("form")).to_be_hidden()
        check_page(page, "en")
        page.get_by_role("button", name="Change my answer").click()
        expect(page.locator("form")).to_be_visible()
        choose(page, 2)
        page.wait_for_timeout(1_200)
        expect(page.get_by_role("status")).to_have_text("")
        page.locator("#send").click()
        page.wait_for_url("**/thanks*")
    assert _answers(running_demo, chromium) - before == {"counted": 1}


def test_a_shared_tablet_needs_one_tap(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    with visit() as page:
        for _person in range(2):
            page.goto(running_demo.lines["form"])
            other = page.get_by_role("button", name="Answer as somebody else")
            if other.is_visible():
                other.click()
            expect(page.locator("input[name=score]:checked")).to_have_count(0)
            choose(page, 5)
            think(page)
            page.locator("#send").click()
            page.wait_for_url("**/thanks*")
    assert _answers(running_demo, chromium) - before == {"counted": 2}


def test_a_link_that_names_a_score_is_for_the_next_person_too(
    running_demo: Demo, visit: NarrowOrWide
) -> None:
    with visit("phone", "ja") as page:
        _answer(page, running_demo, 3)
        page.goto(f"{running_demo.lines['form']}#9")
        page.locator("#again button[name=other]").click()
        expect(page.locator("input[name=score][value='9']")).to_be_checked()
        expect(page.get_by_role("status")).to_contain_text("9を選択中")


def test_two_tabs_are_two_answers(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    with visit() as page:
        second = page.context.new_page()
        second.goto(running_demo.lines["form"])
        _answer(page, running_demo, 9)
        expect(second.locator("#again")).to_be_hidden()
        choose(second, 1)
        second.locator("#send").click()
        second.wait_for_url("**/thanks*")
    assert _answers(running_demo, chromium) - before == {"counted": 2}


def test_what_was_refused_is_not_said_to_be_answered(
    running_demo: Demo, visit: NarrowOrWide
) -> None:
    with visit() as page:
        page.goto(running_demo.lines["form"])
        page.locator("#send").click()
        expect(page).to_have_title(re.compile("^Error:"))
        page.goto(running_demo.lines["form"])
        expect(page.locator("form")).to_be_visible()
        expect(page.locator("#again")).to_be_hidden()


def test_a_browser_without_storage_is_no_worse_off(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    with visit() as page:
        page.add_init_script(
            "Object.defineProperty(window, 'sessionStorage',"
            " {get() { throw new DOMException('no', 'SecurityError') }})"
        )
        _answer(page, running_demo)
        page.goto(running_demo.lines["form"])
        expect(page.locator("form")).to_be_visible()
    assert _answers(running_demo, chromium) - before == {"counted": 1}


def test_without_scripts_nothing_of_all_this_shows(running_demo: Demo, visit: NarrowOrWide) -> None:
    with visit("phone", javascript=False) as page:
        _answer(page, running_demo)
        page.goto(running_demo.lines["form"])
        for hidden in ("#again", "#offline"):
            expect(page.locator(hidden)).to_be_hidden()
        expect(page.locator("form")).to_be_visible()


def test_sending_can_be_tried_again_where_the_net_was_lost(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    with visit() as page:
        page.goto(running_demo.lines["form"])
        choose(page, 6)
        page.locator("textarea").fill("Kept")
        think(page)
        page.route("**/responses?*", lambda route: route.fulfill(status=204))
        page.locator("#send").click()
        expect(page.locator("#send")).to_have_attribute("aria-disabled", "true")
        expect(page.locator("#send")).not_to_have_attribute("aria-disabled", "true", timeout=9_000)
        page.unroute("**/responses?*")
        page.locator("#send").click()
        page.wait_for_url("**/thanks*")
    assert _answers(running_demo, chromium) - before == {"counted": 1}


@pytest.mark.parametrize("width", ["phone", "desktop"])
@pytest.mark.parametrize(("language", "dark"), [("ja", True), ("en", False)])
def test_everybody_can_read_that_they_have_answered(
    running_demo: Demo, visit: NarrowOrWide, width: str, language: str, dark: bool
) -> None:
    with visit(width, language, dark=dark) as page:
        _answer(page, running_demo)
        page.goto(running_demo.lines["form"])
        expect(page.locator("#again h1")).to_be_visible()
        check_page(page, language)
