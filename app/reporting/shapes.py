"""The JSON shapes of figures and of answers."""

import uuid
from datetime import date, datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from app.reporting.buckets import Compare, Interval, Period, month_end
from app.reporting.contrasts import Contrast, contrasts
from app.reporting.cross_shapes import CellOut, HiddenCellOut, cells_out
from app.reporting.figure_shapes import (
    ChangeOut,
    FiguresOut,
    HiddenOut,
    WindowOut,
    figures_out,
)
from app.reporting.filters import SEGMENT_PREFIX, ReportFilter
from app.reporting.listing import ListedResponse, Listing
from app.reporting.metrics import Group, Metrics, SeriesPoint
from app.reporting.movement_shapes import MovementOut, movement_out
from app.responses.shapes import EXAMPLE, ResponseShape
from app.scoring import DEFAULT_CONFIDENCE, Category
from app.surveys.models import Channel


class GroupOut(FiguresOut):
    """The figures of one value of the split; `none` are answers without a value."""

    key: str = Field(examples=["pro"])
    suppressed: bool = Field(False, examples=[False])
    response_percent: float = Field(
        description="Share of the answers of all values that are shown", examples=[42.5]
    )
    difference: ChangeOut | None = Field(
        description="From all other values that are shown, together; the p-value is corrected for "
        "the number of values"
    )
    change: ChangeOut | None = Field(description="Since the months of `groups_compared_window`")


class HiddenGroupOut(HiddenOut):
    key: str = Field(examples=["enterprise"])


class PointOut(FiguresOut):
    """The figures of one stretch of a series."""

    since: date
    until: date
    suppressed: bool = Field(False, examples=[False])


class HiddenPointOut(HiddenOut):
    since: date
    until: date


class CommonFiltersOut(BaseModel):
    """The filters of one survey or of several, as they were asked for."""

    since: date | None
    until: date | None
    segments: dict[str, str] = Field(examples=[{"plan": "pro"}])
    language: str | None
    channel: Channel | None
    group_by: str | None = Field(examples=["plan"])
    pair: str | None = Field(examples=["plan,region"])
    interval: Interval | None
    compare: Compare


class FiltersOut(CommonFiltersOut):
    """The filters as they were asked for."""

    survey_id: uuid.UUID


class CommonMetricsOut(BaseModel):
    """The figures of a filter, of one survey or of several together.

    A suppressed subgroup has null for every figure. `window` are the days that the figures are
    about: subgroups exist by whole, settled months inside the days asked for, and are null where
    there is none. `covered` says which of these months a subgroup's figures are of. `change` is
    the one since `compared_window`, null where there is nothing to compare with.
    `groups` and `series` are there when asked for.
    """

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)

    suppressed: bool
    nps: float | None = Field(examples=[25.0])
    nps_low: float | None = Field(examples=[9.4787])
    nps_high: float | None = Field(examples=[39.0649])
    confidence: float = Field(examples=[0.95])
    response_count: int | None = Field(examples=[100])
    promoter_count: int | None = Field(examples=[45])
    promoter_percent: float | None = Field(examples=[45.0])
    passive_count: int | None = Field(examples=[35])
    passive_percent: float | None = Field(examples=[35.0])
    detractor_count: int | None = Field(examples=[20])
    detractor_percent: float | None = Field(examples=[20.0])
    distribution: list[int] | None = Field(examples=[[1, 0, 2, 2, 3, 5, 7, 15, 20, 25, 20]])
    covered: list[WindowOut] | None
    held_count: int | None = Field(description="Answers kept out for review", examples=[0])
    excluded_count: int | None = Field(description="Answers excluded by hand", examples=[0])
    is_month_cut: bool = Field(
        False,
        description="Whether a month past its retention, of which only the whole is known, lies in "
        "the window in part: its answers are missing from these figures",
    )
    window: WindowOut | None
    compared_window: WindowOut | None
    change: ChangeOut | None
    groups_window: WindowOut | None
    groups_compared_window: WindowOut | None
    groups: list[GroupOut | HiddenGroupOut] | None
    cells: list[CellOut | HiddenCellOut] | None = Field(
        description="With `pair`: the months of `groups_window`"
    )
    series: list[PointOut | HiddenPointOut] | None
    min_group_size: int = Field(examples=[5])
    as_of: datetime


class MetricsOut(CommonMetricsOut):
    """The figures of a filter, see `CommonMetricsOut`."""

    survey_id: uuid.UUID
    filters: FiltersOut
    movement: MovementOut | None = Field(
        description="With `group_by`, and where there is a period to compare with"
    )

    @classmethod
    def of(cls, metrics: Metrics, min_group_size: int) -> "MetricsOut":
        asked = metrics.filter
        filters = FiltersOut(survey_id=asked.survey_id, **filter_members(asked))
        movement = movement_out(metrics, min_group_size) if asked.group_by else None
        members = metrics_members(metrics, min_group_size)
        return cls(survey_id=asked.survey_id, filters=filters, movement=movement, **members)


