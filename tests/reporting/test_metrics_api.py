"""GET /api/v1/metrics: the contract, the windows, and what is not said."""

from typing import Any

import httpx
import pytest

from app.foundation.database import Database
from app.scoring import Distribution, interval_of
from tests.factories import Cast
from tests.reporting.conftest import FREE_IN_JUNE, FREE_IN_MAY, PRO_IN_JUNE, PRO_IN_MAY
from tests.reporting.data import make_survey
from tests.responses.scene import Scene

FREE = FREE_IN_MAY + FREE_IN_JUNE
PRO = PRO_IN_MAY + PRO_IN_JUNE
ALL = [*FREE, *PRO, 1, 2, 10]
FIGURES = (
    "nps",
    "nps_low",
    "nps_high",
    "response_count",
    "promoter_count",
    "promoter_percent",
    "passive_count",
    "passive_percent",
    "detractor_count",
    "detractor_percent",
    "distribution",
)


async def metrics(client: httpx.AsyncClient, scene: Scene, **query: str) -> dict[str, Any]:
    answer = await client.get(
        "/api/v1/metrics", params={"survey_id": str(scene.survey_id), **query}
    )
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def assert_figures(found: dict[str, Any], scores: list[int]) -> None:
    """The figures equal what a hand calculation over the scores gives."""
    n = len(scores)
    promoters = sum(score >= 9 for score in scores)
    detractors = sum(score <= 6 for score in scores)
    assert found["response_count"] == n
    assert found["promoter_count"] == promoters
    assert found["passive_count"] == n - promoters - detractors
    assert found["detractor_count"] == detractors
    assert found["nps"] == pytest.approx(100 * (promoters - detractors) / n, abs=1e-9)
    assert found["promoter_percent"] == pytest.approx(100 * promoters / n, abs=1e-9)
    assert found["detractor_percent"] == pytest.approx(100 * detractors / n, abs=1e-9)
    assert found["distribution"] == [scores.count(score) for score in range(11)]
    interval = interval_of(Distribution.from_scores(scores))
    assert interval is not None
    assert (found["nps_low"], found["nps_high"]) == (interval.low, interval.high)
    assert found["confidence"] == 0.95


