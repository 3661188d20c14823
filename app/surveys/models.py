"""Tables of what is asked and of the links that lead to it."""

import enum
import uuid
from datetime import date, datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.accounts.models import one_of
from app.foundation.database import Base, TenantRow, UtcMoment
from app.foundation.tokens import new_id
from app.surveys.layouts import CURRENT_LAYOUT


class SurveyState(enum.StrEnum):
    DRAFT = "draft"
    PUBLISHED = "published"
    CLOSED = "closed"


class Metric(enum.StrEnum):
    NPS = "nps"


class DimensionSource(enum.StrEnum):
    """Where a segment value comes from: the link, a question on the form, or the API."""

    LINK = "link"
    QUESTION = "question"
    API = "api"


class Channel(enum.StrEnum):
    """The way an answer came in."""

    LINK = "link"
    QR = "qr"
    EMAIL = "email"
    EMBED = "embed"
    API = "api"
    IMPORT = "import"


MIN_GROUP_SIZE_FLOOR = 3
MAX_DIMENSIONS = 4
MAX_QUESTION_DIMENSIONS = 2
MAX_VALUES = 50


class Survey(TenantRow, Base):
    """One question put to many people, with its promise.

    `min_group_size` is the group minimum k (answers), `retention_months` how long rows are kept.
    `has_answers` turns true with the first answer and stays so: wording and promise then stand.
    While `held_since` names a day, a legal hold keeps every answer: none is deleted for its age.
    `layout_version` is how the scale is drawn, ever since the survey was created (see `layouts`).
    `embed_origins` are the web origins whose pages may show the form in a frame.
    `thanks_urls` maps a group of scores to where its thank-you page leads; `support` is whom
    somebody turns to who needs help; `asks_contact` lets respondents leave an e-mail address.
    `shows_steps`: its dashboard walks managers through the steps of running a survey.
    """

    __tablename__ = "surveys"
    __table_args__ = (
        one_of("state", SurveyState, "state"),
        one_of("metric", Metric, "metric"),
        CheckConstraint(f"min_group_size >= {MIN_GROUP_SIZE_FLOOR}", name="min_group_size"),
        CheckConstraint("retention_months BETWEEN 1 AND 120", name="retention_months"),
        CheckConstraint("opens_on <= closes_on", name="opens_before_closing"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[SurveyState] = mapped_column(Text, default=SurveyState.DRAFT)
    metric: Mapped[Metric] = mapped_column(Text, default=Metric.NPS)
    languages: Mapped[list[str]] = mapped_column()
    default_language: Mapped[str] = mapped_column(Text)
    min_group_size: Mapped[int] = mapped_column()
    retention_months: Mapped[int] = mapped_column()
    privacy_url: Mapped[str] = mapped_column(Text, default="")
    contact: Mapped[str] = mapped_column(Text, default="")
    opens_on: Mapped[date | None] = mapped_column()
    closes_on: Mapped[date | None] = mapped_column()
    version_number: Mapped[int] = mapped_column(default=1)
    has_answers: Mapped[bool] = mapped_column(default=False)
    held_since: Mapped[date | None] = mapped_column()
    embed_origins: Mapped[list[str]] = mapped_column(default=list)
    thanks_urls: Mapped[dict[str, str]] = mapped_column(default=dict)
    support: Mapped[str] = mapped_column(Text, default="")
    asks_contact: Mapped[bool] = mapped_column(default=False)
    layout_version: Mapped[int] = mapped_column(default=CURRENT_LAYOUT)
    shows_steps: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcMoment)


class SurveyVersion(TenantRow, Base):
    """The wording as it stood: language → text name → text (see `wording.TEXTS`)."""

    __tablename__ = "survey_versions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "survey_id"],
            ["surveys.workspace_id", "surveys.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("workspace_id", "survey_id", "number"),
        UniqueConstraint("workspace_id", "survey_id", "id"),  # answers name both
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    survey_id: Mapped[uuid.UUID] = mapped_column()
    number: Mapped[int] = mapped_column()
    wording: Mapped[dict[str, dict[str, str]]] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UtcMoment)


class SegmentDimension(TenantRow, Base):
    """One way to split the answers, with its declared values; the key never changes."""

    __tablename__ = "segment_dimensions"
    __table_args__ = (
        one_of("source", DimensionSource, "source"),
        ForeignKeyConstraint(
            ["workspace_id", "survey_id"],
            ["surveys.workspace_id", "surveys.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("workspace_id", "survey_id", "key"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    survey_id: Mapped[uuid.UUID] = mapped_column()
    key: Mapped[str] = mapped_column(Text)
    label: Mapped[dict[str, str]] = mapped_column()
    source: Mapped[DimensionSource] = mapped_column(Text)
    position: Mapped[int] = mapped_column()


class SegmentValue(TenantRow, Base):
    """A declared value; archived values stay readable but are offered no more."""

    __tablename__ = "segment_values"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "dimension_id"],
            ["segment_dimensions.workspace_id", "segment_dimensions.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("workspace_id", "dimension_id", "key"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    dimension_id: Mapped[uuid.UUID] = mapped_column()
    key: Mapped[str] = mapped_column(Text)
    label: Mapped[dict[str, str]] = mapped_column()
    position: Mapped[int] = mapped_column()
    is_archived: Mapped[bool] = mapped_column(default=False)


class SurveyLink(TenantRow, Base):
    """A way in: its channel and the segment values it presets. `slug` is unique everywhere."""

    __tablename__ = "survey_links"
    __table_args__ = (
        one_of("channel", Channel, "channel"),
        ForeignKeyConstraint(
            ["workspace_id", "survey_id"],
            ["surveys.workspace_id", "surveys.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("workspace_id", "slug"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    survey_id: Mapped[uuid.UUID] = mapped_column()
    slug: Mapped[str] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    channel: Mapped[Channel] = mapped_column(Text)
    preset: Mapped[dict[str, str]] = mapped_column(default=dict)
    is_default: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcMoment)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcMoment)


Index(
    "uq_survey_links_default",
    SurveyLink.workspace_id,
    SurveyLink.survey_id,
    unique=True,
    postgresql_where=text("is_default"),
)


class Link(Base):
    """Global look-up, without names or values: where a slug leads."""

    __tablename__ = "links"

    slug: Mapped[str] = mapped_column(Text, primary_key=True)
    workspace_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("workspaces.id", ondelete="CASCADE"))
    survey_id: Mapped[uuid.UUID] = mapped_column()
