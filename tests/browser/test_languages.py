"""Respondent's pages from right to left, and Japanese lines, in a real browser."""

import httpx
import pytest

from tests.browser.conftest import Demo, NarrowOrWide


@pytest.fixture(scope="module")
def address(running_demo: Demo) -> str:
    """A published survey in Arabic and Japanese."""
    headers = {"Authorization": f"Bearer {running_demo.lines['api key']}"}
    with httpx.Client(base_url=f"{running_demo.address}/api/v1", headers=headers) as api:
        given = {"name": "Both", "subject": "Acme Cloud", "languages": ["ar", "ja"]}
        made = api.post("/surveys", json=given).raise_for_status().json()
        api.put(f"/surveys/{made['id']}/publication").raise_for_status()
    return str(made["url"])


@pytest.mark.parametrize(("width", "last_in_row"), [("phone", 5), ("desktop", 10)])
def test_the_scale_begins_where_reading_begins(
    address: str, visit: NarrowOrWide, width: str, last_in_row: int
) -> None:
    with visit(width, "ar") as page:
        page.goto(address)
        boxes = [cell.bounding_box() for cell in page.locator(".cells span").all()]
        lefts = [box["x"] for box in boxes if box]
        row = lefts[: last_in_row + 1]
        assert row == sorted(row, reverse=True)
        assert all(box and box["width"] >= 44 and box["height"] >= 44 for box in boxes)
        low, high = (page.locator(f".ends-{end} span").bounding_box() for end in ("low", "high"))
        assert low
        assert high
        assert low["x"] + low["width"] > high["x"] + high["width"]
        assert page.locator(".cells").inner_text().split() == [str(score) for score in range(11)]


def test_japanese_lines_end_with_phrases(address: str, visit: NarrowOrWide) -> None:
    with visit("phone", "ja") as page:
        page.goto(address)
        # The last character of every line but the last, by where each character stands.
        ends = page.evaluate(
            """() => {
              const walker = document.createTreeWalker(document.querySelector('form h1'), 4)
              const range = document.createRange(), ends = []
              let before, top
              for (let node; (node = walker.nextNode());)
                for (let at = 0; at < node.length; at++) {
                  range.setStart(node, at); range.setEnd(node, at + 1)
                  const box = range.getBoundingClientRect()
                  if (top !== undefined && box.top > top + 5) ends.push(before)
                  top = box.top; before = node.data[at]
                }
              return ends
            }"""
        )
        phrases = page.locator("form h1").inner_html().split("<wbr>")
        assert len(ends) >= 1
        assert set(ends) <= {phrase[-1] for phrase in phrases} | {" "}
        assert page.locator("form h1").evaluate("e => getComputedStyle(e).wordBreak") == "keep-all"
