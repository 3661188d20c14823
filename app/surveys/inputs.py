"""What may be said about a survey, one shape for API and forms; `rules` says what is allowed."""

import uuid
from datetime import date
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    StrictBool,
    StrictInt,
)
from pydantic_core import PydanticCustomError

from app.surveys.models import (
    MAX_DIMENSIONS,
    MAX_VALUES,
    MIN_GROUP_SIZE_FLOOR,
    Channel,
    DimensionSource,
)
from app.surveys.origins import MAX_ORIGINS
from app.surveys.wording import MAX_LANGUAGES

DEFAULT_GROUP_SIZE = 5
DEFAULT_RETENTION_MONTHS = 24
MAX_GROUP_SIZE = 1_000
MAX_RETENTION_MONTHS = 120
NAME_LIMIT = 120
LABEL_LIMIT = 120
CONTACT_LIMIT = 200

Texts = str | dict[str, str]  # one text for all languages, or language → text


def told(**keywords: Any) -> Any:
    """What the reference tells of an input that `rules` judges, all its problems at once."""
    return Field(json_schema_extra=keywords)


Name = Annotated[str, told(minLength=1, maxLength=NAME_LIMIT, pattern=r"\S")]
LabelText = Annotated[str, told(maxLength=LABEL_LIMIT)]
Label = LabelText | dict[str, LabelText]
Subject = (
    Annotated[str, told(minLength=1, pattern=r"\S")]
    | Annotated[dict[str, str], told(minProperties=1)]
)
_TAG = "[A-Za-z]{2,3}(-[A-Za-z]{4})?(-([A-Za-z]{2}|[0-9]{3}))?"
Language = Annotated[str, told(pattern=f"^{_TAG}$")]
# Empty as forms send it: the first of the languages.
DefaultLanguage = Annotated[str, told(pattern=f"^({_TAG})?$")]
Languages = Annotated[list[Language], told(minItems=1, maxItems=MAX_LANGUAGES, uniqueItems=True)]
GroupSize = Annotated[StrictInt, told(minimum=MIN_GROUP_SIZE_FLOOR, maximum=MAX_GROUP_SIZE)]
Months = Annotated[StrictInt, told(minimum=1, maximum=MAX_RETENTION_MONTHS)]
Contact = Annotated[str, told(maxLength=CONTACT_LIMIT)]


def iso_day(value: object) -> date | None:
    """A calendar day as ISO 8601 writes it; Pydantic alone would read numbers as moments."""
    if value is None or type(value) is date:
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "")
    except ValueError:
        raise PydanticCustomError("day", "Write a date such as 2026-04-30.") from None


Day = Annotated[date | None, BeforeValidator(iso_day)]


def input_config(example: dict[str, Any]) -> ConfigDict:
    """An unknown member is refused; the reference shows `example`."""
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class Input(BaseModel):
    """An object in which an unknown member is refused."""

    model_config = ConfigDict(extra="forbid")


_PRO: dict[str, Any] = {"key": "pro", "label": {"en": "Pro", "ja": "プロ"}}
_PLAN: dict[str, Any] = {
    "key": "plan",
    "label": {"en": "Plan", "ja": "プラン"},
    "values": [_PRO, {"key": "free", "label": {"en": "Free", "ja": "無料"}}],
    "source": "link",
}
_THANKS = (
    "Where the thank-you page leads `promoter`, `passive` or `detractor`: an https, mailto or tel "
    "address. Shown with the text `thanks_link_…` of the group; without it there is no link."
)
_SUPPORT = (
    "Whom respondents turn to for help: an e-mail address, https address or telephone number."
)
_ASKS_CONTACT = "Let respondents leave an e-mail address, which the team sees with their answer."
_ORIGINS = "Whose pages may show the form in a frame, such as https://www.acme.example."
_FEW_ORIGINS: dict[str, JsonValue] = {"maxItems": MAX_ORIGINS}
_SUBJECT = {"en": "Acme Cloud", "ja": "アクメクラウド"}


class ValueInput(Input):
    """A segment value. Its label defaults to its key."""

    model_config = input_config(_PRO)

    key: Annotated[str, told(minLength=1, maxLength=80, **{"not": {"enum": ["none", "other"]}})]
    label: Label = ""


