"""Periods hold their first and last day, in the workspace's calendar: at page, API and file."""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from app.foundation import clock
from app.foundation.database import Database
from app.scoring import Distribution
from tests.factories import Cast
from tests.reporting.data import Answer, make_survey
from tests.reporting.test_pages import dashboard, page
from tests.responses.scene import Scene

DAY = timedelta(days=1)
CHANNELS = ("web", "email", "mobile")
# Moments in UTC around the two days on which Berlin changes its clocks, and the days they are in.
IN_BERLIN = [
    ("2026-03-28T22:59:59", "2026-03-28"),
    ("2026-03-28T23:00:00", "2026-03-29"),
    ("2026-03-29T00:59:59", "2026-03-29"),
    ("2026-03-29T01:00:00", "2026-03-29"),
    ("2026-03-29T21:59:59", "2026-03-29"),
    ("2026-03-29T22:00:00", "2026-03-30"),
    ("2026-10-24T21:59:59", "2026-10-24"),
    ("2026-10-24T22:00:00", "2026-10-25"),
    ("2026-10-25T00:30:00", "2026-10-25"),
    ("2026-10-25T01:30:00", "2026-10-25"),
    ("2026-10-25T22:59:59", "2026-10-25"),
    ("2026-10-25T23:00:00", "2026-10-26"),
    ("2026-10-31T22:59:59", "2026-10-31"),
    ("2026-10-31T23:00:00", "2026-11-01"),
]


def read_case(folder: Path, channel: str) -> tuple[dict[str, Any], list[tuple[date, int]]]:
    """The true figures of a published survey, and day and score of each of its answers."""
    truth = json.loads((folder / f"datacamp_nps_{channel}.truth.json").read_text())
    with (folder / truth["file"]).open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    scores = [(date.fromisoformat(row["response_date"]), int(row["nps_rating"])) for row in rows]
    return truth, scores


async def store(
    database: Database, cast: Cast, answers: Iterable[tuple[date, int]], slug: str
) -> Scene:
    return await make_survey(database, cast.acme, [Answer(*answer) for answer in answers], slug)


async def ask(client: httpx.AsyncClient, *scenes: Scene, **query: str) -> dict[str, Any]:
    surveys = [("survey_id", str(scene.survey_id)) for scene in scenes]
    answer = await client.get("/api/v1/metrics", params=[*surveys, *query.items()])
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def count_in_files(
    reader: httpx.AsyncClient, member: httpx.AsyncClient, scene: Scene, query: dict[str, str]
) -> set[int]:
    """How many answers the files have: those of the API and the page, and the figures."""
    counts = set()
    for client, address in (
        (reader, f"/api/v1/surveys/{scene.survey_id}/responses.csv"),
        (member, f"{dashboard(scene)}/responses.csv"),
    ):
        answer = await client.get(address, params=query)
        assert answer.status_code == 200, answer.text
        counts.add(len(list(csv.DictReader(io.StringIO(answer.text)))))
    figures = await member.get(f"{dashboard(scene)}/figures.csv", params=query)
    assert figures.status_code == 200
    return counts | {_everybody(figures.text)}


def _everybody(text: str) -> int:
    """The number of answers in the file of figures."""
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    return next(int(row["response_count"]) for row in rows if row["table"] == "summary")


async def test_months_of_a_published_case_are_true(
    acme_reader: httpx.AsyncClient,
    as_bob: httpx.AsyncClient,
    database: Database,
    cast: Cast,
    sample_data: Path,
) -> None:
    truth, answers = read_case(sample_data, "web")
    scene = await store(database, cast, answers, "web")
    for month, true in truth["by_month"].items():
        first = date.fromisoformat(f"{month}-01")
        last = (first + 31 * DAY).replace(day=1) - DAY
        query = {"since": first.isoformat(), "until": last.isoformat()}
        found = await ask(acme_reader, scene, **query)
        assert found["response_count"] == true["n"]
        assert found["promoter_count"] == true["promoters"]
        assert found["detractor_count"] == true["detractors"]
        assert found["nps"] == pytest.approx(true["nps"], abs=1e-6)
        html = await page(as_bob, dashboard(scene), **query)
        assert f"NPS from {true['n']} answers" in html
        assert await count_in_files(acme_reader, as_bob, scene, query) == {true["n"]}


