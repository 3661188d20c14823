"""A score is saved as soon as a person has chosen it, in a real browser; never by itself."""

from collections import Counter

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from tests.browser.conftest import Demo, NarrowOrWide, choose, think
from tests.browser.test_scanners import _answers

DEBOUNCE_MS = 800


def _saves(page: Page) -> list[str]:
    """The bodies of what the page saves early, as they are sent."""
    bodies: list[str] = []

    def note(request: Request) -> None:
        if request.method == "PUT":
            bodies.append(request.post_data or "")

    page.on("request", note)
    return bodies


def test_a_score_is_saved_and_the_page_stays_as_it_is(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    with visit("phone") as page:
        bodies = _saves(page)
        page.goto(running_demo.lines["form"])
        think(page)
        place = page.locator("textarea").bounding_box()
        for score in (3, 8):
            choose(page, score)
        expect(page.get_by_role("status")).to_have_text("Saved")
        assert page.locator("textarea").bounding_box() == place, "nothing jumps"
        assert len(bodies) == 1, "what was passed over is not saved"
        assert "score=8" in bodies[0]
        page.locator("textarea").fill("Not sent")
    assert _answers(running_demo, chromium) - before == {"counted": 1}


def test_closing_the_tab_saves_what_was_chosen_at_last(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    with visit() as page:
        page.goto(running_demo.lines["form"])
        page.wait_for_timeout(2_000)
        choose(page, 8)
        page.close(run_before_unload=True)
        found = Counter[str]()
        for _ in range(30):
            found = found or _answers(running_demo, chromium) - before
        assert found == {"counted": 1}


def test_sending_is_the_same_answer(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    with visit() as page:
        page.goto(running_demo.lines["form"])
        think(page)
        choose(page, 2)
        expect(page.get_by_role("status")).to_have_text("Saved")
        choose(page, 9)
        page.locator("textarea").fill("Sent after all")
        page.locator("#send").click()
        page.wait_for_url("**/thanks*")
    assert _answers(running_demo, chromium) - before == {"counted": 1}


def test_nothing_is_sent_after_a_failure_until_there_is_a_reason(
    running_demo: Demo, visit: NarrowOrWide
) -> None:
    with visit() as page:
        bodies = _saves(page)
        page.goto(running_demo.lines["form"])
        page.route("**/score?*", lambda route: route.fulfill(status=503))
        choose(page, 4)
        page.wait_for_timeout(DEBOUNCE_MS + 400)
        assert len(bodies) == 1
        expect(page.get_by_role("status")).to_have_text("")
        page.unroute("**/score?*")
        page.evaluate("dispatchEvent(new Event('online'))")
        expect(page.get_by_role("status")).to_have_text("Saved")
        assert [("number=1" in bodies[0]), ("number=2" in bodies[1])] == [True, True]


def test_the_number_goes_on_after_a_correction(running_demo: Demo, visit: NarrowOrWide) -> None:
    with visit() as page:
        bodies = _saves(page)
        page.goto(running_demo.lines["form"])
        choose(page, 4)
        expect(page.get_by_role("status")).to_have_text("Saved")
        page.locator("textarea").evaluate("area => area.value = 'x'.repeat(4001)")
        page.locator("#send").click()
        expect(page.locator(".error-summary")).to_be_visible()
        expect(page.locator("#again")).to_be_hidden()
        choose(page, 5)
        expect(page.get_by_role("status")).to_have_text("Saved")
        assert "number=2" in bodies[1]


@pytest.mark.parametrize("score", [0, 9, 10])
def test_a_link_that_names_a_score_selects_and_says_so(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide, score: int
) -> None:
    before = _answers(running_demo, chromium)
    with visit() as page:
        bodies = _saves(page)
        page.goto(f"{running_demo.lines['form']}#{score}")
        expect(page.locator(f"input[name=score][value='{score}']")).to_be_checked()
        expect(page.get_by_role("status")).to_contain_text(f"{score} is selected")
        page.evaluate("location.hash = '#7'")
        expect(page.locator("input[name=score][value='7']")).to_be_checked()
        page.evaluate("location.hash = '#11'")
        page.wait_for_timeout(DEBOUNCE_MS + 700)
        expect(page.locator("input[name=score][value='7']")).to_be_checked()
        assert bodies == []
        assert _answers(running_demo, chromium) == before
        page.locator("#send").click()
        page.wait_for_url("**/thanks*")
    assert _answers(running_demo, chromium) - before == {"counted": 1}


def test_what_was_chosen_is_not_overtaken_by_a_link(
    running_demo: Demo, chromium: Browser, visit: NarrowOrWide
) -> None:
    before = _answers(running_demo, chromium)
    with visit() as page:
        bodies = _saves(page)
        page.goto(running_demo.lines["form"])
        choose(page, 3)
        page.evaluate("location.hash = '#9'")
        page.wait_for_timeout(DEBOUNCE_MS + 700)
        assert bodies == []
    assert _answers(running_demo, chromium) - before == Counter()


def test_a_preview_saves_nothing(running_demo: Demo, visit: NarrowOrWide) -> None:
    with visit(signed_in=True) as page:
        bodies = _saves(page)
        page.goto(f"{running_demo.dashboard}/preview/form#9")
        choose(page, 3)
        page.wait_for_timeout(DEBOUNCE_MS + 700)
        assert bodies == []
        assert page.locator("#status").count() == 0
