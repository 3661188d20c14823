"""A respondent answers in a real browser, and the owner reads it."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Demo, NarrowOrWide, choose, think

COMMENT = "サポートの返信が早くて助かります。"


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])
def test_an_answer_reaches_the_dashboard(
    running_demo: Demo, visit: NarrowOrWide, javascript: bool
) -> None:
    comment = f"{COMMENT} {'スクリプトあり' if javascript else 'スクリプトなし'}"
    with visit("phone", "ja", javascript=javascript) as page:
        page.goto(running_demo.lines["form"])
        expect(page.locator("form h1")).to_contain_text("友人や同僚に薦める可能性")
        choose(page, 9)
        page.locator("textarea").fill(comment)
        think(page)
        page.locator("form button").click()
        page.wait_for_url("**/thanks*")
        expect(page.locator("h1")).to_be_visible()
        assert not page.context.cookies(), "a respondent gets no cookie"
    with visit(signed_in=True, javascript=javascript) as page:
        page.goto(f"{running_demo.dashboard}/responses")
        expect(page.locator("main")).to_contain_text(comment)
        page.goto(running_demo.dashboard)
        expect(page.locator("main")).to_contain_text(comment)


def test_the_keyboard_is_enough(running_demo: Demo, visit: NarrowOrWide) -> None:
    with visit("desktop", "en") as page:
        page.goto(running_demo.lines["form"])
        page.keyboard.press("Tab")
        expect(page.locator("input[name=score][value='0']")).to_be_focused()
        page.keyboard.press("Space")
        for _ in range(8):
            page.keyboard.press("ArrowRight")
        expect(page.locator("input[name=score][value='8']")).to_be_checked()
        page.keyboard.press("Tab")
        expect(page.locator("textarea")).to_be_focused()
        page.keyboard.type("Answered by keyboard")
        think(page)
        while page.evaluate("document.activeElement.tagName") != "BUTTON":
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_url("**/thanks*")


def test_what_was_typed_is_kept_when_the_score_is_missing(
    running_demo: Demo, visit: NarrowOrWide
) -> None:
    with visit("phone", "en") as page:
        page.goto(running_demo.lines["form"])
        page.locator("form").evaluate("form => form.noValidate = true")
        page.locator("textarea").fill("Forgot the score")
        think(page)
        page.locator("form button").click()
        expect(page).to_have_title(re.compile("^Error:"))
        expect(page.locator("textarea")).to_have_value("Forgot the score")
        assert page.evaluate("document.activeElement.closest('[role=alert]') !== null")
        choose(page, 3)
        page.locator("form button").click()
        page.wait_for_url("**/thanks*")


def test_cells_are_large_enough_on_a_small_phone(running_demo: Demo, visit: NarrowOrWide) -> None:
    with visit("phone", "ja") as page:
        page.goto(running_demo.lines["form"])
        boxes = [
            cell.bounding_box()
            for cell in page.locator("fieldset:has(input[name=score]) label").all()
        ]
        assert len(boxes) == 11
        for box in boxes:
            assert box is not None
            assert box["width"] >= 44
            assert box["height"] >= 44
        tops = [round(box["y"]) for box in boxes if box]
        assert tops.count(tops[0]) == 6, "six above, five below"
        assert tops.count(tops[-1]) == 5
        for left, right in pairwise(boxes):
            if left and right and round(left["y"]) == round(right["y"]):
                assert right["x"] - (left["x"] + left["width"]) >= 4


def test_a_wide_screen_shows_one_row(running_demo: Demo, visit: NarrowOrWide) -> None:
    with visit("desktop", "en") as page:
        page.goto(running_demo.lines["form"])
        cells = page.locator("fieldset:has(input[name=score]) label").all()
        assert len({round((cell.bounding_box() or {"y": -1})["y"]) for cell in cells}) == 1
