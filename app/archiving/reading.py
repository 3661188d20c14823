"""Reading an archive: the whole file is checked before a single row is believed."""

import errno
import json
import lzma
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import IO
from zipfile import BadZipFile, ZipFile

from pydantic import ValidationError

from app.archiving.manifest import (
    FORMAT,
    FORMAT_VERSION,
    BadArchive,
    ListedFile,
    Manifest,
    newer_archive,
    tables_here,
)
from app.archiving.tables import part_name
from app.foundation.bundles import MANIFEST
from app.foundation.errors import StartupError

MAX_MANIFEST = 4 * 1024 * 1024
MAX_LINE = 4 * 1024 * 1024
BATCH_ROWS = 1_000
BATCH_BYTES = 4 * 1024 * 1024
CHUNK = 64 * 1024
ZIP_START = b"PK\x03\x04"
# What Python's zip module raises for bytes that are not what a zip promises.
TORN = (BadZipFile, zlib.error, lzma.LZMAError, EOFError, NotImplementedError, RuntimeError)


class ArchiveFile:
    """An open archive with its manifest; `check` reads all of it once."""

    def __init__(self, zipped: ZipFile) -> None:
        self._zip = zipped
        self.manifest = _read_manifest(zipped)
        by_name = {file.name: file for file in self.manifest.files}
        names = map(part_name, self.manifest.tables)
        self._table_files = {name: by_name[name] for name in names if name in by_name}

    def check(self) -> None:
        """BadArchive unless files, sizes, rows and hashes are those of the manifest.

        Nothing is unpacked to the disk, and nothing read beyond the size that was promised.
        """
        self._check_names()
        for file in self.manifest.files:
            if file.name in self._table_files:
                for _lines in self._batches(file):
                    pass
            else:
                self._check_hash(file)

    def batches(self, table: str) -> Iterator[list[bytes]]:
        """The lines of a table, up to a thousand at once."""
        return self._batches(self._table_files[part_name(table)])

    def _check_names(self) -> None:
        names = sorted(entry.filename for entry in self._zip.infolist())
        if names != sorted([MANIFEST, *(file.name for file in self.manifest.files)]):
            raise _damaged("its files are not those that its manifest lists")
        if self.manifest.tables != tables_here():
            raise _damaged("its tables are not those of this version")
        if len(self._table_files) < len(self.manifest.tables):
            raise _damaged("the file of a table is missing")
        for file in self.manifest.files:
            if self._zip.getinfo(file.name).file_size != file.bytes:
                raise _damaged(f"{file.name} has another size than its manifest says")

    def _batches(self, file: ListedFile) -> Iterator[list[bytes]]:
        with _torn_is_damaged(), self._zip.open(file.name) as entry:
            yield from _read_lines(entry, file)

    def _check_hash(self, file: ListedFile) -> None:
        seen, digest = 0, sha256()
        with _torn_is_damaged(), self._zip.open(file.name) as entry:
            while (chunk := entry.read(CHUNK)) and seen <= file.bytes:
                seen += len(chunk)
                digest.update(chunk)
        if (seen, digest.hexdigest()) != (file.bytes, file.sha256):
            raise _damaged(f"{file.name} is not what was written")


@contextmanager
def open_archive(path: Path) -> Iterator[ArchiveFile]:
    """An archive to read from; `BadArchive` says in a sentence why a file is none."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise StartupError(f"{path} cannot be read ({error.strerror or error}).") from error
    with file:
        if file.read(len(ZIP_START)) != ZIP_START:
            raise _foreign()
        with _torn_is_damaged():
            zipped = ZipFile(file)
        with zipped:
            yield ArchiveFile(zipped)


def _read_lines(entry: IO[bytes], promised: ListedFile) -> Iterator[list[bytes]]:
    """All lines in batches; BadArchive, by the end, where they are not what was promised."""
    seen, rows, digest, batch, size = 0, 0, sha256(), list[bytes](), 0
    while line := entry.readline(min(MAX_LINE, promised.bytes - seen) + 1):
        seen, rows, size = seen + len(line), rows + 1, size + len(line)
        if not line.endswith(b"\n") or seen > promised.bytes:
            raise _damaged(f"{promised.name} does not end where it should")
        digest.update(line)
        batch.append(line)
        if len(batch) == BATCH_ROWS or size > BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if (seen, rows, digest.hexdigest()) != (promised.bytes, promised.rows, promised.sha256):
        raise _damaged(f"{promised.name} is not what was written")
    if batch:
        yield batch


def _read_manifest(zipped: ZipFile) -> Manifest:
    try:
        with _torn_is_damaged(), zipped.open(MANIFEST) as entry:
            text = entry.read(MAX_MANIFEST)
        found = json.loads(text)
    except (KeyError, ValueError, RecursionError):
        raise _foreign() from None
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise _foreign()
    number = found.get("format_version")
    if isinstance(number, int) and number > FORMAT_VERSION:
        raise newer_archive(str(found.get("honne_version")))
    try:
        return Manifest.model_validate(found)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"]))
        raise _damaged(f"its manifest cannot be read at {where}") from None


@contextmanager
def _torn_is_damaged() -> Iterator[None]:
    try:
        yield
    except TORN as error:
        raise _damaged(str(error) or "it is cut short") from error
    except OSError as error:
        if error.errno != errno.EINVAL:
            raise
        raise _damaged("an entry is said to begin before it") from error


def _foreign() -> BadArchive:
    return BadArchive("This file is no archive of a Honne workspace; nothing was stored.")


def _damaged(reason: str) -> BadArchive:
    return BadArchive(f"This archive is damaged: {reason}. Nothing was stored.")
