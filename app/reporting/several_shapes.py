"""The JSON shape of the figures of several surveys."""

import uuid

from pydantic import BaseModel, Field

from app.reporting.figure_shapes import ChangeOut, FiguresOut, HiddenOut, figures_out
from app.reporting.filters import Against
from app.reporting.shapes import (
    CommonFiltersOut,
    CommonMetricsOut,
    filter_members,
    metrics_members,
)
from app.reporting.together import SurveyRow, Surveys, Together


class SeveralFiltersOut(CommonFiltersOut):
    """The filters as they were asked for; the surveys in the order of `surveys`."""

    survey_ids: list[uuid.UUID]
    against: Against


class _Named(BaseModel):
    survey_id: uuid.UUID
    name: str = Field(examples=["Spring wave"])
    min_group_size: int = Field(examples=[5])


class SurveyFiguresOut(_Named, FiguresOut):
    """One of the surveys by itself. `versus` is its difference from those it is held against, null
    where there is none; the p-values are corrected for the number of surveys."""

    suppressed: bool = Field(False, examples=[False])
    versus: ChangeOut | None


class HiddenSurveyOut(_Named, HiddenOut):
    """A survey that hides this subgroup."""


class SeveralMetricsOut(CommonMetricsOut):
    """The figures of all answers to several surveys together, and each survey by itself, the
    oldest first. A subgroup is given only where every survey publishes it; `min_group_size` is
    the largest of theirs."""

    survey_ids: list[uuid.UUID]
    filters: SeveralFiltersOut
    surveys: list[SurveyFiguresOut | HiddenSurveyOut]

    @classmethod
    def of(cls, surveys: Surveys, found: Together) -> "SeveralMetricsOut":
        survey_ids = [survey.survey_id for survey in surveys.each]
        return cls(
            survey_ids=survey_ids,
            filters=SeveralFiltersOut(
                survey_ids=survey_ids, against=found.against, **filter_members(found.total.filter)
            ),
            surveys=[_survey_out(row) for row in found.rows],
            **metrics_members(found.total, surveys.common.min_group_size),
        )


def _survey_out(row: SurveyRow) -> SurveyFiguresOut | HiddenSurveyOut:
    survey = row.survey
    named = _Named(
        survey_id=survey.survey_id, name=survey.name, min_group_size=survey.min_group_size
    ).model_dump()
    if row.metrics.figures is None:
        return HiddenSurveyOut(suppressed=True, **named)
    figures = figures_out(row.metrics.figures).model_dump()
    return SurveyFiguresOut(suppressed=False, versus=ChangeOut.of(row.versus), **named, **figures)
