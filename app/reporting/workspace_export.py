"""Everything of a workspace as one zip, as it may be shown: no more than its pages and its API.

Answers come from `list_responses` and figures from `measure`, as everywhere, so the rules of
`publication` hold here without being written again. The file is made whole, on the disk, before a
byte of it is sent: a slow reader holds no transaction, and a failure is an error and no torn file.
"""

import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from tempfile import TemporaryFile
from typing import IO, Any, TypeVar

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.audit_queries import AuditFilter, list_audit_events
from app.accounts.audit_shapes import AuditLine
from app.accounts.brand_shapes import BrandShape
from app.accounts.brands import get_brand, get_logo
from app.accounts.models import Workspace
from app.accounts.queries import get_workspace, list_members
from app.accounts.schemas import Actor
from app.foundation import clock
from app.foundation.bundles import Bundle
from app.foundation.errors import Conflict
from app.foundation.paging import MAX_PAGE_SIZE, Page
from app.foundation.settings import Settings
from app.foundation.tokens import fingerprint
from app.foundation.translation import mark
from app.foundation.version import VERSION
from app.reporting.export_figures import write_figures
from app.reporting.export_followups import write_followups
from app.reporting.export_tables import Record, json_line, write_table
from app.reporting.exporting import TAGS_BETWEEN
from app.reporting.filters import ReportFilter
from app.reporting.finding import ListRequest
from app.reporting.listing import ListedResponse, stream_responses
from app.reporting.views import list_views
from app.responses.deletions import list_deletions
from app.surveys.listings import get_survey_detail, list_links, list_surveys, list_versions
from app.surveys.models import Survey
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire
from app.surveys.shapes import link_shape, survey_shape, version_shape

FORMAT = "honne-export"
FORMAT_VERSION = 1
ZIP_TYPE = "application/zip"
ROWS_AT_ONCE = 500
CHUNK = 64 * 1024
RESPONSE_COLUMNS = (
    "id", "answered_on", "score", "category", "comment", "standing", "exclusion_reason",
    "contact", "tags", "starred",
)  # fmt: skip
DELETION_COLUMNS = ("deleted_on", "reason", "responses")
MEMBER_COLUMNS = ("name", "email", "role", "joined_at")
DEFINITIONS = {
    "score": "0 to 10; promoters gave 9 or 10, passives 7 or 8, detractors 0 to 6",
    "nps": "100 * (promoters - detractors) / answers, from -100 to 100",
    "interval": "adjusted Wald interval, 95 %, in points of the NPS",
    "day": "a calendar day of the workspace's time zone; nothing finer is stored",
    "everybody": "figures of all counted answers, live",
    "subgroup": "a segment value, language or channel: whole months, closed for good, and at least "
    "min_group_size answers (see surveys.jsonl); suppressed rows carry no numbers",
    "responses": "each with its day and therefore without segment values, language and channel; "
    "contact is the e-mail address that somebody chose to leave; tags and starred are marks of "
    "the team, with semicolons between tags",
}

