"""A form in somebody else's page: another origin, a strict policy of its own, a real Chromium."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import WIDTHS, watched
from tests.processes import demo, free_port

HOST_PAGE = """<!doctype html>
<html lang="{language}" dir="{direction}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>Shop</title><script src="/listen.js"></script></head>
<body><main><h1>Shop</h1><p><input aria-label="Search" autofocus></p>{embed}</main></body></html>
"""
LISTEN = """
window.heard = [];
for (const name of ["shown", "answered", "closed"]) {
  document.addEventListener("honne:" + name, event => {
    heard.push([name, event.detail, performance.now()]);
  });
}
"""
EMBEDS = {
    "inline": '<div data-honne-survey="{slug}" data-honne-segment-plan="business"></div>'
    '<script async src="{honne}/embed.v1.js"></script>',
    "tag": '<script async src="{honne}/embed.v1.js" data-honne-survey="{slug}"'
    ' data-honne-lang="ja"></script>',
    "corner": '<button type="button" data-honne-open="{slug}">Feedback</button>'
    '<script async src="{honne}/embed.v1.js" data-honne-survey="{slug}"'
    ' data-honne-mode="popover" data-honne-delay="0.3"></script>',
    "button": '<button type="button" data-honne-open="{slug}">Feedback</button>'
    '<script async src="{honne}/embed.v1.js" data-honne-survey="{slug}"'
    ' data-honne-mode="popover" data-honne-delay="never"></script>',
}
# As strict as a page can be that loads the script and shows the frame.
HOST_POLICY = "default-src 'none'; script-src 'self' {honne}; frame-src {honne}; base-uri 'none'"
DELAY_MS = 300  # of the corner
PERSON_MS = 1_200  # longer than a form must be open before it is sent
DIALOG = "[role=dialog]"


@dataclass(frozen=True, slots=True)
class Shop:
    """A running demo, and two sites that embed its form: the survey lists only the first."""

    honne: str
    slug: str
    sign_in_link: str
    survey: str
    api: httpx.Client
    site: str
    stranger: str

    def comments(self) -> list[str]:
        """The newest answers' comments."""
        rows = self.api.get(f"{self.survey}/responses", params={"limit": 200}).json()["data"]
        return [row["comment"] for row in rows]


@contextmanager
def _site(honne: str, slug: str) -> Iterator[str]:
    """A server of host pages at `/<embed>/<language>`, on a port, hence an origin, of its own."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/listen.js":
                self._send("text/javascript", LISTEN)
                return
            _root, name, language = self.path.split("/")
            embed = EMBEDS[name].format(honne=honne, slug=slug)
            direction = "rtl" if language == "ar" else "ltr"
            page = HOST_PAGE.format(language=language, direction=direction, embed=embed)
            self._send("text/html; charset=utf-8", page)

        def _send(self, kind: str, text: str) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Security-Policy", HOST_POLICY.format(honne=honne))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_args: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def shop(demo_folder: Path) -> Iterator[Shop]:
    with ExitStack() as stack:
        _process, lines = stack.enter_context(demo(demo_folder, free_port()))
        honne, slug = lines["form"].split("/s/")
        site = stack.enter_context(_site(honne, slug))
        stranger = stack.enter_context(_site(honne, slug))
        headers = {"Authorization": f"Bearer {lines['api key']}"}
        api = stack.enter_context(httpx.Client(headers=headers, timeout=60))
        [survey] = api.get(f"{honne}/api/v1/surveys").json()["data"]
        address = f"{honne}/api/v1/surveys/{survey['id']}"
        assert api.patch(address, json={"embed_origins": [site]}).status_code == 200
        yield Shop(honne, slug, lines["dashboard"], address, api, site, stranger)


Open = Callable[..., Page]


@pytest.fixture
def visitor(chromium: Browser) -> Iterator[Open]:
    """`visitor(address, width="phone")` opens a page as somebody new, watched for errors."""
    with ExitStack() as stack:

        def open_page(address: str, width: str = "desktop", *, calm: bool = False) -> Page:
            context = chromium.new_context(
                viewport={"width": WIDTHS[width], "height": 700},
                reduced_motion="reduce" if calm else "no-preference",
            )
            stack.callback(context.close)
            page = stack.enter_context(watched(context))
            page.goto(address)
            return page

        yield open_page


def _heard(page: Page, name: str) -> list[object]:
    found: list[list[object]] = page.evaluate("heard")
    return [detail for event, detail, _moment in found if event == name]


def _wait_for(page: Page, name: str) -> None:
    page.wait_for_function("name => heard.some(event => event[0] === name)", arg=name)


def _is_inside(page: Page) -> bool:
    """Whether the focus is in a frame or in a corner's dialog."""
    inside: bool = page.evaluate("!!document.activeElement.shadowRoot") or page.evaluate(
        "document.activeElement.localName === 'iframe'"
    )
    return inside


