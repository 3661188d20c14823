"""Goals and benchmarks by the API, and what the dashboard says of them."""

import io
import json
import re
import zipfile
from typing import Any

import httpx
import psycopg
import pytest

from tests.factories import Cast
from tests.followups.conftest import home
from tests.responses.scene import Scene

BENCHMARK: dict[str, Any] = {
    "name": "Software for business",
    "survey_id": None,
    "average": 32,
    "lower_quartile": 10,
    "median": 30.5,
    "upper_quartile": 50,
    "source": "A study",
    "as_of": "2026-01-31",
}


async def test_a_goal_is_set_changed_and_taken_away(
    acme_api: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    path = f"/api/v1/surveys/{scene.survey_id}/goal"
    assert (await acme_api.get(path)).status_code == 404
    for goal in ({"nps": 40, "reach_by": "2026-12-31"}, {"nps": -5, "reach_by": None}):
        assert (await acme_api.put(path, json=goal)).json() == goal
        assert (await acme_api.get(path)).json() == goal
    for refused in ({"nps": 101}, {"nps": 1.5}, {"nps": 1, "reach_by": "soon"}, {}):
        assert (await acme_api.put(path, json=refused)).status_code == 422
    assert [(await acme_api.delete(path)).status_code for _ in range(2)] == [204, 204]
    acts = owner.execute(
        "SELECT action FROM audit_events WHERE action LIKE 'goal.%' ORDER BY number"
    ).fetchall()
    assert acts == [("goal.set",), ("goal.set",), ("goal.removed",)]


async def test_a_benchmark_is_kept_replaced_and_deleted(
    acme_api: httpx.AsyncClient, acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    made = (await acme_api.post("/api/v1/benchmarks", json=BENCHMARK)).json()
    assert {name: made[name] for name in BENCHMARK} == BENCHMARK
    path = f"/api/v1/benchmarks/{made['id']}"
    less = {"name": "Others", "median": 20, "source": "Another", "as_of": "2026-02-28"}
    replaced = (await acme_api.put(path, json={**less, "survey_id": str(scene.survey_id)})).json()
    assert replaced["average"] is None
    assert replaced["survey_id"] == str(scene.survey_id)
    assert (await acme_reader.get("/api/v1/benchmarks")).json()["data"] == [replaced]
    assert (await acme_api.delete(path)).status_code == 204
    assert (await acme_reader.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        (dict.fromkeys(("average", "lower_quartile", "median", "upper_quartile")), "average"),
        ({"average": 101}, "average"),
        ({"median": 5}, "median"),
        ({"median": None, "upper_quartile": 5}, "upper_quartile"),
        ({"source": ""}, "source"),
        ({"as_of": None}, "as_of"),
        ({"as_of": "1900-01-01"}, "as_of"),
        ({"name": ""}, "name"),
        ({"average": "many"}, "average"),
    ],
)
async def test_a_benchmark_that_cannot_be_is_refused(
    acme_api: httpx.AsyncClient, changes: dict[str, Any], name: str
) -> None:
    answer = await acme_api.post("/api/v1/benchmarks", json={**BENCHMARK, **changes})
    assert answer.status_code == 422
    refused = {param["name"].partition(".")[0] for param in answer.json()["invalid_params"]}
    assert name in refused


async def test_the_dashboard_says_where_the_score_stands(
    acme_api: httpx.AsyncClient, as_bob: httpx.AsyncClient, scene: Scene, cast: Cast
) -> None:
    """50 of 150 answers are detractors, 60 promoters: NPS +7."""
    await acme_api.put(
        f"/api/v1/surveys/{scene.survey_id}/goal", json={"nps": 40, "reach_by": "2026-12-31"}
    )
    await acme_api.post("/api/v1/benchmarks", json=BENCHMARK)
    await acme_api.post(
        "/api/v1/annotations",
        json={"kind": "event", "title": "Price raised", "begins_on": "2026-06-03"},
    )
    page = (await as_bob.get(home(scene), params={"period": "all"})).text
    assert "33 points below the goal of +40; the whole interval lies below it." in page
    assert "To be reached by Dec 31, 2026." in page
    assert "In the lowest quarter, up to +10. Its interval reaches into other quarters." in page
    assert "25 points below the average of +32; the whole interval lies below it." in page
    assert "A study, as of Jan 31, 2026" in page
    assert "usually called “good”" in page
    assert "Goal: +40" in page
    assert "Benchmark: +32" in page
    assert "Price raised" in page
    assert f"{home(scene)}/actions?at=" in page
    assert f'/w/{cast.acme}/surveys/{scene.survey_id}/goals">Set' not in page


async def test_another_surveys_goal_and_notes_stay_there(
    acme_api: httpx.AsyncClient, as_bob: httpx.AsyncClient, scene: Scene
) -> None:
    other = (await acme_api.post("/api/v1/surveys", json={"name": "B", "subject": "B"})).json()
    await acme_api.put(f"/api/v1/surveys/{other['id']}/goal", json={"nps": 90})
    await acme_api.post("/api/v1/benchmarks", json={**BENCHMARK, "survey_id": other["id"]})
    await acme_api.post(
        "/api/v1/annotations",
        json={
            "kind": "event", "title": "Elsewhere", "begins_on": "2026-06-03",
            "survey_id": other["id"],
        },
    )  # fmt: skip
    page = (await as_bob.get(home(scene), params={"period": "all"})).text
    for text in ("+90", "Software for business", "Elsewhere"):
        assert text not in page


async def test_the_line_is_that_of_the_surveys_own_benchmark_or_else_the_latest(
    acme_api: httpx.AsyncClient, as_bob: httpx.AsyncClient, scene: Scene
) -> None:
    async def add(average: int, as_of: str, survey_id: str | None = None) -> None:
        given = {"average": average, "as_of": as_of, "survey_id": survey_id}
        less = dict.fromkeys(("lower_quartile", "median", "upper_quartile"))
        await acme_api.post("/api/v1/benchmarks", json={**BENCHMARK, **less, **given})

    async def line() -> str:
        page = (await as_bob.get(home(scene), params={"period": "all"})).text
        found = re.search(r"Benchmark: (\S+)</li>", page)
        assert found
        return found[1]

    await add(11, "2025-01-31")
    await add(12, "2026-01-31")
    assert await line() == "+12"
    await add(13, "2024-01-31", str(scene.survey_id))
    assert await line() == "+13"


async def test_all_of_it_is_in_the_export_of_the_workspace(
    acme_api: httpx.AsyncClient, scene: Scene
) -> None:
    await acme_api.put(f"/api/v1/surveys/{scene.survey_id}/goal", json={"nps": 40})
    await acme_api.post("/api/v1/benchmarks", json=BENCHMARK)
    note = {"kind": "event", "title": "=1+1", "begins_on": "2026-06-03"}
    await acme_api.post("/api/v1/annotations", json=note)
    rate = {"metric": "churn", "month": "2026-05", "percent": 2.5, "segments": {"plan": "pro"}}
    await acme_api.post("/api/v1/indicators", json={"indicators": [rate]})
    content = (await acme_api.get("/api/v1/export")).content
    with zipfile.ZipFile(io.BytesIO(content)) as export:
        found = {
            name: json.loads(export.read(f"{name}.jsonl"))
            for name in ("annotations", "goals", "benchmarks", "indicators")
        }
        assert b"'=1+1" in export.read("annotations.csv")
    assert found["goals"]["nps"] == 40
    assert found["benchmarks"]["source"] == "A study"
    assert found["annotations"]["title"] == "=1+1"
    assert found["indicators"] == {
        "metric": "churn", "month": "2026-05", "segment_key": "plan", "segment_value": "pro",
        "percent": 2.5, "base": None,
    }  # fmt: skip
