"""axe-core finds nothing on any page, in both languages, light and dark, narrow and wide, and no
words of a chart lie on others."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import Demo, NarrowOrWide

LOOKS = [
    pytest.param("phone", "ja", False, id="phone-ja-light"),
    pytest.param("desktop", "en", True, id="desktop-en-dark"),
]
RESPONDENT_PAGES = (
    "{form}",
    "{form}/privacy",
    "{form}/thanks",
    "{form}/erasure",
    "{form}/erasure/done",
    "{address}/s/unknown",
)
VISITOR_PAGES = ("{address}/sign-in", "{address}/nowhere")
MEMBER_PAGES = (
    "{dashboard}",
    "{dashboard}/responses",
    "{dashboard}/edit",
    "{dashboard}/share",
    "{dashboard}/deletions",
    "{surveys}",
    "{surveys}/new",
    "{workspace}/members",
    "{workspace}/api-keys",
    "{workspace}/audit",
    "{workspace}/settings",
    "{workspace}/deletion",
    "{workspace}/export",
    "{address}/account",
)

# The words of each drawing that lie on others of the same drawing.
OVERLAPS = """
[...document.querySelectorAll('svg.chart')].flatMap(chart => {
  const words = [...chart.querySelectorAll('text')]
    .map(text => [text, text.getBoundingClientRect()])
    .filter(([, box]) => box.width)
  return words.flatMap(([text, box], at) => words.slice(at + 1)
    .filter(([, other]) => Math.min(box.right, other.right) - Math.max(box.left, other.left) > 1
      && Math.min(box.bottom, other.bottom) - Math.max(box.top, other.top) > 4)
    .map(([other]) => text.textContent + ' / ' + other.textContent))
})
"""


def _address(template: str, demo: Demo) -> str:
    surveys = demo.dashboard.rpartition("/")[0]
    return template.format(
        form=demo.lines["form"],
        address=demo.address,
        dashboard=demo.dashboard,
        surveys=surveys,
        workspace=surveys.rpartition("/")[0],
    )


def _read_in(language: str, page: Page, demo: Demo) -> None:
    """Members read in the language of their account, whatever the browser's."""
    page.goto(f"{demo.address}/account")
    page.locator("#f-locale").select_option(language)
    page.locator("form[action='/account/language'] button").click()


def _check(page: Page, language: str) -> None:
    assert page.locator("html").get_attribute("lang") == language
    results = Axe().run(page, options={"resultTypes": ["violations"]})
    assert results.violations_count == 0, results.generate_report()
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0, f"the page is {width} px too wide"
    assert page.evaluate(OVERLAPS) == []


@pytest.mark.parametrize(("width", "language", "dark"), LOOKS)
@pytest.mark.parametrize("template", RESPONDENT_PAGES + VISITOR_PAGES)
def test_pages_for_anybody(
    running_demo: Demo, visit: NarrowOrWide, template: str, width: str, language: str, dark: bool
) -> None:
    with visit(width, language, dark=dark) as page:
        page.goto(_address(template, running_demo))
        _check(page, language)


@pytest.mark.parametrize(("width", "language", "dark"), LOOKS)
@pytest.mark.parametrize("template", MEMBER_PAGES)
def test_pages_for_members(
    running_demo: Demo, visit: NarrowOrWide, template: str, width: str, language: str, dark: bool
) -> None:
    with visit(width, language, dark=dark, signed_in=True) as page:
        _read_in(language, page, running_demo)
        response = page.goto(_address(template, running_demo))
        assert response is not None
        assert response.status == 200
        _check(page, language)


def test_the_api_reference_works_under_its_policy(running_demo: Demo, visit: NarrowOrWide) -> None:
    with visit() as page:
        page.goto(running_demo.lines["api docs"])
        page.locator(".opblock").first.wait_for()
        assert page.locator(".opblock").count() > 5