def _answer_by_keyboard(page: Page, score: int, comment: str) -> None:
    """From the control before the form on; nothing but keys."""
    frame = page.frame_locator("iframe")
    page.wait_for_timeout(PERSON_MS)
    first = frame.locator("input[name=score][value='0']")
    for _ in range(5):
        if first.evaluate("radio => document.activeElement === radio && document.hasFocus()"):
            break
        page.keyboard.press("Tab")
    expect(first).to_be_focused()
    page.keyboard.press("Space")
    for _ in range(score):
        page.keyboard.press("ArrowRight")
    expect(frame.locator(f"input[name=score][value='{score}']")).to_be_checked()
    expect(frame.locator("#status")).not_to_be_empty()  # saved, before anything is sent
    page.keyboard.press("Tab")
    page.keyboard.type(comment)
    frame.locator("form > button").focus()
    page.keyboard.press("Enter")
    expect(frame.locator("html[data-state=answered]")).to_be_attached()


def _check_with_axe(page: Page) -> None:
    for document in page.frames:
        results = Axe().run(document, options={"resultTypes": ["violations"]})
        assert results.violations_count == 0, results.generate_report()


def _leaves_nothing(context: BrowserContext) -> bool:
    return not context.cookies()


@pytest.mark.parametrize(("width", "language"), [("desktop", "en"), ("phone", "ja")])
def test_a_form_in_the_page_takes_its_height_and_an_answer(
    shop: Shop, visitor: Open, width: str, language: str
) -> None:
    page = visitor(f"{shop.site}/inline/{language}", width)
    _wait_for(page, "shown")
    frame = page.frame_locator("iframe")
    expect(frame.locator("html")).to_have_attribute("lang", language)
    wanted = frame.locator("html").evaluate("root => root.getBoundingClientRect().height")
    box = page.locator("iframe").bounding_box()
    assert box is not None
    assert abs(box["height"] - wanted) <= 1, "no scroll bar, no gap"
    assert not _is_inside(page), "the focus stays where it was"
    if language == "en":
        expect(frame.locator(".notice")).to_contain_text("also: “Plan”, “Role”")
    _check_with_axe(page)
    if width == "phone":
        cell = frame.locator("fieldset label").first.bounding_box()
        assert cell is not None
        assert cell["width"] >= 44
    page.locator("input").focus()
    comment = f"from the shop {width} {language}"
    _answer_by_keyboard(page, 9, comment)
    _wait_for(page, "answered")
    assert _heard(page, "answered") == [{"survey": shop.slug}], "once, and without the answer"
    shorter = page.locator("iframe").bounding_box()
    assert shorter is not None
    assert shorter["height"] < box["height"], "the thank-you page is shorter"
    assert shorter["y"] > -1, "and begins in sight"
    _check_with_axe(page)
    assert comment in shop.comments()
    assert _leaves_nothing(page.context)
    assert page.evaluate("localStorage.length") == 0


