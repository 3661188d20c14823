"""Results computed elsewhere (R package NPS, and numpy/scipy) against ours, to 1e-9.

The file is not part of this repository; HONNE_SAMPLE_DATA names the folder that holds it.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from app.scoring import GroupCounts, compare, interval_of, nps_of
from app.scoring.intervals import adjusted_estimate, critical_value

PROJECT = Path(__file__).parents[2]
TOLERANCE = 1e-9


@pytest.fixture(scope="module")
def vectors() -> dict[str, Any]:
    folder = PROJECT / os.environ.get("HONNE_SAMPLE_DATA", "../shared/data")
    file = folder / "stats_vectors.json"
    if not file.is_file():
        pytest.skip(f"no reference vectors: {file} is absent (HONNE_SAMPLE_DATA names the folder)")
    loaded: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    assert len(loaded["one_sample"]) >= 24
    assert len(loaded["two_sample"]) >= 14
    return loaded


def near(expected: Any) -> Any:
    return pytest.approx(expected, abs=TOLERANCE, rel=0)


def test_critical_values(vectors: dict[str, Any]) -> None:
    for percent, z in vectors["z"].items():
        assert critical_value(int(percent) / 100) == near(z)


def test_scores(vectors: dict[str, Any]) -> None:
    for case in vectors["one_sample"]:
        score = nps_of(GroupCounts(case["promoters"], case["passives"], case["detractors"]))
        assert score is not None
        assert score.total == case["n"]
        assert score.value == near(case["own"]["nps_pts"])
        assert score.standard_error == near(case["own"]["se_pts"])
        for source in (case["own"], case["r"]):
            assert score.value / 100 == near(source["nps"])
            assert score.variance == near(source["var"])
            assert score.standard_error / 100 == near(source["se"])


@pytest.mark.parametrize("percent", [90, 95, 99])
def test_intervals(vectors: dict[str, Any], percent: int) -> None:
    for case in vectors["one_sample"]:
        counts = GroupCounts(case["promoters"], case["passives"], case["detractors"])
        interval = interval_of(counts, percent / 100)
        assert interval is not None
        shown = [interval.low, interval.high]
        assert shown == near(case["own"][f"aw{percent}_shown_pts"])
        estimate = adjusted_estimate(counts)
        reach = critical_value(percent / 100) * estimate.standard_error
        for source in (case["own"], case["r"]):
            raw = [(estimate.points - reach) / 100, (estimate.points + reach) / 100]
            assert raw == near(source[f"aw{percent}"])


def test_comparisons(vectors: dict[str, Any]) -> None:
    for case in vectors["two_sample"]:
        answers, reference = GroupCounts(*case["a"]), GroupCounts(*case["b"])
        comparison = compare(answers, reference)
        assert comparison is not None
        own, r = case["own"]["adjusted"], case["r"]["adjusted"]
        assert comparison.difference / 100 == near(case["own"]["diff_raw"])
        assert comparison.z == near(own["z"])
        assert comparison.p_value == near(own["p"])
        assert comparison.p_value == near(r["p"])
        low = min(own["ci95"][0], case["own"]["diff_raw"])
        high = max(own["ci95"][1], case["own"]["diff_raw"])
        shown = [comparison.interval.low / 100, comparison.interval.high / 100]
        assert shown == near([max(-2, low), min(2, high)])
