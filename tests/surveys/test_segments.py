"""Which segment values survive: the pure rules, under any input."""

import uuid
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.schemas import Brand
from app.surveys.models import DimensionSource, Metric, SurveyState
from app.surveys.schemas import OTHER, Dimension, Questionnaire, Value
from app.surveys.segments import (
    accept_segments,
    find_segment_problems,
    in_order,
    is_dimension_key,
    is_value_key,
)

PLAN = Dimension(
    "plan",
    {"en": "Plan", "ja": "プラン"},
    DimensionSource.LINK,
    (Value("pro", {"en": "Pro", "ja": "プロ"}, False), Value("legacy", {}, True)),
)
ROLE = Dimension("role", {}, DimensionSource.QUESTION, (Value("admin", {}, False),))
TIER = Dimension("tier", {}, DimensionSource.API, (Value("1", {}, False),))
ASKED = Questionnaire(
    workspace_id=uuid.uuid4(),
    survey_id=uuid.uuid4(),
    version_id=uuid.uuid4(),
    version_number=1,
    name="Spring",
    state=SurveyState.PUBLISHED,
    metric=Metric.NPS,
    languages=("en",),
    default_language="en",
    min_group_size=5,
    retention_months=24,
    privacy_url="",
    contact="",
    opens_on=None,
    closes_on=None,
    time_zone="Asia/Tokyo",
    workspace_name="Acme",
    brand=Brand("Acme"),
    wording={},
    dimensions=(PLAN, ROLE, TIER),
)
RAW = st.dictionaries(
    st.sampled_from(["plan", "role", "tier", "account_id", "lang"]) | st.text(),
    st.sampled_from(["pro", "legacy", "admin", "1", "other", "none", ""]) | st.text(),
)


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ({"plan": "pro"}, {"plan": "pro"}),
        ({"plan": " pro "}, {"plan": "pro"}),
        ({"plan": "Pro"}, {"plan": "other"}),
        ({"plan": "acct_4711"}, {"plan": "other"}),
        ({"plan": "legacy"}, {"plan": "other"}),
        ({"plan": "other"}, {"plan": "other"}),
        ({"plan": ""}, {}),
        ({"plan": "none"}, {}),
        ({"account_id": "4711"}, {}),
        ({"role": "admin"}, {}),
        ({"tier": "1"}, {}),
    ],
)
def test_a_link_gives_declared_values_or_other(
    raw: Mapping[str, str], expected: Mapping[str, str]
) -> None:
    assert accept_segments(ASKED, raw, {DimensionSource.LINK}) == expected


def test_each_source_feeds_its_own_dimensions() -> None:
    raw = {"tier": "1", "role": "admin", "plan": "pro"}
    both = accept_segments(ASKED, raw, {DimensionSource.LINK, DimensionSource.QUESTION})
    assert list(both.items()) == [("plan", "pro"), ("role", "admin")]


@given(RAW)
def test_nothing_raw_survives(raw: dict[str, str]) -> None:
    accepted = accept_segments(ASKED, raw, set(DimensionSource))
    for key, value in accepted.items():
        dimension = ASKED.find_dimension(key)
        assert dimension is not None
        assert value == OTHER or value in [offered.key for offered in dimension.offered]


@given(RAW)
def test_the_api_takes_all_or_names_each_refusal(raw: dict[str, str]) -> None:
    problems = find_segment_problems(ASKED, raw)
    if problems:
        named = {param.name.removeprefix("segments.") for param in problems}
        assert {key for key in raw if ASKED.find_dimension(key) is None} <= named <= set(raw)
    else:
        assert in_order(ASKED, raw) == raw
        assert accept_segments(ASKED, raw, set(DimensionSource)) == raw


def test_refusals_carry_the_path_they_were_sent_under() -> None:
    refused = {"plan": "gold", "colour": "red"}
    found = find_segment_problems(ASKED, refused, "responses.3.segments")
    assert [param.name for param in found] == [
        "responses.3.segments.plan",
        "responses.3.segments.colour",
    ]
    for value in ("legacy", "none", ""):
        assert find_segment_problems(ASKED, {"plan": value})


def test_labels_fall_back() -> None:
    assert PLAN.label_in("ja") == "プラン"
    assert PLAN.label_in("de") == "Plan"
    assert ROLE.label_in("en") == "role"


@pytest.mark.parametrize("key", ["plan", "a", "0", "_", "x" * 40])
def test_dimension_keys(key: str) -> None:
    assert is_dimension_key(key)


@pytest.mark.parametrize("key", ["", "Plan", "plan-b", "プラン", "x" * 41, "plan\n", "lang", "a b"])
def test_refused_dimension_keys(key: str) -> None:
    assert not is_dimension_key(key)


@pytest.mark.parametrize("key", ["pro", "Academic / research", "1-10", "プロ", "é", "x" * 80])
def test_value_keys(key: str) -> None:
    assert is_value_key(key)


@pytest.mark.parametrize(
    "key", ["", " ", " pro", "pro ", "other", "OTHER", "None", "a\x00", "a\nb", "\ud800", "x" * 81]
)
def test_refused_value_keys(key: str) -> None:
    assert not is_value_key(key)
