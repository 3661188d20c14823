"""What may be said about a survey, one shape for API and forms; `rules` says what is allowed."""

import uuid
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictInt
from pydantic_core import PydanticCustomError

from app.surveys.models import Channel, DimensionSource

DEFAULT_GROUP_SIZE = 5
DEFAULT_RETENTION_MONTHS = 24

Texts = str | dict[str, str]  # one text for all languages, or language → text


def _iso_day(value: object) -> date | None:
    """A calendar day as ISO 8601 writes it; Pydantic alone would read numbers as moments."""
    if value is None or type(value) is date:
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "")
    except ValueError:
        raise PydanticCustomError("day", "Write a date such as 2026-04-30.") from None


Day = Annotated[date | None, BeforeValidator(_iso_day)]


class Input(BaseModel):
    """An object in which an unknown member is refused."""

    model_config = ConfigDict(extra="forbid")


class ValueInput(Input):
    """A segment value. Its label defaults to its key."""

    key: str = Field(examples=["pro"])
    label: Texts = Field("", examples=[{"en": "Pro", "ja": "プロ"}])


class DimensionInput(Input):
    """A segment dimension. `source`: where its value comes from. The key never changes."""

    key: str = Field(examples=["plan"])
    label: Texts = Field("", examples=[{"en": "Plan", "ja": "プラン"}])
    values: list[ValueInput] = Field(default_factory=list)
    source: DimensionSource = DimensionSource.LINK


class SurveyInput(Input):
    """A new survey. Only name and subject have to be said.

    `subject` is what is recommended, one text for all languages or one for each. `wording` maps
    language to text name to text; what is left out or empty gets the neutral default.
    `min_group_size` counts answers, `retention_months` months.
    """

    name: str = Field(examples=["Customer survey 2026"])
    subject: Texts = Field(examples=[{"en": "Acme Cloud", "ja": "アクメクラウド"}])
    languages: list[str] = Field(default_factory=lambda: ["en"], examples=[["en", "ja"]])
    default_language: str | None = Field(None, examples=["en"])
    wording: dict[str, dict[str, str]] = Field(default_factory=dict)
    dimensions: list[DimensionInput] = Field(default_factory=list)
    min_group_size: StrictInt = Field(DEFAULT_GROUP_SIZE, description="At least 3 answers.")
    retention_months: StrictInt = Field(DEFAULT_RETENTION_MONTHS, description="1 to 120 months.")
    privacy_url: str = Field("", examples=["https://acme.example/privacy"])
    contact: str = Field("", examples=["privacy@acme.example"])
    opens_on: Day = None
    closes_on: Day = None


class SurveyChanges(Input):
    """What to change; members left out (or null, save the days) stay.

    `wording` is merged text by text, and an empty text brings the neutral default back. Some of it
    stands once the first answer is in.
    """

    name: str | None = None
    subject: Texts | None = None
    languages: list[str] | None = None
    default_language: str | None = None
    wording: dict[str, dict[str, str]] | None = None
    min_group_size: StrictInt | None = None
    retention_months: StrictInt | None = None
    privacy_url: str | None = None
    contact: str | None = None
    opens_on: Day = None
    closes_on: Day = None


class VersionInput(Input):
    """A new wording version; members left out stay as they are in the present one."""

    subject: Texts | None = None
    languages: list[str] | None = None
    default_language: str | None = None
    wording: dict[str, dict[str, str]] | None = None


class ValuesInput(Input):
    """Further values of a segment dimension."""

    values: list[ValueInput] = Field(min_length=1)


class LinkInput(Input):
    """A further link to the survey. `preset` gives segment values to everyone who comes by it."""

    name: str = Field(examples=["Spring newsletter, Pro plan"])
    channel: Channel = Channel.LINK
    preset: dict[str, str] = Field(default_factory=dict, examples=[{"plan": "pro"}])


class LinkTarget(Input):
    """The survey a link leads to from now on."""

    survey_id: uuid.UUID = Field(examples=["4f0c6a43-6f64-4d3e-8f2e-3f0c3a4be0a1"])