async def test_windows_of_a_published_case_hold_both_of_their_days(
    acme_reader: httpx.AsyncClient, database: Database, cast: Cast, sample_data: Path
) -> None:
    _truth, answers = read_case(sample_data, "email")
    scene = await store(database, cast, answers, "email")
    days = sorted({day for day, _score in answers})
    turn = date(2020, 10, 31)
    for since, until in (
        (turn, turn), (turn + DAY, turn + DAY), (turn, turn + DAY), (turn - DAY, turn),
        (days[0], days[0]), (days[-1], days[-1]), (days[0], days[-1]), (None, turn), (turn, None),
        (days[0] - 9 * DAY, days[0] - DAY), (days[-1] + DAY, None),
    ):  # fmt: skip
        query = {name: day.isoformat() for name, day in (("since", since), ("until", until)) if day}
        inside = [
            score
            for day, score in answers
            if (since is None or day >= since) and (until is None or day <= until)
        ]
        found = await ask(acme_reader, scene, **query)
        assert found["distribution"] == list(Distribution.from_scores(inside).counts), query


async def test_three_published_surveys_together_are_the_sum_of_their_truths(
    acme_reader: httpx.AsyncClient, database: Database, cast: Cast, sample_data: Path
) -> None:
    truths, scenes = [], []
    for channel in CHANNELS:
        truth, answers = read_case(sample_data, channel)
        truths.append(truth)
        scenes.append(await store(database, cast, answers, channel))
    total = await ask(acme_reader, *scenes)
    histogram = Counter[str]()
    for truth in truths:
        histogram.update(truth["histogram"])
    assert total["distribution"] == [histogram[str(score)] for score in range(11)]
    for month in truths[0]["by_month"]:
        first = date.fromisoformat(f"{month}-01")
        last = (first + 31 * DAY).replace(day=1) - DAY
        found = await ask(acme_reader, *scenes, since=first.isoformat(), until=last.isoformat())
        assert found["response_count"] == sum(truth["by_month"][month]["n"] for truth in truths)
    by_survey = {row["survey_id"]: row for row in total["surveys"]}
    for scene, truth in zip(scenes, truths, strict=True):
        own = by_survey[str(scene.survey_id)]
        assert own["nps"] == pytest.approx(truth["overall"]["nps"], abs=1e-6)
    # E-mail and web differ by 3.5 points, mobile by over 30 from either.
    verdicts = [by_survey[str(scene.survey_id)]["versus"]["verdict"] for scene in scenes]
    assert verdicts == ["clearly_higher", "clearly_higher", "clearly_lower"]


async def test_days_are_the_workspaces_even_when_its_clocks_change(
    acme_api: httpx.AsyncClient,
    as_bob: httpx.AsyncClient,
    database: Database,
    cast: Cast,
    owner: psycopg.Connection,
) -> None:
    owner.execute("UPDATE workspaces SET time_zone = 'Europe/Berlin' WHERE id = %s", [cast.acme])
    scene = await make_survey(database, cast.acme)
    for moment, _day in IN_BERLIN:
        with clock.fixed(datetime.fromisoformat(moment).replace(tzinfo=UTC)):
            sent = await acme_api.post(
                f"/api/v1/surveys/{scene.survey_id}/responses", json={"score": 9}
            )
            assert sent.status_code == 201, sent.text
    expected = Counter(day for _moment, day in IN_BERLIN)
    now = datetime(2026, 11, 9, 23, 30, tzinfo=UTC)  # 10 November in Berlin
    owner.execute("UPDATE sessions SET last_seen_at = %s, expires_at = %s", [now, now + DAY])
    with clock.fixed(now):
        for day, number in expected.items():
            query = {"since": day, "until": day}
            assert (await ask(acme_api, scene, **query))["response_count"] == number, day
            html = await page(as_bob, dashboard(scene), **query)
            assert f"NPS from {number} answer" in html
            assert await count_in_files(acme_api, as_bob, scene, query) == {number}
        series = (await ask(acme_api, scene, interval="day", since="2026-10-24"))["series"]
        assert series[-1]["until"] == "2026-11-10", "today is the workspace's"
        counts = {point["since"]: point["response_count"] for point in series}
        assert {day: counts[day] for day in ("2026-10-24", "2026-10-25", "2026-10-26")} == {
            "2026-10-24": 1,
            "2026-10-25": 4,
            "2026-10-26": 1,
        }


async def test_the_last_30_days_end_today_and_begin_29_days_before(
    as_bob: httpx.AsyncClient, acme_reader: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    today = clock.today("Asia/Tokyo")
    days = [today + DAY, today, today - 29 * DAY, today - 30 * DAY, today - 59 * DAY]
    scene = await store(database, cast, [(day, 9) for day in [*days, days[-1] - DAY]], "edges")
    html = await page(as_bob, dashboard(scene), period="30d")
    assert "NPS from 2 answers" in html
    assert "NPS +100 from 2 answers" in html, "those of the 30 days before"
    query = {"since": str(today - 29 * DAY), "until": str(today)}
    found = await ask(acme_reader, scene, **query)
    assert found["compared_window"] == {
        "since": str(today - 59 * DAY),
        "until": str(today - 30 * DAY),
    }
