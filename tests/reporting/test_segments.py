"""The segment tables, two dimensions together, and the choices of how to look at them."""

import csv
import io
import re
from datetime import date
from html import unescape
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from app.foundation.database import Database
from app.reporting.pages.here import Here
from app.scoring import Distribution, compare, interval_of
from tests.factories import Cast
from tests.reporting.data import Answer, make_survey
from tests.reporting.test_metrics_api import assert_figures, metrics
from tests.reporting.test_pages import MOST_STATEMENTS, counted_statements, dashboard, page
from tests.reporting.xlsx import read_book
from tests.responses.scene import Scene

JUNE = {"since": "2026-06-01", "until": "2026-06-30"}
MONTHS = (date(2026, 5, 1), date(2026, 6, 1))
# Of each plan and region, what it gave in May and in June.
SCORES: dict[tuple[str, str], tuple[list[int], list[int]]] = {
    ("free", "east"): ([10] * 9 + [8] * 3, [10] * 4 + [7] * 4 + [2] * 7),
    ("free", "west"): ([9] * 6 + [5] * 6, [9] * 6 + [5] * 6),
    ("pro", "east"): ([3] * 7 + [10] * 5, [10] * 11 + [8] * 2),
    ("pro", "west"): ([7] * 8 + [1] * 4, [9] * 9 + [6] * 3),
}


@pytest.fixture
async def paired(database: Database, cast: Cast) -> Scene:
    """Two plans in two regions, each with a dozen answers a month."""
    answers = [
        Answer(month.replace(day=1 + at % 28), score, {"plan": plan, "region": region}, "Fine")
        for (plan, region), both in SCORES.items()
        for month, scores in zip(MONTHS, both, strict=True)
        for at, score in enumerate(scores)
    ]
    return await make_survey(database, cast.acme, answers, "pairs")


def scores_of(plan: str, month: int) -> list[int]:
    return [
        score for (name, _region), both in SCORES.items() if name == plan for score in both[month]
    ]


def table(html: str, part: str) -> str:
    (found,) = re.findall(rf'id="{part}".*?</section>', html, re.DOTALL)
    return str(found)


def names(html: str) -> list[str]:
    """The first cell of each row of the plans' table."""
    body = table(html, "by-segment-plan").partition("<tbody>")[2]
    heads = re.findall(r'<th scope="row">(.*?)</th>', body, re.DOTALL)
    return [re.sub(r"<[^>]+>", "", head) for head in heads]


async def test_each_group_stands_against_the_rest_in_words(
    as_bob: httpx.AsyncClient, acme_reader: httpx.AsyncClient, paired: Scene
) -> None:
    free, pro = (Distribution.from_scores(scores_of(plan, 1)) for plan in ("free", "pro"))
    expected = compare(free, pro)
    assert expected is not None
    found = await metrics(acme_reader, paired, group_by="plan", **JUNE)
    groups = {group["key"]: group for group in found["groups"]}
    difference = groups["free"]["difference"]
    assert difference["verdict"] == "clearly_lower"
    assert difference["difference"] == expected.difference
    low, high = expected.interval.low, expected.interval.high
    assert (difference["difference_low"], difference["difference_high"]) == (low, high)
    assert groups["free"]["response_percent"] == pytest.approx(100 * 27 / 52)
    html = table(await page(as_bob, dashboard(paired), **JUNE), "by-segment-plan")
    assert "Clearly higher than the others: Pro." in html
    assert "Clearly lower than the others: Free." in html
    assert "Against the rest" in html
    signed = [
        f"{'+' if at > 0 else '−'}{abs(round(at))}" for at in (expected.difference, low, high)
    ]
    assert f'clearly lower<br><small class="soft">{signed[0]} ({signed[1]} to {signed[2]})' in html


