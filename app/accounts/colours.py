"""A workspace's colour, made legible: pure arithmetic on sRGB colours written `#rrggbb`.

Contrast as in WCAG 2.2 ("contrast ratio", "relative luminance"). A colour that has too little of it
is made darker or lighter in the HLS colour space, which keeps its hue and moves its luminance in
one direction only, by the smallest step that does.
"""

import colorsys
import re
from bisect import bisect_left
from dataclasses import dataclass
from functools import lru_cache

DEFAULT_ACCENT = "#264a83"
LEGIBLE = 4.5  # WCAG 1.4.3 for text; more than the 3 that 1.4.11 asks of edges and focus
DISTINCT = 1.25  # from here on an area is seen as one; its edge has the legible colour anyway
STEPS = 512
WHITE, BLACK = "#ffffff", "#000000"
_WRITTEN = re.compile(r"#[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Ground:
    """What the form is drawn on, as `respondent.css` has it; `tint` is the share of the accent in
    the colour under a pointer."""

    page: str
    card: str
    ink: str
    tint: float


LIGHT = Ground(page="#faf8f4", card=WHITE, ink="#1e2330", tint=0.08)
DARK = Ground(page="#13151b", card="#1b1e26", ink="#ecebe6", tint=0.14)


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of one ground: of text and edges, of filled areas, of what is written on these, and
    of what lies under a pointer."""

    accent: str
    fill: str
    on: str
    tint: str


@dataclass(frozen=True, slots=True)
class Palettes:
    """What a chosen colour becomes on light and on dark pages."""

    chosen: str
    light: Palette
    dark: Palette


# As in `respondent.css`: on dark pages our own colour was chosen, not reckoned.
OURS = Palettes(
    DEFAULT_ACCENT,
    light=Palette(accent=DEFAULT_ACCENT, fill=DEFAULT_ACCENT, on=WHITE, tint="#eef2f9"),
    dark=Palette(accent="#a9c3f0", fill="#a9c3f0", on="#10182a", tint="#232a3a"),
)


def is_colour(text: str) -> bool:
    """True for `#rrggbb` in lower case."""
    return _WRITTEN.fullmatch(text) is not None


@lru_cache(1024)
def palettes_of(accent: str) -> Palettes:
    """The legible colours nearest to `accent`, for both grounds."""
    if accent == DEFAULT_ACCENT:
        return OURS
    return Palettes(accent, _palette(accent, LIGHT), _palette(accent, DARK))


def contrast(one: str, other: str) -> float:
    """The WCAG contrast ratio of two colours, from 1 to 21."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def luminance(colour: str) -> float:
    """The WCAG relative luminance, from 0 (black) to 1 (white)."""
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _palette(accent: str, ground: Ground) -> Palette:
    legible = _legible(accent, ground)
    # A filled area has the chosen colour wherever it can be told from what is around it.
    stands_out = min(contrast(accent, ground.page), contrast(accent, ground.card)) >= DISTINCT
    fill = accent if stands_out else legible
    # One of them has 4.58 or more on any colour.
    on = WHITE if contrast(WHITE, fill) >= LEGIBLE else BLACK
    return Palette(legible, fill, on, _mixed(legible, ground.card, ground.tint))


def _legible(accent: str, ground: Ground) -> str:
    """`accent`, as far towards the ink as it takes to be read on the page and on a card."""
    hue, lightness, saturation = colorsys.rgb_to_hls(*(c / 255 for c in _channels(accent)))
    end = 0.0 if ground is LIGHT else 1.0

    def moved(step: int) -> str:
        if step == 0:
            return accent
        at = lightness + (end - lightness) * step / STEPS
        return _written(*(255 * channel for channel in colorsys.hls_to_rgb(hue, at, saturation)))

    def is_legible(step: int) -> bool:
        found = moved(step)
        return min(contrast(found, ground.page), contrast(found, ground.card)) >= LEGIBLE

    # The last step is black on light or white on dark, which is legible.
    return moved(bisect_left(range(STEPS), True, key=is_legible))


def _mixed(colour: str, ground: str, share: float) -> str:
    return _written(
        *(
            share * of_colour + (1 - share) * of_ground
            for of_colour, of_ground in zip(_channels(colour), _channels(ground), strict=True)
        )
    )


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _written(*channels: float) -> str:
    return "#" + "".join(f"{round(channel):02x}" for channel in channels)


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4
