"""What is asked, as a value: everything the form, the intake and the reports need to know."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from app.accounts.schemas import Brand
from app.scoring import Category
from app.surveys.layouts import CURRENT_LAYOUT
from app.surveys.models import Channel, DimensionSource, Metric, SurveyState
from app.surveys.ways import href_of
from app.surveys.wording import thanks_link_name, thanks_name

OTHER = "other"  # a declared dimension, an undeclared value
NONE = "none"  # a dimension without a value; how reports name its absence
RESERVED_VALUES = (OTHER, NONE)


def text_in(texts: Mapping[str, str], language: str, fallback: str) -> str:
    """The text in `language`, else in any language there is, else `fallback`."""
    return texts.get(language) or next(filter(None, texts.values()), fallback)


@dataclass(frozen=True, slots=True)
class Value:
    """A declared segment value; `label` maps language to text."""

    key: str
    label: Mapping[str, str]
    is_archived: bool

    def label_in(self, language: str) -> str:
        """The label a reader of `language` sees; the key where there is none."""
        return text_in(self.label, language, self.key)


@dataclass(frozen=True, slots=True)
class Dimension:
    """A declared segment dimension with its values in order."""

    key: str
    label: Mapping[str, str]
    source: DimensionSource
    values: tuple[Value, ...]

    def find_value(self, key: str) -> Value | None:
        return next((value for value in self.values if value.key == key), None)

    def label_in(self, language: str) -> str:
        """The label a reader of `language` sees; the key where there is none."""
        return text_in(self.label, language, self.key)

    @property
    def offered(self) -> tuple[Value, ...]:
        """The values that new answers may have."""
        return tuple(value for value in self.values if not value.is_archived)


@dataclass(frozen=True, slots=True)
class Thanks:
    """What somebody reads after sending, and the link offered to them, if any."""

    text: str
    link_label: str | None = None
    link_url: str | None = None


@dataclass(frozen=True, slots=True)
class Questionnaire:
    """A survey with its current wording and its dimensions in order.

    `wording` maps language to text name to text, complete for each of `languages` but for optional
    texts, with the subject in place of `{X}`.
    """

    workspace_id: uuid.UUID
    survey_id: uuid.UUID
    version_id: uuid.UUID
    version_number: int
    name: str
    state: SurveyState
    metric: Metric
    languages: tuple[str, ...]
    default_language: str
    min_group_size: int
    retention_months: int
    privacy_url: str
    contact: str
    opens_on: date | None
    closes_on: date | None
    time_zone: str
    workspace_name: str
    brand: Brand
    wording: Mapping[str, Mapping[str, str]]
    dimensions: tuple[Dimension, ...]
    has_answers: bool = False
    held_since: date | None = None
    embed_origins: tuple[str, ...] = ()
    layout_version: int = CURRENT_LAYOUT
    thanks_urls: Mapping[str, str] = field(default_factory=dict)
    support: str = ""
    asks_contact: bool = False
    shows_steps: bool = False

    def find_dimension(self, key: str) -> Dimension | None:
        return next((found for found in self.dimensions if found.key == key), None)

    @property
    def support_href(self) -> str | None:
        """What a click on `support` leads to, if it is an address or a telephone number."""
        return href_of(self.support)

    def thanks_for(self, language: str, group: Category | None) -> Thanks:
        """What the thank-you page says and where it leads; without a group, to everybody."""
        texts = self.wording[language]
        if group is None:
            return Thanks(texts["thanks"])
        text = texts.get(thanks_name(group)) or texts["thanks"]
        label, url = texts.get(thanks_link_name(group)), self.thanks_urls.get(group)
        return Thanks(text, label, url) if label and url else Thanks(text)

    def is_open_on(self, day: date) -> bool:
        """True where the survey takes answers on that workspace day."""
        return (
            self.state is SurveyState.PUBLISHED
            and (self.opens_on is None or self.opens_on <= day)
            and (self.closes_on is None or day <= self.closes_on)
        )


@dataclass(frozen=True, slots=True)
class EntryLink:
    """The link somebody came by: its channel and the segment values it presets."""

    slug: str
    workspace_id: uuid.UUID
    survey_id: uuid.UUID
    channel: Channel
    preset: Mapping[str, str]
    is_revoked: bool
