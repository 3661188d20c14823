"""The JSON shape of saved views."""

import uuid
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from pydantic import BaseModel, Field

from app.foundation.errors import Invalid
from app.foundation.web.openapi import ListMeta
from app.reporting.filters import MAX_LABELS
from app.reporting.page_filters import Preset, read_page_filter
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


def _metrics_query(view: SavedView, questionnaire: Questionnaire, today: date) -> str | None:
    try:
        query = read_query(view.query).model_copy(update={"category": None, "interval": None})
        asked, _preset = read_page_filter(query, questionnaire, today, Preset.ALL)
    except (Invalid, ValueError):
        return None
    if len(asked.labels) > MAX_LABELS:
        return None
    # Within a subgroup the dashboard shows no pair, and the API refuses to be asked for one.
    return replace(asked, pair=() if asked.labels else asked.pair).to_query()