async def test_rows_are_sorted_by_a_link_and_hidden_ones_stand_last(
    as_bob: httpx.AsyncClient, scene: Scene, paired: Scene
) -> None:
    assert names(await page(as_bob, dashboard(paired), **JUNE)) == ["Free", "Pro"]
    for sort, expected in {
        "-name": ["Pro", "Free"],
        "n": ["Pro", "Free"],
        "-nps": ["Pro", "Free"],
        "nps": ["Free", "Pro"],
        "-difference": ["Pro", "Free"],
        "change": ["Free", "Pro"],
    }.items():
        html = await page(as_bob, dashboard(paired), **JUNE, sort=sort)
        assert names(html) == expected, sort
        direction = "descending" if sort.startswith("-") else "ascending"
        assert table(html, "by-segment-plan").count(f'aria-sort="{direction}"') == 1
    html = await page(as_bob, dashboard(paired), **JUNE, sort="-nps")
    links = [unescape(href) for href in re.findall(r'href="[^"?]*\?([^"]*)#by-segment-plan"', html)]
    asked = [parse_qs(link)["sort"][0] for link in links]
    assert asked == ["name", "-n", "nps", "-difference", "-change"]
    assert all(parse_qs(link)["since"] == ["2026-06-01"] for link in links), "the rest is kept"
    for sort in ("name", "-name", "n", "nps", "-change"):
        hidden = await page(as_bob, dashboard(scene), period="all", sort=sort)
        assert names(hidden) == ["Free", "Pro"], "pro is hidden, whatever it is sorted by"
    refused = await as_bob.get(dashboard(paired), params={"sort": "size"})
    assert refused.status_code == 422


async def test_files_have_the_rows_in_the_order_of_the_screen(
    as_bob: httpx.AsyncClient, paired: Scene
) -> None:
    for sort in ("nps", "-nps"):
        html = await page(as_bob, dashboard(paired), **JUNE, sort=sort)
        (link,) = re.findall(r'href="([^"]+/figures\.csv[^"]*)"', html)
        text = (await as_bob.get(unescape(link))).text.removeprefix("\ufeff")
        lines = [line for line in csv.DictReader(io.StringIO(text)) if line["split_by"] == "plan"]
        shown = [line["value"].title() for line in lines if line["table"] == "segment"]
        assert shown == names(html) == (["Free", "Pro"] if sort == "nps" else ["Pro", "Free"])
        book = read_book((await as_bob.get(unescape(link).replace(".csv", ".xlsx"))).content)
        rows = book.records("Segments")
        assert [row["Value"] for row in rows if row["Segment dimension"] == "Plan"] == shown


async def test_a_row_leads_to_its_dashboard_and_its_number_to_the_answers(
    as_bob: httpx.AsyncClient, paired: Scene
) -> None:
    html = await page(as_bob, dashboard(paired), **JUNE, sort="nps", pair="plan,region")
    rows = table(html, "by-segment-plan").partition("<tbody>")[2]
    (to_page,) = re.findall(r'<a href="([^"]*)">Pro</a>', rows)
    query = parse_qs(unescape(to_page).partition("?")[2])
    assert query["segment.plan"] == ["pro"]
    assert "pair" not in query
    filtered = await as_bob.get(unescape(to_page))
    assert "NPS from 25 answers" in filtered.text
    (to_list,) = re.findall(r'<a href="([^"]*)" aria-label="Pro: 25 answers">', rows)
    listed = await as_bob.get(unescape(to_list))
    assert listed.text.count('<li class="comment"') == 25


async def test_two_dimensions_together_are_what_the_api_says(
    as_bob: httpx.AsyncClient, acme_reader: httpx.AsyncClient, paired: Scene
) -> None:
    found = await metrics(acme_reader, paired, pair="plan,region", **JUNE)
    cells: dict[tuple[str, ...], Any] = {tuple(cell["keys"]): cell for cell in found["cells"]}
    assert found["filters"]["pair"] == "plan,region"
    assert found["groups_window"] == {"since": "2026-06-01", "until": "2026-06-30"}
    html = table(await page(as_bob, dashboard(paired), **JUNE, pair="plan,region"), "pair")
    text = " ".join(re.sub(r"<[^>]+>", " ", html).split())
    shown = 0
    for (plan, region), both in SCORES.items():
        cell = cells[plan, region]
        if cell["suppressed"]:
            continue
        shown += 1
        assert_figures(cell, both[1])
        assert interval_of(Distribution.from_scores(both[1])) is not None
        nps = round(abs(cell["nps"]))
        assert re.search(rf"[+−]?{nps} n={cell['response_count']}", text)
    assert shown, "something is published"
    assert cells["none", "east"] == {"keys": ["none", "east"], "suppressed": True}
    assert "Not given" not in text, "nor is it told whether anybody has no plan"
    assert html.count('class="heat quiet"') == 4 - shown
    for other in ("region,plan", "segment.plan,segment.region"):
        again = await metrics(acme_reader, paired, pair=other, **JUNE)
        assert {frozenset(cell["keys"]) for cell in again["cells"]} == {
            frozenset(cell["keys"]) for cell in found["cells"]
        }


