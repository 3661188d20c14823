"""Everything of a workspace as one file: complete, described, and no more than may be shown."""

import csv
import hashlib
import io
import json
import zipfile
from collections import Counter
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import func, select

from app.accounts.models import Scope
from app.foundation.database import Database
from app.foundation.giving_way import Pace
from app.foundation.settings import Settings
from app.foundation.tokens import fingerprint
from app.reporting import export_tables, workspace_export
from app.responses.deletions import record_deletions
from app.responses.models import DeletionReason
from tests.conftest import program
from tests.factories import Cast, make_api_key
from tests.reporting.conftest import SECRET
from tests.reporting.data import TODAY, Answer, make_survey
from tests.responses.scene import Scene

EXPORT = "/api/v1/export"


class Export:
    """A downloaded export, unpacked."""

    def __init__(self, content: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as zipped:
            self.files = {name: zipped.read(name) for name in zipped.namelist()}
        self.manifest = json.loads(self.files["manifest.json"])

    def lines(self, name: str) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.files[name].decode().splitlines()]

    def table(self, name: str) -> list[dict[str, str]]:
        text = self.files[name].decode("utf-8-sig")
        return list(csv.DictReader(io.StringIO(text, newline="")))


async def _export(client: httpx.AsyncClient) -> Export:
    answer = await client.get(EXPORT)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.content)
    return Export(answer.content)


@pytest.fixture
async def export(acme_api: httpx.AsyncClient, scene: Scene) -> Export:
    assert scene.slug
    return await _export(acme_api)


def _folder(scene: Scene) -> str:
    return f"surveys/{scene.survey_id}"


