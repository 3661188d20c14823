"""What a dashboard shows, as files: figures for spreadsheets, charts as pictures."""

import csv
import io
import re
from datetime import date
from html import unescape
from types import ModuleType
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import httpx
import psycopg
import pytest

from app.foundation.database import Database
from app.reporting.pages import files, files_several
from tests.conftest import count_lookers
from tests.factories import Cast
from tests.reporting.conftest import SECRET
from tests.reporting.data import TODAY, Answer, make_survey, spread
from tests.reporting.tables import tables_of
from tests.reporting.test_pages import dashboard
from tests.reporting.xlsx import Book, read_book
from tests.responses.scene import Scene

SVG = "{http://www.w3.org/2000/svg}"
EVIL = ('=HYPERLINK("http://x")', "+1", "-1", "@SUM(1)", "\t=1", "＝1+1")


async def lines_of(client: httpx.AsyncClient, scene: Scene, **query: str) -> list[dict[str, str]]:
    answer = await client.get(dashboard(scene) + "/figures.csv", params=query)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"].endswith('.csv"')
    assert answer.text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))


async def book_of(client: httpx.AsyncClient, scene: Scene, **query: str) -> Book:
    answer = await client.get(dashboard(scene) + "/figures.xlsx", params=query)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"].endswith('.xlsx"')
    return read_book(answer.content)


