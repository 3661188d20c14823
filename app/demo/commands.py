"""The developer's commands: something large to measure."""

import asyncio
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Annotated

import typer

from app.demo.bulk import Loaded, load_answers
from app.foundation.database import Database
from app.foundation.settings import Settings

OpenSettings = Callable[[], AbstractContextManager[Settings]]


def register(cli: typer.Typer, open_settings: OpenSettings) -> None:
    """Add `bench load`; `open_settings` gives a database that runs."""
    bench = typer.Typer(no_args_is_help=True, help="Large workspaces, to measure with.")
    cli.add_typer(bench, name="bench")

    @bench.callback()
    def group() -> None:
        """Large workspaces, to measure with."""

    @bench.command()
    def load(
        answers: Annotated[int, typer.Option(min=1)] = 1_000_000,
        segments: Annotated[int, typer.Option(min=1, help="Combinations of values.")] = 200,
        days: Annotated[int, typer.Option(min=1, max=3_650)] = 365,
    ) -> None:
        """Make a workspace with a survey of made-up answers; prints where it is.

        Writes into no other workspace. Takes a superuser's login in DATABASE_OWNER_URL, which the
        embedded Postgres has.
        """
        with open_settings() as settings:
            started = time.perf_counter()
            loaded = asyncio.run(_load(settings, answers, segments, days))
            seconds = time.perf_counter() - started
        typer.echo(f"{loaded.answers:,} answers, {loaded.counts:,} rows of counts")
        typer.echo(f"workspace: {loaded.workspace_id}")
        typer.echo(f"survey:    {loaded.survey_id}")
        typer.echo(f"{loaded.answers / seconds:,.0f} answers a second")


async def _load(settings: Settings, answers: int, segments: int, days: int) -> Loaded:
    database = Database(settings.database_url)
    try:
        return await load_answers(database, settings, answers, segments, days)
    finally:
        await database.close()
