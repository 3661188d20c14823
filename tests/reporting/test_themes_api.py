"""Themes over real rows: whose they are, what is new, and what a subgroup may be told."""

import re
from datetime import date
from html import unescape
from typing import Any

import httpx
import pytest

from app.foundation.database import Database
from app.reporting import theme_counts
from app.reporting.indexing import index_comments
from tests.factories import Cast
from tests.reporting.data import TODAY, Answer, make_survey
from tests.reporting.test_pages import MOST_STATEMENTS, counted_statements, page
from tests.reporting.test_responses_api import everything
from tests.responses.scene import Scene

APRIL, MAY, JUNE = date(2026, 4, 2), date(2026, 5, 2), date(2026, 6, 2)
KIND = "The staff is friendly."
SLOW = "Terribly long queues at the checkout!"
PLAIN = "Fine shop, nothing to add"


def said(comment: str, number: int, score: int, day: date, plan: str = "free") -> list[Answer]:
    return [Answer(day, score, {"plan": plan}, comment) for _ in range(number)]


@pytest.fixture
async def talked(database: Database, cast: Cast) -> Scene:
    scene = await make_survey(
        database,
        cast.acme,
        [
            *said(KIND, 30, 10, APRIL),
            *said(KIND, 2, 3, APRIL),
            *said(SLOW, 25, 1, JUNE, "pro"),
            *said(SLOW, 1, 9, JUNE, "pro"),
            *said(PLAIN, 20, 8, MAY),
            *said(PLAIN, 9, 10, MAY),
            *said(PLAIN, 9, 2, MAY),
            *said("Too few to be told", 4, 0, JUNE),
            Answer(JUNE, 0, {"plan": "pro"}),
        ],
    )
    await index_comments(database)
    return scene