@pytest.mark.parametrize("width", ["phone", "desktop"])
def test_a_corner_comes_once_and_takes_no_focus(shop: Shop, visitor: Open, width: str) -> None:
    page = visitor(f"{shop.site}/corner/en", width)
    _wait_for(page, "shown")
    assert page.evaluate("heard[0][2]") >= DELAY_MS
    dialog = page.locator(DIALOG)
    expect(dialog).to_be_visible()
    expect(page.locator("input")).to_be_focused()
    question = page.frame_locator("iframe").locator("form h1").inner_text()
    expect(dialog).to_have_attribute("aria-label", question)
    expect(page.get_by_role("status")).to_have_text(question)
    _check_with_axe(page)
    width_over = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width_over <= 0
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(page.locator("input")).to_be_focused()
    assert _heard(page, "closed") == [{"survey": shop.slug}]
    assert page.evaluate("({...localStorage})") == {f"honne:{shop.slug}": "1"}, "no id"
    assert _leaves_nothing(page.context)
    page.reload()
    page.wait_for_timeout(1_000)
    expect(page.locator(DIALOG)).to_have_count(0)
    assert not _heard(page, "shown")


def test_a_button_opens_the_corner_and_gets_the_focus_back(shop: Shop, visitor: Open) -> None:
    page = visitor(f"{shop.site}/button/en")
    page.wait_for_timeout(600)
    expect(page.locator(DIALOG)).to_have_count(0)
    button = page.get_by_role("button", name="Feedback")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator(DIALOG)).to_be_visible()
    assert _is_inside(page)
    expect(page.frame_locator("iframe").locator("h1:visible")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.frame_locator("iframe").locator("input[name=score]").first).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator(DIALOG)).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    # The form is the one of before, and so is the place to go on from.
    page.frame_locator("iframe").locator("input[name=score]").first.focus()
    _answer_by_keyboard(page, 3, "from the corner")
    _wait_for(page, "answered")
    page.get_by_role("button", name="Close").click()
    expect(page.locator(DIALOG)).to_be_hidden()
    expect(button).to_be_focused()
    assert [name for name, *_rest in page.evaluate("heard")] == [
        "shown", "closed", "shown", "answered", "closed",
    ]  # fmt: skip
    assert "from the corner" in shop.comments()


def test_the_corner_follows_the_page_s_direction_and_wish_for_calm(
    shop: Shop, visitor: Open
) -> None:
    for language, is_left, calm in (("en", False, False), ("ar", True, True)):
        page = visitor(f"{shop.site}/corner/{language}", calm=calm)
        _wait_for(page, "shown")
        box = page.locator(DIALOG).bounding_box()
        assert box is not None
        assert (box["x"] < 100) is is_left
        moves = page.locator(DIALOG).evaluate("box => getComputedStyle(box).animationName")
        assert moves == ("none" if calm else "in")


def test_a_site_that_is_not_listed_is_refused_by_the_browser(shop: Shop, chromium: Browser) -> None:
    context = chromium.new_context()
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    for embed in ("inline", "corner"):
        page.goto(f"{shop.stranger}/{embed}/en")
        page.wait_for_timeout(1_500)
        assert "frame-ancestors" in " ".join(complaints)
        assert page.evaluate("heard") == []
        expect(page.frame_locator("iframe").locator("[name=score]")).to_have_count(0)
        complaints.clear()
    expect(page.locator(DIALOG)).to_be_hidden()
    context.close()


def test_what_is_refused_is_put_right_in_the_frame(shop: Shop, visitor: Open) -> None:
    page = visitor(f"{shop.site}/inline/en")
    _wait_for(page, "shown")
    frame = page.frame_locator("iframe")
    frame.locator("textarea").fill("from the shop, at the second try")
    page.wait_for_timeout(PERSON_MS)
    frame.locator("form > button").click()
    summary = frame.get_by_role("alert")
    expect(summary).to_be_focused()
    summary.get_by_role("link").click()
    expect(frame.locator("input[name=score]").first).to_be_focused()
    assert len(page.context.pages) == 1, "what helps with the form opens no other page"
    page.keyboard.press("Space")
    frame.locator("form > button").click()
    expect(frame.locator("html[data-state=answered]")).to_be_attached()
    assert "from the shop, at the second try" in shop.comments()


