"""Days that cannot be, typed into the filters of a page: said beside the field, and kept."""

import re

import httpx
import psycopg
import pytest

from tests.reporting.test_pages import dashboard
from tests.reporting.test_several import address, autumn
from tests.responses.scene import Scene

__all__ = ["autumn"]  # the fixture

ORDER = "The last day lies before the first."
CASES = [
    ("since=2026-07-01&until=2026-06-01", "until", ORDER, 'type="date" value="2026-06-01"'),
    ("since=2026-02-30", "since", "Write a date such as", 'type="text" value="2026-02-30"'),
    (
        "until=0206-07-01",
        "until",
        "Give a day from",
        'type="date" value="0206-07-01"',
    ),
]


@pytest.mark.parametrize(("days", "name", "why", "kept"), CASES)
async def test_what_is_wrong_stands_beside_the_field(
    as_bob: httpx.AsyncClient, scene: Scene, autumn: Scene,
    days: str, name: str, why: str, kept: str,
) -> None:  # fmt: skip
    more = "&period=days&segment.plan=free&compare=year"
    pages = (
        f"{dashboard(scene)}?{days}{more}",
        f"{dashboard(scene)}/responses?{days}&period=days&segment.plan=free",
        f"{address(scene, autumn)}&{days}{more}",
    )
    for page in pages:
        answer = await as_bob.get(page)
        assert answer.status_code == 422
        html = answer.text
        assert "<title>Error:" in html
        label = {"since": "From", "until": "To"}[name]
        assert f'<a href="#f-{name}" target="_self">{label}: {why}' in html
        assert re.search(rf'id="f-{name}-error"><span class="vh">Error: </span>{why}', html)
        assert f'name="{name}" {kept} aria-invalid="true"' in html
        assert '<option value="days" selected>' in html
        assert '<option value="free" selected>' in html
        assert "headline-score" not in html


async def test_it_is_said_in_the_readers_language(
    as_bob: httpx.AsyncClient, scene: Scene, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE users SET locale = 'ja'")
    answer = await as_bob.get(f"{dashboard(scene)}?period=days&since=2026-07-01&until=2026-06-01")
    assert answer.status_code == 422
    assert "終了日が開始日より前になっています。" in answer.text


async def test_days_beside_another_period_are_passed_over(
    as_bob: httpx.AsyncClient, scene: Scene, autumn: Scene
) -> None:
    days = "period=all&since=2026-07-01&until=x"
    for page in (f"{dashboard(scene)}?{days}", f"{address(scene, autumn)}&{days}"):
        answer = await as_bob.get(page)
        assert answer.status_code == 200
        assert "NPS from" in answer.text


@pytest.mark.parametrize(("days", "name", "why", "_kept"), CASES)
async def test_the_api_names_the_parameter(
    acme_reader: httpx.AsyncClient, scene: Scene, autumn: Scene,
    days: str, name: str, why: str, _kept: str,
) -> None:  # fmt: skip
    one = f"survey_id={scene.survey_id}"
    for path in (
        f"metrics?{one}&{days}",
        f"metrics?{one}&survey_id={autumn.survey_id}&{days}",
        f"surveys/{scene.survey_id}/responses?{days}",
        f"surveys/{scene.survey_id}/themes?{days}",
    ):
        answer = await acme_reader.get(f"/api/v1/{path}")
        assert answer.status_code == 422
        (param,) = answer.json()["invalid_params"]
        assert param["name"] == name
        assert param["reason"].startswith(why)
