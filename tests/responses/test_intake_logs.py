"""What a respondent writes stands in the table and nowhere else."""

import html
import json
import re
import uuid
from pathlib import Path

import httpx
import psycopg
import pytest

from app.foundation.settings import Settings
from tests.factories import Cast
from tests.responses.scene import Scene, stored_answers
from tests.responses.serving import server_processes


async def test_no_log_tells_what_was_written_or_by_which_link(
    settings: Settings, cast: Cast, scene: Scene, owner: psycopg.Connection, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    owner.execute("ALTER TABLE responses ADD CHECK (comment <> 'canary-refused')")
    with server_processes(settings, 1, "DEBUG", log) as [address]:
        async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:
            page = await client.get("/s/cafe")
            found = re.search(r'name="ticket" value="([^"]+)"', page.text)
            assert found
            ticket = html.unescape(found[1])
            for score, comment, status in (
                ("3", "canary", 303),
                ("4", "canary amended", 303),
                ("11", "canary", 422),
                ("5", "canary-refused", 500),
            ):
                fields = {"ticket": ticket, "score": score, "comment": comment}
                sent = await client.post("/s/cafe/responses", data=fields)
                assert sent.status_code == status
                assert "content-security-policy" in sent.headers
            answer = await client.post(
                f"/api/v1/surveys/{scene.survey_id}/responses",
                json={"score": 7, "comment": "canary", "segments": {"canary": "canary"}},
                headers={"Authorization": f"Bearer {cast.acme_key}"},
            )
            assert answer.status_code == 422
    assert stored_answers(owner) == [(4, "canary amended")]
    text = log.read_text()
    assert '"unexpected error"' in text
    for secret in ("canary", "/s/", ticket, cast.acme_key, "127.0.0.1", "Traceback"):
        assert secret not in text


async def test_no_log_tells_when_a_program_sent_an_answer(
    settings: Settings,
    cast: Cast,
    scene: Scene,
    owner: psycopg.Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither a slow statement nor a line for the request, with an Idempotency-Key or without."""
    log = tmp_path / "log"
    monkeypatch.setenv("SLOW_STATEMENT_MS", "5")
    for table in ("responses", "idempotency_records"):
        owner.execute(f"ALTER TABLE {table} ADD CHECK (pg_sleep(0.01)::text = '') NOT VALID")
    path = f"/api/v1/surveys/{scene.survey_id}/responses"
    authorization = {"Authorization": f"Bearer {cast.acme_key}"}
    bodies = {path: {"score": 3}, f"{path}/batch": {"responses": [{"score": 4}]}}
    with server_processes(settings, 1, "DEBUG", log) as [address]:
        async with httpx.AsyncClient(
            base_url=address, timeout=60, trust_env=False, headers=authorization
        ) as client:
            for url, body in bodies.items():
                # The second of those with a key is answered from the record of the first.
                for key in ({}, {"Idempotency-Key": url}, {"Idempotency-Key": url}):
                    assert (await client.post(url, json=body, headers=key)).status_code == 201
            for url, body in bodies.items():
                slashed = await client.post(f"{url}/", json=body)
                assert (slashed.status_code, slashed.next_request is None) == (307, False)
            unheard = {"score": 1, "segments": {"unheard": "of"}}
            assert (await client.post(path, json=unheard)).status_code == 422
            unknown = path.replace(str(scene.survey_id), str(uuid.uuid4()))
            assert (await client.post(unknown, json={"score": 1})).status_code == 404
            assert (await client.get(path)).status_code == 200
    assert len(stored_answers(owner)) == 4
    lines = [json.loads(line) for line in log.read_text().splitlines() if line[:1] == "{"]
    told = [(line["method"], line["status"]) for line in lines if line["message"] == "request"]
    assert told == [("GET", 200)], "what only read"
    assert '"/api/v1/surveys/{survey_id}/responses"' in log.read_text()
    for line in lines:
        assert "INSERT" not in line.get("statement", "")
