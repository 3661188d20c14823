"""Several surveys under a query: what their page, its files, its pictures and its link all show."""

import uuid
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession

from app.foundation.translation import gettext
from app.reporting import labels
from app.reporting.asked_together import AskedTogether, ask_together
from app.reporting.page_filters import SeveralQuery, choices, preset_options
from app.reporting.several import SURVEYS, SeveralBoard, build_board
from app.reporting.stored_queries import query_text

SEVERAL = "/w/{workspace}/results"


@dataclass(frozen=True, slots=True)
class SeveralReading:
    """The figures of several surveys with what was asked for, `query` as its address says it."""

    of: AskedTogether
    query: str
    board: SeveralBoard

    def filter_words(self) -> list[tuple[str, str]]:
        """What was asked for, in the reader's language, the surveys first and the day last."""
        return self.of.filter_words()

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
            **asked_values(self.of),
            "board": self.board,
            "filter_words": self.filter_words(),
            "charts": self.charts(),
            "query": self.query,
            "name_of_days": labels.name_of_days,
            "name_of_months": labels.name_of_months,
            "name_of_runs": labels.name_of_runs,
        }


def asked_values(of: AskedTogether) -> dict[str, Any]:
    """What the filters of the page need, with figures or without."""
    return {
        "chosen": [survey.survey_id for survey in of.surveys.each],
        "common": of.surveys.common,
        "asked": of.asked,
        "against": of.against,
        "left_out": of.left_out,
        "left_out_words": of.left_out_words(),
        "missing_words": of.missing_words(),
        "unshared": of.unshared(),
        "preset": of.preset,
        "presets": preset_options(),
        "choices": choices(of.surveys.common, of.asked),
    }


async def read_several(
    request: Request, session: AsyncSession, workspace_id: uuid.UUID, query: SeveralQuery
) -> SeveralReading:
    """The figures of what `ask_together` finds."""
    of = await ask_together(session, workspace_id, query)
    return await figures_of(request, session, of, query)


async def figures_of(
    request: Request, session: AsyncSession, of: AskedTogether, query: SeveralQuery
) -> SeveralReading:
    """The figures of what is asked for, from the replica where there is one."""
    workspace_id = of.surveys.common.workspace_id
    home = f"/w/{workspace_id}"

    async def ask(session: AsyncSession) -> SeveralBoard:
        return await build_board(session, of.surveys, of.asked, of.against, home, query.sort)

    board = await request.app.state.replica.read(session, workspace_id, ask)
    return SeveralReading(of, query_text(query), board)