def metrics_members(metrics: Metrics, min_group_size: int) -> dict[str, Any]:
    """The members of `CommonMetricsOut`."""
    asked = metrics.filter
    figures = dict.fromkeys(FiguresOut.model_fields) | {"confidence": DEFAULT_CONFIDENCE}
    if metrics.figures:
        figures = figures_out(metrics.figures).model_dump()
    is_split = bool(asked.group_by or asked.pair)
    groups_period = metrics.groups_period if is_split else None
    groups_compared = metrics.groups_compared if asked.group_by else None
    return {
        **figures,
        "suppressed": metrics.figures is None,
        "held_count": metrics.held,
        "excluded_count": metrics.excluded,
        "is_month_cut": metrics.is_month_cut,
        "window": WindowOut.of(metrics.period) if metrics.period else None,
        "compared_window": WindowOut.of(metrics.compared) if metrics.compared else None,
        "change": ChangeOut.of(metrics.change),
        "groups_window": WindowOut.of(groups_period) if groups_period else None,
        "groups_compared_window": WindowOut.of(groups_compared) if groups_compared else None,
        "groups": _groups_out(metrics) if asked.group_by else None,
        "cells": cells_out(metrics.cross) if metrics.cross else None,
        "series": [_point_out(at) for at in metrics.series] if asked.interval else None,
        "min_group_size": min_group_size,
        "as_of": metrics.as_of,
    }


def filter_members(asked: ReportFilter) -> dict[str, Any]:
    """The members of `CommonFiltersOut`."""
    return {
        "since": asked.since,
        "until": asked.until,
        "segments": dict(asked.segments),
        "language": asked.language,
        "channel": asked.channel,
        "group_by": asked.group_by[0].removeprefix(SEGMENT_PREFIX) if asked.group_by else None,
        "pair": ",".join(name.removeprefix(SEGMENT_PREFIX) for name in asked.pair) or None,
        "interval": asked.interval,
        "compare": asked.compare,
    }


def _groups_out(metrics: Metrics) -> list[GroupOut | HiddenGroupOut]:
    return [
        _group_out(group, contrast)
        for groups in metrics.groups.values()
        for group, contrast in zip(groups, contrasts(groups), strict=True)
    ]


def _group_out(group: Group, contrast: Contrast) -> GroupOut | HiddenGroupOut:
    if group.figures is None or contrast.percent is None:
        return HiddenGroupOut(key=group.value, suppressed=True)
    return GroupOut(
        key=group.value,
        suppressed=False,
        response_percent=contrast.percent,
        difference=ChangeOut.of(contrast.difference),
        change=ChangeOut.of(group.change),
        **figures_out(group.figures).model_dump(),
    )


def _point_out(point: SeriesPoint) -> PointOut | HiddenPointOut:
    since, until = point.period.since, point.period.until
    assert since is not None
    assert until is not None
    if point.figures is None:
        return HiddenPointOut(since=since, until=until, suppressed=True)
    figures = figures_out(point.figures).model_dump()
    return PointOut(since=since, until=until, suppressed=False, **figures)


class ListedResponseOut(ResponseShape):
    """An answer with its day, its tags (names) and star. Where `has_contact`, an address was left
    with it, to be read with `GET …/responses/{id}/contact`."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {**EXAMPLE, "has_contact": False, "tags": ["Delivery"], "starred": True}
        }
    )

    has_contact: bool
    tags: list[str]
    starred: bool


class LabelledResponseOut(BaseModel):
    """An answer of a subgroup, with its month and therefore without its day.

    Months with few answers are given together, as an ISO 8601 interval: `2026-01/2026-03`. The
    score is null where only the three groups of scores may be told.
    """

    id: uuid.UUID
    survey_id: uuid.UUID
    score: int | None = Field(examples=[9])
    category: Category
    comment: str | None
    month: str = Field(examples=["2026-04"])
    segments: dict[str, str] = Field(examples=[{"plan": "pro"}])
    language: str | None = None
    channel: str | None = None


class ResponseListMeta(BaseModel):
    """How far the list went. `suppressed`: the subgroup is hidden to protect respondents."""

    limit: int = Field(examples=[50])
    next_cursor: str | None
    suppressed: bool = Field(examples=[False])


class ResponseList(BaseModel):
    """A page of answers, the latest first."""

    data: list[ListedResponseOut | LabelledResponseOut]
    meta: ResponseListMeta

    @classmethod
    def of(cls, listing: Listing, limit: int) -> "ResponseList":
        return cls(
            data=[_response_out(row) for row in listing.rows],
            meta=ResponseListMeta(
                limit=limit, next_cursor=listing.next_cursor, suppressed=listing.is_suppressed
            ),
        )


def _response_out(row: ListedResponse) -> ListedResponseOut | LabelledResponseOut:
    if row.answered_on is not None:
        assert row.score is not None
        return ListedResponseOut(
            id=row.id,
            survey_id=row.survey_id,
            score=row.score,
            category=row.category,
            comment=row.comment,
            answered_on=row.answered_on,
            standing=row.standing,
            exclusion_reason=row.exclusion_reason,
            hold_reason=row.hold_reason,
            has_contact=row.address is not None,
            tags=list(row.tags),
            starred=row.is_starred,
        )
    assert row.months is not None
    return LabelledResponseOut(
        id=row.id,
        survey_id=row.survey_id,
        score=row.score,
        category=row.category,
        comment=row.comment,
        month=month_text(row.months),
        segments={
            name.removeprefix(SEGMENT_PREFIX): value
            for name, value in row.labels.items()
            if name.startswith(SEGMENT_PREFIX)
        },
        language=row.labels.get("language"),
        channel=row.labels.get("channel"),
    )


def month_text(months: Period) -> str:
    """`2026-04` for one month, `2026-01/2026-03` for several together."""
    assert months.since is not None
    assert months.until is not None
    first, last = months.since.isoformat()[:7], months.until.isoformat()[:7]
    return first if months.until == month_end(months.since) else f"{first}/{last}"
