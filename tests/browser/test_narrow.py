"""Long names on a phone: nothing scrolls sideways, and a choice is as wide as its names need."""

import httpx
import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Demo, NarrowOrWide
from tests.browser.test_accessibility import read_in

UNBREAKABLE = "Kundenzufriedenheitsbefragung" * 2
PLANS = ("Geschäftskundenvertrag mit einer sehr langen Bezeichnung", "無料トライアルプラン(個人)")
# Of each select that is seen: how wide its widest name is, and how wide it and its form are inside.
SELECTS = """
[...document.querySelectorAll('.filters select')].map(select => {
  const style = getComputedStyle(select), pen = document.createElement('canvas').getContext('2d')
  pen.font = style.font
  const names = [...select.options].map(option => pen.measureText(option.text).width)
  const edges = parseFloat(style.paddingLeft) + parseFloat(style.paddingRight) + 2
  const form = select.closest('form'), around = getComputedStyle(form)
  const inside = form.clientWidth - parseFloat(around.paddingLeft) - parseFloat(around.paddingRight)
  return {
    name: select.name, needed: Math.max(...names), width: select.clientWidth - edges,
    is_whole_line: select.offsetWidth >= inside - 2, cut: style.textOverflow,
  }
})
"""


@pytest.fixture(scope="module")
def long_names(running_demo: Demo) -> str:
    """The query of two surveys whose names, and the values of a dimension, are long."""
    headers = {"Authorization": f"Bearer {running_demo.lines['api key']}"}
    values = [{"key": f"p{at}", "label": plan} for at, plan in enumerate(PLANS)]
    plan = {"key": "plan", "label": UNBREAKABLE[:60], "values": values}
    made = []
    with httpx.Client(base_url=f"{running_demo.address}/api/v1", headers=headers) as api:
        for name in (UNBREAKABLE, f"{UNBREAKABLE}2"):
            given = {"name": name, "subject": "Acme", "dimensions": [plan]}
            made.append(api.post("/surveys", json=given).raise_for_status().json()["id"])
            api.put(f"/surveys/{made[-1]}/publication").raise_for_status()
            answers = [{"score": score, "segments": {"plan": "p0"}} for score in [10, 8, 3] * 4]
            sent = {"responses": answers}
            api.post(f"/surveys/{made[-1]}/responses/batch", json=sent).raise_for_status()
    return "survey=" + "&survey=".join(made)


def check_narrow(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, page.url
    for select in page.evaluate(SELECTS):
        fits = select["width"] >= select["needed"]
        assert fits or select["is_whole_line"], f"{page.url}: {select}"
        assert fits or select["cut"] == "ellipsis"


@pytest.mark.parametrize("language", ["en", "ja"])
def test_long_names_fit_on_a_phone(
    running_demo: Demo, long_names: str, visit: NarrowOrWide, language: str
) -> None:
    surveys = running_demo.dashboard.rpartition("/")[0]
    first = f"{surveys}/{long_names.partition('&')[0].removeprefix('survey=')}"
    with visit("phone", language, signed_in=True) as page:
        read_in(language, page, running_demo)
        for address in (
            running_demo.dashboard + "?period=12m", first, f"{first}?period=all&segment.plan=p1",
            f"{first}/responses", f"{first}/shared-reports", f"{first}/goals", surveys,
            f"{surveys.removesuffix('/surveys')}/results?{long_names}",
            f"{surveys.removesuffix('/surveys')}/results",
            f"{surveys.removesuffix('/surveys')}/audit",
        ):  # fmt: skip
            page.goto(address)
            for details in page.locator("form.filters summary").all():
                details.click()
            check_narrow(page)
        read_in("en", page, running_demo)
