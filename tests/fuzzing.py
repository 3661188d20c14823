"""Schemathesis over the OpenAPI document, against a server process of its own."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg

from app.foundation.settings import Settings
from tests.factories import Cast
from tests.responses.scene import DIMENSIONS, Scene
from tests.responses.serving import server_processes

ROOT = Path(__file__).resolve().parents[1]
# Of parameters that name things, so many are of things that exist; the others are generated.
REAL_SHARE = 0.7

CONFIGURATION = """\
seed = 1
continue-on-failure = true
request-timeout = 60
wait-for-schema = 60
warnings = false
hooks = "tests.fuzzing_checks"

# All checks are made but these. For valid data fuzzing_checks.py has its own, which knows what no
# schema can say.
[checks.positive_data_acceptance]
enabled = false

# A revoked link stays to be read, with its last moment.
[[operations]]
include-operation-id = "read_link_api_v1_surveys__survey_id__links__link_id__get"
checks.use_after_free.enabled = false

# Nobody has set a goal for what is new, or left an address with it. And a new link cannot be led to
# a survey that is not there: its 404 is for what the body names.
[[operations]]
include-operation-id = [
  "read_goal_api_v1_surveys__survey_id__goal_get",
  "read_contact_api_v1_surveys__survey_id__responses__response_id__contact_get",
  "forget_contact_api_v1_surveys__survey_id__responses__response_id__contact_delete",
  "repoint_api_v1_surveys__survey_id__links__link_id__survey_put",
]
checks.ensure_resource_availability.enabled = false

[generation]
max-examples = {examples}
deterministic = {is_short}
no-shrink = {is_short}
database = "none"

{dictionaries}

[parameters]
{parameters}
"""
# Asked last and by itself: a fuzzer reads the name it takes from another answer.
LAST = "delete_workspace_of_key_api_v1_workspace_delete"
SHORT = "examples,fuzzing"
LONG = "examples,coverage,fuzzing,stateful"


@dataclass(frozen=True, slots=True)
class Fuzzing:
    """A run: its report in words, how many cases it made, and whether all checks held."""

    report: str
    cases: int
    is_clean: bool


def fuzz(
    settings: Settings,
    cast: Cast,
    things: Mapping[str, list[str]],
    examples: int,
    folder: Path,
    phases: str = SHORT,
) -> Fuzzing:
    """Call every operation as Acme's program does, with at most `examples` cases in each phase."""
    configuration = folder / "schemathesis.toml"
    configuration.write_text(_configuration(things, examples, phases == SHORT))
    report, log = folder / "report.txt", folder / "server.log"
    with server_processes(settings, 1, "WARNING", log) as [address], report.open("w") as output:
        command = [
            *(sys.executable, "-m", "schemathesis.cli"),
            *("--config-file", str(configuration), "run", f"{address}/api/openapi.json"),
            *("--header", f"Authorization: Bearer {cast.acme_key}", "--phases", phases),
            "--no-color",
            # The machine may be busy; how fast answers are, `make bench` measures.
            *("--max-response-time", "60"),
        ]
        codes = [
            subprocess.run(
                [*command, which, LAST],
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=output,
                stderr=output,
                check=False,
            ).returncode
            # What is left afterwards is judged too, but nothing can be tried on it.
            for which in ("--exclude-operation-id", "--include-operation-id")
        ]
    words = report.read_text() + log.read_text()
    cases = sum(map(int, re.findall(r"([0-9]+) generated", words)))
    return Fuzzing(words, cases, codes == [0, 0])


def _configuration(things: Mapping[str, list[str]], examples: int, is_short: bool) -> str:
    dictionaries = "\n".join(
        f"[dictionaries.{name}]\nvalues = {json.dumps(values)}" for name, values in things.items()
    )
    parameters = "\n".join(
        f'"path.{name}" = {{ dictionary = "{name}", probability = {REAL_SHARE} }}'
        for name in things
    )
    return CONFIGURATION.format(
        examples=examples,
        is_short=str(is_short).lower(),
        dictionaries=dictionaries,
        parameters=parameters,
    )


async def things_to_name(
    api: httpx.AsyncClient, owner: psycopg.Connection, scene: Scene
) -> dict[str, list[str]]:
    """Ids and keys of things that exist, by the names that paths give them."""
    path = f"/api/v1/surveys/{scene.survey_id}"
    recorded = [await api.post(f"{path}/responses", json={"score": 9}) for _ in range(5)]
    links = [await api.post(f"{path}/links", json={"name": name}) for name in ("a", "b")]
    tags = [await api.post(f"{path}/tags", json={"name": name}) for name in ("a", "b", "c")]
    draft = await api.post("/api/v1/surveys", json={"name": "Draft", "subject": "Acme"})
    action = {"kind": "action", "title": "Sooner", "begins_on": "2026-05-01"}
    noted = [await api.post("/api/v1/annotations", json=action) for _ in range(3)]
    others = {"name": "Others", "average": 30, "source": "A study", "as_of": "2026-01-31"}
    compared = [await api.post("/api/v1/benchmarks", json=others) for _ in range(3)]
    rate = {"metric": "nrr", "month": "2026-05", "percent": 104}
    rated = await api.post("/api/v1/indicators", json={"indicators": [rate]})
    own_links = owner.execute("SELECT id FROM survey_links").fetchall()
    return {
        "survey_id": [str(scene.survey_id), draft.json()["id"]],
        "response_id": [answer.json()["id"] for answer in recorded],
        "tag_id": [tag.json()["id"] for tag in tags],
        "link_id": [link.json()["id"] for link in links] + [str(row[0]) for row in own_links],
        "annotation_id": [row.json()["id"] for row in noted],
        "benchmark_id": [row.json()["id"] for row in compared],
        "indicator_id": [row["id"] for row in rated.json()["data"]],
        "key": list(DIMENSIONS),
        "value": [value for _source, values in DIMENSIONS.values() for value in values],
    }