def test_what_leads_away_opens_a_page_of_its_own(shop: Shop, visitor: Open) -> None:
    page = visitor(f"{shop.site}/tag/en")
    _wait_for(page, "shown")
    frame = page.frame_locator("iframe")
    expect(frame.locator("html")).to_have_attribute("lang", "ja")
    with page.context.expect_page() as opened:
        frame.locator(".notice a").first.click()
    expect(opened.value.locator("h1")).to_be_visible()
    expect(frame.locator("[name=score]")).to_have_count(11)


def test_a_corner_stays_away_while_the_survey_is_closed(shop: Shop, visitor: Open) -> None:
    assert shop.api.delete(f"{shop.survey}/publication").status_code == 200
    _wait_until_it_answers(shop, 410)
    try:
        page = visitor(f"{shop.site}/corner/en")
        page.wait_for_timeout(1_500)
        expect(page.locator(DIALOG)).to_be_hidden()
        assert page.evaluate("heard") == []
        assert page.evaluate("localStorage.length") == 0, "it may come once the survey is open"
    finally:
        assert shop.api.put(f"{shop.survey}/publication").status_code == 200
        _wait_until_it_answers(shop, 200)


def _wait_until_it_answers(shop: Shop, status: int) -> None:
    """What a link leads to is remembered for two seconds."""
    for _try in range(100):
        if httpx.get(f"{shop.honne}/s/{shop.slug}").status_code == status:
            return
        time.sleep(0.1)
    pytest.fail(f"the form does not answer {status}")


def test_only_the_form_itself_is_listened_to(shop: Shop, visitor: Open) -> None:
    """The page, or another frame in it, cannot speak for the form."""
    page = visitor(f"{shop.site}/inline/en")
    _wait_for(page, "shown")
    page.evaluate("postMessage({honne: 1, state: 'answered', height: 9}, '*')")
    page.evaluate(
        "dispatchEvent(new MessageEvent('message', {data: {honne: 1, state: 'answered'},"
        " origin: 'https://evil.example', source: document.querySelector('iframe').contentWindow}))"
    )
    page.wait_for_timeout(200)
    assert _heard(page, "answered") == []
    box = page.locator("iframe").bounding_box()
    assert box is not None
    assert box["height"] > 100


def test_the_share_page_copies_and_previews(shop: Shop, chromium: Browser) -> None:
    context = chromium.new_context(locale="en", permissions=["clipboard-read", "clipboard-write"])
    came = context.request.post(shop.sign_in_link, max_redirects=0, form={})
    assert came.status == 303
    before = shop.comments()
    with watched(context) as page:
        page.goto(f"{shop.honne}{came.headers['location']}/share")
        page.get_by_role("button", name="Copy (In the page").click()
        expect(page.get_by_role("status").filter(has_text="Copied")).to_be_visible()
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied == (
            f'<div data-honne-survey="{shop.slug}"></div>\n'
            f'<script async src="{shop.honne}/embed.v1.js"></script>'
        )
        frame = page.frame_locator(".form-preview")
        frame.locator("input[name=score][value='7']").check(force=True)
        frame.locator("textarea").fill("from the preview")
        page.wait_for_timeout(PERSON_MS)
        frame.locator("form > button").click()
        expect(frame.locator("html[data-state=answered]")).to_be_attached()
        wanted = frame.locator("html").evaluate("root => root.getBoundingClientRect().height")
        page.wait_for_function(
            "wanted => Math.abs(document.querySelector('.form-preview').offsetHeight - wanted) < 4",
            arg=wanted,
        )
        _check_with_axe(page)
    assert shop.comments() == before
    context.close()
