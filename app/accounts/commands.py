"""Commands that look after what a workspace records about its people."""

import asyncio
import re
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Annotated

import typer

from app.accounts.audit_verification import ChainPoint, ChainReport, verify_audit_log
from app.accounts.models import Workspace
from app.accounts.queries import get_workspace, unscoped_list_workspaces
from app.foundation.database import Database
from app.foundation.errors import NotFound, StartupError
from app.foundation.settings import Settings

OpenSettings = Callable[[], AbstractContextManager[Settings]]
ALL = "all"


def register(cli: typer.Typer, open_settings: OpenSettings) -> None:
    """Add `audit verify`; `open_settings` gives a database that runs."""
    audit = typer.Typer(no_args_is_help=True, help="The audit log: who did what.")

    @audit.command("verify")
    def verify(
        workspace: Annotated[str, typer.Option(help="The workspace's id, or all.")] = ALL,
        expect: Annotated[
            str | None,
            typer.Option(
                metavar="NUMBER:HASH", help="An end of this log that was printed and kept before."
            ),
        ] = None,
    ) -> None:
        """Check that no line was changed, moved, added or taken away; exit code 1 where one was.

        Prints the number and hash of the last line. Keep it away from this server: whoever can
        rewrite the whole database can rewrite the log too, but not what you kept.
        """
        kept = None if expect is None else _parse_point(expect)
        if kept is not None and workspace == ALL:
            raise typer.BadParameter("name one --workspace", param_hint="--expect")
        with open_settings() as settings:
            intact = asyncio.run(_verify(settings, workspace, kept))
        if not intact:
            raise typer.Exit(1)

    cli.add_typer(audit, name="audit")


def _parse_point(text: str) -> ChainPoint:
    found = re.fullmatch(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", text.strip())
    if found is None:
        raise typer.BadParameter("give it as it was printed: 12:ab…", param_hint="--expect")
    return ChainPoint(int(found[1]), bytes.fromhex(found[2]))


async def _verify(settings: Settings, workspace: str, kept: ChainPoint | None) -> bool:
    """Print a line for each workspace; whether all are intact."""
    database = Database(settings.database_url)
    try:
        reports = []
        for found in await _find_workspaces(database, workspace):
            report = await verify_audit_log(database, found.id, kept)
            typer.echo(f"{found.id} {found.name}: {_describe(report)}")
            reports.append(report)
        return all(report.fault is None for report in reports)
    finally:
        await database.close()


async def _find_workspaces(database: Database, workspace: str) -> Sequence[Workspace]:
    async with database.transaction() as session:
        if workspace == ALL:
            return await unscoped_list_workspaces(session)
        try:
            return [await get_workspace(session, uuid.UUID(workspace))]
        except (ValueError, NotFound) as error:
            raise StartupError(f"There is no workspace {workspace!r}.") from error


def _describe(report: ChainReport) -> str:
    lines = f"{report.intact.number:,} line{'' if report.intact.number == 1 else 's'} intact"
    if report.fault is not None:
        return f"BROKEN: {report.fault}; before it {lines}"
    return f"{lines}; end {report.intact}" if report.intact.number else lines