class DimensionInput(Input):
    """A segment dimension. `source`: where its value comes from. The key never changes."""

    model_config = input_config(_PLAN)

    key: Annotated[str, told(pattern="^[a-z0-9_]{1,40}$", **{"not": {"enum": ["embed", "lang"]}})]
    label: Label = ""
    values: Annotated[list[ValueInput], told(maxItems=MAX_VALUES)] = Field(default_factory=list)
    source: DimensionSource = DimensionSource.LINK


class SurveyInput(Input):
    """A new survey. Only name and subject have to be said.

    `subject` is what is recommended, one text for all languages or one for each. `wording` maps
    language to text name to text; what is left out or empty gets the neutral default.
    `min_group_size` counts answers, `retention_months` months.
    """

    model_config = input_config(
        {
            "name": "Customer survey 2026",
            "subject": _SUBJECT,
            "languages": ["en", "ja"],
            "default_language": "en",
            "dimensions": [_PLAN],
            "min_group_size": 5,
            "retention_months": 24,
            "privacy_url": "https://acme.example/privacy",
            "embed_origins": ["https://www.acme.example"],
            "thanks_urls": {"detractor": "https://acme.example/help"},
            "support": "help@acme.example",
        }
    )

    name: Name
    subject: Subject
    languages: Languages = Field(default_factory=lambda: ["en"])
    default_language: DefaultLanguage | None = None
    wording: dict[str, dict[str, str]] = Field(default_factory=dict)
    dimensions: Annotated[list[DimensionInput], told(maxItems=MAX_DIMENSIONS)] = Field(
        default_factory=list
    )
    min_group_size: GroupSize = Field(DEFAULT_GROUP_SIZE, description="At least 3 answers.")
    retention_months: Months = Field(DEFAULT_RETENTION_MONTHS, description="1 to 120 months.")
    privacy_url: str = ""
    contact: Contact = ""
    opens_on: Day = None
    closes_on: Day = None
    embed_origins: list[str] = Field(
        default_factory=list, description=_ORIGINS, json_schema_extra=_FEW_ORIGINS
    )
    thanks_urls: dict[str, str] = Field(default_factory=dict, description=_THANKS)
    support: str = Field("", description=_SUPPORT)
    asks_contact: StrictBool = Field(False, description=_ASKS_CONTACT)


class SurveyChanges(Input):
    """What to change; members left out (or null, save the days) stay.

    `wording` is merged text by text, and an empty text brings the neutral default back;
    `thanks_urls` is merged group by group. Some of it stands once the first answer is in.
    """

    model_config = input_config(
        {"closes_on": "2026-06-30", "wording": {"en": {"thanks": "Thank you!"}}}
    )

    name: Name | None = None
    subject: Subject | None = None
    languages: Languages | None = None
    default_language: DefaultLanguage | None = None
    wording: dict[str, dict[str, str]] | None = None
    min_group_size: GroupSize | None = None
    retention_months: Months | None = None
    privacy_url: str | None = None
    contact: Contact | None = None
    opens_on: Day = None
    closes_on: Day = None
    embed_origins: list[str] | None = Field(
        None, description=_ORIGINS, json_schema_extra=_FEW_ORIGINS
    )
    thanks_urls: dict[str, str] | None = Field(None, description=_THANKS)
    support: str | None = Field(None, description=_SUPPORT)
    asks_contact: StrictBool | None = Field(None, description=_ASKS_CONTACT)


class VersionInput(Input):
    """A new wording version; members left out stay as they are in the present one."""

    model_config = input_config({"wording": {"en": {"reason_question": "Why?"}}})

    subject: Subject | None = None
    languages: Languages | None = None
    default_language: DefaultLanguage | None = None
    wording: dict[str, dict[str, str]] | None = None


class ValuesInput(Input):
    """Further values of a segment dimension."""

    model_config = input_config({"values": [_PRO]})

    values: list[ValueInput] = Field(min_length=1, json_schema_extra={"maxItems": MAX_VALUES})


class LinkInput(Input):
    """A further link to the survey. `preset` gives segment values to everyone who comes by it."""

    model_config = input_config(
        {"name": "Spring newsletter, Pro plan", "channel": "email", "preset": {"plan": "pro"}}
    )

    name: Name
    channel: Annotated[Channel, told(enum=["link", "qr", "email", "embed"])] = Channel.LINK
    preset: dict[str, str] = Field(default_factory=dict)


class LinkTarget(Input):
    """The survey a link leads to from now on."""

    model_config = input_config({"survey_id": "4f0c6a43-6f64-4d3e-8f2e-3f0c3a4be0a1"})

    survey_id: uuid.UUID
