"""Several surveys together: sums of what each shows by itself, and no more than that."""

import re
from html import unescape
from typing import Any

import httpx
import psycopg
import pytest

from app.foundation.database import Database
from app.scoring import Distribution, compare, compare_many, interval_of
from tests.factories import Cast
from tests.reporting.conftest import FREE_IN_JUNE, FREE_IN_MAY, JUNE, MAY
from tests.reporting.data import make_survey, spread
from tests.reporting.test_pages import counted_statements
from tests.reporting.xlsx import read_book
from tests.responses.scene import Scene

AUTUMN_FREE = [10] * 9 + [5] * 2
AUTUMN_PRO = [9] * 8 + [8] * 3
STATEMENTS_EACH = 4
STATEMENTS_BESIDES = 7


@pytest.fixture
async def autumn(database: Database, cast: Cast, scene: Scene, owner: psycopg.Connection) -> Scene:
    """A second wave of the same survey: 22 answers of free and pro in June."""
    found = await make_survey(
        database,
        cast.acme,
        [*spread(JUNE, AUTUMN_FREE, plan="free"), *spread(JUNE, AUTUMN_PRO, plan="pro")],
        "autumn",
    )
    for survey, name, opens_on in ((found, "Autumn", JUNE), (scene, "Spring", MAY)):
        owner.execute(
            "UPDATE surveys SET name = %s, opens_on = %s WHERE id = %s",
            [name, opens_on, survey.survey_id],
        )
    return found


def both(*scenes: Scene, **query: str) -> httpx.QueryParams:
    surveys = [("survey_id", str(scene.survey_id)) for scene in scenes]
    return httpx.QueryParams([*surveys, *query.items()])


async def metrics(client: httpx.AsyncClient, *scenes: Scene, **query: str) -> dict[str, Any]:
    answer = await client.get("/api/v1/metrics", params=both(*scenes, **query))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def address(*scenes: Scene) -> str:
    surveys = "&".join(f"survey={scene.survey_id}" for scene in scenes)
    return f"/w/{scenes[0].workspace_id}/results?{surveys}"


async def look(client: httpx.AsyncClient, address: str) -> str:
    answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


async def test_everybody_is_the_sum_of_what_each_survey_says(
    acme_reader: httpx.AsyncClient, scene: Scene, autumn: Scene
) -> None:
    for query in (
        {},
        {"since": "2026-06-01", "until": "2026-06-30"},
        {"since": "2026-06-15", "compare": "year", "until": "2026-07-14"},
    ):
        spring, later = [
            await metrics(acme_reader, one, interval="month", **query) for one in (scene, autumn)
        ]
        found = await metrics(acme_reader, autumn, scene, interval="month", **query)
        added = [
            mine + theirs
            for mine, theirs in zip(spring["distribution"], later["distribution"], strict=True)
        ]
        assert found["distribution"] == added
        assert found["response_count"] == spring["response_count"] + later["response_count"]
        interval = interval_of(Distribution.from_counts(added))
        assert interval is not None
        assert (found["nps_low"], found["nps_high"]) == (interval.low, interval.high)
        assert sum(point["response_count"] for point in found["series"]) == sum(added)
        assert [survey["name"] for survey in found["surveys"]] == ["Spring", "Autumn"]
        for row, own in zip(found["surveys"], (spring, later), strict=True):
            assert {name: row[name] for name in ("nps", "nps_low", "nps_high", "distribution")} == {
                name: own[name] for name in ("nps", "nps_low", "nps_high", "distribution")
            }


async def test_the_change_is_that_of_the_sums(
    acme_reader: httpx.AsyncClient, scene: Scene, autumn: Scene
) -> None:
    june = {"since": "2026-06-01", "until": "2026-06-30"}
    may = {"since": "2026-05-01", "until": "2026-05-31"}
    found = await metrics(acme_reader, scene, autumn, **june)
    now = Distribution.from_counts(found["distribution"])
    then = Distribution.from_counts(
        (await metrics(acme_reader, scene, autumn, **may))["distribution"]
    )
    expected = compare(now, then)
    assert expected is not None
    assert found["compared_window"] == may
    assert found["change"]["difference"] == pytest.approx(expected.difference, abs=1e-9)
    assert found["change"]["verdict"] == expected.verdict
    assert (await metrics(acme_reader, scene, autumn, compare="none", **june))["change"] is None


