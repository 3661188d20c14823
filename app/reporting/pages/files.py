"""HTML routes: what a dashboard shows as files, and its charts as pictures."""

import re
import uuid
from collections.abc import Iterator, Sequence
from html import unescape
from typing import IO, Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from app.accounts.access import SignedInMember
from app.accounts.schemas import Member
from app.foundation.database import look_away
from app.foundation.errors import NotFound
from app.foundation.web.drawings import SVG_CSP, SVG_TYPE, stand_alone
from app.foundation.web.openapi import OnceEach
from app.foundation.web.rendering import render_text
from app.reporting.dashboard import Dashboard
from app.reporting.export_screen import screen_csv
from app.reporting.export_workbook import XLSX_TYPE, Screen, write_workbook
from app.reporting.exporting import CSV_TYPE, record_figures_export
from app.reporting.finding import ListRequest
from app.reporting.listing import ListedResponse, list_responses
from app.reporting.page_filters import DashboardQuery
from app.reporting.pages.reading import MOVED, Reading, read_dashboard
from app.reporting.pages.showing import SURVEY
from app.reporting.segment_tables import SegmentTable
from app.reporting.several import SeveralBoard
from app.reporting.what_moved import WhatMoved
from app.responses.models import Standing

router = APIRouter(dependencies=[OnceEach])

MOST_COMMENTS = 10_000
CHUNK = 64 * 1024


@router.get(SURVEY + "/figures.csv")
async def download_csv(
    request: Request,
    member: SignedInMember,
    survey_id: uuid.UUID,
    query: Annotated[DashboardQuery, Query()],
) -> Response:
    reading = await read_dashboard(request, member.session, member.workspace_id, survey_id, query)
    await record_figures_export(member.session, reading.questionnaire, member.actor, reading.asked)
    text = screen_csv(reading.board, reading.filter_values())
    return Response(text, media_type=CSV_TYPE, headers=_attachment(survey_id, "csv"))


@router.get(SURVEY + "/figures.xlsx")
async def download_xlsx(
    request: Request,
    member: SignedInMember,
    survey_id: uuid.UUID,
    query: Annotated[DashboardQuery, Query()],
) -> Response:
    reading = await read_dashboard(request, member.session, member.workspace_id, survey_id, query)
    comments = await _comments(request, member, reading)
    await record_figures_export(
        member.session, reading.questionnaire, member.actor, reading.asked, len(comments)
    )
    screen = Screen(reading.questionnaire, reading.board, reading.filter_values(), comments)
    await look_away(member.session)
    file = await to_thread.run_sync(write_workbook, screen)
    return StreamingResponse(
        chunks(file), media_type=XLSX_TYPE, headers=_attachment(survey_id, "xlsx")
    )


async def _comments(request: Request, member: Member, reading: Reading) -> Sequence[ListedResponse]:
    """The latest comments that the list of the same filter shows."""
    if reading.board.metrics.figures is None:
        return ()
    wanted = ListRequest(
        reading.board.listed, request.app.state.settings.secret_key, MOST_COMMENTS,
        only_commented=True, standing=Standing.COUNTED,
    )  # fmt: skip
    return (await list_responses(member.session, reading.questionnaire, wanted)).rows


@router.get(SURVEY + "/charts/{chart}.svg")
async def download_chart(
    request: Request,
    member: SignedInMember,
    survey_id: uuid.UUID,
    chart: str,
    query: Annotated[DashboardQuery, Query()],
) -> Response:
    """A chart as a file of its own; NotFound where the dashboard draws no such one."""
    reading = await read_dashboard(request, member.session, member.workspace_id, survey_id, query)
    name = dict(reading.charts()).get(chart)
    if name is None:
        raise NotFound
    await record_figures_export(
        member.session, reading.questionnaire, member.actor, reading.asked, chart=chart
    )
    title = f"{reading.questionnaire.name}: {name}"
    found = draw(request, reading.board, chart, title, reading.filter_words())
    return picture(found, f"{chart}-{survey_id}")


def picture(text: str, name: str) -> Response:
    """A drawing to be kept, under a name without an ending."""
    headers = {
        "Content-Disposition": f'attachment; filename="{name}.svg"',
        "Content-Security-Policy": SVG_CSP,
    }
    return Response(text, media_type=SVG_TYPE, headers=headers)


def draw(
    request: Request,
    board: Dashboard | SeveralBoard,
    chart: str,
    title: str,
    filter_words: Sequence[tuple[str, str]],
) -> str:
    """The chart of a page as a drawing that stands alone, with what it is about above."""
    tables = [table for table in _tables(board) if table.selector == chart]
    moved = [one for one in _moved(board) if f"{MOVED}{one.selector}" == chart]
    html = render_text(
        "charts/picture.html",
        scope=request.scope,
        chart=chart,
        board=board,
        figures=board.metrics.figures,
        table=tables[0] if tables else None,
        moved=moved[0] if moved else None,
    )
    asked = " · ".join(f"{label}: {value}" for label, value in filter_words)
    return stand_alone(html, title, (asked,), f"{_caption(html)} {asked}")


def _tables(board: Dashboard | SeveralBoard) -> Sequence[SegmentTable]:
    if isinstance(board, SeveralBoard):
        return (board.survey_table, *board.tables)
    return board.tables


def _moved(board: Dashboard | SeveralBoard) -> Sequence[WhatMoved]:
    return board.moved if isinstance(board, Dashboard) else ()


def _caption(html: str) -> str:
    """What the page says about its chart."""
    found = re.search(r"<figcaption[^>]*>(.*?)</figcaption>", html, re.DOTALL)
    return unescape(" ".join(found[1].split())) if found else ""


def _attachment(survey_id: uuid.UUID, kind: str) -> dict[str, str]:
    # The id alone: a name may hold characters that a header or a file system refuses.
    return {"Content-Disposition": f'attachment; filename="figures-{survey_id}.{kind}"'}


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """The file piece by piece; it is closed behind."""
    with file:
        while chunk := file.read(CHUNK):
            yield chunk
