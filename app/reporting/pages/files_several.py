"""HTML routes: what the page of several surveys shows as files, and its charts as pictures."""

from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from app.accounts.access import SignedInMember
from app.accounts.audit import record_event
from app.accounts.schemas import Member
from app.foundation.database import look_away
from app.foundation.errors import NotFound
from app.foundation.translation import gettext
from app.foundation.web.openapi import once_each_but
from app.reporting.export_several import several_csv
from app.reporting.export_workbook import XLSX_TYPE, Screen, write_workbook
from app.reporting.exporting import CSV_TYPE
from app.reporting.page_filters import SeveralQuery
from app.reporting.pages.files import chunks, draw, picture
from app.reporting.pages.reading_several import SEVERAL, SeveralReading, read_several

router = APIRouter(dependencies=[once_each_but("survey")])

SeveralFilter = Annotated[SeveralQuery, Query()]


@router.get(SEVERAL + "/figures.csv")
async def download_csv(request: Request, member: SignedInMember, query: SeveralFilter) -> Response:
    reading = await read_several(request, member.session, member.workspace_id, query)
    _record_export(member, reading)
    text = several_csv(reading.board, reading.filter_words())
    return Response(text, media_type=CSV_TYPE, headers=_attachment("csv"))


@router.get(SEVERAL + "/figures.xlsx")
async def download_xlsx(request: Request, member: SignedInMember, query: SeveralFilter) -> Response:
    reading = await read_several(request, member.session, member.workspace_id, query)
    _record_export(member, reading)
    screen = Screen(reading.of.surveys.common, reading.board, reading.filter_words())
    await look_away(member.session)
    file = await to_thread.run_sync(write_workbook, screen)
    return StreamingResponse(chunks(file), media_type=XLSX_TYPE, headers=_attachment("xlsx"))


@router.get(SEVERAL + "/charts/{chart}.svg")
async def download_chart(
    request: Request, member: SignedInMember, chart: str, query: SeveralFilter
) -> Response:
    """A chart as a file of its own; NotFound where the page draws no such one."""
    reading = await read_several(request, member.session, member.workspace_id, query)
    name = dict(reading.charts()).get(chart)
    if name is None:
        raise NotFound
    _record_export(member, reading, chart=chart)
    together = gettext("Several surveys together")
    found = draw(request, reading.board, chart, f"{together}: {name}", reading.filter_words())
    return picture(found, f"{chart}-of-several-surveys")


def _record_export(member: Member, reading: SeveralReading, **more: str) -> None:
    """Note in the audit log of each survey that its figures leave as a file, or as one chart."""
    each = reading.of.surveys.each
    details = {"filter": reading.of.asked.to_query(), "surveys": len(each), **more}
    for survey in each:
        record_event(
            member.session, member.workspace_id, member.actor, "figures.exported",
            survey.survey_id, details,
        )  # fmt: skip


def _attachment(kind: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="figures-of-several-surveys.{kind}"'}
