"""The JSON shape of saved views."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from urllib.parse import urlencode

from pydantic import BaseModel, Field

from app.foundation.errors import Invalid
from app.foundation.web.openapi import ListMeta
from app.reporting.asked_together import AskedTogether
from app.reporting.filters import MAX_LABELS
from app.reporting.page_filters import DashboardQuery, Preset, read_page_filter
from app.reporting.stored_queries import read_query
from app.reporting.view_tables import SavedView
from app.reporting.views import MAX_VIEWS
from app.surveys.schemas import Questionnaire


class ViewOut(BaseModel):
    """A filter of the dashboard under a name. `query` is the dashboard's query string,
    `metrics_query` what asks for the same figures of `GET /metrics` today (null where the survey
    has lost a dimension or value that the view names, or the view combines more than two)."""

    id: uuid.UUID
    name: str = Field(examples=["Board meeting"])
    query: str = Field(examples=["period=90d&segment.plan=pro&compare=year"])
    metrics_query: str | None = Field(
        examples=["since=2026-04-12&until=2026-07-10&segment.plan=pro&compare=year"]
    )
    is_default: bool = Field(description="Whether the dashboard opens with it", examples=[True])

    @classmethod
    def of(cls, view: SavedView, questionnaire: Questionnaire, today: date) -> "ViewOut":
        return cls(
            id=view.id,
            name=view.name,
            query=view.query,
            metrics_query=_metrics_query(view, questionnaire, today),
            is_default=view.is_default,
        )


class ViewList(BaseModel):
    """The saved views of a survey by name."""

    data: list[ViewOut]
    meta: ListMeta

    @classmethod
    def of(
        cls, views: Sequence[SavedView], questionnaire: Questionnaire, today: date
    ) -> "ViewList":
        return cls(
            data=[ViewOut.of(view, questionnaire, today) for view in views],
            meta=ListMeta(limit=MAX_VIEWS, next_cursor=None),
        )


class SeveralViewOut(BaseModel):
    """A filter of several surveys together under a name. `query` is the page's query string,
    `metrics_query` what asks for the same figures of `GET /metrics` today (null where one of the
    surveys is gone, where they do not all have a dimension or value that the view names, or where
    the view combines more than two)."""

    id: uuid.UUID
    name: str = Field(examples=["All waves"])
    query: str = Field(examples=["period=12m&survey=0198c0de-0000-7000-8000-000000000001&survey=…"])
    metrics_query: str | None = Field(
        examples=["survey_id=0198c0de-0000-7000-8000-000000000001&survey_id=…&since=2026-01-01"]
    )

    @classmethod
    def of(cls, view: SavedView, asked: AskedTogether | None) -> "SeveralViewOut":
        query = _common_query(asked) if asked else None
        return cls(id=view.id, name=view.name, query=view.query, metrics_query=query)


class SeveralViewList(BaseModel):
    """The saved views of several surveys by name."""

    data: list[SeveralViewOut]
    meta: ListMeta

    @classmethod
    def of(
        cls, views: Sequence[SavedView], asked: Sequence[AskedTogether | None]
    ) -> "SeveralViewList":
        return cls(
            data=[SeveralViewOut.of(*pair) for pair in zip(views, asked, strict=True)],
            meta=ListMeta(limit=MAX_VIEWS, next_cursor=None),
        )


def _common_query(of: AskedTogether) -> str | None:
    if not of.is_whole or len(of.asked.labels) > MAX_LABELS:
        return None
    surveys = [("survey_id", str(survey.survey_id)) for survey in of.surveys.each]
    address = urlencode([*surveys, ("against", of.against.value)])
    query = replace(of.asked, interval=None).to_query()
    return f"{address}&{query}" if query else address


def _metrics_query(view: SavedView, questionnaire: Questionnaire, today: date) -> str | None:
    try:
        query = read_query(DashboardQuery, view.query).model_copy(
            update={"category": None, "interval": None}
        )
        asked, _preset = read_page_filter(query, questionnaire, today, Preset.ALL)
    except (Invalid, ValueError):
        return None
    if len(asked.labels) > MAX_LABELS:
        return None
    # Within a subgroup the dashboard shows no pair, and the API refuses to be asked for one.
    return replace(asked, pair=() if asked.labels else asked.pair).to_query()
