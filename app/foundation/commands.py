"""Commands that look after the database itself."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager

import typer

from app.foundation.distribution import distribute as spread
from app.foundation.errors import StartupError
from app.foundation.settings import Settings

OpenSettings = Callable[[], AbstractContextManager[Settings]]


def register(cli: typer.Typer, open_settings: OpenSettings) -> None:
    """Add `db distribute`; `open_settings` gives a database that runs."""
    database = typer.Typer(no_args_is_help=True, help="The database: how it is laid out.")

    @database.callback()
    def group() -> None:
        """Keeps `distribute` a command of its own while it is the only one."""

    @database.command("distribute")
    def distribute() -> None:
        """Spread the tables over several machines, by workspace; needs the citus extension.

        Prints the tables that were spread. Can be run again, and must be after an upgrade.
        """
        if not os.environ.get("DATABASE_URL"):
            raise StartupError(
                "The Postgres that comes along stays on one machine; set DATABASE_URL to one with "
                "the citus extension (docs/operations.md)."
            )
        with open_settings() as settings:
            tables = spread(settings)
        typer.echo("\n".join(tables) if tables else "Every table is spread already.")

    cli.add_typer(database, name="db")
