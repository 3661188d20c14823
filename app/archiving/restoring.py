"""Restoring an archive: a workspace comes to this installation as it was, or not at all."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from sqlalchemy import CursorResult, insert, select, text
from sqlalchemy.exc import DataError, IntegrityError, ProgrammingError
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.models import Workspace
from app.accounts.schemas import SYSTEM
from app.accounts.workspaces import create_owner
from app.archiving.manifest import BadArchive
from app.archiving.reading import ArchiveFile
from app.archiving.revisions import refuse_other_schema
from app.archiving.tables import WORKSPACES, archived_tables
from app.foundation.database import Database
from app.foundation.errors import StartupError
from app.surveys.models import Link, SurveyLink


async def restore_archive(database: Database, archive: ArchiveFile, owner_email: str) -> int:
    """Store a workspace under the id it had, with `owner_email` as its owner, in one transaction.

    Returns how many rows were stored. BadArchive where the file cannot be believed, `StartupError`
    where the workspace or one of its links is here already; nothing is stored then.
    """
    workspace_id = archive.manifest.workspace.id
    async with database.transaction() as session:
        await refuse_other_schema(session, archive.manifest)
        await _refuse_known(session, workspace_id)
    archive.check()
    with _refusals_are_faults_of_the_file():
        async with database.transaction(workspace_id) as session:
            return await _restore(session, workspace_id, archive, owner_email)


async def _restore(
    session: AsyncSession, workspace_id: uuid.UUID, archive: ArchiveFile, owner_email: str
) -> int:
    await session.execute(text("SET LOCAL statement_timeout = 0"))
    await _refuse_known(session, workspace_id)
    stored = 0
    for table in archived_tables():
        for lines in archive.batches(table.name):
            stored += await _insert(session, table.name, lines)
        if table.name == WORKSPACES:
            await _refuse_other(session, workspace_id, stored)
    await _lead_links_here(session, workspace_id)
    await _welcome(session, workspace_id, archive, owner_email)
    return stored


async def _insert(session: AsyncSession, table: str, lines: Iterable[bytes]) -> int:
    rows = [line.decode() for line in lines]
    result = await session.execute(
        text(
            f"INSERT INTO {table} "  # noqa: S608 (our own names)
            f"SELECT * FROM json_populate_recordset(NULL::{table}, CAST(:rows AS json))"
        ),
        {"rows": f"[{','.join(rows)}]"},
    )
    assert isinstance(result, CursorResult)
    if result.rowcount != len(rows):
        raise BadArchive(f"This archive is damaged: a line of {table} is not one row.")
    return len(rows)


async def _refuse_known(session: AsyncSession, workspace_id: uuid.UUID) -> None:
    name = await session.scalar(select(Workspace.name).where(Workspace.id == workspace_id))
    if name is not None:
        raise StartupError(
            f"This workspace is here already: {name!r} ({workspace_id}). Nothing was stored."
        )


async def _refuse_other(session: AsyncSession, workspace_id: uuid.UUID, stored: int) -> None:
    """The table of workspaces has no row-level security to do this."""
    found = await session.get(Workspace, workspace_id)
    if stored != 1 or found is None:
        raise BadArchive("This archive is damaged: it holds another workspace than it says.")
    # Where it is now, nobody plays with it: it keeps no place in the way of a demo's own.
    found.is_demo = False


async def _lead_links_here(session: AsyncSession, workspace_id: uuid.UUID) -> None:
    """Links are looked up across workspaces; a slug that is somebody else's stays theirs."""
    taken = await session.scalar(
        select(Link.slug)
        .join(SurveyLink, SurveyLink.slug == Link.slug)
        .where(SurveyLink.workspace_id == workspace_id)
        .limit(1)
    )
    if taken is not None:
        raise StartupError(
            f"The link /s/{taken} leads to another workspace of this installation; "
            "nothing was stored."
        )
    await session.execute(
        insert(Link).from_select(
            ["slug", "workspace_id", "survey_id"],
            select(SurveyLink.slug, SurveyLink.workspace_id, SurveyLink.survey_id).where(
                SurveyLink.workspace_id == workspace_id
            ),
        )
    )


async def _welcome(
    session: AsyncSession, workspace_id: uuid.UUID, archive: ArchiveFile, owner_email: str
) -> None:
    workspace = await session.get_one(Workspace, workspace_id)
    record_event(
        session, workspace_id, SYSTEM, "workspace.unarchived", workspace_id,
        {"archived_at": archive.manifest.made_at.isoformat()},
    )  # fmt: skip
    await create_owner(
        session,
        workspace_id,
        name=owner_email.partition("@")[0],
        email=owner_email,
        password=None,
        locale=workspace.locale,
    )


@contextmanager
def _refusals_are_faults_of_the_file() -> Iterator[None]:
    """Rows that the database refuses: they contradict each other, or belong to somebody else."""
    try:
        yield
    except (DataError, IntegrityError, ProgrammingError, UnicodeDecodeError) as error:
        raise BadArchive(
            "This archive does not hold together: its rows contradict each other or belong to "
            "another workspace. Nothing was stored."
        ) from error