async def themes(client: httpx.AsyncClient, scene: Scene, **query: str) -> dict[str, Any]:
    answer = await client.get(f"/api/v1/surveys/{scene.survey_id}/themes", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def named(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {theme["label"]: theme for theme in found}


async def test_what_each_group_says_more(acme_reader: httpx.AsyncClient, talked: Scene) -> None:
    found = await themes(acme_reader, talked)
    assert (found["comment_count"], found["unread_count"], found["suppressed"]) == (100, 0, False)
    assert "staff is friendly" in named(found["promoters"])
    slow = named(found["detractors"])["long queues"]
    assert slow["comment_count"] == 25
    assert slow["share"] == pytest.approx(100 * 25 / 40)
    assert slow["share_low"] < slow["share"] < slow["share_high"]
    assert slow["nps"] == pytest.approx(100 * (1 - 25) / 26)
    assert slow["nps_low"] <= slow["nps"] <= slow["nps_high"]
    assert slow["trend"] == [
        {"month": "2026-04-01", "mention_count": 0, "comment_count": 32},
        {"month": "2026-05-01", "mention_count": 0, "comment_count": 38},
        {"month": "2026-06-01", "mention_count": 26, "comment_count": 30},
    ]
    assert not {"shop", "told"} & {*named(found["promoters"]), *named(found["detractors"])}


async def test_a_theme_leads_to_its_comments(acme_reader: httpx.AsyncClient, talked: Scene) -> None:
    for group, category in (("promoters", "promoter"), ("detractors", "detractor")):
        for theme in (await themes(acme_reader, talked))[group]:
            rows = await everything(acme_reader, talked, term=theme["key"], category=category)
            assert len(rows) == theme["comment_count"]
    file = await acme_reader.get(
        f"/api/v1/surveys/{talked.survey_id}/responses.csv", params={"term": "long queue"}
    )
    assert file.text.count("queues") == 26


async def test_what_is_new_is_told_against_the_days_before(
    acme_reader: httpx.AsyncClient, talked: Scene
) -> None:
    june = {"since": "2026-06-01", "until": "2026-06-30"}
    found = await themes(acme_reader, talked, **june)
    assert found["before"] == {"since": "2026-05-01", "until": "2026-05-31"}
    assert found["comment_count"] == 30
    new = named(found["new"])
    assert new["long queues"]["comment_count"] == 26
    assert new["long queues"]["share"] == pytest.approx(100 * 26 / 30)
    assert "shop" not in " ".join(new)
    assert (await themes(acme_reader, talked))["recent"] == {
        "since": "2026-04-12",
        "until": TODAY.isoformat(),
    }


async def test_a_subgroup_has_themes_of_what_it_may_list(
    acme_reader: httpx.AsyncClient, talked: Scene
) -> None:
    found = await themes(acme_reader, talked, **{"segment.plan": "free"})
    rows = await everything(acme_reader, talked, **{"segment.plan": "free"})
    assert found["comment_count"] == sum(row["comment"] is not None for row in rows)
    assert "staff is friendly" in named(found["promoters"])
    assert found["new"] is None
    assert found["recent"] is None
    assert all(theme["trend"] is None for theme in found["promoters"])


async def test_a_hidden_subgroup_has_none(
    acme_reader: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    few = said("Never again", 4, 0, JUNE, "pro")
    silent = [Answer(JUNE, 9, {"plan": "pro"}) for _ in range(20)]
    scene = await make_survey(database, cast.acme, [*few, *silent, *said(KIND, 30, 10, JUNE)])
    await index_comments(database)
    assert len(await everything(acme_reader, scene, **{"segment.plan": "pro"})) == 24
    for query in ({"segment.plan": "pro"}, {"segment.age": "old"}, {"channel": "qr"}):
        found = await themes(acme_reader, scene, **query)
        assert found["suppressed"]
        numbers = [v for name, v in found.items() if name not in ("survey_id", "suppressed")]
        assert numbers == [None, None, False, None, None, None, None, None]


async def test_comments_that_wait_are_counted(
    acme_reader: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    scene = await make_survey(database, cast.acme, said(KIND, 7, 9, JUNE))
    found = await themes(acme_reader, scene)
    assert (found["comment_count"], found["unread_count"]) == (0, 7)
    assert found["promoters"] == []


async def test_only_the_latest_are_looked_at(
    acme_reader: httpx.AsyncClient, talked: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(theme_counts, "MOST_COMMENTS", 30)
    found = await themes(acme_reader, talked)
    assert found["is_cut"]
    assert found["comment_count"] == 30


async def test_outsiders(
    client: httpx.AsyncClient, globex_api: httpx.AsyncClient, talked: Scene
) -> None:
    address = f"/api/v1/surveys/{talked.survey_id}/themes"
    assert (await client.get(address)).status_code == 401
    assert (await globex_api.get(address)).status_code == 404


async def test_the_dashboard_tells_themes_and_links_to_their_comments(
    as_bob: httpx.AsyncClient, database: Database, talked: Scene
) -> None:
    address = f"/w/{talked.workspace_id}/surveys/{talked.survey_id}"
    await page(as_bob, address)  # the first look publishes what has become ripe
    with counted_statements(database) as statements:
        html = await page(as_bob, address)
    assert len(statements) <= MOST_STATEMENTS
    assert "What comments are about" in html
    href = re.findall(r'href="([^"]+)">long queues<', html)[0]
    rows = (await as_bob.get(unescape(href))).text
    assert rows.count("<blockquote") == 25
    assert KIND not in rows
    assert "Only comments about “long queue”" in rows
    assert 'name="term" value="long queue"' in rows
    subgroup = await page(as_bob, address, **{"segment.plan": "free"})
    assert "staff is friendly" in subgroup
    assert "By month" not in subgroup.partition("What comments are about")[2]


async def test_the_dashboard_shows_what_waits_and_what_is_hidden(
    as_bob: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    silent = [Answer(JUNE, 9, {"plan": "pro"}) for _ in range(20)]
    few = said("Never again", 4, 0, JUNE, "pro")
    scene = await make_survey(database, cast.acme, [*said(KIND, 7, 9, JUNE), *few, *silent])
    address = f"/w/{scene.workspace_id}/surveys/{scene.survey_id}"
    assert '<progress value="0" max="11">' in await page(as_bob, address)
    hidden = await page(as_bob, address, **{"segment.plan": "pro"})
    assert "fewer than 5 comments here that may be listed" in hidden
    assert "<progress" not in hidden


async def test_words_of_a_theme_are_text(
    as_bob: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    happy = said("all good here", 30, 10, JUNE)
    scene = await make_survey(database, cast.acme, [*said("\"'><img src=x>", 9, 0, JUNE), *happy])
    await index_comments(database)
    html = await page(as_bob, f"/w/{scene.workspace_id}/surveys/{scene.survey_id}")
    assert "<img src=x" not in html
