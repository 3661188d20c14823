"""Writing an archive: one snapshot of the workspace, row by row onto the disk."""

import os
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import IO

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.queries import get_workspace
from app.accounts.schemas import SYSTEM
from app.archiving.answers_csv import write_answer_tables
from app.archiving.manifest import ArchivedWorkspace, Manifest, tables_here
from app.archiving.revisions import schema_revision
from app.archiving.tables import WORKSPACES, archived_tables, part_name
from app.foundation import clock
from app.foundation.bundles import Bundle, Part
from app.foundation.database import Database, enter_workspace
from app.foundation.errors import StartupError
from app.foundation.tokens import random_text
from app.foundation.version import VERSION

ROWS_AT_ONCE = 1_000


async def write_archive(database: Database, workspace_id: uuid.UUID, path: Path) -> int:
    """Write everything of the workspace to a new file that only its owner may read.

    Returns how many rows it holds. `StartupError` where the file exists or cannot be written; a
    file that was not finished is removed. That it left is in the audit log, and so in the archive.
    """
    with _new_file(path) as file:
        async with database.transaction(workspace_id) as session:
            await _refuse_deleted(session, workspace_id)
            record_event(session, workspace_id, SYSTEM, "workspace.archived", workspace_id)
        async with _snapshot(database, workspace_id) as session:
            return await _write(session, workspace_id, file)


async def _refuse_deleted(session: AsyncSession, workspace_id: uuid.UUID) -> None:
    workspace = await get_workspace(session, workspace_id)
    if workspace.deleted_at is not None:
        raise StartupError(f"The workspace {workspace.name!r} is being deleted.")


async def _write(session: AsyncSession, workspace_id: uuid.UUID, file: IO[bytes]) -> int:
    bundle = Bundle(file)
    for table in archived_tables():
        with bundle.part(part_name(table.name)) as part:
            await _write_rows(session, workspace_id, table, part)
    rows = bundle.rows
    await write_answer_tables(session, workspace_id, bundle)
    workspace = await get_workspace(session, workspace_id)
    manifest = Manifest(
        honne_version=VERSION,
        schema_revision=await schema_revision(session),
        made_at=clock.now(),
        workspace=ArchivedWorkspace(id=workspace_id, name=workspace.name),
        tables=tables_here(),
    )
    bundle.finish(manifest.model_dump(mode="json", exclude={"files"}))
    return rows


async def _write_rows(
    session: AsyncSession, workspace_id: uuid.UUID, table: Table, part: Part
) -> None:
    """Postgres writes the JSON and will read it: every type comes back as it was."""
    mine = "id" if table.name == WORKSPACES else "workspace_id"
    keys = ", ".join(column.name for column in table.primary_key)
    # In the order of keys, which are random, the file does not tell the order of arrival.
    statement = text(
        f"SELECT row_to_json(kept)::text FROM {table.name} AS kept "  # noqa: S608 (our own names)
        f"WHERE {mine} = :workspace_id ORDER BY {keys}"
    )
    result = await session.stream_scalars(statement, {"workspace_id": workspace_id})
    async for lines in result.partitions(ROWS_AT_ONCE):
        part.write("".join(f"{line}\n" for line in lines).encode(), len(lines))


@asynccontextmanager
async def _snapshot(database: Database, workspace_id: uuid.UUID) -> AsyncIterator[AsyncSession]:
    async with database.transaction() as session:
        await session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        await enter_workspace(session, workspace_id)
        yield session


@contextmanager
def _new_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name only when it is complete."""
    _refuse_existing(path)
    part = path.with_name(f".{path.name}.{random_text(8)}.part")
    try:
        with os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600), "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        _refuse_existing(path)
        part.rename(path)
    except OSError as error:
        raise StartupError(f"{path} cannot be written ({error.strerror or error}).") from error
    finally:
        part.unlink(missing_ok=True)


def _refuse_existing(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise StartupError(f"{path} exists already; an archive replaces no file.")
