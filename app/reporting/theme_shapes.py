"""The JSON shapes of themes."""

import uuid
from datetime import date

from pydantic import BaseModel, Field

from app.reporting.buckets import Period
from app.reporting.figure_shapes import WindowOut
from app.reporting.theme_counts import ThemeReport, TracedTheme


class ThemeMonthOut(BaseModel):
    """Of the comments of a month, how many mention the theme."""

    month: date = Field(description="Its first day", examples=["2026-04-01"])
    mention_count: int = Field(examples=[12])
    comment_count: int = Field(examples=[80])


class ThemeOut(BaseModel):
    """A word or a phrase of two that some comments use clearly more than others."""

    key: str = Field(
        description="What `term` of the list of answers takes; `¬` is a negation", examples=["¬eas"]
    )
    label: str = Field(description="How it is mostly written", examples=["not easy"])
    comment_count: int = Field(description="In how many of these comments", examples=[18])
    share: float = Field(description="Of these comments, in per cent", examples=[28.3])
    share_low: float = Field(examples=[24.9])
    share_high: float = Field(examples=[32.0])
    nps: float = Field(
        description="Of everybody who mentions it, with its 95 % interval", examples=[-12.0]
    )
    nps_low: float = Field(examples=[-30.5])
    nps_high: float = Field(examples=[8.1])
    z: float = Field(
        description="How clear the difference is: log-odds ratio over its standard error",
        examples=[4.6],
    )
    trend: list[ThemeMonthOut] | None = Field(description="Null for a subgroup")

    @classmethod
    def of(cls, traced: TracedTheme, is_subgroup: bool) -> "ThemeOut":
        theme = traced.theme
        return cls(
            key=theme.key,
            label=theme.label,
            comment_count=theme.comments,
            share=100 * theme.share.value,
            share_low=100 * theme.share.low,
            share_high=100 * theme.share.high,
            nps=theme.nps.value,
            nps_low=theme.interval.low,
            nps_high=theme.interval.high,
            z=abs(theme.keyness.z),
            trend=None
            if is_subgroup
            else [
                ThemeMonthOut(month=at.month, mention_count=at.mentions, comment_count=at.comments)
                for at in traced.months
            ],
        )


class ThemesOut(BaseModel):
    """What comments are about, the clearest first.

    `promoters` and `detractors` are what these say more than each other; `new` is what is said more
    in the days of `recent` than in those of `before`, all three null for a subgroup.
    """

    survey_id: uuid.UUID
    suppressed: bool = Field(
        description="The subgroup, or its few comments, are hidden to protect respondents",
        examples=[False],
    )
    comment_count: int | None = Field(description="Comments that were read", examples=[420])
    unread_count: int | None = Field(
        description="Comments that a job will read within minutes", examples=[0]
    )
    is_cut: bool = Field(
        description="Whether only the latest 10,000 comments were looked at", examples=[False]
    )
    promoters: list[ThemeOut] | None
    detractors: list[ThemeOut] | None
    new: list[ThemeOut] | None
    recent: WindowOut | None
    before: WindowOut | None

    @classmethod
    def of(cls, survey_id: uuid.UUID, report: ThemeReport) -> "ThemesOut":
        is_shown, is_subgroup = not report.is_suppressed, report.recent is None

        def listed(themes: tuple[TracedTheme, ...]) -> list[ThemeOut]:
            return [ThemeOut.of(theme, is_subgroup) for theme in themes]

        return cls(
            survey_id=survey_id,
            suppressed=report.is_suppressed,
            comment_count=report.comments.total if is_shown else None,
            unread_count=report.unread if is_shown else None,
            is_cut=report.is_cut,
            promoters=listed(report.promoters) if is_shown else None,
            detractors=listed(report.detractors) if is_shown else None,
            new=None if is_subgroup else listed(report.new),
            recent=_window(report.recent),
            before=_window(report.before),
        )


def _window(period: Period | None) -> WindowOut | None:
    return WindowOut.of(period) if period else None