Row = TypeVar("Row")
ListPage = Callable[[int, str | None], Awaitable[Page[Row]]]


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A finished export, on the disk and without a name there; gone once it was read or dropped."""

    workspace_id: uuid.UUID
    file: IO[bytes]
    size: int

    def headers(self) -> dict[str, str]:
        """The headers under which it is sent."""
        name = f"honne-export-{self.workspace_id}.zip"
        return {
            "Content-Disposition": f'attachment; filename="{name}"',
            "Content-Length": str(self.size),
        }

    def chunks(self) -> Iterator[bytes]:
        with self.file:
            while chunk := self.file.read(CHUNK):
                yield chunk


async def export_workspace(
    session: AsyncSession, settings: Settings, workspace_id: uuid.UUID, actor: Actor
) -> ExportFile:
    """Put everything that may be shown of the workspace into a file, and note that in its log.

    Conflict while another export of the workspace is being made.
    """
    await _take_turn(session, workspace_id)
    workspace = await get_workspace(session, workspace_id)
    file = TemporaryFile()  # noqa: SIM115 (whoever sends it closes it)
    try:
        rows = await _Export(session, settings, workspace, Bundle(file)).write()
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    record_event(session, workspace_id, actor, "workspace.exported", workspace_id, {"rows": rows})
    return ExportFile(workspace_id, file, size)


async def _take_turn(session: AsyncSession, workspace_id: uuid.UUID) -> None:
    """One at a time: an export is the heaviest thing that a workspace can ask for."""
    key = int.from_bytes(fingerprint(b"export " + workspace_id.bytes)[:8], signed=True)
    if not await session.scalar(select(func.pg_try_advisory_xact_lock(key))):
        raise Conflict(mark("An export of this workspace is being made; try again in a minute."))


@dataclass(frozen=True, slots=True)
class _Export:
    session: AsyncSession
    settings: Settings
    workspace: Workspace
    bundle: Bundle

    async def write(self) -> int:
        """All parts and the manifest; returns the number of rows."""
        made_at = clock.now()
        with self.bundle.part("surveys.jsonl") as part:
            surveys = [found async for found in self._surveys()]
            for survey in surveys:
                part.write(json_line(await self._survey_record(survey)).encode(), 1)
        for survey in surveys:
            await self._write_survey(survey.id)
        await write_followups(self.session, self.bundle, self.workspace.id)
        await write_table(self.session, self.bundle, "members", MEMBER_COLUMNS, self._members())
        with self.bundle.part("audit.jsonl") as part:
            async for entry in _all_rows(self._audit_page):
                part.write(json_line(AuditLine.of(entry).model_dump(mode="json")).encode(), 1)
        brand = await self._brand()
        rows = self.bundle.rows
        self.bundle.finish(
            {
                "format": FORMAT,
                "format_version": FORMAT_VERSION,
                "honne_version": VERSION,
                "made_at": made_at.isoformat(),
                "as_of": clock.today(self.workspace.time_zone).isoformat(),
                "workspace": {
                    "id": str(self.workspace.id),
                    "name": self.workspace.name,
                    "time_zone": self.workspace.time_zone,
                    "brand": brand,
                },
                "filters": {},
                "definitions": DEFINITIONS,
            }
        )
        return rows

    async def _brand(self) -> Record:
        """How forms look; the logo is a file of its own."""
        brand = await get_brand(self.session, self.workspace.id)
        if brand.logo:
            content, kind = await get_logo(self.session, self.workspace.id)
            with self.bundle.part(f"logo.{kind.name.lower()}") as part:
                part.write(content, 0)
        return BrandShape.of(brand).model_dump(mode="json")

    async def _surveys(self) -> AsyncIterator[Survey]:
        async for row in _all_rows(self._survey_page):
            yield row.survey

    async def _survey_page(self, limit: int, cursor: str | None) -> Page[Any]:
        return await list_surveys(self.session, self.workspace.id, limit, cursor)

    async def _audit_page(self, limit: int, cursor: str | None) -> Page[Any]:
        asked = AuditFilter(self.workspace.time_zone)
        return await list_audit_events(self.session, self.workspace.id, asked, limit, cursor)

    async def _survey_record(self, survey: Survey) -> Mapping[str, Any]:
        public_url, where = self.settings.public_url, (self.session, self.workspace.id, survey.id)
        detail = await get_survey_detail(*where)
        versions = [
            version_shape(version).model_dump(mode="json")
            async for version in _all_rows(lambda limit, at: list_versions(*where, limit, at))
        ]
        links = [
            link_shape(link, public_url).model_dump(mode="json")
            async for link in _all_rows(lambda limit, at: list_links(*where, limit, at))
        ]
        views = [
            {"name": view.name, "query": view.query, "is_default": view.is_default}
            for view in await list_views(*where)
        ]
        held_since = survey.held_since.isoformat() if survey.held_since else None
        shape = survey_shape(detail, public_url).model_dump(mode="json")
        own = {"held_since": held_since, "versions": versions, "links": links, "views": views}
        return {**shape, **own}

    async def _write_survey(self, survey_id: uuid.UUID) -> None:
        questionnaire = await get_questionnaire(self.session, self.workspace.id, survey_id)
        folder = f"surveys/{survey_id}"
        answers = self._answers(questionnaire)
        await write_table(
            self.session, self.bundle, f"{folder}/responses", RESPONSE_COLUMNS, answers
        )
        await write_figures(self.session, self.bundle, folder, questionnaire)
        deletions = self._deletions(survey_id)
        await write_table(
            self.session, self.bundle, f"{folder}/deletions", DELETION_COLUMNS, deletions
        )

    async def _answers(self, questionnaire: Questionnaire) -> AsyncIterator[Sequence[Record]]:
        asked = ReportFilter(questionnaire.survey_id)
        request = ListRequest(asked, self.settings.secret_key, ROWS_AT_ONCE)
        async for rows in stream_responses(self.session, questionnaire, request):
            yield [_response_record(row) for row in rows]

    async def _deletions(self, survey_id: uuid.UUID) -> AsyncIterator[Sequence[Record]]:
        where = (self.session, self.workspace.id, survey_id)
        async for found in _all_rows(lambda limit, at: list_deletions(*where, limit, at)):
            yield [
                {
                    "deleted_on": found.deleted_on.isoformat(),
                    "reason": found.reason,
                    "responses": found.responses,
                }
            ]

    async def _members(self) -> AsyncIterator[Sequence[Record]]:
        yield [
            {
                "name": member.name,
                "email": member.email,
                "role": member.role.value,
                "joined_at": member.joined_at.isoformat(),
            }
            for member in await list_members(self.session, self.workspace.id)
        ]


def _response_record(row: ListedResponse) -> Record:
    return {
        "id": str(row.id),
        "answered_on": row.answered_on.isoformat() if row.answered_on else None,
        "score": row.score,
        "category": row.category.value,
        "comment": row.comment,
        "standing": row.standing.value,
        "exclusion_reason": row.exclusion_reason,
        "contact": row.address,
        "tags": TAGS_BETWEEN.join(row.tags),
        "starred": row.is_starred,
    }


async def _all_rows(list_page: ListPage[Row]) -> AsyncIterator[Row]:
    cursor: str | None = None
    while True:
        page = await list_page(MAX_PAGE_SIZE, cursor)
        for row in page.rows:
            yield row
        cursor = page.next_cursor
        if cursor is None:
            return
