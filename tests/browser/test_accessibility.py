"""axe-core finds nothing on any page, in both languages, light and dark, narrow and wide, and no
words of a chart lie on others."""

from collections.abc import Iterator, Mapping

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.accounts.test_logos import saved, sign
from tests.browser.conftest import WIDTHS, Demo, NarrowOrWide

LOOKS = [
    pytest.param("phone", "ja", False, id="phone-ja-light"),
    pytest.param("desktop", "en", True, id="desktop-en-dark"),
]
LANGUAGES = ("en", "ja", "ar")
RESPONDENT_LOOKS = [
    pytest.param(width, language, dark, id=f"{width}-{language}-{'dark' if dark else 'light'}")
    for width in WIDTHS
    for language in LANGUAGES
    for dark in (False, True)
]
# What WCAG 2.2 AA asks, and what its authors advise; target sizes are off unless asked for.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "rules": {"target-size": {"enabled": True}},
    "resultTypes": ["violations"],
}
VISITOR_PAGES = ("{address}/sign-in", "{address}/nowhere")
MEMBER_PAGES = (
    "{dashboard}",
    "{dashboard}/responses",
    "{dashboard}/tags",
    "{dashboard}/edit",
    "{dashboard}/share",
    "{dashboard}/shared-reports",
    "{dashboard}/deletions",
    "{surveys}",
    "{surveys}/new",
    "{workspace}/members",
    "{workspace}/api-keys",
    "{workspace}/audit",
    "{workspace}/brand",
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
        address=demo.address,
        dashboard=demo.dashboard,
        surveys=surveys,
        workspace=surveys.rpartition("/")[0],
    )


def read_in(language: str, page: Page, demo: Demo) -> None:
    """Members read in the language of their account, whatever the browser's."""
    page.goto(f"{demo.address}/account")
    page.locator("#f-locale").select_option(language)
    page.locator("form[action='/account/language'] button").click()


def check_page(page: Page, language: str) -> None:
    assert page.locator("html").get_attribute("lang") == language
    results = Axe().run(page, options=RULES)
    assert results.violations_count == 0, results.generate_report()
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0, f"the page is {width} px too wide"
    assert page.evaluate(OVERLAPS) == []


@pytest.fixture(scope="module")
def surveys(running_demo: Demo) -> Mapping[str, str]:
    """Addresses of forms by state, in all three languages, of a workspace with a difficult colour
    and a logo that needs a plate in the dark."""
    headers = {"Authorization": f"Bearer {running_demo.lines['api key']}"}
    with httpx.Client(base_url=f"{running_demo.address}/api/v1", headers=headers) as api:
        api.put("/brand", json={"name": "Acme", "accent": "#ffd400"}).raise_for_status()
        api.put("/brand/logo", content=saved(sign())).raise_for_status()
        return {
            "open": _make_survey(api, "PUT"),
            "closed": _make_survey(api, "PUT", "DELETE"),
            "draft": _make_survey(api),
        }


def _make_survey(api: httpx.Client, *states: str) -> str:
    labels = dict.fromkeys(LANGUAGES, "Plan")
    values = [{"key": key, "label": dict.fromkeys(LANGUAGES, key)} for key in ("free", "pro")]
    question = {"key": "plan", "label": labels, "source": "question", "values": values}
    given = {
        "name": "Looks", "subject": "Acme Cloud", "languages": LANGUAGES,
        "default_language": "en", "dimensions": [question],
        "privacy_url": "https://acme.example/privacy", "contact": "help@acme.example",
    }  # fmt: skip
    made = api.post("/surveys", json=given).raise_for_status().json()
    for method in states:
        api.request(method, f"/surveys/{made['id']}/publication").raise_for_status()
    return str(made["url"])


def _send(page: Page) -> None:
    page.locator("form[action*='/responses'] button[type=submit]").last.click()


@pytest.mark.parametrize(("width", "language", "dark"), RESPONDENT_LOOKS)
def test_pages_for_respondents(
    surveys: Mapping[str, str], running_demo: Demo, visit: NarrowOrWide,
    width: str, language: str, dark: bool,
) -> None:  # fmt: skip
    with visit(width, language, dark=dark) as page:
        page.goto(surveys["open"])
        check_page(page, language)
        _send(page)
        expect(page.locator(".error-summary")).to_be_focused()
        check_page(page, language)
        page.locator("input[name=score][value='9']").check(force=True)
        check_page(page, language)
        _send(page)
        page.wait_for_url("**/thanks*")
        expect(page.locator(".receipt")).to_be_visible()
        check_page(page, language)
        page.goto(surveys["open"])
        expect(page.locator("#again h1")).to_be_visible()
        check_page(page, language)
        page.goto(f"{surveys['open']}/erasure")
        check_page(page, language)
        page.locator("form button").click()
        expect(page.locator(".error-summary")).to_be_focused()
        check_page(page, language)
        for path in (
            f"{surveys['open']}/privacy",
            f"{surveys['open']}/erasure/done",
            surveys["closed"],
            surveys["draft"],
            f"{running_demo.address}/s/unknown",
        ):
            page.goto(path)
            check_page(page, language)


@pytest.mark.parametrize(("width", "language", "dark"), LOOKS)
@pytest.mark.parametrize("template", VISITOR_PAGES)
def test_pages_for_anybody(
    running_demo: Demo, visit: NarrowOrWide, template: str, width: str, language: str, dark: bool
) -> None:
    with visit(width, language, dark=dark) as page:
        page.goto(_address(template, running_demo))
        check_page(page, language)


@pytest.fixture(scope="module", params=[pytest.param(look.values, id=look.id) for look in LOOKS])
def member(
    request: pytest.FixtureRequest, running_demo: Demo, visit: NarrowOrWide
) -> Iterator[tuple[Page, str]]:
    """A member's page and its language; one for all addresses, since a context of its own for each
    takes longer than the page itself."""
    width, language, dark = request.param
    with visit(width, language, dark=dark, signed_in=True) as page:
        read_in(language, page, running_demo)
        yield page, language


@pytest.mark.parametrize("template", MEMBER_PAGES)
def test_pages_for_members(running_demo: Demo, member: tuple[Page, str], template: str) -> None:
    page, language = member
    response = page.goto(_address(template, running_demo))
    assert response is not None
    assert response.status == 200
    check_page(page, language)


def test_the_api_reference_works_under_its_policy(running_demo: Demo, visit: NarrowOrWide) -> None:
    with visit() as page:
        page.goto(running_demo.lines["api docs"])
        page.locator(".opblock").first.wait_for()
        assert page.locator(".opblock").count() > 5
