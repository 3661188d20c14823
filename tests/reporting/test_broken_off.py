"""A file that cannot be finished never looks whole, and no log quotes the row in its way."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import IO

import httpx
import psycopg
import pytest

from app.foundation.settings import Settings
from app.foundation.web import spool
from app.reporting import export_workbook, workspace_export
from tests.factories import Cast
from tests.responses.conftest import scene  # noqa: F401  # a fixture
from tests.responses.scene import Scene
from tests.responses.serving import server_processes

# Postgres quotes what it cannot read as a number, to the driver of a COPY alone.
QUOTING = """
CREATE POLICY quoting ON responses AS RESTRICTIVE FOR SELECT
USING (CASE WHEN current_query() LIKE 'COPY%' THEN comment::int IS NOT NULL ELSE true END)
"""


def _named(log: Path, name: str) -> Sequence[dict[str, object]]:
    return [line for line in map(json.loads, log.read_text().splitlines()) if line["name"] == name]


async def test_no_log_quotes_the_answer_at_which_an_export_breaks_off(
    settings: Settings,
    cast: Cast,
    scene: Scene,  # noqa: F811
    acme_api: httpx.AsyncClient,
    owner: psycopg.Connection,
    tmp_path: Path,
) -> None:
    path, log = f"/api/v1/surveys/{scene.survey_id}/responses", tmp_path / "log"
    sent = await acme_api.post(path, json={"score": 3, "comment": "canary"})
    assert sent.status_code == 201
    owner.execute(QUOTING)
    with server_processes(settings, 1, "INFO", log) as [address]:
        headers = {"Authorization": f"Bearer {cast.acme_key}"}
        async with httpx.AsyncClient(base_url=address, headers=headers, trust_env=False) as client:
            with pytest.raises(httpx.RemoteProtocolError):
                await client.get(f"{path}.csv", timeout=60)
            assert (await client.get("/health/ready")).status_code == 200
    assert "canary" not in log.read_text()
    assert "Traceback" not in log.read_text()
    [failed] = _named(log, "honne.errors")
    assert (failed["message"], failed["sqlstate"]) == ("unexpected error", "22P02")
    assert "copying.py" in str(failed["places"])


def _full() -> IO[bytes]:
    """A file on a disk without room, as Linux keeps one."""
    return Path("/dev/full").open("r+b")


# zipfile says once more, as it is dropped, that what it has not written has no room.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_who_asks_for_a_file_for_which_there_is_no_room_is_told_to_come_again(
    cast: Cast,
    scene: Scene,  # noqa: F811
    acme_api: httpx.AsyncClient,
    as_alice: httpx.AsyncClient,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for module in (spool, export_workbook, workspace_export):
        monkeypatch.setattr(module, "TemporaryFile", _full)
    survey = f"/w/{cast.acme}/surveys/{scene.survey_id}"
    program = await acme_api.get(f"/api/v1/surveys/{scene.survey_id}/responses.csv")
    assert program.json()["code"] == "unavailable"
    page = await as_alice.get(f"{survey}/responses.csv")
    assert "no room for this file" in page.text
    whole = await as_alice.post(f"/w/{cast.acme}/export")
    workbook = await as_alice.get(f"{survey}/figures.xlsx")
    for answer in (program, page, whole, workbook):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "Content-Disposition" not in answer.headers
    told = owner.execute("SELECT action FROM audit_events WHERE action LIKE '%exported'").fetchall()
    assert told == [], "nothing has left"


async def test_a_disk_that_fails_otherwise_is_an_error_of_ours(
    scene: Scene,  # noqa: F811
    acme_api: httpx.AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def forbidden() -> IO[bytes]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(spool, "TemporaryFile", forbidden)
    answer = await acme_api.get(f"/api/v1/surveys/{scene.survey_id}/responses.csv")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
