"""Several files that leave as one: a zip whose manifest says what each of them holds.

Parts are written one after the other and never held in memory; the manifest comes last, because it
names the SHA-256 of all that stands before it.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import sha256
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

MANIFEST = "manifest.json"
READABLE_BY_OWNER = 0o600 << 16  # where zip programs look for the permissions of what they unpack


class Part:
    """One file of a bundle while it is written."""

    def __init__(self, name: str, entry: IO[bytes]) -> None:
        self.name = name
        self.rows = 0
        self._entry = entry
        self._bytes = 0
        self._hash = sha256()

    def write(self, content: bytes, rows: int) -> None:
        """Append `content`, which holds `rows` rows."""
        self._entry.write(content)
        self._hash.update(content)
        self._bytes += len(content)
        self.rows += rows

    def describe(self) -> dict[str, Any]:
        """The part's line in the manifest."""
        return {
            "name": self.name,
            "rows": self.rows,
            "bytes": self._bytes,
            "sha256": self._hash.hexdigest(),
        }


class Bundle:
    """A zip that is being written to `file`, which must be seekable. Close it by `finish`."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = ZipFile(file, "w", ZIP_DEFLATED)
        self._parts: list[Part] = []

    @property
    def rows(self) -> int:
        """The rows of all parts together."""
        return sum(part.rows for part in self._parts)

    @contextmanager
    def part(self, name: str) -> Iterator[Part]:
        """The next file; one must be left before another is begun."""
        with self._zip.open(_entry(name), "w", force_zip64=True) as entry:
            part = Part(name, entry)
            yield part
        self._parts.append(part)

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Write the manifest, with all parts listed under `files`, and the end of the zip."""
        files = [part.describe() for part in self._parts]
        text = json.dumps({**manifest, "files": files}, ensure_ascii=False, indent=2)
        self._zip.writestr(_entry(MANIFEST), text + "\n")
        self._zip.close()


def _entry(name: str) -> ZipInfo:
    # Without the time at which it was written: bundles of the same rows are the same.
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = READABLE_BY_OWNER
    return entry
