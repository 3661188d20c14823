"""Several surveys under a query: what their page, its files and its pictures all show."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation import clock
from app.foundation.errors import InvalidParam
from app.foundation.translation import current_language, gettext, mark
from app.reporting import labels
from app.reporting.filter_words import describe_filter
from app.reporting.filters import MOST_SURVEYS, SEGMENT_PREFIX, ReportFilter, refused
from app.reporting.page_filters import (
    AGAINST_NAMES,
    Preset,
    SeveralQuery,
    choices,
    in_period,
    preset_options,
)
from app.reporting.several import SURVEYS, SeveralBoard, build_board
from app.reporting.together import Surveys, get_surveys, read_fitting_filter

SEVERAL = "/w/{workspace}/results"


@dataclass(frozen=True, slots=True)
class SeveralReading:
    """The figures of several surveys with what was asked for, `query` in the words of its address.
    `left_out` are the labels (selector → value) that do not fit all of them."""

    surveys: Surveys
    query: str
    asked: ReportFilter
    left_out: Mapping[str, str]
    preset: Preset
    today: date
    board: SeveralBoard

    def filter_words(self) -> list[tuple[str, str]]:
        """What was asked for, in the reader's language, the surveys first and the day last."""
        names = gettext(", ").join(survey.name for survey in self.surveys.each)
        words = describe_filter(self.surveys.common, self.asked, self.preset, self.today)
        against = gettext("Compare each with"), gettext(AGAINST_NAMES[self.board.against])
        left_out = [(gettext("Left out"), self.left_out_words())] if self.left_out else []
        return [(gettext("Surveys"), names), *words[1:-1], against, *left_out, words[-1]]

    def left_out_words(self) -> str:
        """`Plan: Pro, Language: German`; a colon stands between in every language."""
        return gettext(", ").join(
            f"{self._name_of(name)}: {self._name_of(name, value)}"
            for name, value in self.left_out.items()
        )

    def _name_of(self, selector: str, value: str | None = None) -> str:
        """As a survey calls it that knows it."""
        key = selector.removeprefix(SEGMENT_PREFIX)
        found = [(survey, survey.find_dimension(key)) for survey in self.surveys.each]
        known = [survey for survey, own in found if own] or [self.surveys.common]
        if value is None:
            return labels.name_of_selector(known[0], selector)
        named = [survey for survey, own in found if own and own.find_value(value)] or known
        return labels.name_of_value(named[0], selector, value)

    def unshared(self) -> list[str]:
        """The dimensions on which the surveys do not agree, by name, without those left out."""
        return [
            dimension.label_in(current_language())
            for dimension in self.surveys.unshared
            if SEGMENT_PREFIX + dimension.key not in self.left_out
        ]

    def charts(self) -> list[tuple[str, str]]:
        """The charts there are to take away: how addresses and how people call them."""
        figures = self.board.metrics.figures
        found = [(SURVEYS, gettext("Survey by survey"))]
        if figures is None:
            return found
        if figures.nps is None:
            return []
        found.append(("shares", gettext("Promoters, passives and detractors")))
        if figures.scores is not None:
            found.append(("scores", gettext("Scores")))
        if len(self.board.trend.points) > 1:
            found.append(("trend", gettext("Trend")))
        return [*found, *((table.selector, table.name) for table in self.board.tables)]

    def values(self) -> dict[str, Any]:
        """What `reporting/several.html` needs to show it."""
        return {
            "board": self.board,
            "chosen": [survey.survey_id for survey in self.surveys.each],
            "common": self.surveys.common,
            "asked": self.asked,
            "left_out": self.left_out,
            "left_out_words": self.left_out_words(),
            "unshared": self.unshared(),
            "preset": self.preset,
            "presets": preset_options(),
            "choices": choices(self.surveys.common, self.asked),
            "filter_words": self.filter_words(),
            "charts": self.charts(),
            "query": self.query,
            "name_of_days": labels.name_of_days,
            "name_of_months": labels.name_of_months,
            "name_of_runs": labels.name_of_runs,
        }


async def read_several(
    request: Request, session: AsyncSession, workspace_id: uuid.UUID, query: SeveralQuery
) -> SeveralReading:
    """The figures of the surveys of a query, from the replica where there is one; NotFound where
    the workspace lacks one of them, Invalid for none or too many and for what no survey could have.
    """
    if not 0 < len(query.survey) <= MOST_SURVEYS:
        raise refused(InvalidParam("survey", mark("Choose at least two surveys, and at most 12.")))
    surveys = await get_surveys(session, workspace_id, query.survey)
    asked, left_out = read_fitting_filter(query, surveys)
    today = clock.today(surveys.common.time_zone)
    asked, preset = in_period(query, asked, today, Preset.ALL)
    home = f"/w/{workspace_id}"

    async def ask(session: AsyncSession) -> SeveralBoard:
        return await build_board(session, surveys, asked, query.against, home, query.sort)

    board = await request.app.state.replica.read(session, workspace_id, ask)
    pairs = [pair for pair in request.query_params.multi_items() if pair[0] != "lang"]
    return SeveralReading(surveys, urlencode(pairs), asked, left_out, preset, today, board)
