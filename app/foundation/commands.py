"""Commands that look after the database itself."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import typer

from app.foundation.distribution import distribute as spread
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
        with open_settings() as settings:
            tables = spread(settings)
        typer.echo("\n".join(tables) if tables else "Every table is spread already.")

    cli.add_typer(database, name="db")