async def test_a_survey_is_held_against_the_rest_or_the_one_before(
    acme_reader: httpx.AsyncClient, scene: Scene, autumn: Scene
) -> None:
    found = await metrics(acme_reader, scene, autumn)
    spring, later = (Distribution.from_counts(row["distribution"]) for row in found["surveys"])
    assert found["filters"]["against"] == "rest"
    for row, expected in zip(
        found["surveys"], compare_many([(spring, later), (later, spring)]), strict=True
    ):
        assert expected is not None
        assert row["versus"]["difference"] == pytest.approx(expected.difference, abs=1e-9)
        assert row["versus"]["p_value"] == pytest.approx(expected.corrected_p_value, abs=1e-12)
    waves = (await metrics(acme_reader, scene, autumn, against="previous"))["surveys"]
    assert waves[0]["versus"] is None, "there is none before the first"
    assert waves[1]["versus"]["difference"] == found["surveys"][1]["versus"]["difference"]


async def test_a_group_is_added_up_only_where_every_survey_shows_it(
    acme_reader: httpx.AsyncClient, scene: Scene, autumn: Scene
) -> None:
    found = await metrics(acme_reader, scene, autumn, group_by="plan")
    groups = {group["key"]: group for group in found["groups"]}
    scores = [*FREE_IN_MAY, *FREE_IN_JUNE, *AUTUMN_FREE]
    assert groups["free"]["distribution"] == [scores.count(score) for score in range(11)]
    # Autumn shows its pro answers; spring hides them, and so does the sum.
    assert (await metrics(acme_reader, autumn, **{"segment.plan": "pro"}))["suppressed"] is False
    assert groups["pro"] == {"key": "pro", "suppressed": True}
    pro = await metrics(acme_reader, scene, autumn, **{"segment.plan": "pro"})
    assert pro["suppressed"] is True
    assert pro["nps"] is None
    assert [row["suppressed"] for row in pro["surveys"]] == [True, False]
    assert set(pro["surveys"][0]) == {"survey_id", "name", "min_group_size", "suppressed"}
    assert pro["surveys"][1]["versus"] is None, "there is nothing to hold it against"


async def test_what_moved_the_score_is_told_of_one_survey_only(
    acme_reader: httpx.AsyncClient, scene: Scene, autumn: Scene
) -> None:
    """All others of one survey may be too few to be told, and would be in those of the sum."""
    june = {"since": "2026-06-01", "until": "2026-06-30", "group_by": "plan"}
    assert (await metrics(acme_reader, scene, **june))["movement"] is not None
    assert "movement" not in await metrics(acme_reader, scene, autumn, **june)


async def test_a_dimension_on_which_surveys_disagree_is_not_shown(
    acme_reader: httpx.AsyncClient,
    as_bob: httpx.AsyncClient,
    scene: Scene,
    autumn: Scene,
    owner: psycopg.Connection,
) -> None:
    owner.execute(
        "UPDATE segment_values SET key = 'gold' WHERE key = 'pro' AND dimension_id IN"
        " (SELECT id FROM segment_dimensions WHERE survey_id = %s)",
        [autumn.survey_id],
    )
    for query, name in (
        ({"segment.plan": "free"}, "segment.plan"),
        ({"group_by": "plan"}, "group_by"),
    ):
        answer = await acme_reader.get("/api/v1/metrics", params=both(scene, autumn, **query))
        assert answer.status_code == 422
        assert [param["name"] for param in answer.json()["invalid_params"]] == [name]
    html = await look(as_bob, address(scene, autumn))
    assert "Not shown: Plan." in html
    assert 'name="segment.plan"' not in html
    assert "NPS by Age" in html


async def test_what_does_not_fit_a_survey_that_is_added_is_left_out_and_named(
    as_bob: httpx.AsyncClient,
    acme_reader: httpx.AsyncClient,
    scene: Scene,
    autumn: Scene,
    owner: psycopg.Connection,
) -> None:
    """As where a survey is ticked beside others: the rest of the filter holds."""
    owner.execute("DELETE FROM segment_dimensions WHERE survey_id = %s", [autumn.survey_id])
    query = "&segment.plan=free&language=de&interval=week&since=2026-06-01"
    html = await look(as_bob, address(scene, autumn) + query)
    assert "Left out of the filter: Plan: Free, Language: German." in html
    assert "Not shown: Age, Region." in html
    told = await metrics(acme_reader, scene, autumn, since="2026-06-01")
    assert f"NPS from {told['response_count']} answers" in html
    # It comes back when the survey is unticked, or goes for good.
    assert '<input type="hidden" name="segment.plan" value="free">' in html
    (gone,) = re.findall(r'<a href="([^"]+)">Remove it from the filter', html)
    assert "Left out" not in await look(as_bob, gone.replace("&amp;", "&"))
    file = await as_bob.get(address(scene, autumn).replace("?", "/figures.csv?") + query)
    assert 'filter,Left out,"Plan: Free, Language: German"' in file.text
    # Alone, too, it says so here: the page of one survey knows nothing of what it has not.
    html = await look(as_bob, address(autumn) + query)
    assert "Left out of the filter: plan: free, Language: German." in html


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"interval": "month", "segment.plan": "free"}, "interval"),
        ({"against": "all"}, "against"),
        ({"plan": "pro"}, "plan"),
        ({"compare": "decade"}, "compare"),
        ({"survey_id": "x"}, "survey_id"),
    ],
)
async def test_what_is_not_understood_is_refused_by_name(
    acme_reader: httpx.AsyncClient, scene: Scene, autumn: Scene, query: dict[str, str], name: str
) -> None:
    answer = await acme_reader.get(
        "/api/v1/metrics",
        params=httpx.QueryParams((*both(scene, autumn).multi_items(), *query.items())),
    )
    assert answer.status_code == 422
    assert [param["name"] for param in answer.json()["invalid_params"]] == [name]


