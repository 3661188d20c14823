"""Commands that bring files of answers in and take them out again."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import Workspace
from app.accounts.schemas import SYSTEM
from app.foundation.database import Database
from app.foundation.errors import NotFound, StartupError
from app.foundation.settings import Settings
from app.responses.csv_reading import CsvFile, CsvFormat, open_csv
from app.responses.import_display import (
    bytes_read,
    print_bad_rows,
    print_imports,
    print_report,
)
from app.responses.import_rows import ImportPlan
from app.responses.importing import (
    BadRows,
    ImportReport,
    check_file,
    import_answers,
    list_imports,
    refuse_repetition,
    undo_import,
)
from app.surveys.models import Survey
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire

OpenSettings = Callable[[], AbstractContextManager[Settings]]


def register(cli: typer.Typer, open_settings: OpenSettings) -> None:
    """Add `import`, `imports` and `undo-import`; `open_settings` gives a database that runs."""
    _register_import(cli, open_settings)

    @cli.command("imports")
    def imports(
        workspace: Annotated[str, typer.Option(help="The workspace's id or name.")],
    ) -> None:
        """List the imports of a workspace, the latest first."""
        _run(open_settings, lambda database: _list(database, workspace))

    @cli.command("undo-import")
    def undo(
        import_id: Annotated[str, typer.Argument(metavar="ID")],
        workspace: Annotated[str, typer.Option(help="The workspace's id or name.")],
    ) -> None:
        """Remove all answers of an import and correct the counts."""
        found = parse_id(import_id)
        _run(open_settings, lambda database: _undo(database, workspace, found))


def _register_import(cli: typer.Typer, open_settings: OpenSettings) -> None:
    @cli.command("import")
    def import_file(
        file: Annotated[Path, typer.Argument(help="A CSV file with a header.")],
        workspace: Annotated[str, typer.Option(help="The workspace's id or name.")],
        survey: Annotated[str, typer.Option(help="The survey's id or name.")],
        score: Annotated[str, typer.Option(help="Column of the scores; #3 is the third.")],
        comment: Annotated[str | None, typer.Option(help="Column of the comments.")] = None,
        date_column: Annotated[
            str | None, typer.Option("--date", help="Column of the days.")
        ] = None,
        date_format: Annotated[
            list[str] | None,
            typer.Option(help="As in %d/%m/%Y %H:%M; repeat to try several. Default: ISO 8601."),
        ] = None,
        answered_on: Annotated[
            str | None, typer.Option(help="Day (YYYY-MM-DD) of rows without a date.")
        ] = None,
        segment: Annotated[
            list[str] | None, typer.Option(help="DIMENSION=COLUMN; repeat for more.")
        ] = None,
        declare_values: Annotated[
            bool,
            typer.Option(
                "--declare-values", help="Declare unknown values instead of counting them as other."
            ),
        ] = False,
        language: Annotated[
            str | None, typer.Option(help="Of the comments. Default: the survey's.")
        ] = None,
        encoding: Annotated[str | None, typer.Option(help="Default: found out.")] = None,
        delimiter: Annotated[str | None, typer.Option(help="Default: found out.")] = None,
        skip_rows: Annotated[int, typer.Option(min=0, help="Lines before the header.")] = 0,
        header_rows: Annotated[int, typer.Option(min=1, help="Rows of the header.")] = 1,
        skip_bad: Annotated[
            bool, typer.Option("--skip-bad", help="Import without the bad rows.")
        ] = False,
        again: Annotated[
            bool, typer.Option("--again", help="Import the same file once more.")
        ] = False,
        dry_run: Annotated[
            bool, typer.Option("--dry-run", help="Only say what would happen.")
        ] = False,
    ) -> None:
        """Import a CSV file of answers, all of it or nothing."""
        plan = ImportPlan(
            score_column=score,
            comment_column=comment,
            date_column=date_column,
            date_formats=tuple(date_format or ()),
            segments=_parse_segments(segment or []),
            language=language,
            answered_on=_parse_day(answered_on),
            declares_values=declare_values,
            skips_bad_rows=skip_bad,
            is_again=again,
        )
        source = open_csv(
            file, CsvFormat(encoding, _parse_delimiter(delimiter), skip_rows, header_rows)
        )
        _run(
            open_settings,
            lambda database: _import(database, workspace, survey, plan, source, dry_run),
        )


def parse_id(text: str) -> uuid.UUID:
    """The id somebody typed; a StartupError where it is none."""
    try:
        return uuid.UUID(text)
    except ValueError as error:
        raise StartupError(f"{text!r} is not an id.") from error


async def _import(
    database: Database, workspace: str, survey: str, plan: ImportPlan, source: CsvFile, dry: bool
) -> None:
    try:
        async with _in_workspace(database, workspace) as (session, workspace_id):
            questionnaire = await _find_questionnaire(session, workspace_id, survey)
            report = await _carry_out(session, questionnaire, plan, source, dry)
    except BadRows as error:
        print_bad_rows(error.report)
        typer.echo(error.text("en"), err=True)
        raise typer.Exit(1) from error
    print_report(report, source, is_dry=dry)
    if dry and report.bad_count and not plan.skips_bad_rows:
        raise typer.Exit(1)


async def _carry_out(
    session: AsyncSession,
    questionnaire: Questionnaire,
    plan: ImportPlan,
    source: CsvFile,
    dry: bool,
) -> ImportReport:
    if not dry:
        with bytes_read(source.size) as progress:
            return await import_answers(session, questionnaire, SYSTEM, plan, source, progress)
    if not plan.is_again:
        await refuse_repetition(session, questionnaire, source)
    with bytes_read(source.size) as progress:
        return check_file(questionnaire, plan, source, progress)


async def _list(database: Database, workspace: str) -> None:
    async with _in_workspace(database, workspace) as (session, workspace_id):
        found = await list_imports(session, workspace_id)
    print_imports(found)


async def _undo(database: Database, workspace: str, import_id: uuid.UUID) -> None:
    async with _in_workspace(database, workspace) as (session, workspace_id):
        removed = await undo_import(session, workspace_id, SYSTEM, import_id)
    typer.echo(f"Removed {removed:,} answers; the counts follow.")


@asynccontextmanager
async def _in_workspace(
    database: Database, workspace: str
) -> AsyncIterator[tuple[AsyncSession, uuid.UUID]]:
    async with database.transaction() as session:
        workspace_id = await unscoped_find_workspace(session, workspace)
    async with database.transaction(workspace_id) as session:
        yield session, workspace_id


async def unscoped_find_workspace(session: AsyncSession, id_or_name: str) -> uuid.UUID:
    """The workspace the operator named; StartupError where there is none or more than one."""
    named = Workspace.name == id_or_name
    if (workspace_id := _as_id(id_or_name)) is not None:
        named = Workspace.id == workspace_id
    found = (
        await session.scalars(
            select(Workspace.id).where(named, Workspace.deleted_at.is_(None)).limit(2)
        )
    ).all()
    return _only(found, "workspace", id_or_name)


async def _find_questionnaire(
    session: AsyncSession, workspace_id: uuid.UUID, id_or_name: str
) -> Questionnaire:
    survey_id = _as_id(id_or_name)
    if survey_id is None:
        found = await session.scalars(
            select(Survey.id)
            .where(Survey.workspace_id == workspace_id, Survey.name == id_or_name)
            .limit(2)
        )
        survey_id = _only(found.all(), "survey", id_or_name)
    try:
        return await get_questionnaire(session, workspace_id, survey_id)
    except NotFound as error:
        raise _absent("survey", id_or_name) from error


def _only(found: Sequence[uuid.UUID], kind: str, name: str) -> uuid.UUID:
    if not found:
        raise _absent(kind, name)
    if len(found) > 1:
        raise StartupError(f"More than one {kind} is called {name!r}; give the id.")
    return found[0]


def _absent(kind: str, name: str) -> StartupError:
    return StartupError(f"There is no {kind} {name!r}.")


def _as_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


def _parse_segments(given: Sequence[str]) -> dict[str, str]:
    segments: dict[str, str] = {}
    for pair in given:
        key, equals, column = pair.partition("=")
        if not (key and equals and column):
            raise typer.BadParameter(f"{pair!r} is not DIMENSION=COLUMN", param_hint="--segment")
        if key in segments:
            raise typer.BadParameter(f"{key!r} is there twice", param_hint="--segment")
        segments[key] = column
    return segments


def _parse_day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter("give a day as 2026-04-30", param_hint="--answered-on") from error


def _parse_delimiter(text: str | None) -> str | None:
    named = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";"}.get(text or "", text)
    if named is not None and (len(named) != 1 or named in '"\r\n'):
        raise typer.BadParameter("give one character, or tab", param_hint="--delimiter")
    return named


def _run(
    open_settings: OpenSettings, work: Callable[[Database], Coroutine[Any, Any, None]]
) -> None:
    with open_settings() as settings:
        asyncio.run(_with_database(settings, work))


async def _with_database(
    settings: Settings, work: Callable[[Database], Coroutine[Any, Any, None]]
) -> None:
    database = Database(settings.database_url)
    try:
        await work(database)
    finally:
        await database.close()
