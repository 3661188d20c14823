"""Of several surveys, too, the page, the API and both files give the same figures, one by one."""

import random
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
import psycopg
import pytest

from app.foundation.database import Database
from app.foundation.web.rendering import format_nps, format_number
from tests.factories import Cast
from tests.reporting import test_one_truth as of_one
from tests.reporting.data import make_survey
from tests.reporting.tables import tables_of
from tests.reporting.test_several import address
from tests.responses.scene import Scene

BATCHES = 2  # of five filters each


@pytest.fixture
async def waves(database: Database, cast: Cast, owner: psycopg.Connection) -> tuple[Scene, ...]:
    """Three surveys of half a year each: 300, 200 and 60 answers."""
    made = []
    for at, number in enumerate((300, 200, 60)):
        chance = random.Random(at)
        answers = [of_one.make_answer(chance, one) for one in range(number)]
        made.append(await make_survey(database, cast.acme, answers, f"wave-{at}"))
        owner.execute(
            "UPDATE surveys SET name = %s, opens_on = make_date(2026, 2, %s) WHERE id = %s",
            [f"Wave {at}", at + 1, made[at].survey_id],
        )
    return tuple(made)


def _filters(batch: int) -> Iterator[dict[str, str]]:
    """Everybody twice, then one label twice, then two."""
    chance = random.Random(batch)
    for number_of_labels in (0, 0, 1, 1, 2):
        asked = dict(chance.choice(of_one.PERIODS))
        for selector in chance.sample(list(of_one.VALUES), number_of_labels):
            asked[selector] = chance.choice(of_one.VALUES[selector])
        if not number_of_labels:
            asked["interval"] = chance.choice(["week", "month", "quarter"])
        asked["against"] = chance.choice(["rest", "previous"])
        yield asked | chance.choice([{}, {"compare": "year"}, {"compare": "none"}])


@pytest.mark.parametrize("batch", range(BATCHES))
async def test_page_api_and_files_agree(
    as_bob: httpx.AsyncClient,
    acme_reader: httpx.AsyncClient,
    waves: tuple[Scene, ...],
    batch: int,
) -> None:
    seen = Counter[str]()
    chance = random.Random(batch)
    for asked in _filters(batch):
        chosen = waves[: chance.choice([2, 3])]
        page = await _get(as_bob, chosen, "", asked)
        files = of_one.Files.of(
            await _get(as_bob, chosen, "/figures.csv", asked),
            await _get(as_bob, chosen, "/figures.xlsx", asked),
        )
        series = {"interval": interval} if (interval := of_one.interval_of(files)) else {}
        told = await _ask(acme_reader, chosen, asked, **series)
        of_one.compare_headline(told, files, page.text)
        _compare_surveys(told, files, page.text, seen)
        if told["response_count"]:
            of_one.compare_scores(told, files, page.text)
            if series:
                of_one.compare_series(told, files, page.text, seen)
            for selector in chance.sample(splits := of_one.splits(asked), min(1, len(splits))):
                key = of_one.key_of(selector)
                split = await _ask(acme_reader, chosen, asked, group_by=key)
                of_one.compare_groups(selector, split, files, page.text, seen)
    for kind in ("surveys", "points", "groups"):
        assert seen[kind], f"no {kind} were compared"


async def _get(
    client: httpx.AsyncClient, chosen: tuple[Scene, ...], part: str, asked: Mapping[str, str]
) -> httpx.Response:
    path, _mark, surveys = address(*chosen).partition("?")
    answer = await client.get(f"{path}{part}?{surveys}&{httpx.QueryParams(asked)}")
    assert answer.status_code == 200, (asked, answer.text)
    return answer


async def _ask(
    client: httpx.AsyncClient, chosen: tuple[Scene, ...], asked: Mapping[str, str], **more: str
) -> dict[str, Any]:
    surveys = [("survey_id", str(scene.survey_id)) for scene in chosen]
    query = of_one.api_query(asked, ("compare", "against")) | more
    answer = await client.get(
        "/api/v1/metrics", params=httpx.QueryParams([*surveys, *query.items()])
    )
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _compare_surveys(told: Any, files: "of_one.Files", page: str, seen: Counter[str]) -> None:
    lines, sheet = files.table("survey"), files.book.records("Surveys")
    if told["response_count"] == 0:
        assert not lines
        return
    rows = tables_of(page)["NPS by survey, the oldest first"][1:]
    for survey, line, record, row in zip(told["surveys"], lines, sheet, rows, strict=True):
        assert (line["value"], line["name"]) == (survey["survey_id"], survey["name"])
        assert record["Survey"] == row[0] == survey["name"]
        of_one.same_figures(survey, line, record)
        if survey["suppressed"]:
            assert row[1:] == ["Hidden to protect respondents"]
            continue
        of_one.same_change(survey["versus"], "versus", line, record, "Difference")
        if survey["response_count"]:
            assert row[1:3] == [format_number(survey["response_count"]), format_nps(survey["nps"])]
        seen["surveys"] += 1
