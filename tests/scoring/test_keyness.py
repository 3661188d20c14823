"""Against reference results computed elsewhere, and against what the method promises.

The file is not part of this repository; HONNE_SAMPLE_DATA names the folder that holds it.
"""

import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.scoring import informative_prior, keyness_of

COUNTS = st.dictionaries(st.sampled_from(["cat", "dog", "the", "leash"]), st.integers(0, 500))
PROJECT = Path(__file__).parents[2]


def test_reference_results() -> None:
    folder = PROJECT / os.environ.get("HONNE_SAMPLE_DATA", "../shared/data")
    file = folder / "keyness_vectors.json"
    if not file.is_file():
        pytest.skip(f"no reference vectors: {file} is absent (HONNE_SAMPLE_DATA names the folder)")
    cases = json.loads(file.read_text(encoding="utf-8"))["cases"]
    assert len(cases) >= 3
    for case in cases:
        found = keyness_of(case["i"], case["j"], case["prior"])
        assert found.keys() == case["expected"].keys()
        for term, expected in case["expected"].items():
            assert found[term].delta == pytest.approx(expected["delta"], abs=1e-12)
            assert found[term].z == pytest.approx(expected["z"], abs=1e-12)
        if "informative" in case["name"]:
            assert informative_prior(case["i"], case["j"]) == pytest.approx(case["prior"])


@given(COUNTS, COUNTS)
def test_turned_round_it_changes_its_sign(mine: dict[str, int], theirs: dict[str, int]) -> None:
    prior = informative_prior(mine, theirs)
    there = {term: found.z for term, found in keyness_of(mine, theirs, prior).items()}
    back = {term: found.z for term, found in keyness_of(theirs, mine, prior).items()}
    assert there == pytest.approx({term: -z for term, z in back.items()}, abs=1e-9)


def test_words_used_alike_are_not_typical() -> None:
    counts = {"the": 400, "good": 30}
    found = keyness_of(counts, counts, informative_prior(counts, counts))
    assert [term.z for term in found.values()] == [0, 0]
    assert [term.p_value for term in found.values()] == [1, 1]


def test_what_cannot_be_compared() -> None:
    assert informative_prior({}, {"cat": 3}) == {}
    assert keyness_of({"cat": 3}, {"cat": 2}, {"cat": 1.0}) == {}
    assert keyness_of({"cat": 3}, {"dog": 0}, {"cat": 1.0, "the": 1.0}).keys() == {"cat", "the"}
    with pytest.raises(ValueError, match="without a prior: dog"):
        keyness_of({"dog": 3}, {}, {"cat": 1.0, "the": 1.0})
    with pytest.raises(ValueError, match="above 0"):
        keyness_of({"cat": 3}, {}, {"cat": 0.0})
