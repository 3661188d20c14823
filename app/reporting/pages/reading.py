"""The dashboard of a query: what its page, its files, its pictures and its shared link all show."""

import uuid
from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation import clock
from app.foundation.translation import gettext
from app.foundation.web.rendering import format_nps
from app.reporting.dashboard import Dashboard, build_dashboard
from app.reporting.filter_words import describe_filter
from app.reporting.filters import ReportFilter
from app.reporting.page_filters import DashboardQuery, Preset, read_page_filter
from app.reporting.pages.showing import board_values
from app.reporting.stored_queries import query_text
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire

MOVED = "moved-"  # before a selector: the chart of what moved the score by that dimension


@dataclass(frozen=True, slots=True)
class Reading:
    """A dashboard with what was asked for, `query` in the words of its address; `today` is the
    workspace's."""

    questionnaire: Questionnaire
    query: str
    asked: ReportFilter
    preset: Preset
    today: date
    board: Dashboard

    def filter_values(self) -> list[tuple[str, str | float]]:
        """What was asked for, in the reader's language, and what it is seen against, in points."""
        words = describe_filter(self.questionnaire, self.asked, self.preset, self.today)
        trend = self.board.trend
        seen = ((gettext("Goal"), trend.goal), (gettext("Benchmark"), trend.benchmark))
        lines = [(name, points) for name, points in seen if points is not None]
        return [*words[:-1], *lines, words[-1]]

    def filter_words(self) -> list[tuple[str, str]]:
        """The same to be read: points with their sign, and in whole numbers."""
        return [
            (name, value if isinstance(value, str) else format_nps(value))
            for name, value in self.filter_values()
        ]

    def charts(self) -> list[tuple[str, str]]:
        """The charts there are to take away: how addresses and how people call them."""
        figures = self.board.metrics.figures
        if figures is None or figures.nps is None:
            return []
        found = [("shares", gettext("Promoters, passives and detractors"))]
        if figures.scores is not None:
            found.append(("scores", gettext("Scores")))
        if len(self.board.trend.points) > 1:
            found.append(("trend", gettext("Trend")))
        found += [(MOVED + one.selector, one.title) for one in self.board.moved if one.rows]
        return [*found, *((table.selector, table.name) for table in self.board.tables)]

    def values(self) -> dict[str, Any]:
        """What `reporting/dashboard.html` needs to show it."""
        values = board_values(self.questionnaire, self.asked, self.preset, self.board)
        return {
            **values,
            "filter_words": self.filter_words(),
            "charts": self.charts(),
            "query": self.query,
        }


async def read_dashboard(
    request: Request,
    session: AsyncSession,
    workspace_id: uuid.UUID,
    survey_id: uuid.UUID,
    query: DashboardQuery,
) -> Reading:
    """The dashboard of a survey, from the replica where there is one; NotFound where the workspace
    has no such survey, Invalid for a filter that the survey cannot have."""
    state = request.app.state
    questionnaire = await get_questionnaire(session, workspace_id, survey_id)
    today = clock.today(questionnaire.time_zone)
    asked, preset = read_page_filter(query, questionnaire, today, Preset.ALL)
    list_href = f"/w/{workspace_id}/surveys/{survey_id}/responses"

    async def ask(session: AsyncSession) -> Dashboard:
        return await build_dashboard(
            session, questionnaire, asked, list_href, state.settings.secret_key, query.sort
        )

    board = await state.replica.read(session, workspace_id, ask)
    return Reading(questionnaire, query_text(query), asked, preset, today, board)