async def test_surveys_are_given_once_and_not_too_many(
    acme_reader: httpx.AsyncClient, as_bob: httpx.AsyncClient, scene: Scene
) -> None:
    one = [("survey_id", str(scene.survey_id))]
    for params, name in (
        (one * 2, "survey_id"),
        ([("survey_id", f"{at:032x}") for at in range(13)], "survey_id"),
        ([*one, ("against", "rest")], "against"),
        ([*one, ("since", "2026-05-01"), ("since", "2026-06-01")], "since"),
    ):
        answer = await acme_reader.get("/api/v1/metrics", params=httpx.QueryParams(tuple(params)))
        assert answer.status_code == 422
        assert [param["name"] for param in answer.json()["invalid_params"]] == [name]
    twice = await as_bob.get(f"{address(scene)}&survey={scene.survey_id}")
    assert twice.status_code == 422
    assert "survey" in twice.text


async def test_another_workspaces_survey_is_not_there(
    acme_reader: httpx.AsyncClient,
    as_bob: httpx.AsyncClient,
    as_charlie: httpx.AsyncClient,
    database: Database,
    cast: Cast,
    scene: Scene,
) -> None:
    theirs = await make_survey(database, cast.globex, (), "globex")
    answer = await acme_reader.get("/api/v1/metrics", params=both(scene, theirs))
    assert answer.status_code == 404
    beside = await look(as_bob, address(scene, theirs))
    assert "Left out: 1 survey that is not in this workspace any more." in beside
    assert "NPS from 39 answers" in beside
    assert (
        await as_bob.get(address(scene, theirs).replace(str(scene.survey_id), str(cast.acme)))
    ).status_code == 404
    assert (await as_charlie.get(address(scene, theirs))).status_code == 404
    inside = address(scene, theirs).replace(str(cast.acme), str(cast.globex))
    assert "Left out: 1 survey" in await look(as_charlie, inside)


async def test_the_page_says_what_the_api_says(
    as_bob: httpx.AsyncClient, acme_reader: httpx.AsyncClient, scene: Scene, autumn: Scene
) -> None:
    found = await metrics(acme_reader, scene, autumn)
    html = await look(as_bob, address(scene, autumn))
    assert f"NPS from {found['response_count']} answers" in html
    for row in found["surveys"]:
        assert f">{row['name']}</a></th>" in html
        assert f"{round(row['nps']):+d}".replace("-", "−") in html
    assert "Compared with the other surveys together" in html
    assert "no clear difference" in html or "clearly" in html
    waves = await look(as_bob, address(scene, autumn) + "&against=previous&segment.plan=pro")
    assert "Compared with the survey before" in waves
    assert "only where every one of them shows it" in waves
    free = await look(as_bob, address(scene, autumn) + "&segment.plan=free")
    assert "A group has no trend over several surveys" in free


async def test_surveys_are_chosen_by_ticks(
    as_bob: httpx.AsyncClient, scene: Scene, autumn: Scene
) -> None:
    listed = await look(as_bob, f"/w/{scene.workspace_id}/surveys")
    assert listed.count('name="survey"') == 2
    asked = await look(as_bob, f"/w/{scene.workspace_id}/results")
    assert "Choose at least two surveys" in asked
    one = await as_bob.get(address(scene) + "&period=90d&against=rest")
    assert one.status_code == 303
    assert one.headers["location"] == (
        f"/w/{scene.workspace_id}/surveys/{scene.survey_id}?period=90d"
    )
    ticks = "".join(f"&survey={at:032x}" for at in range(12))
    too_many = await as_bob.get(address(scene) + ticks)
    assert too_many.status_code == 422
    assert "You ticked 13 surveys. Up to 12 can be shown together" in too_many.text
    assert re.search(f'value="{scene.survey_id}" id="[^"]+" checked', too_many.text)
    refused = await as_bob.get(address(scene, autumn) + "&plan=pro")
    assert refused.status_code == 422
    assert "plan" in refused.text


