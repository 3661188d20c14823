"""The file itself: private, whole, never in another's place, and believed only if it is sound."""

import hashlib
import json
import shutil
import stat
import uuid
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from app.accounts.models import User, Workspace
from app.archiving.manifest import BadArchive
from app.archiving.writing import write_archive
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.errors import StartupError
from tests.archiving.conftest import restore
from tests.factories import Cast
from tests.reporting.data import TODAY, Answer, make_survey

Files = dict[str, bytes]
COMMENT = "the very words of a respondent"


@pytest.fixture
async def archive(database: Database, cast: Cast, tmp_path: Path) -> Path:
    path = tmp_path / "acme.zip"
    answers = [Answer(TODAY, score, {"plan": "pro"}, COMMENT) for score in range(11)]
    await make_survey(database, cast.acme, answers)
    await write_archive(database, cast.acme, path)
    return path


def _files(path: Path) -> Files:
    with zipfile.ZipFile(path) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def _write(path: Path, files: Files) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)


def _edit_manifest(files: Files, edit: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads(files["manifest.json"])
    edit(manifest)
    files["manifest.json"] = json.dumps(manifest).encode()


def _forge(files: Files, name: str, content: bytes) -> None:
    """Put other rows in and vouch for them in the manifest."""
    files[name] = content

    def vouch(manifest: dict[str, Any]) -> None:
        line = next(file for file in manifest["files"] if file["name"] == name)
        line["bytes"], line["rows"] = len(content), content.count(b"\n")
        line["sha256"] = hashlib.sha256(content).hexdigest()

    _edit_manifest(files, vouch)


def _read(path: Path) -> bytes:
    return path.read_bytes()


def _replace(path: Path, content: bytes) -> None:
    path.write_bytes(content)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def _left_in(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def _is_empty(database: Database) -> bool:
    async with database.transaction() as session:
        workspaces = await session.scalar(select(func.count()).select_from(Workspace))
        users = await session.scalar(select(func.count()).select_from(User))
    return (workspaces, users) == (0, 0)


async def _refused(elsewhere: Database, path: Path, reason: str) -> None:
    with pytest.raises(BadArchive, match=reason):
        await restore(elsewhere, path)
    assert await _is_empty(elsewhere)


async def test_only_its_owner_may_read_it_and_nothing_else_is_left(archive: Path) -> None:
    assert _mode(archive) == 0o600
    assert _left_in(archive.parent) == [archive]


async def test_it_lists_what_it_holds_with_hashes(archive: Path, cast: Cast) -> None:
    files = _files(archive)
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["workspace"] == {"id": str(cast.acme), "name": "Acme"}
    assert {line["name"] for line in manifest["files"]} == set(files)
    for line in manifest["files"]:
        content = files[line["name"]]
        assert line["bytes"] == len(content)
        assert line["sha256"] == hashlib.sha256(content).hexdigest()
        if line["name"].endswith(".jsonl"):
            assert len([json.loads(row) for row in content.splitlines()]) == line["rows"]
    assert files["responses.jsonl"].decode().count(COMMENT) == 11
    table = next(content for name, content in files.items() if name.endswith(".csv")).decode()
    assert table.splitlines()[0].endswith(
        "exclusion_reason,address,segment.plan,segment.age,segment.region"
    )
    assert table.count(f"{COMMENT},en,link,counted,,,pro,,\r\n") == 11


async def test_it_takes_no_files_place(database: Database, cast: Cast, archive: Path) -> None:
    before = _read(archive)
    with pytest.raises(StartupError, match="exists already"):
        await write_archive(database, cast.acme, archive)
    assert _read(archive) == before
    link = archive.with_name("link.zip")
    link.symlink_to(archive.with_name("nowhere"))
    with pytest.raises(StartupError, match="exists already"):
        await write_archive(database, cast.acme, link)


async def test_what_fails_leaves_nothing(database: Database, tmp_path: Path, cast: Cast) -> None:
    with pytest.raises(StartupError, match="cannot be written"):
        await write_archive(database, cast.acme, tmp_path / "absent" / "acme.zip")
    with pytest.raises(Exception, match=r"."):
        await write_archive(database, uuid.uuid4(), tmp_path / "nobody.zip")
    assert _left_in(tmp_path) == []


async def test_other_files_are_named_as_such(elsewhere: Database, tmp_path: Path) -> None:
    path = tmp_path / "file.zip"
    path.write_text("id,score\n1,9\n")
    await _refused(elsewhere, path, "is no archive of a Honne workspace")
    for files in ({"a.txt": b"a"}, {"manifest.json": b"[" * 100_000}, {"manifest.json": b"[1]"},
                  {"manifest.json": b'{"format": "honne-export"}'}):  # fmt: skip
        _write(path, files)
        await _refused(elsewhere, path, "is no archive of a Honne workspace")
    with pytest.raises(StartupError, match="cannot be read"):
        await restore(elsewhere, tmp_path / "absent.zip")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
async def test_a_truncated_file_stores_nothing(
    archive: Path, elsewhere: Database, share: float
) -> None:
    content = _read(archive)
    _replace(archive, content[: int(len(content) * share)])
    await _refused(elsewhere, archive, "This archive is damaged")


async def test_a_flipped_bit_stores_nothing(archive: Path, elsewhere: Database) -> None:
    content = _read(archive)
    for place in range(0, len(content), len(content) // 25):
        torn = bytearray(content)
        torn[place] ^= 1
        _replace(archive, bytes(torn))
        if _means_the_same(archive, content):
            continue
        with pytest.raises(BadArchive):
            await restore(elsewhere, archive)
        assert await _is_empty(elsewhere)


async def test_an_entry_before_the_file_stores_nothing(archive: Path, elsewhere: Database) -> None:
    content = bytearray(_read(archive))
    end = content.rindex(b"PK\5\6")
    content[end + 16 : end + 20] = (2**31).to_bytes(4, "little")  # where the list of entries begins
    _replace(archive, bytes(content))
    await _refused(elsewhere, archive, "This archive is damaged")


def _means_the_same(path: Path, before: bytes) -> bool:
    """A bit of the zip's own notes, such as a time or a permission, may change nothing."""
    copy = path.with_name("before.zip")
    copy.write_bytes(before)
    try:
        return _files(path) == _files(copy)
    except (zipfile.BadZipFile, NotImplementedError, KeyError, EOFError, OSError, ValueError):
        return False
    except Exception as error:
        return type(error).__name__ not in {"error", "RuntimeError"}


async def test_newer_and_older_archives_say_what_to_do(archive: Path, elsewhere: Database) -> None:
    files = _files(archive)
    newer, other, older = dict(files), dict(files), dict(files)
    _edit_manifest(newer, lambda found: found.update(format_version=2, honne_version="9.1"))
    _edit_manifest(other, lambda found: found.update(schema_revision="feedbeef", honne_version="9"))
    _edit_manifest(older, lambda found: found.update(schema_revision="da1da422cb10"))
    for changed, reason in (
        (newer, r"made by a newer Honne \(9.1\); upgrade this installation"),
        (other, r"made by a newer Honne \(9\)"),
        (older, "made by an older Honne"),
    ):
        _write(archive, changed)
        await _refused(elsewhere, archive, reason)


async def test_files_that_are_not_as_listed_store_nothing(
    archive: Path, elsewhere: Database
) -> None:
    files = _files(archive)
    responses = files["responses.jsonl"]
    cases: list[tuple[Files, str]] = [
        ({**files, "../../escape": b"x"}, "not those that its manifest lists"),
        ({**files, "users.jsonl": b"{}\n"}, "not those that its manifest lists"),
        ({name: text for name, text in files.items() if name != "responses.jsonl"}, "not those"),
        ({**files, "responses.jsonl": responses + responses}, "another size"),
        ({**files, "responses.jsonl": responses[::-1]}, "does not end where it should"),
        ({**files, "responses.jsonl": responses.replace(b"very", b"VERY")}, "not what was written"),
        ({**files, "responses.jsonl": b"0" * 50_000_000}, "another size"),
    ]
    for changed, reason in cases:
        _write(archive, changed)
        await _refused(elsewhere, archive, reason)


async def test_a_forged_manifest_reaches_no_other_table(archive: Path, elsewhere: Database) -> None:
    def add(found: dict[str, Any]) -> None:
        found["tables"]["users"] = ["id"]

    def rename(found: dict[str, Any]) -> None:
        found["files"][0]["name"] = "../workspaces.jsonl"

    def grow(found: dict[str, Any]) -> None:
        found["files"][0]["bytes"] = -1

    for edit, reason in (
        (add, "its tables are not those"),
        (rename, "not those that its manifest lists"),
        (grow, "its manifest cannot be read at files.0.bytes"),
    ):
        files = _files(archive)
        shutil.copy(archive, archive.with_name("kept.zip"))
        _edit_manifest(files, edit)
        _write(archive, files)
        await _refused(elsewhere, archive, reason)
        archive.with_name("kept.zip").replace(archive)


async def test_rows_that_do_not_hold_together_store_nothing(
    archive: Path, elsewhere: Database, cast: Cast
) -> None:
    files = _files(archive)
    mine, other = str(cast.acme).encode(), str(uuid.uuid4()).encode()
    responses = files["responses.jsonl"]
    score = next(line for line in responses.splitlines() if b'"score":9' in line)
    for name, content, reason in (
        ("responses.jsonl", responses.replace(mine, other), "does not hold together"),
        ("workspaces.jsonl", files["workspaces.jsonl"].replace(mine, other), "another workspace"),
        ("workspaces.jsonl", b"", "another workspace"),
        ("segment_sets.jsonl", b"", "does not hold together"),
        ("responses.jsonl", responses.replace(b'"score":9', b'"score":11'), "not hold together"),
        ("responses.jsonl", responses + score + b"\n", "does not hold together"),
        ("responses.jsonl", b"not json\n", "does not hold together"),
        ("responses.jsonl", b"\xff\xfe\n", "does not hold together"),
        ("imports.jsonl", b"{},{}\n", "damaged|does not hold together"),
    ):
        forged = dict(files)
        _forge(forged, name, content)
        _write(archive, forged)
        await _refused(elsewhere, archive, reason)
    _write(archive, files)
    assert await restore(elsewhere, archive) > 0


async def test_a_workspace_that_is_being_deleted_is_not_archived(
    database: Database, cast: Cast, tmp_path: Path
) -> None:
    async with database.transaction() as session:
        workspace = await session.get_one(Workspace, cast.acme)
        workspace.deleted_at = clock.now()
    with pytest.raises(StartupError, match="is being deleted"):
        await write_archive(database, cast.acme, tmp_path / "acme.zip")
    assert _left_in(tmp_path) == []
