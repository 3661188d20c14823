"""Every group of a real survey that may be shown is shown with exactly its true figures."""

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.accounts.schemas import SYSTEM
from app.foundation.database import Database
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.surveys.actions import create_survey
from app.surveys.inputs import DimensionInput, SurveyInput, ValueInput
from app.surveys.models import Channel, DimensionSource
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire
from tests.factories import Cast

ANSWERED_ON = date(2014, 4, 30)
ABSENT = {"", "NA"}
MINIMUM = 5


@pytest.mark.parametrize(
    ("name", "column"),
    [("supermarket_fr_nps", "t"), ("carpentries_longterm_2017", "Country")],
)
async def test_shown_groups_are_true(
    acme_reader: httpx.AsyncClient,
    database: Database,
    cast: Cast,
    sample_data: Path,
    name: str,
    column: str,
) -> None:
    truth = json.loads((sample_data / f"{name}.truth.json").read_text())
    with (sample_data / truth["file"]).open(encoding="utf-8-sig", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row[truth["score_column"]] not in ABSENT]
    survey = await _store(database, cast, rows, truth["score_column"], column)
    query = {"survey_id": str(survey.survey_id), "group_by": "group"}
    found = (await acme_reader.get("/api/v1/metrics", params=query)).json()
    assert _figures(found) == _stated(truth["overall"])
    assert found["distribution"] == list(truth["histogram"].values())
    groups = {group["key"]: group for group in found["groups"] if not group["suppressed"]}
    true = truth["segments"][column]["groups"]
    assert len(groups) > 1
    for key, group in groups.items():
        if key != "none":
            assert _figures(group) == _stated(true[key])
            assert group["response_count"] >= MINIMUM
    small = {key for key, group in true.items() if group["n"] < MINIMUM}
    assert not small & set(groups)


async def _store(
    database: Database, cast: Cast, rows: list[dict[str, str]], score: str, column: str
) -> Questionnaire:
    values = sorted({row[column].strip() for row in rows} - ABSENT)
    declared = [ValueInput(key=value) for value in values]
    dimension = DimensionInput(key="group", values=declared, source=DimensionSource.API)
    async with database.transaction(cast.acme) as session:
        given = SurveyInput(name="Sample", subject="Acme", dimensions=[dimension])
        made = await create_survey(session, cast.acme, SYSTEM, given)
        survey = await get_questionnaire(session, cast.acme, made.id)
        answers = [
            NewAnswer(
                survey_id=survey.survey_id,
                version_id=survey.version_id,
                score=int(row[score]),
                comment=None,
                language="en",
                channel=Channel.IMPORT,
                answered_on=ANSWERED_ON,
                labels={} if row[column].strip() in ABSENT else {"group": row[column].strip()},
            )
            for row in rows
        ]
        for start in range(0, len(answers), 1_000):
            await store_answers(session, cast.acme, answers[start : start + 1_000])
    return survey


def _figures(found: dict[str, Any]) -> tuple[int, int, int, int, float]:
    return (
        found["response_count"],
        found["promoter_count"],
        found["passive_count"],
        found["detractor_count"],
        round(found["nps"], 6),
    )


def _stated(truth: dict[str, Any]) -> tuple[int, int, int, int, float]:
    return (
        truth["n"],
        truth["promoters"],
        truth["passives"],
        truth["detractors"],
        truth["nps"],
    )
