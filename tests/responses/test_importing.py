"""A file is stored as a whole or not at all, and can be taken out again."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest

from app.accounts.schemas import SYSTEM
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.errors import Conflict, Invalid, NotFound
from app.responses.actions import exclude_response
from app.responses.csv_reading import CsvFile, CsvFormat, open_csv
from app.responses.import_rows import BadRow, ImportPlan
from app.responses.importing import (
    BadRows,
    ImportReport,
    check_file,
    import_answers,
    list_imports,
    undo_import,
)
from app.surveys.queries import get_questionnaire
from app.surveys.schemas import Questionnaire
from tests.factories import Cast
from tests.responses.scene import Scene, recount, stored_answers, stored_counts

PLAN = ImportPlan(
    score_column="score",
    comment_column="comment",
    date_column="day",
    segments={"plan": "tier", "region": "region"},
)
FILE = """score,comment,day,tier,region
9,Lovely,2026-01-05,pro,east
3,"Slow, and
cold",2026-01-05,Free,
,never asked,2026-01-06,pro,east
10,NA,2026-01-06,Gold,north
9,,2026-01-05,PRO,East
"""
BAD_FILE = FILE + "11,x,2026-01-07,pro,east\n8,fine,2026-01-07,pro,east\n"


@pytest.fixture
def source(tmp_path: Path) -> CsvFile:
    return written(tmp_path, FILE)


def written(folder: Path, text: str) -> CsvFile:
    path = folder / "answers.csv"
    path.write_text(text)
    return open_csv(path, CsvFormat())


async def run_import(
    database: Database, scene: Scene, source: CsvFile, plan: ImportPlan = PLAN
) -> ImportReport:
    async with database.transaction(scene.workspace_id) as session:
        questionnaire = await get_questionnaire(session, scene.workspace_id, scene.survey_id)
        return await import_answers(session, questionnaire, SYSTEM, plan, source)


async def questionnaire_of(database: Database, scene: Scene) -> Questionnaire:
    async with database.transaction(scene.workspace_id) as session:
        return await get_questionnaire(session, scene.workspace_id, scene.survey_id)


def rows_in(owner: psycopg.Connection, *tables: str) -> list[int]:
    found = []
    for table in tables:
        row = owner.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608
        assert row is not None
        found.append(row[0])
    return found


async def test_a_file_is_stored_and_counted(
    database: Database, scene: Scene, source: CsvFile, owner: psycopg.Connection
) -> None:
    report = await run_import(database, scene, source)
    assert sorted(stored_answers(owner), key=str) == sorted(
        [(9, "Lovely"), (3, "Slow, and\ncold"), (10, None), (9, None)], key=str
    )
    assert stored_counts(owner) == recount(owner)
    assert (report.row_count, report.stored_count, report.unscored_count) == (5, 4, 1)
    assert report.scores == [0, 0, 0, 1, 0, 0, 0, 0, 0, 2, 1]
    assert (report.comment_count, report.bad_count) == (2, 0)
    assert (report.first_day, report.last_day) == (date(2026, 1, 5), date(2026, 1, 6))
    assert report.other_counts == {"plan": 1, "region": 1}
    rows = owner.execute(
        "SELECT labels, answered_on::text, language, channel, standing, import_id FROM responses "
        "JOIN segment_sets ON segment_sets.id = segment_set_id ORDER BY score, comment"
    ).fetchall()
    assert [row[0] for row in rows] == [
        {"plan": "free"},
        {"plan": "pro", "region": "east"},
        {"plan": "pro", "region": "east"},
        {"plan": "other", "region": "other"},
    ]
    assert {row[2:] for row in rows} == {("en", "import", "counted", report.import_id)}
    # Random, so that no id tells where in the file, or when, its answer stood.
    ids = owner.execute("SELECT id FROM responses").fetchall()
    assert {found.version for (found,) in ids} == {4}
    assert (await questionnaire_of(database, scene)).has_answers


async def test_an_import_leaves_a_record(
    database: Database, scene: Scene, source: CsvFile, owner: psycopg.Connection
) -> None:
    report = await run_import(database, scene, source)
    async with database.transaction(scene.workspace_id) as session:
        (record,) = await list_imports(session, scene.workspace_id)
    assert record.id == report.import_id
    assert (record.file_name, record.stored, record.unscored, record.skipped) == (
        "answers.csv", 4, 1, 0,
    )  # fmt: skip
    events = owner.execute("SELECT action, subject_id FROM audit_events").fetchall()
    assert events == [("import.stored", report.import_id)]


async def test_one_bad_row_keeps_all_of_the_file_out(
    database: Database, scene: Scene, tmp_path: Path, owner: psycopg.Connection
) -> None:
    with pytest.raises(BadRows) as refused:
        await run_import(database, scene, written(tmp_path, BAD_FILE))
    reason = "the score '11' is not a whole number from 0 to 10"
    assert refused.value.report.bad_rows == [BadRow(8, reason)]
    assert rows_in(owner, "responses", "daily_counts", "imports", "audit_events") == [0, 0, 0, 0]


async def test_bad_rows_can_be_left_out(
    database: Database, scene: Scene, tmp_path: Path, owner: psycopg.Connection
) -> None:
    plan = replace(PLAN, skips_bad_rows=True)
    report = await run_import(database, scene, written(tmp_path, BAD_FILE), plan)
    assert (report.stored_count, report.bad_count) == (5, 1)
    assert stored_counts(owner) == recount(owner)
    assert rows_in(owner, "responses") == [5]


async def test_only_the_first_bad_rows_are_kept(
    database: Database, scene: Scene, tmp_path: Path
) -> None:
    source = written(tmp_path, "score,comment,day,tier,region\n" + "11,,2026-01-05,,\n" * 30)
    with pytest.raises(BadRows) as refused:
        await run_import(database, scene, source)
    assert refused.value.report.bad_count == 30
    assert [bad.line for bad in refused.value.report.bad_rows] == list(range(2, 22))


async def test_a_failure_half_way_stores_nothing(
    database: Database, scene: Scene, tmp_path: Path, owner: psycopg.Connection
) -> None:
    owner.execute("ALTER TABLE responses ADD CONSTRAINT no_cats CHECK (comment <> 'cat')")
    rows = ["9,dog,2026-01-05,pro,east\n"] * 5_000 + ["9,cat,2026-01-05,pro,east\n"]
    source = written(tmp_path, "score,comment,day,tier,region\n" + "".join(rows))
    with pytest.raises(Exception, match="no_cats"):
        await run_import(database, scene, source)
    tables = ("responses", "daily_counts", "imports", "segment_sets", "audit_events")
    assert rows_in(owner, *tables) == [0] * len(tables)
    owner.execute("ALTER TABLE responses DROP CONSTRAINT no_cats")
    assert (await run_import(database, scene, source)).stored_count == 5_001
    assert stored_counts(owner) == recount(owner)


async def test_a_file_that_changes_between_its_readings_stores_nothing(
    database: Database, scene: Scene, source: CsvFile, owner: psycopg.Connection
) -> None:
    def change(_place: int) -> None:
        source.path.write_text(FILE.replace("9,,2026-01-05,PRO,East\n", ""))

    async def run() -> None:
        async with database.transaction(scene.workspace_id) as session:
            questionnaire = await get_questionnaire(session, scene.workspace_id, scene.survey_id)
            await import_answers(session, questionnaire, SYSTEM, PLAN, source, change)

    with pytest.raises(Conflict):
        await run()
    assert rows_in(owner, "responses") == [0]


async def test_looking_at_a_file_stores_nothing(
    database: Database, scene: Scene, source: CsvFile, owner: psycopg.Connection
) -> None:
    plan = replace(PLAN, declares_values=True)
    report = check_file(await questionnaire_of(database, scene), plan, source)
    assert report.stored_count == 4
    assert {key: [value.key for value in values] for key, values in report.declared.items()} == {
        "plan": ["gold"],
        "region": ["north"],
    }
    assert rows_in(owner, "responses", "imports", "daily_counts") == [0, 0, 0]


async def test_the_same_file_is_not_taken_twice_unless_told_so(
    database: Database, scene: Scene, source: CsvFile, owner: psycopg.Connection
) -> None:
    first = await run_import(database, scene, source)
    with pytest.raises(Conflict) as refused:
        await run_import(database, scene, source)
    assert str(first.import_id) in refused.value.text("en")
    await run_import(database, scene, source, replace(PLAN, is_again=True))
    assert rows_in(owner, "responses", "imports") == [8, 2]
    assert stored_counts(owner) == recount(owner)


async def test_the_same_file_at_the_same_moment_is_taken_once(
    database: Database, scene: Scene, source: CsvFile, owner: psycopg.Connection
) -> None:
    outcomes = await asyncio.gather(
        *(run_import(database, scene, source) for _one in range(3)), return_exceptions=True
    )
    assert [type(outcome) for outcome in outcomes].count(ImportReport) == 1
    assert [type(outcome) for outcome in outcomes].count(Conflict) == 2
    assert rows_in(owner, "responses") == [4]


async def test_undeclared_values_can_be_declared(
    database: Database, scene: Scene, source: CsvFile
) -> None:
    plan = replace(PLAN, declares_values=True)
    report = await run_import(database, scene, source, plan)
    assert report.other_counts == {}
    questionnaire = await questionnaire_of(database, scene)
    tiers = questionnaire.find_dimension("plan")
    assert tiers is not None
    assert [(value.key, value.label_in("en")) for value in tiers.values] == [
        ("free", "Free"), ("pro", "Pro"), ("gold", "Gold"),
    ]  # fmt: skip


async def test_a_file_without_a_single_score_is_a_mistake(
    database: Database, scene: Scene, tmp_path: Path, owner: psycopg.Connection
) -> None:
    for rows in ("", "NA,x,2026-01-05,,\n"):
        with pytest.raises(Invalid, match="No row has a score"):
            await run_import(
                database, scene, written(tmp_path, "score,comment,day,tier,region\n" + rows)
            )
    assert rows_in(owner, "imports") == [0]


async def test_an_import_is_undone_as_a_whole(
    database: Database, scene: Scene, source: CsvFile, tmp_path: Path, owner: psycopg.Connection
) -> None:
    doomed = await run_import(database, scene, source)
    kept = written(tmp_path, FILE + "7,kept,2026-01-05,pro,east\n")
    await run_import(database, scene, kept)
    assert doomed.import_id is not None
    row = owner.execute(
        "SELECT id FROM responses WHERE import_id = %s LIMIT 1", [doomed.import_id]
    ).fetchone()
    assert row is not None
    moment = datetime(2026, 2, 1, tzinfo=UTC)
    async with database.transaction(scene.workspace_id) as session:
        await exclude_response(
            session, scene.workspace_id, SYSTEM, scene.survey_id, row[0], "a test"
        )
    with clock.fixed(moment):
        async with database.transaction(scene.workspace_id) as session:
            assert await undo_import(session, scene.workspace_id, SYSTEM, doomed.import_id) == 4
    assert rows_in(owner, "responses") == [5]
    assert stored_counts(owner) == recount(owner)
    async with database.transaction(scene.workspace_id) as session:
        records = await list_imports(session, scene.workspace_id)
        assert {record.id: record.undone_at for record in records}[doomed.import_id] == moment
        with pytest.raises(Conflict):
            await undo_import(session, scene.workspace_id, SYSTEM, doomed.import_id)
    assert (await run_import(database, scene, written(tmp_path, FILE))).stored_count == 4


async def test_nobody_elses_import_can_be_undone(
    database: Database, cast: Cast, scene: Scene, source: CsvFile, owner: psycopg.Connection
) -> None:
    report = await run_import(database, scene, source)
    assert report.import_id is not None
    async with database.transaction(cast.globex) as session:
        assert await list_imports(session, cast.globex) == []
        with pytest.raises(NotFound):
            await undo_import(session, cast.globex, SYSTEM, report.import_id)
    assert rows_in(owner, "responses") == [4]
