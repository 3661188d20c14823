"""The operator's commands that take a workspace along to another installation."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer

from app.accounts.models import LinkPurpose
from app.accounts.people import clean_email
from app.accounts.queries import unscoped_find_user_by_email
from app.accounts.sign_in_links import make_sign_in_link
from app.archiving.reading import ArchiveFile, open_archive
from app.archiving.restoring import restore_archive
from app.archiving.writing import write_archive
from app.foundation.database import Database
from app.foundation.settings import Settings
from app.responses.commands import unscoped_find_workspace

OpenSettings = Callable[[], AbstractContextManager[Settings]]


def register(cli: typer.Typer, open_settings: OpenSettings) -> None:
    """Add `archive` and `unarchive`; `open_settings` gives a database that runs."""

    @cli.command()
    def archive(
        file: Annotated[Path, typer.Argument(help="The file to make, such as acme.zip.")],
        workspace: Annotated[str, typer.Option(help="The workspace's id or name.")],
    ) -> None:
        """Write everything of a workspace to a file. Exact data: keep it as you keep a backup."""
        with open_settings() as settings:
            rows = asyncio.run(_archive(settings, file, workspace))
        typer.echo(f"{file}: {rows:,} rows. It shows single answers with all they hold.")

    @cli.command()
    def unarchive(
        file: Annotated[Path, typer.Argument(help="A file that `honne archive` made.")],
        owner: Annotated[str, typer.Option(help="E-mail address of the workspace's owner here.")],
    ) -> None:
        """Bring an archived workspace to this installation; prints where it is.

        Members and API keys do not come along. An owner who is new here gets a link to set their
        password.
        """
        email = clean_email(owner)
        with open_settings() as settings, open_archive(file) as found:
            rows, link = asyncio.run(_unarchive(settings, found, email))
        typer.echo(f"{rows:,} rows are stored.")
        typer.echo(f"{settings.public_url}/w/{found.manifest.workspace.id}")
        if link is not None:
            typer.echo(link)


async def _archive(settings: Settings, file: Path, workspace: str) -> int:
    async with _database(settings) as database:
        async with database.transaction() as session:
            workspace_id = await unscoped_find_workspace(session, workspace)
        return await write_archive(database, workspace_id, file)


async def _unarchive(settings: Settings, found: ArchiveFile, email: str) -> tuple[int, str | None]:
    async with _database(settings) as database:
        rows = await restore_archive(database, found, email)
        async with database.transaction() as session:
            owner = await unscoped_find_user_by_email(session, email)
            if owner is None or owner.password_hash is not None:
                return rows, None
            return rows, await make_sign_in_link(
                session, settings, owner, purpose=LinkPurpose.RESET_PASSWORD
            )


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[Database]:
    database = Database(settings.database_url)
    try:
        yield database
    finally:
        await database.close()
