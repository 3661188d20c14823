"""Churn, retention and NRR: by the API, by hand, from a file; what is drawn beside the score."""

from typing import Any

import httpx
import pytest

from app.followups.indicator_files import decode_file, read_indicators
from app.followups.rates import RateRules
from app.reporting.beside import axis_of
from tests.followups.conftest import home
from tests.reporting.data import TODAY
from tests.responses.scene import Scene

PATH = "/api/v1/indicators"
RULES = RateRules(frozenset({("plan", "pro"), ("plan", "free")}), TODAY)
CHURN = {"metric": "churn", "month": "2026-05", "percent": 2.5}


async def store(api: httpx.AsyncClient, *rates: dict[str, Any]) -> httpx.Response:
    return await api.post(PATH, json={"indicators": list(rates)})


@pytest.mark.usefixtures("scene")
async def test_a_rate_is_given_as_such_or_follows_from_its_parts(
    acme_api: httpx.AsyncClient,
) -> None:
    stored = await store(
        acme_api,
        {**CHURN, "base": 400, "segments": {"plan": "pro"}},
        {"metric": "churn", "month": "2026-05", "customers_at_start": 200, "customers_lost": 5},
        {"metric": "retention", "month": "2026-05", "customers_at_start": 8, "customers_lost": 1},
        {
            "metric": "nrr", "month": "2026-06", "starting_revenue": 1000.5, "expansion": 200,
            "contraction": 50, "churned": 49.5,
        },
    )  # fmt: skip
    assert stored.status_code == 201, stored.text
    found = stored.json()["data"]
    assert [row["percent"] for row in found[:3]] == [2.5, 2.5, 87.5]
    assert found[3]["percent"] == pytest.approx(100 * 1101 / 1000.5, abs=1e-9)
    assert [row["base"] for row in found] == [400, 200, 8, 1000.5]
    assert found[0]["segments"] == {"plan": "pro"}
    assert [row["denominator"] for row in found[2:]] == [
        "customers_at_start", "starting_recurring_revenue",
    ]  # fmt: skip


async def test_sending_twice_stores_once_and_replaces(
    acme_api: httpx.AsyncClient, acme_reader: httpx.AsyncClient
) -> None:
    first = (await store(acme_api, CHURN)).json()["data"][0]
    again = (await store(acme_api, {**CHURN, "percent": 3, "base": 100})).json()["data"][0]
    assert again["id"] == first["id"]
    assert (await acme_reader.get(PATH)).json()["data"] == [again]
    assert (await acme_api.delete(f"{PATH}/{first['id']}")).status_code == 204
    assert (await acme_reader.get(PATH)).json()["data"] == []


@pytest.mark.parametrize(
    ("rate", "name"),
    [
        ({"percent": 101}, "percent"),
        ({"percent": -1}, "percent"),
        ({"metric": "nrr", "percent": 1001}, "percent"),
        ({"percent": None}, "percent"),
        ({"month": "2026-08"}, "month"),
        ({"month": "2026-5"}, "month"),
        ({"month": "2026-05-01"}, "month"),
        ({"base": 0}, "base"),
        ({"segments": {"plan": "gold"}}, "segments.plan"),
        ({"segments": {"plan": "pro", "age": "old"}}, "segments"),
        ({"customers_lost": 1}, "percent"),
        ({"expansion": 1}, "expansion"),
        ({"percent": None, "customers_at_start": 5, "customers_lost": 6}, "customers_lost"),
        ({"percent": None, "customers_at_start": 0, "customers_lost": 0}, "customers_at_start"),
        ({"percent": None, "customers_at_start": 5}, "percent"),
        ({"metric": "csat"}, "metric"),
    ],
)
@pytest.mark.usefixtures("scene")
async def test_what_cannot_be_is_refused_and_nothing_is_stored(
    acme_api: httpx.AsyncClient, rate: dict[str, Any], name: str
) -> None:
    answer = await store(acme_api, {**CHURN, "month": "2026-04"}, {**CHURN, **rate})
    assert answer.status_code == 422
    names = [param["name"] for param in answer.json()["invalid_params"]]
    assert any(f"indicators.1.{name}" in found for found in names), names
    assert (await acme_api.get(PATH)).json()["data"] == []


async def test_one_rate_twice_in_a_batch_is_refused(acme_api: httpx.AsyncClient) -> None:
    answer = await store(acme_api, CHURN, {**CHURN, "percent": 3})
    assert answer.json()["invalid_params"][0]["name"] == "indicators.1.month"


async def test_the_list_is_filtered_and_paged(acme_api: httpx.AsyncClient) -> None:
    months = [f"2026-0{at}" for at in range(1, 7)]
    rates = [{**CHURN, "month": month} for month in months]
    await store(acme_api, *rates, {**CHURN, "metric": "retention", "percent": 97})
    met: list[str] = []
    cursor = None
    while True:
        query = {"metric": "churn", "since": "2026-02", "until": "2026-05", "limit": "3"}
        if cursor:
            query["cursor"] = cursor
        page = (await acme_api.get(PATH, params=query)).json()
        met += [row["month"] for row in page["data"]]
        cursor = page["meta"]["next_cursor"]
        if cursor is None:
            break
    assert met == ["2026-05", "2026-04", "2026-03", "2026-02"]