@pytest.mark.parametrize("pair", ["plan", "plan,plan", "plan,size", "plan,region,age", ","])
async def test_a_pair_is_two_declared_dimensions(
    acme_reader: httpx.AsyncClient, paired: Scene, pair: str
) -> None:
    query = {"survey_id": str(paired.survey_id), "pair": pair}
    answer = await acme_reader.get("/api/v1/metrics", params=query)
    assert answer.status_code == 422
    assert [param["name"] for param in answer.json()["invalid_params"]] == ["pair"]


async def test_a_pair_within_a_subgroup_would_be_three_labels(
    as_bob: httpx.AsyncClient, acme_reader: httpx.AsyncClient, paired: Scene
) -> None:
    query = {"pair": "plan,region", "language": "en"}
    asked = {"survey_id": str(paired.survey_id), **query}
    answer = await acme_reader.get("/api/v1/metrics", params=asked)
    assert {param["name"] for param in answer.json()["invalid_params"]} == {"pair", "language"}
    html = await page(as_bob, dashboard(paired), period="all", **query)
    assert "heat" not in html


async def test_what_moved_the_score_is_told_and_adds_up(
    as_bob: httpx.AsyncClient, acme_reader: httpx.AsyncClient, paired: Scene
) -> None:
    html = await page(as_bob, dashboard(paired), **JUNE)
    found = await metrics(acme_reader, paired, group_by="plan", **JUNE)
    change, movement = found["change"]["difference"], found["movement"]
    assert movement["mix"] + movement["rate"] == pytest.approx(change, abs=1e-9)
    assert f"Of +{change:.1f} points" in html
    assert "From May 2026 to Jun 2026 the NPS went from" in html
    assert "Pro moved the score the most" in html
    assert "What moved the score" not in await page(as_bob, dashboard(paired), period="all")


async def test_the_reader_chooses_what_the_trend_is_by(
    as_bob: httpx.AsyncClient, paired: Scene
) -> None:
    days = {"since": "2026-05-01", "until": "2026-06-30"}
    by_month = await page(as_bob, dashboard(paired), **days, interval="month")
    assert ">Jun 2026</text>" in by_month
    nav = re.findall(
        r'<nav class="choices[^>]*aria-label="Trend by">(.*?)</nav>', by_month, re.DOTALL
    )
    assert re.findall(r"interval=(\w+)", nav[0]) == ["day", "week", "month"]
    assert (
        f'aria-current="true" href="{dashboard(paired)}?since=2026-05-01&amp;until=2026-06-30'
        "&amp;interval=month" in nav[0]
    )
    by_week = await page(as_bob, dashboard(paired), **days, interval="week")
    assert "NPS by week" in by_week
    of_free = await page(
        as_bob, dashboard(paired), period="all", interval="day", **{"segment.plan": "free"}
    )
    assert "NPS by day" not in of_free
    assert 'aria-label="Trend by"' not in of_free, "days and weeks are not offered"


async def test_the_choices_cost_no_statement(
    as_bob: httpx.AsyncClient, paired: Scene, database: Database
) -> None:
    plain: dict[str, str] = {**JUNE}
    chosen = {**JUNE, "pair": "plan,region", "sort": "-nps", "interval": "day"}
    counts = []
    for query in (plain, plain, chosen):
        with counted_statements(database) as statements:
            await page(as_bob, dashboard(paired), **query)
        counts.append(len(statements))
    assert counts[2] <= counts[1] <= MOST_STATEMENTS


def test_a_link_keeps_what_was_asked_for() -> None:
    asked = (("since", "2026-06-01"), ("survey", "a"), ("survey", "b"), ("sort", "n"))
    here = Here("/w/a/results", asked)
    assert here.to({"sort": "-n"}, "by-plan") == (
        "/w/a/results?since=2026-06-01&survey=a&survey=b&sort=-n#by-plan"
    )
    assert here.to({"sort": None, "survey": None}) == "/w/a/results?since=2026-06-01"
