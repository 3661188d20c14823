"""A file that cannot be finished never looks whole, and no log quotes the row in its way."""

import json
from collections.abc import Sequence
from pathlib import Path

import httpx
import psycopg
import pytest

from app.foundation.settings import Settings
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
