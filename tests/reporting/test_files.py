"""What a dashboard shows, as files: figures for spreadsheets, charts as pictures."""

import csv
import io
from datetime import date
from xml.etree.ElementTree import Element, fromstring

import httpx
import psycopg
import pytest

from app.foundation.database import Database
from tests.factories import Cast
from tests.reporting.conftest import SECRET
from tests.reporting.data import TODAY, Answer, make_survey
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


async def test_a_chart_that_is_not_there(as_bob: httpx.AsyncClient, scene: Scene) -> None:
    for chart in ("segment.shoe", "nothing", "..%2Ftrend"):
        answer = await as_bob.get(f"{dashboard(scene)}/charts/{chart}.svg")
        assert answer.status_code == 404


async def test_downloads_stand_in_the_log(
    as_bob: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    await lines_of(as_bob, scene, period="all", **{"segment.plan": "free"})
    await book_of(as_bob, scene, since="2026-05-01", until="2026-06-30")
    found = owner.execute("SELECT action, details FROM audit_events ORDER BY number").fetchall()
    assert found == [
        ("figures.exported", {"filter": "segment.plan=free"}),
        ("figures.exported", {"filter": "since=2026-05-01&until=2026-06-30", "comments": 38}),
    ]
