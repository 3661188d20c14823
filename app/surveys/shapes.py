"""What the API says about surveys, versions and links."""

import uuid
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict

from app.foundation.web.openapi import ListMeta
from app.surveys.listings import ListedSurvey, SurveyDetail
from app.surveys.models import (
    Channel,
    DimensionSource,
    Metric,
    Survey,
    SurveyLink,
    SurveyState,
    SurveyVersion,
)
from app.surveys.schemas import Dimension
from app.surveys.wording import SUBJECT

_ID = "4f0c6a43-6f64-4d3e-8f2e-3f0c3a4be0a1"
_SUMMARY: dict[str, Any] = {
    "id": _ID,
    "name": "Customer survey 2026",
    "state": "published",
    "url": "https://honne.example/s/7FgB2kQz91Xw",
    "metric": "nps",
    "languages": ["en", "ja"],
    "default_language": "en",
    "has_answers": False,
    "held_since": None,
    "opens_on": None,
    "closes_on": None,
    "created_at": "2026-04-01T09:00:00Z",
}
_WORDING: dict[str, Any] = {
    "en": {
        "question": "How likely are you to recommend {X} to a friend or colleague?",
        "low_label": "Not at all likely",
        "high_label": "Extremely likely",
        "reason_question": "What is the main reason for your score?",
        "thanks": "Thank you. Your answer has been saved.",
        "thanks_detractor": "Thank you for saying so. May we help?",
        "thanks_link_detractor": "Talk to us",
        "purpose": "Your answer is used only to improve {X}.",
    }
}
_DIMENSION: dict[str, Any] = {
    "key": "plan",
    "label": {"en": "Plan", "ja": "プラン"},
    "source": "link",
    "values": [{"key": "pro", "label": {"en": "Pro", "ja": "プロ"}, "is_archived": False}],
}
_VERSION: dict[str, Any] = {
    "id": "c0a5a0a5-1f0e-4e4f-b8a7-5d6b5f3a9e21",
    "survey_id": _ID,
    "number": 2,
    "subject": {"en": "Acme Cloud"},
    "wording": _WORDING,
    "created_at": "2026-05-01T09:00:00Z",
}
_LINK: dict[str, Any] = {
    "id": "0b9a4f0e-3a52-4f5e-9a67-6f1c5a1d2c3b",
    "survey_id": _ID,
    "url": "https://honne.example/s/mC4Lr0T8vYqa",
    "name": "Spring newsletter, Pro plan",
    "channel": "email",
    "preset": {"plan": "pro"},
    "is_default": False,
    "created_at": "2026-04-01T09:00:00Z",
    "revoked_at": None,
}


