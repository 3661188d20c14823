"""How the form is drawn: the scale at every width, the brand's colour and logo, forced colours and
print."""

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, Page

from tests.accounts.test_logos import saved, sign
from tests.browser.conftest import Demo, watched

YELLOW = "rgb(255, 212, 0)"
# Where each cell stands, and what can be seen of it.
CELLS = """
[...document.querySelectorAll('.cells label')].map(label => {
  const box = label.getBoundingClientRect(), cell = label.querySelector('span')
  const style = getComputedStyle(cell)
  return {
    text: cell.textContent, x: box.x, y: box.y, width: box.width, height: box.height,
    drawn: cell.getBoundingClientRect().height,
    look: [style.backgroundColor, style.color, style.borderTopColor, style.fontWeight,
           style.outlineStyle].join(' '),
  }
})
"""


@pytest.fixture(scope="module")
def form(running_demo: Demo) -> str:
    """A form in Arabic and English, in yellow, with a logo that is dark on nothing."""
    headers = {"Authorization": f"Bearer {running_demo.lines['api key']}"}
    with httpx.Client(base_url=f"{running_demo.address}/api/v1", headers=headers) as api:
        api.put("/brand", json={"name": "Acme", "accent": "#ffd400"}).raise_for_status()
        api.put("/brand/logo", content=saved(sign())).raise_for_status()
        given = {"name": "Looks", "subject": "Acme Cloud", "languages": ["en", "ar"]}
        made = api.post("/surveys", json=given).raise_for_status().json()
        api.put(f"/surveys/{made['id']}/publication").raise_for_status()
    return str(made["url"])


@pytest.fixture
def page(chromium: Browser, form: str) -> Iterator[Page]:
    context = chromium.new_context(locale="en", viewport={"width": 320, "height": 800})
    with watched(context) as page:
        page.goto(form)
        yield page
    context.close()


def _cells(page: Page) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = page.evaluate(CELLS)
    return found


@pytest.mark.parametrize("language", ["en", "ar"])
def test_the_scale_keeps_its_layout_at_every_width(page: Page, form: str, language: str) -> None:
    """Never a vertical list: how a scale lies moves the answers given on it."""
    page.goto(f"{form}?lang={language}")
    for width in (320, 360, 414, 639, 640, 700, 768, 1280, 2560):
        page.set_viewport_size({"width": width, "height": 800})
        cells = _cells(page)
        assert [cell["text"] for cell in cells] == [str(score) for score in range(11)]
        rows = [cells] if width >= 640 else [cells[:6], cells[6:]]
        for row in rows:
            assert len({round(cell["y"]) for cell in row}) == 1, f"{width}: one line each"
            ordered = row if language == "en" else row[::-1]
            for left, right in pairwise(ordered):
                assert right["x"] - (left["x"] + left["width"]) >= 4
        assert len({round(cell["width"], 1) for cell in cells}) == 1
        for cell in cells:
            assert min(cell["width"], cell["height"], cell["drawn"]) >= 44, width
        if len(rows) == 2:
            above, below = rows
            assert below[0]["x"] == pytest.approx(above[0]["x"])
            assert below[0]["y"] - (above[0]["y"] + above[0]["height"]) >= 4
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_cells_look_alike_until_one_is_chosen(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.mouse.move(0, 0)
    assert len({cell["look"] for cell in _cells(page)}) == 1
    page.locator("input[name=score][value='3']").check(force=True)
    looks = [cell["look"] for cell in _cells(page)]
    assert len(set(looks)) == 2
    assert looks.count(looks[3]) == 1
    assert YELLOW in looks[3], "filled with the brand's colour"
    assert "rgb(0, 0, 0)" in looks[3], "black reads on yellow"
    assert looks[3].endswith(" 800 solid"), "heavier and outlined, too"


def test_a_choice_is_seen_in_forced_colours(page: Page) -> None:
    page.emulate_media(forced_colors="active")
    page.locator("input[name=score][value='10']").check(force=True)
    looks = [cell["look"] for cell in _cells(page)]
    assert len(set(looks)) == 2
    assert YELLOW not in looks[10]
    edges = page.locator(".btn").last.evaluate("e => getComputedStyle(e).borderTopStyle")
    assert edges == "solid"


def test_on_paper_there_is_no_button_and_no_night(page: Page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    style = page.locator("body").evaluate(
        "e => [getComputedStyle(e).backgroundColor, getComputedStyle(e).color]"
    )
    assert style == ["rgb(255, 255, 255)", "rgb(30, 35, 48)"]
    assert not page.locator("button[type=submit]").last.is_visible()
    assert page.locator("legend h1").is_visible()


@pytest.mark.parametrize("width", [320, 1280])
def test_the_logo_is_small_and_not_distorted(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    logo = page.get_by_role("img", name="Acme")
    box = logo.bounding_box()
    assert box
    assert box["height"] == pytest.approx(48)
    assert box["width"] == pytest.approx(192)
    assert logo.evaluate("e => e.complete && e.naturalWidth") == 480


def test_a_dark_logo_lies_on_a_plate_at_night(page: Page) -> None:
    ground = "e => getComputedStyle(e).backgroundColor"
    logo = page.locator("header img")
    assert logo.evaluate(ground) == "rgba(0, 0, 0, 0)"
    page.emulate_media(color_scheme="dark")
    assert logo.evaluate(ground) == "rgb(255, 255, 255)"


def test_links_have_the_legible_colour_and_buttons_the_brands(page: Page) -> None:
    colour = "e => getComputedStyle(e).color"
    link = page.locator(".notice a").first
    assert link.evaluate(colour) == "rgb(135, 113, 0)"
    page.emulate_media(color_scheme="dark")
    assert link.evaluate(colour) == YELLOW
    button = page.locator("button[type=submit]").last
    assert button.evaluate("e => getComputedStyle(e).backgroundColor") == YELLOW
