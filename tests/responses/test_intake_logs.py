"""What a respondent writes stands in the table and nowhere else."""

import html
import re
from pathlib import Path

import httpx
import psycopg

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
    assert '"/api/v1/surveys/{survey_id}/responses"' in text
    for secret in ("canary", "/s/", ticket, cast.acme_key, "127.0.0.1", "Traceback"):
        assert secret not in text