async def test_overall_figures_are_live_and_exact(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    found = await metrics(acme_reader, scene)
    assert_figures(found, ALL)
    assert found["suppressed"] is False
    assert found["filters"]["survey_id"] == str(scene.survey_id)
    assert found["as_of"] == "2026-07-10T03:00:00Z"
    assert found["groups"] is None
    assert (found["held_count"], found["excluded_count"]) == (0, 0)


async def test_since_and_until_are_both_inclusive(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    first = await metrics(acme_reader, scene, since="2026-05-01", until="2026-05-01")
    assert_figures(first, [FREE_IN_MAY[0], PRO_IN_MAY[0]])
    assert (await metrics(acme_reader, scene, since="2026-07-10"))["response_count"] == 1
    assert (await metrics(acme_reader, scene, until="2026-04-30"))["response_count"] == 0


async def test_no_answers_have_no_score(acme_reader: httpx.AsyncClient, scene: Scene) -> None:
    found = await metrics(acme_reader, scene, until="2026-04-30")
    for name in ("nps", "nps_low", "nps_high", "promoter_percent", "detractor_percent"):
        assert found[name] is None
    assert found["distribution"] == [0] * 11


async def test_groups_cover_ended_months_and_name_the_window(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    found = await metrics(acme_reader, scene, group_by="plan")
    groups = {group["key"]: group for group in found["groups"]}
    assert_figures(groups["free"], FREE)
    assert found["groups_window"] == {"since": None, "until": "2026-06-30"}
    assert found["filters"]["group_by"] == "plan"
    # Two answers without a plan are too few, and pro would be what is left beside them.
    assert groups["none"] == {"key": "none", "suppressed": True}
    assert groups["pro"] == {"key": "pro", "suppressed": True}


async def test_a_group_is_the_figure_of_its_own_filter(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    found = await metrics(acme_reader, scene, **{"segment.plan": "free"})
    assert_figures(found, FREE)
    assert found["window"] == {"since": None, "until": "2026-06-30"}
    assert found["filters"]["segments"] == {"plan": "free"}
    may = {"since": "2026-05-01", "until": "2026-05-31"}
    assert_figures(
        await metrics(acme_reader, scene, **{"segment.plan": "free"}, **may), FREE_IN_MAY
    )


async def test_a_hidden_subgroup_has_no_number(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    for query in (
        {"segment.plan": "pro"},
        {"segment.plan": "none"},
        {"language": "ja"},
        {"channel": "qr"},
        {"segment.plan": "free", "since": "2026-07-01"},
    ):
        found = await metrics(acme_reader, scene, interval="month", group_by="age", **query)
        assert found["suppressed"] is True, query
        assert all(found[name] is None for name in FIGURES), query
        assert found["held_count"] is None
        assert found["series"] == []
        assert all(set(group) == {"key", "suppressed"} for group in found["groups"])


async def test_days_of_a_subgroup_are_narrowed_to_whole_months(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    query = {"segment.plan": "free", "since": "2026-04-20", "until": "2026-06-29"}
    found = await metrics(acme_reader, scene, **query)
    assert found["window"] == {"since": "2026-05-01", "until": "2026-05-31"}
    assert_figures(found, FREE_IN_MAY)
    assert found["filters"]["since"] == "2026-04-20"


async def test_series(acme_reader: httpx.AsyncClient, scene: Scene) -> None:
    found = await metrics(acme_reader, scene, interval="month")
    assert [point["since"] for point in found["series"]] == [
        "2026-05-01",
        "2026-06-01",
        "2026-07-01",
    ]
    assert sum(point["response_count"] for point in found["series"]) == len(ALL)
    free = await metrics(acme_reader, scene, interval="month", **{"segment.plan": "free"})
    assert_figures(free["series"][0], FREE_IN_MAY)
    assert_figures(free["series"][1], FREE_IN_JUNE)
    quarter = await metrics(acme_reader, scene, interval="quarter")
    assert quarter["series"][0]["until"] == "2026-06-30"


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"plan": "pro"}, "plan"),
        ({"segment.size": "big"}, "segment.size"),
        ({"segment.plan": "gold"}, "segment.plan"),
        ({"segment.plan": ["free", "pro"]}, "segment.plan"),
        ({"group_by": "size"}, "group_by"),
        ({"since": "2026-13-01"}, "since"),
        ({"since": "2026-05-02", "until": "2026-05-01"}, "until"),
        ({"until": "20260501"}, "until"),
        ({"language": "fr"}, "language"),
        ({"channel": "pigeon"}, "channel"),
        ({"interval": "hour"}, "interval"),
        ({"interval": "day", "segment.plan": "free"}, "interval"),
        ({"survey_id": "x"}, "survey_id"),
        ({"category": "promoter"}, "category"),
        ({"since": ["2026-05-01", "2026-06-01"]}, "since"),
        ({"group_by": ["plan", "age"]}, "group_by"),
        ({"since": "1900-01-01", "interval": "day"}, "interval"),
        ({"since": "0001-01-01", "until": "2026-05-01"}, "since"),
        ({"since": "9999-12-31"}, "since"),
        ({"until": "0001-01-01"}, "until"),
        ({"until": "9999-12-31", "segment.plan": "free"}, "until"),
    ],
)
async def test_what_is_not_understood_is_refused_by_name(
    acme_reader: httpx.AsyncClient, scene: Scene, query: dict[str, Any], name: str
) -> None:
    answer = await acme_reader.get(
        "/api/v1/metrics", params={"survey_id": str(scene.survey_id), **query}
    )
    assert answer.status_code == 422
    assert [param["name"] for param in answer.json()["invalid_params"]] == [name]


async def test_the_widest_window_is_all_time(acme_reader: httpx.AsyncClient, scene: Scene) -> None:
    days = {"since": "1900-01-01", "until": "2199-12-31"}
    assert_figures(await metrics(acme_reader, scene, **days, interval="month"), ALL)
    assert_figures(await metrics(acme_reader, scene, **days, **{"segment.plan": "free"}), FREE)


async def test_at_most_two_labels_are_combined(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    two = {"segment.plan": "free", "language": "ja"}
    assert (await metrics(acme_reader, scene, **two))["suppressed"] is True
    for more in ({"channel": "qr"}, {"group_by": "age"}):
        query = {"survey_id": str(scene.survey_id), **two, **more}
        answer = await acme_reader.get("/api/v1/metrics", params=query)
        assert answer.status_code == 422
        names = {param["name"] for param in answer.json()["invalid_params"]}
        assert names >= {*two, *(more.keys() - {"group_by"})}


async def test_reserved_values_may_be_asked_for(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    assert (await metrics(acme_reader, scene, **{"segment.region": "other"}))["nps"] is None
    everybody = await metrics(acme_reader, scene, **{"segment.region": "none"})
    assert everybody["response_count"] == len(ALL) - 1


async def test_outsiders(
    client: httpx.AsyncClient, globex_api: httpx.AsyncClient, scene: Scene
) -> None:
    address = f"/api/v1/metrics?survey_id={scene.survey_id}"
    assert (await client.get(address)).status_code == 401
    assert (await globex_api.get(address)).status_code == 404


async def test_a_young_survey_waits_for_its_first_month(
    acme_reader: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    scene = await make_survey(database, cast.acme)
    found = await metrics(acme_reader, scene, group_by="plan")
    assert found["response_count"] == 0
    assert [group["key"] for group in found["groups"]] == ["free", "pro", "other", "none"]