def _example(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class SurveySummary(BaseModel):
    """A survey in a list. `url` is the address of its form; while a legal hold is on, `held_since`
    says since when."""

    model_config = _example(_SUMMARY)

    id: uuid.UUID
    name: str
    state: SurveyState
    url: str
    metric: Metric
    languages: list[str]
    default_language: str
    has_answers: bool
    held_since: date | None
    opens_on: date | None
    closes_on: date | None
    created_at: datetime


class ValueShape(BaseModel):
    """A segment value; archived ones are taken no more."""

    model_config = _example({"key": "pro", "label": {"en": "Pro"}, "is_archived": False})

    key: str
    label: dict[str, str]
    is_archived: bool


class DimensionShape(BaseModel):
    """A segment dimension with its values in order."""

    model_config = _example(_DIMENSION)

    key: str
    label: dict[str, str]
    source: DimensionSource
    values: list[ValueShape]


class SurveyShape(SurveySummary):
    """A survey. In `wording`, `{X}` stands for the subject; `version` counts wordings from 1.
    Pages of `embed_origins` may show the form in a frame; where there are none, no page may.
    `layout_version` is how the scale is drawn; a survey keeps it, because layouts move scores.
    `thanks_urls` maps promoter, passive and detractor to where their thank-you pages lead."""

    model_config = _example(
        {
            **_SUMMARY,
            "subject": {"en": "Acme Cloud", "ja": "アクメクラウド"},
            "wording": _WORDING,
            "version": 1,
            "dimensions": [_DIMENSION],
            "min_group_size": 5,
            "retention_months": 24,
            "privacy_url": "https://acme.example/privacy",
            "contact": "privacy@acme.example",
            "embed_origins": ["https://www.acme.example"],
            "layout_version": 1,
            "thanks_urls": {"detractor": "https://acme.example/help"},
            "support": "help@acme.example",
            "asks_contact": False,
        }
    )

    subject: dict[str, str]
    wording: dict[str, dict[str, str]]
    version: int
    dimensions: list[DimensionShape]
    min_group_size: int
    retention_months: int
    privacy_url: str
    contact: str
    embed_origins: list[str]
    layout_version: int
    thanks_urls: dict[str, str]
    support: str
    asks_contact: bool


class SurveyList(BaseModel):
    """The newest surveys first."""

    model_config = _example({"data": [_SUMMARY], "meta": {"limit": 50, "next_cursor": None}})

    data: list[SurveySummary]
    meta: ListMeta


class VersionShape(BaseModel):
    """A wording version; an answer belongs to the one it was given to."""

    model_config = _example(_VERSION)

    id: uuid.UUID
    survey_id: uuid.UUID
    number: int
    subject: dict[str, str]
    wording: dict[str, dict[str, str]]
    created_at: datetime


class VersionList(BaseModel):
    """The newest version first."""

    model_config = _example({"data": [_VERSION], "meta": {"limit": 50, "next_cursor": None}})

    data: list[VersionShape]
    meta: ListMeta


class LinkShape(BaseModel):
    """A link to the form. Everyone who comes by it has its `preset` segment values."""

    model_config = _example(_LINK)

    id: uuid.UUID
    survey_id: uuid.UUID
    url: str
    name: str
    channel: Channel
    preset: dict[str, str]
    is_default: bool
    created_at: datetime
    revoked_at: datetime | None


class LinkList(BaseModel):
    """The survey's own link first, then the newest."""

    model_config = _example({"data": [_LINK], "meta": {"limit": 50, "next_cursor": None}})

    data: list[LinkShape]
    meta: ListMeta


def form_url(public_url: str, slug: str) -> str:
    """The absolute address of the form behind a slug."""
    return f"{public_url}/s/{slug}"


def survey_summary(row: ListedSurvey, public_url: str) -> SurveySummary:
    return SurveySummary.model_validate(_summary_fields(row.survey, row.slug, public_url))


def survey_shape(detail: SurveyDetail, public_url: str) -> SurveyShape:
    survey = detail.survey
    return SurveyShape.model_validate(
        {
            **_summary_fields(survey, detail.slug, public_url),
            **_texts(detail.version),
            "version": detail.version.number,
            "dimensions": [dimension_shape(entry) for entry in detail.dimensions],
            "min_group_size": survey.min_group_size,
            "retention_months": survey.retention_months,
            "privacy_url": survey.privacy_url,
            "contact": survey.contact,
            "embed_origins": survey.embed_origins,
            "layout_version": survey.layout_version,
            "thanks_urls": survey.thanks_urls,
            "support": survey.support,
            "asks_contact": survey.asks_contact,
        }
    )


def _summary_fields(survey: Survey, slug: str, public_url: str) -> dict[str, object]:
    names = SurveySummary.model_fields.keys() - {"url"}
    return {**{name: getattr(survey, name) for name in names}, "url": form_url(public_url, slug)}


def _texts(version: SurveyVersion) -> dict[str, object]:
    """The subject beside the other texts, as it is when a survey is created."""
    return {
        "subject": {tag: texts[SUBJECT] for tag, texts in version.wording.items()},
        "wording": {
            tag: {name: text for name, text in texts.items() if name != SUBJECT}
            for tag, texts in version.wording.items()
        },
    }


def version_shape(version: SurveyVersion) -> VersionShape:
    return VersionShape.model_validate(
        {
            "id": version.id,
            "survey_id": version.survey_id,
            "number": version.number,
            "created_at": version.created_at,
            **_texts(version),
        }
    )


def dimension_shape(dimension: Dimension) -> DimensionShape:
    return DimensionShape.model_validate(dimension, from_attributes=True)


def link_shape(link: SurveyLink, public_url: str) -> LinkShape:
    names = LinkShape.model_fields.keys() - {"url"}
    fields = {name: getattr(link, name) for name in names}
    return LinkShape.model_validate({**fields, "url": form_url(public_url, link.slug)})
