"""Whatever colour a workspace chooses, what is drawn with it can be read."""

import colorsys
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.colours import (
    DARK,
    DEFAULT_ACCENT,
    DISTINCT,
    LEGIBLE,
    LIGHT,
    Ground,
    Palette,
    contrast,
    is_colour,
    luminance,
    palettes_of,
)
from app.foundation.web.rendering import static_text

COLOURS = st.integers(0, 0xFFFFFF).map(lambda number: f"#{number:06x}")
GROUNDS = [pytest.param(LIGHT, id="light"), pytest.param(DARK, id="dark")]


def _palette(colour: str, ground: Ground) -> Palette:
    palettes = palettes_of(colour)
    return palettes.light if ground is LIGHT else palettes.dark


def _hue(colour: str) -> float:
    hue, _lightness, _saturation = colorsys.rgb_to_hls(
        *(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))
    )
    return hue


def _check(colour: str, ground: Ground) -> None:
    found = _palette(colour, ground)
    for behind in (ground.page, ground.card):
        assert contrast(found.accent, behind) >= LEGIBLE
        assert contrast(found.fill, behind) >= DISTINCT
    assert contrast(found.on, found.fill) >= LEGIBLE
    assert contrast(ground.ink, found.tint) >= LEGIBLE
    assert contrast(found.accent, found.tint) >= 3, "an edge around what is under a pointer"
    assert all(map(is_colour, (found.accent, found.fill, found.on, found.tint)))


@given(COLOURS)
def test_any_colour_becomes_legible(colour: str) -> None:
    for ground in (LIGHT, DARK):
        _check(colour, ground)


@pytest.mark.parametrize("ground", GROUNDS)
def test_every_hue_at_every_lightness_becomes_legible(ground: Ground) -> None:
    for hue in range(0, 360, 15):
        for lightness in range(0, 101, 10):
            for saturation in (0, 0.5, 1):
                rgb = colorsys.hls_to_rgb(hue / 360, lightness / 100, saturation)
                _check("#" + "".join(f"{round(255 * channel):02x}" for channel in rgb), ground)


@given(COLOURS)
def test_a_legible_colour_stays_as_it_is(colour: str) -> None:
    for ground in (LIGHT, DARK):
        found = _palette(colour, ground)
        is_legible = min(contrast(colour, ground.page), contrast(colour, ground.card)) >= LEGIBLE
        assert (found.accent == colour) is is_legible
        assert _palette(found.accent, ground).accent == found.accent


@given(COLOURS)
def test_it_is_moved_no_further_than_it_takes(colour: str) -> None:
    for ground in (LIGHT, DARK):
        found = _palette(colour, ground)
        if found.accent != colour:
            nearest = min(contrast(found.accent, ground.page), contrast(found.accent, ground.card))
            assert nearest < LEGIBLE + 0.25


@pytest.mark.parametrize("colour", ["#ffd400", "#ff0000", "#00b894", "#0000ff", "#e91e63"])
def test_the_hue_is_kept(colour: str) -> None:
    for ground in (LIGHT, DARK):
        assert _hue(_palette(colour, ground).accent) == pytest.approx(_hue(colour), abs=0.01)


def test_contrast_is_that_of_the_guidelines() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)
    assert contrast("#123456", "#123456") == 1
    assert luminance("#ff0000") == pytest.approx(0.2126)


def test_the_grounds_are_those_of_the_style() -> None:
    """Numbers in two places: the form's style and what contrast is reckoned against."""
    roots = re.findall(r":root\{([^}]*)\}", static_text("respondent.css"))
    palettes = palettes_of(DEFAULT_ACCENT)
    assert palettes.light.accent == DEFAULT_ACCENT
    for ground, ours, variables in (
        (LIGHT, palettes.light, roots[0]),
        (DARK, palettes.dark, roots[1]),
    ):
        found = dict(re.findall(r"--(\w+):([^;]+)", variables))
        found |= {name: "#ffffff" for name, value in found.items() if value == "#fff"}
        assert (found["bg"], found["card"], found["ink"]) == (ground.page, ground.card, ground.ink)
        assert (found["ai"], found["on"], found["tint"]) == (ours.accent, ours.on, ours.tint)
        for name in ("ai", "soft", "bad"):
            assert contrast(found[name], ground.page) >= LEGIBLE
            assert contrast(found[name], ground.card) >= LEGIBLE
        assert contrast(found["edge"], ground.page) >= 3
        assert contrast(found["edge"], ground.card) >= 3


@pytest.mark.parametrize(
    "text", ["", "red", "#fff", "#GGGGGG", "#12345", "#1234567", "#ABCDEF", "#123456\n", "＃123456"]
)
def test_what_is_no_colour(text: str) -> None:
    assert not is_colour(text)
