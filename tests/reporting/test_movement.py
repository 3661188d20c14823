"""What moved the score: it adds up, it follows from what is shown, and it says when it does not."""

from datetime import date
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.foundation.database import Database
from app.reporting.buckets import Period
from app.reporting.contrasts import contrasts
from app.reporting.metrics import Figures, Group
from app.reporting.movement import Movement, Withheld, movement_of
from app.reporting.what_moved import WhatMoved
from app.scoring import GroupCounts, benjamini_hochberg, compare, nps_of, together
from tests.factories import Cast
from tests.reporting.data import make_survey, spread
from tests.reporting.test_metrics_api import metrics
from tests.responses.scene import Scene
from tests.scoring.strategies import some_answers

K = 5
NOW = (Period(date(2026, 6, 1), date(2026, 6, 30)),)
BEFORE = (Period(date(2026, 5, 1), date(2026, 5, 31)),)
JUNE = {"since": "2026-06-01", "until": "2026-06-30"}
Both = tuple[GroupCounts, GroupCounts]
pairs = st.tuples(some_answers, some_answers)
enough = pairs.filter(lambda both: all(counts.total >= K for counts in both))


def group(name: str, both: Both) -> Group:
    before, after = both
    return Group(name, Figures(after, NOW), None, Figures(before, BEFORE))


def moved(shown: dict[str, Both], others: Both | None = None) -> Movement:
    """The movement of a survey with those values, before and after, and with others hidden."""
    parts = [*shown.values(), *([others] if others else [])]
    before, after = (together(both[at] for both in parts) for at in (0, 1))
    found = movement_of(
        [*(group(name, both) for name, both in shown.items()), Group("small", None, None)],
        Figures(after, NOW),
        Figures(before, BEFORE),
        K,
    )
    assert found is not None
    return found


@given(st.dictionaries(st.sampled_from("abcdef"), pairs, min_size=1), st.none() | enough)
def test_mix_and_rate_add_up_to_the_change(shown: dict[str, Both], others: Both | None) -> None:
    found = moved(shown, others)
    assert found.withheld is None
    whole = [together(both[at] for both in [*shown.values(), *([others] if others else [])])
             for at in (0, 1)]  # fmt: skip
    scores = [nps_of(counts) for counts in whole]
    assert scores[0] is not None
    assert scores[1] is not None
    assert found.change == scores[1].value - scores[0].value
    assert sum(mover.total for mover in found.movers) == pytest.approx(found.change, abs=1e-9)
    assert found.mix + found.rate == pytest.approx(found.change, abs=1e-9)
    assert [mover.value for mover in found.movers] == [*shown, *([None] if others else [])]


def test_nobody_moved_a_score_the_most_that_did_not_move() -> None:
    more, less = GroupCounts(10, 5, 5), GroupCounts(5, 5, 10)
    found = moved({"pro": (less, more), "free": (more, less)})
    rows = tuple((str(mover.value), mover) for mover in found.movers)
    assert WhatMoved("segment.plan", "Plan", found, rows).most is None
    higher = moved({"pro": (less, more), "free": (more, more)})
    rows = tuple((str(mover.value), mover) for mover in higher.movers)
    most = WhatMoved("segment.plan", "Plan", higher, rows).most
    assert most is not None
    assert most[0] == "pro"


def test_it_is_withheld_with_the_reason() -> None:
    full = GroupCounts(30, 10, 10)
    few = GroupCounts(2, 1, 1)
    assert moved({"pro": (full, full)}, (full, few)).withheld is Withheld.FEW_OTHERS
    assert moved({}, (full, full)).withheld is Withheld.NONE_SHOWN
    more = movement_of([group("pro", (full, full))], Figures(few, NOW), Figures(few, BEFORE), K)
    assert more is not None
    assert more.withheld is Withheld.NOT_DERIVABLE
    assert more.movers == ()
    empty = Figures(GroupCounts(0, 0, 0), NOW)
    assert movement_of([], empty, Figures(full, BEFORE), K) is None


def test_a_value_that_is_shown_for_some_of_the_months_only_is_one_of_the_others() -> None:
    half = Period(date(2026, 4, 1), date(2026, 5, 31))
    counts = GroupCounts(10, 5, 5)
    whole, before = Figures(counts, NOW), Figures(together([counts, counts]), (half,))
    found = movement_of(
        [
            Group("pro", Figures(GroupCounts(5, 0, 0), NOW), None, Figures(counts, BEFORE)),
            Group("free", Figures(GroupCounts(5, 5, 5), NOW), None, Figures(counts, (half,))),
        ],
        whole,
        before,
        K,
    )
    assert found is not None
    assert [mover.value for mover in found.movers] == ["free", None]
    assert found.movers[1].before == counts


@given(st.lists(some_answers, min_size=2, max_size=8))
def test_each_value_is_held_against_all_others_that_are_shown(shown: list[GroupCounts]) -> None:
    groups = [Group(str(at), Figures(counts, NOW), None) for at, counts in enumerate(shown)]
    found = contrasts([Group("hidden", None, None), *groups])
    assert (found[0].percent, found[0].difference) == (None, None)
    single = [
        compare(mine, together(other for at, other in enumerate(shown) if at != place))
        for place, mine in enumerate(shown)
    ]
    p_values = [comparison.p_value for comparison in single if comparison]
    corrected = benjamini_hochberg(p_values)
    for contrast, comparison, p_value in zip(found[1:], single, corrected, strict=True):
        assert contrast.difference is not None
        assert comparison is not None
        assert contrast.difference.interval == comparison.interval
        assert contrast.difference.corrected_p_value == pytest.approx(p_value)
    assert sum(contrast.percent or 0 for contrast in found) == pytest.approx(100)


async def test_the_api_tells_it_with_a_split_and_a_period_to_compare_with(
    acme_reader: httpx.AsyncClient, scene: Scene
) -> None:
    assert (await metrics(acme_reader, scene, **JUNE))["movement"] is None
    assert (await metrics(acme_reader, scene, group_by="plan"))["movement"] is None
    found = await metrics(acme_reader, scene, group_by="plan", **JUNE)
    movement = found["movement"]
    assert movement["change"] == pytest.approx(found["change"]["difference"], abs=1e-9)
    assert found["groups_compared_window"] == {"since": "2026-05-01", "until": "2026-05-31"}
    parts: dict[str | None, Any] = {part["key"]: part for part in movement["parts"]}
    assert list(parts) == ["free", None], "pro and those without a plan are hidden"
    total = sum(part["mix"] + part["rate"] for part in movement["parts"])
    assert total == pytest.approx(movement["change"], abs=1e-9)
    assert parts[None]["response_count"] + parts["free"]["response_count"] == 15
    groups = {group["key"]: group for group in found["groups"]}
    assert groups["free"]["response_percent"] == 100
    assert groups["free"]["difference"] is None, "there is no other group to hold it against"
    assert "difference" not in groups["pro"]


async def test_the_months_before_are_read_even_where_they_begin_before_the_days(
    acme_reader: httpx.AsyncClient, database: Database, cast: Cast
) -> None:
    days = [*spread(date(2026, 1, 1), [10] * 8), *spread(date(2026, 2, 1), [0] * 8)]
    scene = await make_survey(database, cast.acme, [*days])
    query = {"since": "2026-02-01", "until": "2026-03-01", "group_by": "language"}
    movement = (await metrics(acme_reader, scene, **query))["movement"]
    assert (movement["nps_before"], movement["nps_after"]) == (100, -100)
    assert [part["key"] for part in movement["parts"]] == ["en"]
