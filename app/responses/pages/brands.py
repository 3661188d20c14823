"""The brand on respondents' pages: its colours as a style, where its logo is."""

from dataclasses import dataclass

from fastapi import Request

from app.accounts.colours import Palette, palettes_of
from app.accounts.schemas import Brand
from app.responses.entrances import Entrance

STYLE = ":root{{{light}}}@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}"


@dataclass(frozen=True, slots=True)
class WornBrand:
    """The brand of the survey that a page belongs to, and where its logo is."""

    brand: Brand
    slug: str

    @property
    def name(self) -> str:
        return self.brand.name

    @property
    def logo_path(self) -> str:
        """Empty without a logo."""
        logo = self.brand.logo
        return f"/s/{self.slug}/logo/{logo.hash}" if logo else ""

    @property
    def style(self) -> str:
        """Comes after the page's own style; empty where the colour is ours."""
        if self.brand.accent is None:
            return ""
        found = palettes_of(self.brand.accent)
        return STYLE.format(light=_variables(found.light), dark=_variables(found.dark))


def wear_brand(request: Request, entrance: Entrance) -> None:
    """Whatever page answers this request looks as the workspace wants it."""
    request.state.brand = WornBrand(entrance.questionnaire.brand, entrance.link.slug)


def find_brand(request: Request) -> WornBrand | None:
    """The brand of this request's page, or None where no survey is known."""
    brand: WornBrand | None = request.scope["state"].get("brand")
    return brand


def _variables(palette: Palette) -> str:
    return f"--ai:{palette.accent};--fill:{palette.fill};--on:{palette.on};--tint:{palette.tint}"
