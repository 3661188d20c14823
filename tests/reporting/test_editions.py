"""What is published about subgroups stays as it is, whatever happens to the answers later."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest

from app.accounts.schemas import SYSTEM
from app.foundation import clock
from app.foundation.database import Database
from app.responses.csv_reading import CsvFormat, open_csv
from app.responses.import_rows import ImportPlan
from app.responses.importing import import_answers, undo_import
from app.surveys.queries import get_questionnaire
from tests.factories import Cast
from tests.reporting.conftest import FREE_IN_JUNE, FREE_IN_MAY, JUNE, MAY
from tests.reporting.data import NOW, Answer, make_survey, spread
from tests.reporting.test_metrics_api import metrics
from tests.reporting.test_responses_api import everything
from tests.responses.scene import Scene

FREE = len(FREE_IN_MAY + FREE_IN_JUNE)
PLAN = {"segment.plan": "free"}


async def n_of(client: httpx.AsyncClient, scene: Scene, **query: str) -> int | None:
    found: int | None = (await metrics(client, scene, **query))["response_count"]
    return found


async def a_free_answer(client: httpx.AsyncClient, scene: Scene) -> str:
    """The address, by its id in the list by day, of an answer of the plan `free` in May."""
    rows = await everything(client, scene, since="2026-05-01", until="2026-05-31")
    found = next(row["id"] for row in rows if "'plan': 'free'" in (row["comment"] or ""))
    return f"/api/v1/surveys/{scene.survey_id}/responses/{found}"


async def test_an_exclusion_after_the_closing_moves_no_subgroup(
    acme_reader: httpx.AsyncClient, acme_api: httpx.AsyncClient, scene: Scene
) -> None:
    everybody = await n_of(acme_reader, scene)
    before = await metrics(acme_reader, scene, **PLAN)
    rows = await everything(acme_reader, scene, **PLAN)
    address = await a_free_answer(acme_reader, scene)
    done = await acme_api.put(f"{address}/exclusion", json={"reason": "a test of ours"})
    assert done.status_code == 200, done.text
    assert await n_of(acme_reader, scene) == (everybody or 0) - 1
    after = await metrics(acme_reader, scene, **PLAN)
    assert {**after, "as_of": None} == {**before, "as_of": None}
    assert await everything(acme_reader, scene, **PLAN) == rows, "nor is the row marked"
    assert (await acme_api.delete(f"{address}/exclusion")).status_code == 200
    assert await everything(acme_reader, scene, **PLAN) == rows


async def test_an_exclusion_before_the_closing_counts_everywhere(
    acme_reader: httpx.AsyncClient, acme_api: httpx.AsyncClient, scene: Scene
) -> None:
    address = await a_free_answer(acme_reader, scene)
    await acme_api.put(f"{address}/exclusion", json={"reason": "a test of ours"})
    assert await n_of(acme_reader, scene, **PLAN) == FREE - 1
    rows = await everything(acme_reader, scene, **PLAN)
    await acme_api.delete(f"{address}/exclusion")
    assert await n_of(acme_reader, scene, **PLAN) == FREE - 1, "it is closed without that answer"
    assert await everything(acme_reader, scene, **PLAN) == rows


async def test_a_month_settles_two_days_after_its_end(
    acme_reader: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    scene = await make_survey(database, cast.acme, spread(JUNE, FREE_IN_MAY, plan="free"))
    for day, shown in ((1, None), (2, None), (3, len(FREE_IN_MAY))):
        with clock.fixed(datetime(2026, 7, day, 3, tzinfo=UTC)):
            assert await n_of(acme_reader, scene, **PLAN) == shown


async def imported(
    database: Database, scene: Scene, folder: Path, rows: list[tuple[int, date, str]]
) -> Any:
    path = folder / f"answers-{len(rows)}.csv"
    lines = [f"{score},{day},{plan}" for score, day, plan in rows]
    path.write_text("score,day,plan\n" + "\n".join(lines) + "\n")
    plan = ImportPlan(score_column="score", date_column="day", segments={"plan": "plan"})
    async with database.transaction(scene.workspace_id) as session:
        questionnaire = await get_questionnaire(session, scene.workspace_id, scene.survey_id)
        report = await import_answers(
            session, questionnaire, SYSTEM, plan, open_csv(path, CsvFormat())
        )
    return report.import_id


async def test_a_late_import_is_published_by_itself_and_goes_as_a_whole(
    acme_reader: httpx.AsyncClient, database: Database, scene: Scene, tmp_path: Path
) -> None:
    before = await metrics(acme_reader, scene, **PLAN)
    few = [(9, MAY, "free")] * 3 + [(2, MAY, "pro")] * 9
    await imported(database, scene, tmp_path, few)
    assert await n_of(acme_reader, scene, **PLAN) == FREE, "three would be told by the difference"
    many = [(9, MAY, "free")] * 6 + [(2, MAY, "free")] + [(2, MAY, "pro")] * 9
    doomed = await imported(database, scene, tmp_path, many)
    assert await n_of(acme_reader, scene, **PLAN) == FREE + 7
    assert await n_of(acme_reader, scene, **{"segment.plan": "pro"}) == 9
    rows = await everything(acme_reader, scene, limit="4", **PLAN)
    assert len(rows) == len({row["id"] for row in rows}) == FREE + 7
    async with database.transaction(scene.workspace_id) as session:
        await undo_import(session, scene.workspace_id, SYSTEM, doomed)
    after = await metrics(acme_reader, scene, **PLAN)
    assert {**after, "as_of": None} == {**before, "as_of": None}
    assert len(await everything(acme_reader, scene, **PLAN)) == FREE


async def test_what_the_api_brings_late_is_published_the_day_after(
    acme_reader: httpx.AsyncClient, acme_api: httpx.AsyncClient, scene: Scene,
    owner: psycopg.Connection,
) -> None:  # fmt: skip
    assert await n_of(acme_reader, scene, **PLAN) == FREE
    address = f"/api/v1/surveys/{scene.survey_id}/responses"
    for plan, number in (("free", 6), ("pro", 5)):
        for score in range(number):
            answer = {"score": score, "answered_on": "2026-05-09", "segments": {"plan": plan}}
            assert (await acme_api.post(address, json=answer)).status_code == 201
    assert await n_of(acme_reader, scene, **PLAN) == FREE
    with clock.fixed(NOW + timedelta(days=1)):
        assert await n_of(acme_reader, scene, **PLAN) == FREE + 6
        assert len(await everything(acme_reader, scene, **PLAN)) == FREE + 6
    found = owner.execute("SELECT file_name, stored, created_at::time::text FROM imports")
    assert found.fetchall() == [("API 2026-07-10", 11, "00:00:00")], "no moment is kept"


def late(plan: str = "free", score: int = 0) -> dict[str, object]:
    return {"score": score, "answered_on": "2026-05-09", "segments": {"plan": plan}}


async def test_what_the_api_brings_late_is_not_listed_before_its_day_is_closed(
    acme_reader: httpx.AsyncClient, acme_api: httpx.AsyncClient, scene: Scene
) -> None:
    rows = await everything(acme_reader, scene, **PLAN)
    address = f"/api/v1/surveys/{scene.survey_id}/responses"
    assert (await acme_api.post(address, json=late())).status_code == 201
    assert await everything(acme_reader, scene, **PLAN) == rows
    with clock.fixed(NOW + timedelta(days=1)):
        assert await everything(acme_reader, scene, **PLAN) == rows, "one alone is never shown"


async def test_a_late_answer_left_out_on_its_day_is_in_no_subgroup(
    acme_reader: httpx.AsyncClient, acme_api: httpx.AsyncClient, scene: Scene
) -> None:
    assert await n_of(acme_reader, scene, **PLAN) == FREE
    address = f"/api/v1/surveys/{scene.survey_id}/responses"
    sent = [(await acme_api.post(address, json=late(score=score))).json() for score in range(7)]
    left_out = f"{address}/{sent[0]['id']}/exclusion"
    assert (await acme_api.put(left_out, json={"reason": "a test of ours"})).status_code == 200
    with clock.fixed(NOW + timedelta(days=1)):
        assert await n_of(acme_reader, scene, **PLAN) == FREE + 6
        assert len(await everything(acme_reader, scene, **PLAN)) == FREE + 6


async def test_late_is_what_the_workspace_has_closed_whatever_day_it_is_elsewhere(
    acme_reader: httpx.AsyncClient, acme_api: httpx.AsyncClient, scene: Scene
) -> None:
    """On 3 July in Tokyo, where June is closed, it is still 2 July in Greenwich."""
    june = {**late(), "answered_on": "2026-06-09"}
    address = f"/api/v1/surveys/{scene.survey_id}/responses"
    with clock.fixed(datetime(2026, 7, 2, 16, tzinfo=UTC)):
        rows = await everything(acme_reader, scene, **PLAN)
        assert len(rows) == FREE
        assert (await acme_api.post(address, json=june)).status_code == 201
    assert await everything(acme_reader, scene, **PLAN) == rows


async def test_the_last_day_of_a_month_is_late_once_the_month_is_closed(
    acme_reader: httpx.AsyncClient, acme_api: httpx.AsyncClient, scene: Scene,
    owner: psycopg.Connection,
) -> None:  # fmt: skip
    """On the third, though it is three days old at most."""
    address = f"/api/v1/surveys/{scene.survey_id}/responses"
    answers = [{**late(), "answered_on": f"2026-{day}"} for day in ("06-30", "07-01", "07-02")]
    with clock.fixed(datetime(2026, 7, 3, 3, tzinfo=UTC)):
        assert await n_of(acme_reader, scene, **PLAN) == FREE, "June is closed"
        for answer in answers:
            assert (await acme_api.post(address, json=answer)).status_code == 201
    found = owner.execute("SELECT file_name, stored FROM imports")
    assert found.fetchall() == [("API 2026-07-03", 1)]


async def test_an_undone_day_of_the_api_starts_anew(
    acme_reader: httpx.AsyncClient, acme_api: httpx.AsyncClient, database: Database, scene: Scene,
    owner: psycopg.Connection,
) -> None:  # fmt: skip
    assert await n_of(acme_reader, scene, **PLAN) == FREE
    address = f"/api/v1/surveys/{scene.survey_id}/responses/batch"
    assert (await acme_api.post(address, json={"responses": [late()] * 4})).status_code == 201
    (day,) = owner.execute("SELECT id FROM imports").fetchone() or (None,)
    async with database.transaction(scene.workspace_id) as session:
        assert await undo_import(session, scene.workspace_id, SYSTEM, day) == 4
    assert (await acme_api.post(address, json={"responses": [late()] * 6})).status_code == 201
    assert owner.execute("SELECT stored, undone_at FROM imports").fetchall() == [(6, None)]
    with clock.fixed(NOW + timedelta(days=1)):
        assert await n_of(acme_reader, scene, **PLAN) == FREE + 6


async def test_a_block_is_listed_while_all_of_its_days_are_kept(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    """Rows go day by day: what a list lacks on the next day would tell the day of what went."""
    for moment, listed in (
        (datetime(2028, 5, 1, 3, tzinfo=UTC), FREE),
        (datetime(2028, 5, 2, 3, tzinfo=UTC), len(FREE_IN_JUNE)),
        (datetime(2028, 6, 2, 3, tzinfo=UTC), 0),
    ):
        with clock.fixed(moment):
            assert len(await everything(acme_reader, scene, **PLAN)) == listed
            assert await n_of(acme_reader, scene, **PLAN) == FREE, "the figures stay"


async def test_what_comes_before_anything_is_closed_is_not_late(
    acme_reader: httpx.AsyncClient, acme_api: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    scene = await make_survey(database, cast.acme)
    assert await n_of(acme_reader, scene, **PLAN) is None
    address = f"/api/v1/surveys/{scene.survey_id}/responses/batch"
    answers = [
        {"score": score, "answered_on": "2026-05-09", "segments": {"plan": "free"}}
        for score in range(9)
    ]
    assert (await acme_api.post(address, json={"responses": answers})).status_code == 201
    assert await n_of(acme_reader, scene, **PLAN) == 9


async def test_two_first_looks_at_once_publish_once(
    acme_reader: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    found = await asyncio.gather(*(n_of(acme_reader, scene, **PLAN) for _look in range(6)))
    assert found == [FREE] * 6
    twice = owner.execute(
        "SELECT labels, first_month FROM published_figures GROUP BY 1, 2 HAVING count(*) > 1"
    ).fetchall()
    assert twice == []
    assert owner.execute("SELECT count(*) FROM editions").fetchone() == (1,)


@pytest.mark.parametrize("table", ["closed_counts", "published_figures"])
async def test_nobody_can_change_what_is_closed_or_published(
    acme_reader: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection, table: str
) -> None:
    await n_of(acme_reader, scene, **PLAN)
    assert owner.execute(f"SELECT count(*) > 0 FROM {table}").fetchone() == (True,)  # noqa: S608
    owner.execute("SET ROLE honne_runtime")
    owner.execute(f"SET app.workspace_id = '{scene.workspace_id}'")
    column = "score_9" if table == "closed_counts" else "promoters"
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute(f"UPDATE {table} SET {column} = {column} + 1")  # noqa: S608


async def test_looking_every_month_shows_what_looking_once_shows(
    acme_reader: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    sizes = {
        ("free", "east"): (7,) * 6,
        ("pro", "west"): (1, 2, 3, 0, 2, 4),
        ("pro", "east"): (4,) * 6,
    }
    answers = [
        Answer(date(2026, month, 3), score, {"plan": plan, "region": region})
        for (plan, region), numbers in sizes.items()
        for month, number in enumerate(numbers, start=1)
        for score in range(number)
    ]
    often = await make_survey(database, cast.acme, answers, "often")
    once = await make_survey(database, cast.acme, answers, "once")
    for month in range(2, 7):
        with clock.fixed(datetime(2026, month, 20, tzinfo=UTC)):
            await metrics(acme_reader, often, **PLAN)
    for query in ({"group_by": "plan"}, {"segment.plan": "pro", "group_by": "region"}):
        found = [
            (await metrics(acme_reader, scene, interval="month", **query))
            for scene in (often, once)
        ]
        for answer in found:
            answer.update(as_of=None, survey_id=None, filters=None)
        assert found[0] == found[1]