async def picture_of(
    client: httpx.AsyncClient, scene: Scene, chart: str, **query: str
) -> tuple[Element, str]:
    answer = await client.get(f"{dashboard(scene)}/charts/{chart}.svg", params=query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "image/svg+xml; charset=utf-8"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    return fromstring(answer.text), answer.text  # noqa: S314


@pytest.mark.parametrize(
    ("pages", "address"),
    [
        (files, "/w/{0.workspace_id}/surveys/{0.survey_id}/figures.xlsx"),
        (files_several, "/w/{0.workspace_id}/results/figures.xlsx?survey={0.survey_id}"),
    ],
    ids=["of one survey", "of several"],
)
async def test_while_a_workbook_is_written_no_row_is_kept_as_it_was(
    as_bob: httpx.AsyncClient,
    scene: Scene,
    owner: psycopg.Connection,
    monkeypatch: pytest.MonkeyPatch,
    pages: ModuleType,
    address: str,
) -> None:
    lookers, write = [], pages.write_workbook

    def watched(screen: Any) -> Any:
        lookers.append(count_lookers(owner))
        return write(screen)

    monkeypatch.setattr(pages, "write_workbook", watched)
    assert (await as_bob.get(address.format(scene))).status_code == 200
    assert lookers == [0]


async def test_the_csv_says_what_the_page_says_and_of_what(
    as_bob: httpx.AsyncClient, acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    lines = await lines_of(as_bob, scene, period="all")
    found = (await acme_reader.get(f"/api/v1/metrics?survey_id={scene.survey_id}")).json()
    (summary,) = (line for line in lines if line["table"] == "summary")
    for name in ("response_count", "nps", "nps_low", "nps_high", "promoter_count"):
        assert float(summary[name]) == found[name]
    printed = {line["split_by"]: line["value"] for line in lines if line["table"] == "filter"}
    assert printed["Survey"] == "Café"
    assert printed["Period"] == "All time"
    assert printed["As of"] == "Jul 10, 2026"
    (hidden,) = (line for line in lines if line["value"] == "pro")
    assert hidden["suppressed"] == "true"
    assert not any(hidden[name] for name in hidden if name.endswith(("_count", "nps", "score_9")))


async def test_a_goal_is_a_number_in_the_files_and_a_name_like_a_formula_is_text(
    as_bob: httpx.AsyncClient, acme_api: httpx.AsyncClient, scene: Scene
) -> None:
    survey = f"/api/v1/surveys/{scene.survey_id}"
    (await acme_api.put(f"{survey}/goal", json={"nps": 30})).raise_for_status()
    (await acme_api.patch(survey, json={"name": "+30"})).raise_for_status()
    lines = await lines_of(as_bob, scene, period="all")
    printed = {line["split_by"]: line["value"] for line in lines if line["table"] == "filter"}
    assert (float(printed["Goal"]), printed["Survey"]) == (30, "'+30")
    rows = (await book_of(as_bob, scene, period="all")).sheets["About"]
    about = {row[0]: row[1] for row in rows}
    assert (about["Goal"], about["Survey"]) == (30, "'+30")
    assert "Goal: +30" in (await picture_of(as_bob, scene, "trend", period="all"))[1]


async def test_a_hidden_subgroup_leaves_no_number_in_any_file(
    as_bob: httpx.AsyncClient, scene: Scene
) -> None:
    query = {"period": "all", "segment.age": "old"}
    lines = [line for line in await lines_of(as_bob, scene, **query) if line["table"] != "filter"]
    assert [(line["table"], line["suppressed"]) for line in lines] == [("summary", "true")]
    book = await book_of(as_bob, scene, **query)
    assert book.records("Comments") == []
    assert SECRET not in str(book.sheets)
    answer = await as_bob.get(f"{dashboard(scene)}/charts/shares.svg", params=query)
    assert answer.status_code == 404


async def test_the_workbook_holds_numbers_days_and_texts(
    as_bob: httpx.AsyncClient, scene: Scene
) -> None:
    query = {"since": "2026-05-01", "until": "2026-06-30"}
    book = await book_of(as_bob, scene, **query)
    assert list(book.sheets) == [
        "About", "Summary", "Scores", "Trend", "Segments", "Themes", "Comments",
    ]  # fmt: skip
    about = {row[0]: row[1] for row in book.sheets["About"]}
    assert about["Survey"] == "Café"
    assert "Adjusted Wald" in str(about["Interval"])
    summary = book.records("Summary")[0]
    assert summary["From"] == date(2026, 5, 1)
    assert summary["Answers"] == 38
    assert isinstance(summary["NPS"], float)
    assert [row["Score"] for row in book.records("Scores")] == list(range(11))
    comments = book.records("Comments")
    assert len(comments) == 38
    assert all(isinstance(row["Day"], date) for row in comments)
    assert all(isinstance(row["Score"], float) for row in comments)


async def test_a_subgroups_comments_show_months_and_labels(
    as_bob: httpx.AsyncClient, scene: Scene
) -> None:
    book = await book_of(as_bob, scene, period="all", **{"segment.plan": "free"})
    first, *_rest = book.records("Comments")
    assert isinstance(first["Months"], str)
    assert first["Plan"] == "Free"
    assert "Day" not in first


async def test_each_name_has_a_column_of_its_own(as_bob: httpx.AsyncClient, scene: Scene) -> None:
    lines = await lines_of(
        as_bob, scene, since="2026-06-01", until="2026-06-30", pair="segment.plan,segment.age"
    )
    pairs = [line for line in lines if line["table"] == "pair"]
    assert {(line["split_by"], line["second_split_by"]) for line in pairs} == {("plan", "age")}
    assert {line["value"] for line in pairs} == {"free", "pro"}
    assert {line["second_value"] for line in pairs} == {"young", "old"}
    assert not any(line["second_value"] for line in lines if line["table"] != "pair")
    others = [line for line in lines if line["table"] == "moved_others"]
    assert not any(line["value"] for line in others)
    assert all(line["value"] for line in lines if line["table"] == "moved")


async def test_what_is_marked_on_the_trend_is_in_the_files(
    as_bob: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    add = (
        "INSERT INTO annotations (workspace_id, id, kind, title, begins_on, note, link, hypothesis,"
        " created_at) VALUES (%s, gen_random_uuid(), %s, %s, %s, '', '', '', now())"
    )
    owner.execute(add, (scene.workspace_id, "action", "=Answer sooner", "2026-06-08"))
    owner.execute(add, (scene.workspace_id, "event", "Price raised", "2026-05-03"))
    lines = [line for line in await lines_of(as_bob, scene) if line["table"] == "mark"]
    assert [(line["number"], line["kind"], line["date"], line["title"]) for line in lines] == [
        ("1", "event", "2026-05-03", "Price raised"),
        ("2", "action", "2026-06-08", "'=Answer sooner"),
    ]
    assert not any(line["nps"] or line["value"] for line in lines)
    book = await book_of(as_bob, scene)
    assert book.records("Events and actions") == [
        {"Number": 1, "Kind": "Event", "Date": date(2026, 5, 3), "Title": "Price raised"},
        {
            "Number": 2,
            "Kind": "Improvement action",
            "Date": date(2026, 6, 8),
            "Title": "'=Answer sooner",
        },
    ]
    days = {"since": "2026-05-04", "until": "2026-06-01"}
    assert "Events and actions" not in (await book_of(as_bob, scene, **days)).sheets


async def test_no_cell_is_a_formula(
    as_bob: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    answers = [Answer(TODAY, 9, comment=text) for text in EVIL]
    scene = await make_survey(database, cast.acme, answers, slug="evil")
    book = await book_of(as_bob, scene)
    comments = {row["Comment"] for row in book.records("Comments")}
    assert comments == {f"'{text}" for text in EVIL}
    assert book.formulas == 0


async def test_files_speak_the_readers_language(
    as_bob: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE users SET locale = 'ja'")
    book = await book_of(as_bob, scene)
    assert "About" not in book.sheets
    _root, text = await picture_of(as_bob, scene, "shares")
    assert "推奨者" in text


@pytest.mark.parametrize("chart", ["shares", "scores", "trend", "segment.plan"])
async def test_a_chart_stands_alone(as_bob: httpx.AsyncClient, scene: Scene, chart: str) -> None:
    root, text = await picture_of(as_bob, scene, chart, period="all")
    assert root.tag == f"{SVG}svg"
    title, description = root.find(f"{SVG}title"), root.find(f"{SVG}desc")
    assert title is not None
    assert title.text
    assert title.text.startswith("Café: ")
    assert description is not None
    assert "Period: All time" in (description.text or "")
    for left_over in ("class=", "var(", "style", "href", "<a", "aria-", "<script"):
        assert left_over not in text
    shapes = [
        element for name in ("rect", "circle", "polyline", "polygon")
        for element in root.iter(SVG + name)
    ]  # fmt: skip
    assert len(shapes) > 1
    assert all(element.get("fill") or element.get("stroke") for element in shapes)


async def test_what_moved_the_score_is_drawn_as_on_the_page(
    as_bob: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    months = ((date(2026, 5, 1), [10, 8, 0] * 6), (date(2026, 6, 1), [10, 9, 8] * 8))
    answers = [
        answer
        for month, scores in months
        for plan in ("free", "pro")
        for answer in spread(month, scores if plan == "pro" else scores[3:], plan=plan)
    ]
    scene = await make_survey(database, cast.acme, answers, slug="moved")
    query = {"since": "2026-06-01", "until": "2026-06-30"}
    page = (await as_bob.get(dashboard(scene), params=query)).text
    root, text = await picture_of(as_bob, scene, "moved-segment.plan", **query)
    assert "charts/moved-segment.plan.svg" in page
    (rows,) = (
        rows for caption, rows in tables_of(page).items() if "moved the score, by Plan" in caption
    )
    drawn = [element.text or "" for element in root.iter(f"{SVG}text")]
    for name, _before, _now, mix, rate, total in rows[1:-1]:
        assert {name, total, f"{mix} · {rate}"} <= set(drawn)
    (said,) = re.findall(r"<figcaption>(Of [^<]+)</figcaption>", page.partition("moved")[2])[:1]
    description = root.find(f"{SVG}desc")
    assert description is not None
    assert (description.text or "").startswith(unescape(said))
    assert {"Together", "Who answered \u00b7 How they scored"} <= set(drawn), "heads over figures"
    assert "class=" not in text
    lines = [line.get("stroke") for line in root.iter(f"{SVG}line")]
    assert len(lines) == len(rows) - 2, "each value has its zero"
    assert all(lines)
    missing = await as_bob.get(f"{dashboard(scene)}/charts/moved-segment.plan.svg?period=all")
    assert missing.status_code == 404


async def test_what_it_is_compared_with_is_said_where_it_is_compared(
    as_bob: httpx.AsyncClient, scene: Scene
) -> None:
    days = {"since": "2026-06-01", "until": "2026-06-30"}
    for query, said in (
        ({"period": "all"}, None),
        ({**days, "compare": "none"}, None),
        (days, "Period before"),
        ({**days, "compare": "year"}, "Year before"),
    ):
        lines = await lines_of(as_bob, scene, **query)
        printed = {line["split_by"]: line["value"] for line in lines if line["table"] == "filter"}
        assert printed.get("Compared with") == said


async def test_a_chart_that_is_not_there(as_bob: httpx.AsyncClient, scene: Scene) -> None:
    for chart in ("segment.shoe", "nothing", "..%2Ftrend"):
        answer = await as_bob.get(f"{dashboard(scene)}/charts/{chart}.svg")
        assert answer.status_code == 404


async def test_downloads_stand_in_the_log(
    as_bob: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    await lines_of(as_bob, scene, period="all", **{"segment.plan": "free"})
    await book_of(as_bob, scene, since="2026-05-01", until="2026-06-30")
    await picture_of(as_bob, scene, "trend", period="all")
    found = owner.execute("SELECT action, details FROM audit_events ORDER BY number").fetchall()
    assert found == [
        ("figures.exported", {"filter": "segment.plan=free"}),
        ("figures.exported", {"filter": "since=2026-05-01&until=2026-06-30", "comments": 38}),
        ("figures.exported", {"filter": "", "chart": "trend"}),
    ]