def test_a_file_is_read_as_people_write_it() -> None:
    text = (
        "Metric;Month;Dimension;Value;Percent;Base\n"
        "解約率;２０２６年５月;plan;pro;2.5%;400\n"
        "\n"
        "NRR;2026/6/1;;;104.5;\n"
    )
    for content in (
        text.encode("utf-8-sig"),
        text.encode("cp932"),
        text.replace("\n", "\r\n").encode("utf-16"),
    ):
        file = read_indicators(decode_file(content), RULES)
        assert not file.faults, file.faults
        assert [(rate.percent, rate.base) for rate in file.rates] == [(2.5, 400), (104.5, None)]
        assert file.rates[0].segment == ("plan", "pro")


def test_every_fault_of_a_file_is_named_by_its_line() -> None:
    text = (
        "metric,month,percent,dimension,value,customers_lost\n"
        "churn,2026-05,2.5,,,\n"
        "csat,May,2.5,,,\n"
        '"churn","2026-05",3,plan,"gold",\n'
        "churn,2026-05,4,,,\n"
        "churn,2026-04,,plan,,1.5\n"
        "churn,2026-09,abc,,,\n"
    )
    faults = [(fault.line, fault.column) for fault in read_indicators(text, RULES).faults]
    assert faults == [
        (3, "metric"), (3, "month"), (4, "value"), (5, "month"), (6, "value"),
        (6, "customers_lost"), (7, "percent"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", "metric"),
        ("metric,percent\nchurn,1", "month"),
        ("metric,month,colour\nchurn,2026-05,red", "colour"),
        ("metric,month,percent\n", ""),
        ('metric,month\n"churn,2026-05', ""),
    ],
)
def test_a_file_without_sense_is_refused_as_a_whole(text: str, column: str) -> None:
    file = read_indicators(text, RULES)
    assert not file.rates
    assert column in [fault.column for fault in file.faults]


@pytest.mark.parametrize(
    ("percents", "low", "high"),
    [([2.5, 3.1], 0, 4), ([97, 98.5], 97, 99), ([0], 0, 1), ([100, 40], 0, 100), ([104], 104, 105)],
)
def test_an_axis_holds_its_values_in_round_steps(
    percents: list[float], low: float, high: float
) -> None:
    first, last, ticks = axis_of(percents)
    assert (first, last) == (low, high)
    assert 2 <= len(ticks) <= 6


async def test_a_file_is_looked_at_before_it_is_stored(
    as_mona: httpx.AsyncClient, as_bob: httpx.AsyncClient, scene: Scene
) -> None:
    page = home(scene) + "/indicators"
    good = "metric,month,percent\nchurn,2026-05,2.5\nchurn,2026-04,3\n"
    looked = await as_mona.post(
        f"{page}/preview", files={"file": ("rates.csv", good.encode())}, data={"text": ""}
    )
    assert looked.status_code == 200
    assert "2 rates, ready to be stored" in looked.text
    assert "No rate has been entered" in (await as_bob.get(f"{page}/entries")).text
    stored = await as_mona.post(f"{page}/file", data={"text": good.replace("\n", "\r\n")})
    assert stored.status_code == 303
    assert "May 2026" in (await as_bob.get(f"{page}/entries")).text
    bad = await as_mona.post(f"{page}/file", data={"text": "metric,month,percent\nchurn,May,2\n"})
    assert bad.status_code == 422
    assert "Write a month such as 2026-05." in bad.text
    nothing = await as_mona.post(f"{page}/preview", data={"text": " "})
    assert nothing.status_code == 422
    assert "Choose a file or paste its rows." in nothing.text


async def test_rates_are_entered_by_hand(as_mona: httpx.AsyncClient, scene: Scene) -> None:
    page = home(scene) + "/indicators"
    sent = {"metric": "churn", "month": "2026-05", "segment": "plan=pro", "percent": "１.5％"}
    assert (await as_mona.post(page, data=sent)).status_code == 303
    listed = (await as_mona.get(f"{page}/entries")).text
    assert "plan: pro" in listed
    assert "1.5%" in listed
    refused = await as_mona.post(page, data={**sent, "segment": "plan=gold", "percent": "140"})
    assert refused.status_code == 422
    assert "No survey of the workspace declares this segment value." in refused.text
    assert 'value="140"' in refused.text


async def test_rates_stand_beside_published_figures_only(
    acme_api: httpx.AsyncClient, as_bob: httpx.AsyncClient, scene: Scene
) -> None:
    """Free has 30 answers in April and more in May, pro 32 in May and 28 in June."""
    rates = [
        {**CHURN, "segments": {"plan": plan}, "percent": percent}
        for plan, percent in (("free", 4.2), ("pro", 1.3))
    ]
    await store(acme_api, CHURN, *rates)
    page = home(scene) + "/indicators"
    everybody = (await as_bob.get(page)).text
    assert "Churn rate: 2.5% in May 2026." in everybody
    assert "they are not its causes" in everybody
    assert "4.2%" in everybody
    assert "Customers lost in the month ÷ customers at its start." in everybody
    of_pro = (await as_bob.get(page, params={"segment": "plan=pro", "months": "12"})).text
    assert "Churn rate: 1.3% in May 2026." in of_pro
    assert "2.5%" not in of_pro
    hidden = (await as_bob.get(page, params={"segment": "age=old"})).text
    assert "Hidden to protect respondents" in hidden
    for refused in ({"segment": "plan=gold"}, {"months": "7"}):
        assert (await as_bob.get(page, params=refused)).status_code == 422
