"""Lists and files of answers: the row rule, paging, and what a forged cursor gets."""

import csv
import io
import uuid
from dataclasses import replace
from datetime import date
from typing import Any

import httpx
import psycopg
import pytest

from app.foundation.database import Database
from app.foundation.giving_way import Pace
from app.reporting import exporting
from app.reporting.exporting import stream_csv
from app.reporting.filters import ReportFilter
from app.reporting.finding import ListRequest
from app.responses.models import Standing
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.surveys.models import Channel
from app.surveys.queries import get_questionnaire
from tests.factories import Cast
from tests.reporting.conftest import FREE_IN_JUNE, FREE_IN_MAY, JUNE, SECRET
from tests.reporting.data import Answer, make_survey
from tests.responses.scene import Scene


async def listed(client: httpx.AsyncClient, scene: Scene, **query: str) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/surveys/{scene.survey_id}/responses", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def everything(client: httpx.AsyncClient, scene: Scene, **query: str) -> list[dict[str, Any]]:
    """All pages of a list, one after the other."""
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await listed(client, scene, **query, **cursor)
        rows += page["data"]
        if page["meta"]["next_cursor"] is None:
            return rows
        cursor = {"cursor": page["meta"]["next_cursor"]}


async def test_a_row_shows_its_day_and_no_label(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    rows = await everything(acme_reader, scene, limit="7")
    assert len(rows) == 39
    assert len({row["id"] for row in rows}) == 39
    assert not {"segments", "language", "channel", "month"} & set(rows[0])
    assert rows[0]["answered_on"] == "2026-07-10"
    order = [(row["answered_on"], row["id"]) for row in rows]
    assert order == sorted(
        sorted(order, key=lambda key: key[1]), key=lambda key: key[0], reverse=True
    )


async def test_a_row_shows_its_label_and_its_month_but_no_day(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    rows = await everything(acme_reader, scene, limit="7", **{"segment.plan": "free"})
    assert sorted(row["score"] for row in rows) == sorted(FREE_IN_MAY + FREE_IN_JUNE)
    assert [row["month"] for row in rows] == ["2026-06"] * 8 + ["2026-05"] * 12
    assert all(row["segments"] == {"plan": "free"} for row in rows)
    assert all("answered_on" not in row for row in rows)


async def test_lists_laid_side_by_side_do_not_join(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    by_day = {row["id"] for row in await everything(acme_reader, scene)}
    query = {"segment.plan": "free"}
    by_plan = [row["id"] for row in await everything(acme_reader, scene, limit="3", **query)]
    both = {**query, "segment.region": "none"}
    by_both = {row["id"] for row in await everything(acme_reader, scene, **both)}
    assert len(set(by_plan)) == len(by_plan) == len(FREE_IN_MAY + FREE_IN_JUNE)
    assert by_both
    assert not by_day & set(by_plan)
    assert not by_day & by_both
    assert not by_both & set(by_plan)
    assert by_plan == [row["id"] for row in await everything(acme_reader, scene, **query)]


async def test_days_and_labels_exclude_each_other(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    query = {"segment.plan": "free", "since": "2026-05-02", "until": "2026-05-31"}
    answer = await acme_reader.get(f"/api/v1/surveys/{scene.survey_id}/responses", params=query)
    assert answer.status_code == 422
    assert answer.json()["invalid_params"][0]["name"] == "since"


async def test_small_months_are_listed_as_one(
    acme_reader: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    answers = [
        Answer(JUNE.replace(month=month), 9, {"plan": plan})
        for plan, months in {"pro": (1, 1, 2, 2, 3, 5), "free": (1, 2, 3, 4, 5) * 5}.items()
        for month in months
    ]
    scene = await make_survey(database, cast.acme, answers)
    rows = await everything(acme_reader, scene, **{"segment.plan": "pro"})
    assert [row["month"] for row in rows] == ["2026-01/2026-03"] * 5, "May waits for four more"


async def test_rows_of_a_hidden_group_are_not_listed(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    for query in ({"segment.age": "old"}, {"channel": "qr"}, {"segment.plan": "pro"}):
        found = await listed(acme_reader, scene, **query)
        assert found == {
            "data": [],
            "meta": {"limit": 50, "next_cursor": None, "suppressed": True},
        }
        file = await acme_reader.get(
            f"/api/v1/surveys/{scene.survey_id}/responses.csv", params=query
        )
        assert file.status_code == 409
        assert SECRET not in file.text


async def test_category_since_and_until(acme_reader: httpx.AsyncClient, scene: Scene) -> None:
    rows = await everything(acme_reader, scene, category="passive")
    assert {row["score"] for row in rows} == {7, 8}
    assert {row["category"] for row in rows} == {"passive"}
    days = await everything(acme_reader, scene, since="2026-05-20", until="2026-06-01")
    assert {row["answered_on"] for row in days} == {"2026-05-20", "2026-06-01"}


async def test_a_cursor_fits_only_its_own_list(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    page = await listed(acme_reader, scene, limit="3")
    cursor = page["meta"]["next_cursor"]
    address = f"/api/v1/surveys/{scene.survey_id}/responses"
    for query in (
        {"cursor": cursor, "category": "passive"},
        {"cursor": cursor, "segment.plan": "free"},
        {"cursor": cursor[:-1] + ("A" if cursor[-1] != "A" else "Q")},
        {"cursor": "W10"},
        {"cursor": "\u00e9"},
        {"cursor": ""},
    ):
        answer = await acme_reader.get(address, params=query)
        assert answer.status_code == 422, query
        assert answer.json()["invalid_params"][0]["name"] == "cursor"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"limit": "0"}, "limit"),
        ({"limit": "201"}, "limit"),
        ({"q": "x"}, "q"),
        ({"category": ["promoter", "passive"]}, "category"),
        ({"until": "9999-12-31", "channel": "link"}, "until"),
    ],
)
async def test_bad_parameters(
    acme_reader: httpx.AsyncClient, scene: Scene, query: dict[str, Any], name: str
) -> None:
    answer = await acme_reader.get(f"/api/v1/surveys/{scene.survey_id}/responses", params=query)
    assert answer.status_code == 422
    assert answer.json()["invalid_params"][0]["name"] == name


async def test_the_file_holds_the_list(
    acme_reader: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    answer = await acme_reader.get(f"/api/v1/surveys/{scene.survey_id}/responses.csv")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    found = await everything(acme_reader, scene)
    assert [row["id"] for row in rows] == [row["id"] for row in found]
    assert list(rows[0]) == [
        "id", "answered_on", "score", "category", "comment", "standing", "tags", "starred",
    ]  # fmt: skip
    events = owner.execute("SELECT action, subject_id FROM audit_events").fetchall()
    assert events == [("responses.exported", scene.survey_id)]
    labelled = await acme_reader.get(
        f"/api/v1/surveys/{scene.survey_id}/responses.csv", params={"segment.plan": "free"}
    )
    assert labelled.text.splitlines()[0] == "\ufeffid,month,score,category,comment,plan"


@pytest.mark.parametrize("at_once", [1, 3, 13, 39, 40])
async def test_a_file_read_in_parts_holds_the_list(
    acme_reader: httpx.AsyncClient, scene: Scene, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(exporting, "ROWS_AT_ONCE", at_once)
    for query in ({}, {"since": "2026-06-01"}, {"segment.plan": "free"}):
        answer = await acme_reader.get(
            f"/api/v1/surveys/{scene.survey_id}/responses.csv", params=query
        )
        rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
        found = await everything(acme_reader, scene, **query)
        assert [row["id"] for row in rows] == [row["id"] for row in found], query


async def test_no_statement_of_a_file_outlasts_its_part(
    database: Database, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "ROWS_AT_ONCE", 5)
    async with database.transaction(scene.workspace_id) as session:
        questionnaire = await get_questionnaire(session, scene.workspace_id, scene.survey_id)
    wanted = ListRequest(ReportFilter(scene.survey_id), "key", limit=1)
    parts = stream_csv(database, questionnaire, wanted, may_see_contacts=False)
    text = await anext(parts) + await anext(parts)
    late = NewAnswer(
        scene.survey_id, scene.version_id, 9, "While it was read", "en", Channel.LINK,
        date(2026, 1, 1), labels={}, submission_key=uuid.uuid4(),
    )  # fmt: skip
    async with database.transaction(scene.workspace_id) as session:
        await store_answers(session, scene.workspace_id, [late])
    text += "".join([part async for part in parts])
    assert "While it was read" in text
    assert len(text.splitlines()) == 1 + 39 + 1


async def test_what_gives_way_keeps_no_row_as_it_was(
    database: Database,
    scene: Scene,
    watched_pace: tuple[type[Pace], list[int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pace, lookers = watched_pace
    monkeypatch.setattr(exporting, "ROWS_AT_ONCE", 13)
    monkeypatch.setattr(exporting, "Pace", pace)
    async with database.transaction(scene.workspace_id) as session:
        questionnaire = await get_questionnaire(session, scene.workspace_id, scene.survey_id)
    everybody = ListRequest(ReportFilter(scene.survey_id), "key", limit=13)
    async for _text in stream_csv(database, questionnaire, everybody, may_see_contacts=False):
        pass
    assert set(lookers) == {0}
    lookers.clear()
    some = replace(everybody, filter=ReportFilter(scene.survey_id, segments={"plan": "free"}))
    async for _text in stream_csv(database, questionnaire, some, may_see_contacts=False):
        pass
    assert lookers == []  # a subgroup is one statement, which must not last


async def test_a_cell_is_never_a_formula(
    acme_reader: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    formulas = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1", 'plain, "quoted"\nnext line']
    scene = await make_survey(
        database, cast.acme, [Answer(JUNE, 5, comment=text) for text in formulas]
    )
    answer = await acme_reader.get(f"/api/v1/surveys/{scene.survey_id}/responses.csv")
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"), newline="")))
    assert sorted(row["comment"] for row in rows) == sorted(
        [f"'{text}" for text in formulas[:-1]] + formulas[-1:]
    )


async def test_excluded_answers_are_marked_and_not_counted_in_subgroups(
    acme_reader: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    kept = [Answer(JUNE, 9, {"plan": "free"}) for _ in range(6)]
    held = Answer(JUNE, 0, {"plan": "free"}, standing=Standing.HELD)
    scene = await make_survey(database, cast.acme, [*kept, held])
    assert sorted(row["standing"] for row in await everything(acme_reader, scene)) == [
        *["counted"] * 6,
        "held",
    ]
    rows = await everything(acme_reader, scene, **{"segment.plan": "free"})
    assert [row["category"] for row in rows] == ["promoter"] * 6
    assert [row["score"] for row in rows] == [None] * 6, "few and all alike: the group is enough"


async def test_outsiders(
    client: httpx.AsyncClient, globex_api: httpx.AsyncClient, scene: Scene
) -> None:
    for ending in ("responses", "responses.csv"):
        address = f"/api/v1/surveys/{scene.survey_id}/{ending}"
        assert (await client.get(address)).status_code == 401
        assert (await globex_api.get(address)).status_code == 404