async def test_what_gives_way_keeps_no_row_as_it_was(
    acme_api: httpx.AsyncClient,
    scene: Scene,
    watched_pace: tuple[type[Pace], list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pace, lookers = watched_pace
    monkeypatch.setattr(export_tables, "Pace", pace)
    assert (await _export(acme_api)).lines(f"{_folder(scene)}/responses.jsonl")
    assert set(lookers) == {0}


async def test_the_manifest_describes_every_file(export: Export, scene: Scene, cast: Cast) -> None:
    manifest = export.manifest
    assert manifest["format"] == "honne-export"
    brand = manifest["workspace"].pop("brand")
    assert (brand["name"], brand["accent"], brand["logo"]) == ("Acme", None, None)
    assert manifest["workspace"] == {
        "id": str(cast.acme),
        "name": "Acme",
        "time_zone": "Asia/Tokyo",
    }
    assert manifest["as_of"] == TODAY.isoformat()
    assert {line["name"] for line in manifest["files"]} == set(export.files) - {"manifest.json"}
    for line in manifest["files"]:
        content = export.files[line["name"]]
        assert line["bytes"] == len(content)
        assert line["sha256"] == hashlib.sha256(content).hexdigest()
        is_csv = line["name"].endswith(".csv")
        rows = export.table(line["name"]) if is_csv else export.lines(line["name"])
        assert line["rows"] == len(rows)
    assert "min_group_size" in manifest["definitions"]["subgroup"]
    assert f"{_folder(scene)}/responses.csv" in export.files


async def test_answers_show_their_day_and_nothing_of_their_kind(
    export: Export, scene: Scene, acme_api: httpx.AsyncClient
) -> None:
    listed = await acme_api.get(f"/api/v1/surveys/{scene.survey_id}/responses?limit=200")
    rows = export.lines(f"{_folder(scene)}/responses.jsonl")
    shown = [{**row, "survey_id": str(scene.survey_id)} for row in rows]
    assert {row.pop("contact") for row in shown} == {None}
    assert {row.pop("tags") for row in shown} == {""}
    assert shown == [{name: row[name] for name in shown[0]} for row in listed.json()["data"]]
    assert len(rows) == 39
    assert set(rows[0]) == {
        "id", "answered_on", "score", "category", "comment", "standing", "exclusion_reason",
        "contact", "tags", "starred",
    }  # fmt: skip
    table = export.table(f"{_folder(scene)}/responses.csv")
    assert [row["id"] for row in table] == [row["id"] for row in rows]
    assert Counter(row["comment"] for row in table)[SECRET] == 2
    for row in rows:
        assert set(row) & {"plan", "age", "region", "language", "channel", "segments"} == set()


async def test_answers_read_in_parts_are_all_there(
    acme_api: httpx.AsyncClient, export: Export, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{_folder(scene)}/responses.jsonl"
    for at_once in (1, 13, 39):
        monkeypatch.setattr(workspace_export, "ROWS_AT_ONCE", at_once)
        assert (await _export(acme_api)).lines(name) == export.lines(name)


async def test_figures_are_those_of_the_api(
    export: Export, scene: Scene, acme_api: httpx.AsyncClient
) -> None:
    query = {"survey_id": str(scene.survey_id)}
    for interval in ("day", "month"):
        answer = await acme_api.get("/api/v1/metrics", params={**query, "interval": interval})
        series = [point for point in answer.json()["series"] if point["response_count"]]
        found = export.lines(f"{_folder(scene)}/figures-by-{interval}.jsonl")
        assert [_figures(row) for row in found if row["response_count"]] == [
            {**{name: point[name] for name in ("since", "until", "nps", "response_count")},
             "distribution": point["distribution"]}
            for point in series
        ]  # fmt: skip
        assert sum(row["response_count"] for row in found) == 39
        table = export.table(f"{_folder(scene)}/figures-by-{interval}.csv")
        assert [float(row["nps"] or 0) for row in table] == [row["nps"] or 0 for row in found]


def _figures(row: dict[str, Any]) -> dict[str, Any]:
    scores = [row[f"score_{score}"] for score in range(11)]
    return {
        **{name: row[name] for name in ("since", "until", "nps", "response_count")},
        "distribution": None if scores[0] is None else scores,
    }


async def test_subgroups_are_those_of_the_api_and_never_small(
    export: Export, scene: Scene, acme_api: httpx.AsyncClient
) -> None:
    rows = export.lines(f"{_folder(scene)}/figures-of-subgroups.jsonl")
    names = {"language": "language", "channel": "channel"}
    for split_by, value in {(row["split_by"], row["value"]) for row in rows}:
        query = {
            "survey_id": str(scene.survey_id),
            names.get(split_by, f"segment.{split_by}"): value,
            "interval": "month",
        }
        answer = await acme_api.get("/api/v1/metrics", params=query)
        mine = [row for row in rows if (row["split_by"], row["value"]) == (split_by, value)]
        assert [(row["since"], row["until"], row["response_count"]) for row in mine] == [
            (point["since"], point["until"], point.get("response_count"))
            for point in answer.json()["series"]
        ]
    shown = [row for row in rows if not row["suppressed"]]
    assert {row["value"] for row in shown} >= {"free"}
    assert all(row["response_count"] >= 5 for row in shown)
    hidden = [row for row in rows if row["suppressed"]]
    assert all(row["nps"] is row["response_count"] is row["score_0"] is None for row in hidden)
    assert not [row for row in shown if row["value"] == "old"], "two answers are too few"


async def test_deletions_are_told_by_day_and_reason(
    database: Database, cast: Cast, scene: Scene, acme_api: httpx.AsyncClient
) -> None:
    async with database.transaction(cast.acme) as session:
        where = (session, cast.acme, scene.survey_id)
        await record_deletions(*where, DeletionReason.API, 3)
    export = await _export(acme_api)
    assert export.table(f"{_folder(scene)}/deletions.csv") == [
        {"deleted_on": TODAY.isoformat(), "reason": "api", "responses": "3"}
    ]


async def test_surveys_come_with_all_that_describes_them(export: Export, scene: Scene) -> None:
    (survey,) = export.lines("surveys.jsonl")
    assert survey["id"] == str(scene.survey_id)
    assert (survey["min_group_size"], survey["retention_months"]) == (5, 24)
    assert survey["held_since"] is None
    assert survey["wording"]["ja"]["question"] == "{X}を友人や同僚に薦める可能性は？"
    assert [version["number"] for version in survey["versions"]] == [1]
    assert [dimension["key"] for dimension in survey["dimensions"]] == ["plan", "age", "region"]
    assert survey["dimensions"][0]["values"][0]["key"] == "free"
    assert survey["links"][0]["url"].endswith(f"/s/{scene.slug}")


async def test_members_and_the_log_belong_to_it(
    export: Export, acme_api: httpx.AsyncClient
) -> None:
    members = {row["email"]: row["role"] for row in export.table("members.csv")}
    assert members == {
        "alice@acme.example": "owner",
        "bob@acme.example": "viewer",
        "mona@acme.example": "manager",
    }
    again = await _export(acme_api)
    (line, *_rest) = again.lines("audit.jsonl")
    assert line["action"] == "workspace.exported"
    assert line["details"]["rows"] == sum(entry["rows"] for entry in export.manifest["files"])
    logged = (await acme_api.get("/api/v1/audit_events?limit=200")).json()["data"]
    assert again.lines("audit.jsonl") == logged[1:]


async def test_no_cell_is_a_formula(
    database: Database, cast: Cast, acme_api: httpx.AsyncClient
) -> None:
    comments = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", "=cmd|' /C calc'!A0", "plain"]
    answers = [Answer(TODAY, 0, comment=comment) for comment in comments]
    scene = await make_survey(database, cast.acme, answers)
    export = await _export(acme_api)
    table = export.table(f"{_folder(scene)}/responses.csv")
    assert {row["comment"] for row in table} == {f"'{text}" for text in comments[:-1]} | {"plain"}
    assert {row["comment"] for row in export.lines(f"{_folder(scene)}/responses.jsonl")} == set(
        comments
    )
    assert export.table(f"{_folder(scene)}/figures-by-day.csv")[0]["nps"] == "-100.0"


async def test_an_empty_workspace_has_an_export(acme_api: httpx.AsyncClient) -> None:
    export = await _export(acme_api)
    assert export.lines("surveys.jsonl") == []
    assert len(export.table("members.csv")) == 3


async def test_another_workspaces_things_are_not_in_it(
    globex_api: httpx.AsyncClient, scene: Scene
) -> None:
    export = await _export(globex_api)
    text = b"".join(export.files.values()).decode()
    assert str(scene.survey_id) not in text
    assert "acme" not in text.lower()


async def test_a_key_needs_both_scopes(
    app: FastAPI, database: Database, settings: Settings, cast: Cast
) -> None:
    for scopes in ([Scope.READ], [Scope.AUDIT], [Scope.READ, Scope.WRITE]):
        async with database.transaction() as session:
            key = await make_api_key(session, settings, cast.acme, scopes)
        async with program(app, key) as client:
            assert (await client.get(EXPORT)).status_code == 403


async def test_the_page_is_an_owners(
    cast: Cast, scene: Scene, as_alice: httpx.AsyncClient,
    as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient,
) -> None:  # fmt: skip
    path = f"/w/{cast.acme}/export"
    assert f'href="{path}"' in (await as_alice.get(f"/w/{cast.acme}/settings")).text
    assert f'action="{path}"' in (await as_alice.get(path)).text
    answer = await as_alice.post(path)
    assert f'filename="honne-export-{cast.acme}.zip"' in answer.headers["content-disposition"]
    assert len(Export(answer.content).lines(f"{_folder(scene)}/responses.jsonl")) == 39
    for outsider in (as_mona, as_bob):
        assert (await outsider.get(path)).status_code == 403
        assert (await outsider.post(path)).status_code == 403


async def test_one_export_at_a_time(
    database: Database, cast: Cast, acme_api: httpx.AsyncClient, globex_api: httpx.AsyncClient
) -> None:
    key = int.from_bytes(fingerprint(b"export " + cast.acme.bytes)[:8], signed=True)
    async with database.transaction() as session:
        await session.execute(select(func.pg_advisory_xact_lock(key)))
        assert (await acme_api.get(EXPORT)).status_code == 409
        assert (await globex_api.get(EXPORT)).status_code == 200
    assert (await acme_api.get(EXPORT)).status_code == 200
