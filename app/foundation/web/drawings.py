"""Charts of a page as drawings that stand alone: what the stylesheet says becomes attributes.

A file of its own has no stylesheet and knows no reader's colours, so it gets those for paper.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from xml.etree.ElementTree import Element, SubElement, fromstring, tostring

from app.foundation.web.rendering import static_text

SVG_TYPE = "image/svg+xml; charset=utf-8"
# A file that somebody opens by its address: it may draw, and nothing else.
SVG_CSP = "default-src 'none'; sandbox; frame-ancestors 'none'"
NAMESPACE = "http://www.w3.org/2000/svg"
WIDTH, MARGIN, AXIS, GAP, LINE = 840, 24, 44, 14, 18
LINE_WIDTH = 112  # letters of the smallest text that fit beside each other
FONTS = (
    "system-ui, 'Segoe UI', Roboto, 'Hiragino Sans', 'Noto Sans JP', 'Noto Sans CJK JP', sans-serif"
)
PAINT = {
    "fill", "stroke", "stroke-width", "stroke-linejoin", "stroke-linecap", "stroke-dasharray",
    "vector-effect", "opacity", "font-size", "font-weight", "paint-order",
}  # fmt: skip
FOR_PAGES = {"aria-label", "aria-labelledby", "aria-hidden", "role", "class", "tabindex", "id"}
LEFT_OUT = {"narrow", "hit"}  # what is for small screens, and what is for pressing


@dataclass(frozen=True, slots=True)
class _Rule:
    """What a class or an element looks like inside of certain classes."""

    rank: tuple[int, int]
    around: tuple[str, ...]
    classes: frozenset[str]
    tag: str
    looks: Mapping[str, str]


def stand_alone(html: str, title: str, notes: Sequence[str], description: str) -> str:
    """The charts of `html`, one below the other, under `title` and the lines of `notes`, as XML.

    `description` is for readers who do not see it.
    """
    drawings = [fromstring(text) for text in _drawings(html)]  # noqa: S314 (our own templates)
    lines = [line for note in notes for line in _wrapped(note)]
    top = 40 + LINE * len(lines) + GAP
    placed = []
    for drawing in drawings:
        placed.append(_placed(drawing, top))
        top += _height(drawing) + GAP
    root = Element("svg", {
        "xmlns": NAMESPACE, "width": str(WIDTH), "height": str(top + MARGIN - GAP),
        "viewBox": f"0 0 {WIDTH} {top + MARGIN - GAP}", "font-family": FONTS, "role": "img",
    })  # fmt: skip
    SubElement(root, "title").text = title
    SubElement(root, "desc").text = description
    colours = _colours()
    SubElement(root, "rect", {"width": "100%", "height": "100%", "fill": colours["--card"]})
    _write(root, title, 32, {"font-size": "18", "font-weight": "600", "fill": colours["--ink"]})
    for at, line in enumerate(lines):
        _write(root, line, 54 + LINE * at, {"font-size": "12", "fill": colours["--soft"]})
    root.extend(placed)
    return tostring(root, encoding="unicode") + "\n"


def _write(root: Element, text: str, y: int, looks: Mapping[str, str]) -> None:
    SubElement(root, "text", {"x": str(MARGIN), "y": str(y), **looks}).text = text


def _drawings(html: str) -> Iterator[str]:
    """The outermost drawings that are charts, as text."""
    depth, start = 0, 0
    for found in re.finditer(r"<svg\b[^>]*>|</svg>", html):
        if found[0] == "</svg>":
            depth -= 1
            if not depth and 'class="chart' in html[start : html.index(">", start)]:
                yield html[start : found.end()]
        else:
            start = start if depth else found.start()
            depth += 1


def _height(drawing: Element) -> int:
    return int(float(drawing.get("height", "0")))


def _placed(drawing: Element, top: int) -> Element:
    """The chart in its place: per cent are of the width that it has there."""
    left = MARGIN + (AXIS if "chart-axis" in drawing.get("class", "") else 0)
    painted = _painted(drawing, ())
    assert painted is not None
    painted.attrib.update(
        x=str(left), y=str(top), width=str(WIDTH - MARGIN - left), overflow="visible"
    )
    return painted


def _painted(element: Element, around: tuple[frozenset[str], ...]) -> Element | None:
    """A copy that needs neither stylesheet nor page; None for what only a page needs."""
    classes = frozenset(element.get("class", "").split())
    if classes & LEFT_OUT:
        return None
    kept = {name: value for name, value in element.attrib.items() if name not in FOR_PAGES}
    # A link leads from a page to a page: of it stays what it was around.
    copy = Element("g" if element.tag == "a" else element.tag)
    copy.attrib.update(_looks(element.tag, classes, around))
    copy.attrib.update({} if element.tag == "a" else kept)
    copy.text, copy.tail = element.text, element.tail
    inside = (*around, classes)
    copy.extend(child for part in element if (child := _painted(part, inside)) is not None)
    return copy


def _looks(tag: str, classes: frozenset[str], around: tuple[frozenset[str], ...]) -> dict[str, str]:
    everywhere = frozenset[str]().union(*around)
    looks: dict[str, str] = {}
    for rule in _rules():
        fits = rule.classes <= classes and rule.tag in ("", tag) and everywhere >= set(rule.around)
        if fits:
            looks.update(rule.looks)
    return looks


@cache
def _colours() -> Mapping[str, str]:
    """The custom properties as they are in the light."""
    root = re.search(r":root \{(.*?)\n\}", static_text("app.css"), re.DOTALL)
    assert root is not None
    return dict(re.findall(r"(--[a-z-]+): ([^;]+);", root[1]))


@cache
def _rules() -> Sequence[_Rule]:
    """What the stylesheet says about classes and elements of drawings, the weakest first."""
    css = re.sub(r"/\*.*?\*/", "", static_text("app.css"), flags=re.DOTALL)
    css = re.sub(r"@[a-z-]+[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", css)
    found = []
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", css):
        looks = {name: _resolved(value) for name, value in _declarations(body) if name in PAINT}
        found += [rule for one in selectors.split(",") if looks and (rule := _rule(one, looks))]
    return sorted(found, key=lambda rule: rule.rank)


def _declarations(body: str) -> Iterable[tuple[str, str]]:
    for line in body.split(";"):
        name, _colon, value = line.partition(":")
        yield name.strip(), value.strip()


def _resolved(value: str) -> str:
    value = re.sub(r"var\((--[a-z-]+)\)", lambda name: _colours()[name[1]], value)
    return value.replace("px", "")


def _rule(selector: str, looks: Mapping[str, str]) -> _Rule | None:
    """None for selectors that say more than classes and elements."""
    *around, last = selector.split()
    if not re.fullmatch(r"[a-z]*(\.[a-z-]+)*", last):
        return None
    if not all(re.fullmatch(r"\.[a-z-]+", part) for part in around):
        return None
    tag, *classes = last.split(".")
    rank = (len(around) + len(classes), bool(tag))
    return _Rule(rank, tuple(part[1:] for part in around), frozenset(classes), tag, looks)


def _wrapped(text: str) -> Iterator[str]:
    """The text in lines that fit, broken at its parts, which stand between middle dots."""
    line = ""
    for part in text.split(" · "):
        joined = f"{line} · {part}" if line else part
        if line and _letters(joined) > LINE_WIDTH:
            yield line
            joined = part
        line = joined
        while _letters(line) > LINE_WIDTH:
            fitting = next(
                at for at in range(len(line), 0, -1) if _letters(line[:at]) <= LINE_WIDTH
            )
            yield line[:fitting]
            line = line[fitting:]
    yield line


def _letters(text: str) -> int:
    """How wide a text is, in Latin letters: kanji and kana are two wide."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)