async def test_the_trend_is_by_what_somebody_chose(
    as_bob: httpx.AsyncClient, scene: Scene, autumn: Scene
) -> None:
    here = address(scene, autumn) + "&since=2026-05-01&until=2026-06-30"
    for interval, caption in (("day", "NPS by day"), ("week", "NPS by week, each named by")):
        html = await look(as_bob, f"{here}&interval={interval}")
        assert caption in html
        assert f'aria-current="true" href="{here}&interval={interval}#trend-head"' in unescape(html)
        assert f'<input type="hidden" name="interval" value="{interval}">' in html
    # A group has no course, so there is nothing to choose, and nothing to refuse.
    free = await look(as_bob, f"{here}&interval=day&segment.plan=free")
    assert "A group has no trend over several surveys" in free


@pytest.mark.parametrize("chart", ["surveys", "shares", "scores", "trend", "segment.plan"])
async def test_a_chart_stands_alone(
    as_bob: httpx.AsyncClient, scene: Scene, autumn: Scene, chart: str
) -> None:
    path, _mark, query = address(scene, autumn).partition("?")
    answer = await as_bob.get(f"{path}/charts/{chart}.svg?{query}&period=all")
    assert answer.status_code == 200
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "Surveys: Spring, Autumn" in answer.text
    for left_over in ("class=", "var(", "style", "href", "<a"):
        assert left_over not in answer.text
    # A rim is painted below its letters, or they cannot be read.
    assert answer.text.count('stroke-width="4"') == answer.text.count('paint-order="stroke"')
    if chart == "surveys":
        assert answer.text.count("n=") == answer.text.count("paint-order") == 2
    none = await as_bob.get(f"{path}/charts/moved.svg?{query}")
    assert none.status_code == 404


async def test_a_hidden_group_leaves_no_number_of_its_survey(
    as_bob: httpx.AsyncClient, scene: Scene, autumn: Scene
) -> None:
    path, _mark, query = address(scene, autumn).partition("?")
    query += "&segment.plan=pro"
    lines = (await as_bob.get(f"{path}/figures.csv?{query}")).text.splitlines()
    found = [line.split(",") for line in lines if line.startswith(("summary", "survey"))]
    assert [(line[0], line[3], line[6]) for line in found] == [
        ("summary", "", "true"),
        ("survey", "Spring", "true"),
        ("survey", "Autumn", "false"),
    ]
    assert not any(cell for line in found[:2] for cell in line[7:])
    book = read_book((await as_bob.get(f"{path}/figures.xlsx?{query}")).content)
    assert list(book.sheets) == ["About", "Summary", "Surveys", "Scores", "Trend", "Segments"]
    assert book.records("Surveys")[0]["Answers"] == "Hidden to protect respondents"
    drawn = await as_bob.get(f"{path}/charts/surveys.svg?{query}")
    assert drawn.text.count("Hidden to protect respondents") == 1
    assert (await as_bob.get(f"{path}/charts/shares.svg?{query}")).status_code == 404


async def test_downloads_stand_in_the_log_of_each_survey(
    as_bob: httpx.AsyncClient, scene: Scene, autumn: Scene, owner: psycopg.Connection
) -> None:
    path, _mark, query = address(scene, autumn).partition("?")
    for part in ("figures.csv", "charts/trend.svg"):
        await look(as_bob, f"{path}/{part}?{query}&since=2026-05-01")
    found = owner.execute(
        "SELECT action, subject_id, details FROM audit_events ORDER BY number"
    ).fetchall()
    assert found == [
        ("figures.exported", survey.survey_id, {"filter": "since=2026-05-01", "surveys": 2, **more})
        for more in ({}, {"chart": "trend"})
        for survey in (scene, autumn)
    ]


async def test_statements_grow_by_a_few_with_each_survey(
    as_bob: httpx.AsyncClient, scene: Scene, autumn: Scene, database: Database
) -> None:
    for ending in ("", "&segment.plan=free"):
        await look(as_bob, address(scene, autumn) + ending)  # the first look publishes
        with counted_statements(database) as statements:
            await look(as_bob, address(scene, autumn) + ending)
        assert len(statements) <= STATEMENTS_BESIDES + 2 * STATEMENTS_EACH, statements
