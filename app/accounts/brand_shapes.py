"""What the API says about a workspace's brand."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from app.accounts.colours import DEFAULT_ACCENT, palettes_of
from app.accounts.models import LogoGround, LogoType
from app.accounts.schemas import Brand

_LOGO: JsonDict = {
    "type": "image/webp",
    "hash": "5f0c2a6d4f9b4b1f8f0e7c3b2a1d9e8c",
    "width": 240,
    "height": 64,
    "ground": "light",
}
_EXAMPLE: JsonDict = {
    "name": "Acme Cloud",
    "accent": "#ffd400",
    "logo": _LOGO,
    "colours": {
        "light": {"accent": "#877100", "fill": "#ffd400", "on": "#000000", "tint": "#f5f4eb"},
        "dark": {"accent": "#ffd400", "fill": "#ffd400", "on": "#000000", "tint": "#3b3721"},
    },
}


class BrandInput(BaseModel):
    """Both are replaced: left out or null, a name is the workspace's and a colour is Honne's."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"example": {"name": "Acme Cloud", "accent": "#ffd400"}},
    )

    name: str | None = Field(None, max_length=100)
    accent: str | None = Field(None, pattern="^#[0-9a-fA-F]{6}$", description="`#rrggbb`")


class LogoShape(BaseModel):
    """The logo as it is kept. The form shows it from its own address, followed by
    `/logo/` and the `hash`. `ground` says on which pages it is seen without a plate behind it."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": _LOGO})

    type: LogoType
    hash: str
    width: Annotated[int, Field(description="pixels")]
    height: Annotated[int, Field(description="pixels")]
    ground: LogoGround


class PaletteShape(BaseModel):
    """Colours in use: of text and edges, of filled areas, of the text on these, under a pointer."""

    model_config = ConfigDict(from_attributes=True)

    accent: str
    fill: str
    on: str
    tint: str


class ColoursShape(BaseModel):
    """What becomes of the colour on light and on dark pages."""

    model_config = ConfigDict(from_attributes=True)

    light: PaletteShape
    dark: PaletteShape


class BrandShape(BaseModel):
    """How the workspace looks to respondents. `accent` is what was chosen; where it is too light or
    too dark to be read (less than 4.5:1), `colours` hold the nearest ones that are not."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra={"example": _EXAMPLE})

    name: str
    accent: str | None
    logo: LogoShape | None
    colours: ColoursShape

    @classmethod
    def of(cls, brand: Brand) -> "BrandShape":
        logo = LogoShape.model_validate(brand.logo) if brand.logo else None
        colours = ColoursShape.model_validate(palettes_of(brand.accent or DEFAULT_ACCENT))
        return cls(name=brand.name, accent=brand.accent, logo=logo, colours=colours)
