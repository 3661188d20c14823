"""A respondent takes an answer back in a real browser."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Demo, NarrowOrWide


@pytest.mark.parametrize("javascript", [True, False], ids=["scripts", "no scripts"])
def test_an_answer_is_taken_back(running_demo: Demo, visit: NarrowOrWide, javascript: bool) -> None:
    comment = f"あとで取り消します（{'スクリプトあり' if javascript else 'スクリプトなし'}）"
    with visit("phone", "ja", javascript=javascript) as page:
        page.goto(running_demo.lines["form"])
        page.locator("input[name=score][value='3']").check(force=True)
        page.locator("textarea").fill(comment)
        page.locator("form button").click()
        page.wait_for_url("**/thanks*")
        receipt = page.locator(".receipt").inner_text()
        page.reload()
        expect(page.locator(".receipt")).to_have_text(receipt)
        page.locator("main a").click()
        page.wait_for_url("**/erasure?lang=ja")
        page.locator("textarea").fill(receipt[:-1])
        page.locator("form button").click()
        expect(page).to_have_title(re.compile("^エラー"))
        expect(page.locator("textarea")).to_have_value(receipt[:-1])
        expect(page.locator(".error-summary")).to_be_focused()
        page.locator("textarea").fill(receipt.lower())
        page.locator("form button").click()
        page.wait_for_url("**/erasure/done?lang=ja")
        expect(page.locator("h1")).to_have_text("回答を削除しました")
        assert not page.context.cookies(), "a respondent gets no cookie"
    with visit(signed_in=True, javascript=javascript) as page:
        page.goto(f"{running_demo.dashboard}/responses")
        expect(page.locator("main")).not_to_contain_text(comment)


def test_one_click_selects_the_whole_receipt(running_demo: Demo, visit: NarrowOrWide) -> None:
    with visit("phone", "en") as page:
        page.goto(running_demo.lines["form"])
        page.locator("input[name=score][value='10']").check(force=True)
        page.locator("form button").click()
        page.wait_for_url("**/thanks*")
        page.locator(".receipt").click()
        selected = page.evaluate("getSelection().toString()")
        assert selected.strip() == page.locator(".receipt").inner_text()
