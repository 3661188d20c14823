"""The operator's commands that back up the whole installation and bring it back."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from app.archiving.backup import (
    BackupManifest,
    make_backup,
    read_backup,
    require_restorable,
    restore_backup,
)
from app.foundation.embedded import embedded_postgres, has_cluster
from app.foundation.embedded_account import account_for
from app.foundation.errors import StartupError
from app.foundation.logs import configure_logging
from app.foundation.settings import SECRET_KEY_FILE, Settings, read_data_dir, read_settings


def register(cli: typer.Typer) -> None:
    """Add `backup` and `restore`."""

    @cli.command()
    def backup(
        folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder to make.")],
    ) -> None:
        """Copy the whole database to a new folder, also while Honne serves."""
        _require_database(os.environ)
        settings = _read_settings(os.environ)
        with _database(settings) as ready:
            manifest = make_backup(ready, folder.absolute())
        typer.echo(f"{folder}: {_describe(manifest)}, {manifest.bytes / 1e6:,.1f} MB.")
        typer.echo(f"The secret key is not in it. Keep {_name_key(settings)} too, elsewhere.")

    @cli.command()
    def restore(
        folder: Annotated[Path, typer.Argument(metavar="DIR", help="What `backup` made.")],
        new_secret_key: Annotated[
            bool, typer.Option("--new-secret-key", help="Do without the key of then.")
        ] = False,
    ) -> None:
        """Load a backup into an empty database or a new HONNE_DATA_DIR.

        What was deleted or erased since the backup is back; see docs/backup.md.
        """
        manifest = read_backup(folder.absolute())
        if not new_secret_key:
            _require_key(os.environ)
        settings = _read_settings(os.environ)
        require_restorable(settings, manifest, is_key_new=new_secret_key)
        with _database(settings) as ready:
            restore_backup(ready, folder.absolute(), manifest)
        typer.echo(f"Restored: {_describe(manifest)}, as of {manifest.made_at:%Y-%m-%d %H:%M} UTC.")
        typer.echo("What was deleted or erased since then is back; see docs/backup.md.")


def _describe(manifest: BackupManifest) -> str:
    return f"{manifest.total:,} rows in {len(manifest.rows)} tables"


def _name_key(settings: Settings) -> str:
    key_file = settings.data_dir / SECRET_KEY_FILE
    return "SECRET_KEY" if os.environ.get("SECRET_KEY") else str(key_file)


def _require_database(environ: Mapping[str, str]) -> None:
    """Before the settings are read: those of a mistyped data directory would make it."""
    data_dir = read_data_dir(environ)
    if not environ.get("DATABASE_URL") and not has_cluster(data_dir):
        raise StartupError(f"There is no database in {data_dir}; set HONNE_DATA_DIR.")


def _require_key(environ: Mapping[str, str]) -> None:
    """Before the settings are read: those of a new data directory make a new key."""
    if environ.get("SECRET_KEY") or environ.get("DATABASE_URL"):
        return
    data_dir = read_data_dir(environ)
    account_for(data_dir)
    key_file = data_dir / SECRET_KEY_FILE
    if not key_file.exists():
        raise StartupError(
            f"Copy the secret_key file of then to {key_file} first, or set SECRET_KEY, or pass "
            "--new-secret-key: API keys, receipts of answers and open links then stop working."
        )


def _read_settings(environ: Mapping[str, str]) -> Settings:
    settings = read_settings({"LOG_LEVEL": "WARNING", **environ})
    configure_logging(settings.log_level)
    return settings


@contextmanager
def _database(settings: Settings) -> Iterator[Settings]:
    """The database as it is: it is not migrated, since one backs up before an upgrade."""
    if not settings.is_embedded:
        yield settings
        return
    with embedded_postgres(settings.data_dir) as addresses:
        yield settings.with_database(addresses.runtime_url, addresses.owner_url)
