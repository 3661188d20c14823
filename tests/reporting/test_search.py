"""Searching comments: what is found, in which lists, and what a search does not open."""

import csv
import io
from datetime import date

import httpx
import psycopg
import pytest

from app.foundation.database import Database
from tests.factories import Cast
from tests.reporting.conftest import FREE_IN_MAY, SECRET
from tests.reporting.data import Answer, make_survey
from tests.reporting.test_responses_api import everything, listed
from tests.responses.scene import Scene

DAY = date(2026, 6, 3)
COMMENTS = [
    "Delivery was LATE again",
    "The late delivery of Élodie",
    "100% happy, a_b",
    "店員さんが親切でした。",
    "ﾚｼﾞの待ち時間が長い",
    "translated by hand",
    "(sic) ①st class",
]


@pytest.fixture
async def commented(database: Database, cast: Cast) -> Scene:
    return await make_survey(
        database, cast.acme, [Answer(DAY, 9, comment=text) for text in [*COMMENTS, None]]
    )


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("late", {0, 1, 5}),
        ("LATE delivery", {0, 1}),
        ('"late"', {0, 1}),
        ('"late delivery"', {1}),
        ("élodie", {1}),
        ("E\u0301LODIE", {1}),
        ("%", {2}),
        ("100%", {2}),
        ("a_b", {2}),
        ("axb", set()),
        ('"a.b"', set()),
        ("親切", {3}),
        ('"親切"', {3}),
        ("レジ　待ち時間", {4}),
        ("(sic", {6}),
        ('"(sic) 1st"', {6}),
        ('"', set(range(len(COMMENTS) + 1))),
        ("  ", set(range(len(COMMENTS) + 1))),
    ],
)
async def test_what_is_found(
    acme_reader: httpx.AsyncClient, commented: Scene, search: str, found: set[int]
) -> None:
    rows = await everything(acme_reader, commented, search=search, limit="2")
    texts = [*COMMENTS, None]
    assert sorted(str(row["comment"]) for row in rows) == sorted(str(texts[at]) for at in found)


async def test_a_search_narrows_what_a_subgroup_lists_and_opens_nothing(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    all_of_free = await everything(acme_reader, scene, **{"segment.plan": "free"})
    query = {"segment.plan": "free", "search": "no 1"}
    rows = await everything(acme_reader, scene, limit="1", **query)
    assert [row["comment"] for row in rows] == [
        row["comment"] for row in all_of_free if "no 1" in row["comment"]
    ]
    assert 0 < len(rows) < len(FREE_IN_MAY)
    assert all("answered_on" not in row for row in rows)
    hidden = await listed(acme_reader, scene, search=SECRET, language="ja")
    assert hidden["data"] == []
    assert hidden["meta"]["suppressed"]


async def test_a_cursor_fits_only_its_own_search(
    acme_reader: httpx.AsyncClient, commented: Scene
) -> None:
    page = await listed(acme_reader, commented, search="late", limit="1")
    query = {"search": "delivery", "cursor": page["meta"]["next_cursor"]}
    answer = await acme_reader.get(f"/api/v1/surveys/{commented.survey_id}/responses", params=query)
    assert answer.status_code == 422
    assert answer.json()["invalid_params"][0]["name"] == "cursor"


async def test_the_file_holds_what_was_found_and_the_log_not_what_was_searched(
    acme_reader: httpx.AsyncClient, commented: Scene, owner: psycopg.Connection
) -> None:
    answer = await acme_reader.get(
        f"/api/v1/surveys/{commented.survey_id}/responses.csv", params={"search": "late delivery"}
    )
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert sorted(row["comment"] for row in rows) == sorted(COMMENTS[:2])
    events = owner.execute("SELECT details FROM audit_events").fetchall()
    assert events == [({"filter": "", "is_search": True},)]


@pytest.mark.parametrize("search", ["x" * 201, "a b c d e f g h i j k", "\0"])
async def test_what_cannot_be_searched(
    acme_reader: httpx.AsyncClient, commented: Scene, search: str
) -> None:
    address = f"/api/v1/surveys/{commented.survey_id}/responses"
    answer = await acme_reader.get(address, params={"search": search})
    assert answer.status_code == 422
    assert answer.json()["invalid_params"][0]["name"] == "search"


async def test_the_page_searches_and_keeps_the_search(
    as_bob: httpx.AsyncClient, commented: Scene
) -> None:
    address = f"/w/{commented.workspace_id}/surveys/{commented.survey_id}/responses"
    html = (await as_bob.get(address, params={"search": "親切", "category": "promoter"})).text
    assert COMMENTS[3] in html
    assert COMMENTS[0] not in html
    assert 'value="親切"' in html
    assert "responses.csv?category=promoter&amp;search=%E8%A6%AA%E5%88%87" in html
