"""What an archive says about itself, and what is believed of it."""

import uuid
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.archiving.tables import archived_tables, column_names
from app.foundation.errors import StartupError

FORMAT: Final = "honne-archive"
FORMAT_VERSION: Final = 1


class BadArchive(StartupError):
    """The file is no archive that can be restored here; nothing was stored."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ListedFile(_Shape):
    """A file of the archive: `rows` are lines of JSON, or of CSV without the head."""

    name: str
    rows: Annotated[int, Field(ge=0)]
    bytes: Annotated[int, Field(ge=0)]
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class ArchivedWorkspace(_Shape):
    id: uuid.UUID
    name: str


class Manifest(_Shape):
    """`manifest.json`. `tables` maps each table to its columns; `made_at` is a UTC moment."""

    format: Literal["honne-archive"] = FORMAT
    format_version: Literal[1] = FORMAT_VERSION
    honne_version: str
    schema_revision: str
    made_at: datetime
    workspace: ArchivedWorkspace
    tables: dict[str, list[str]]
    files: list[ListedFile] = []


def tables_here() -> dict[str, list[str]]:
    """The tables and columns that this version archives."""
    return {table.name: column_names(table) for table in archived_tables()}


def newer_archive(version: str) -> BadArchive:
    """The error for an archive that only a later version can read."""
    return BadArchive(
        f"This archive was made by a newer Honne ({version}); upgrade this installation first."
    )
