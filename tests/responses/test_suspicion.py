"""What is held, and what is remembered to decide it."""

import gc
import tracemalloc
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from app.foundation import clock
from app.responses.models import HoldReason
from app.responses.suspicion import BURST, Flow, Suspicion

START = datetime(2026, 7, 10, 3, 0, tzinfo=UTC)
SURVEY, OTHER = uuid.uuid4(), uuid.uuid4()
OFFICE = "192.0.2.0/24"
LONG_AGO = START - timedelta(minutes=1)


@pytest.fixture(autouse=True)
def noon() -> Iterator[None]:
    with clock.fixed(START):
        yield


def after(seconds: float) -> datetime:
    return START + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("seconds", "trap", "expected"),
    [
        (0, "", HoldReason.TOO_FAST),
        (0.999, "", HoldReason.TOO_FAST),
        (1, "", None),
        (3_600, "", None),
        # A clock that was set back is no reason to trust.
        (-5, "", HoldReason.TOO_FAST),
        (60, "https://buy.example", HoldReason.TRAP),
        (60, " ", HoldReason.TRAP),
        (0, "x", HoldReason.TRAP),
    ],
)
def test_a_second_is_enough_and_the_trap_is_not(
    seconds: float, trap: str, expected: HoldReason | None
) -> None:
    with clock.fixed(after(seconds)):
        assert Suspicion().judge(OFFICE, SURVEY, START, trap) is expected


def test_three_hundred_people_of_one_office_are_no_flood() -> None:
    suspicion = Suspicion()
    for number in range(300):
        with clock.fixed(after(number * 0.4)):
            assert suspicion.judge(OFFICE, SURVEY, LONG_AGO, "") is None


def test_so_are_twice_as_many_at_once_and_then_one_a_second() -> None:
    suspicion = Suspicion()
    judged = [suspicion.judge(OFFICE, SURVEY, LONG_AGO, "") for _ in range(BURST + 50)]
    assert judged == [None] * BURST + [HoldReason.FLOOD] * 50
    with clock.fixed(after(10)):
        judged = [suspicion.judge(OFFICE, SURVEY, LONG_AGO, "") for _ in range(12)]
    assert judged == [None] * 10 + [HoldReason.FLOOD] * 2


def test_a_flood_holds_nobody_else() -> None:
    suspicion = Suspicion()
    for _ in range(BURST + 1):
        suspicion.judge(OFFICE, SURVEY, LONG_AGO, "")
    assert suspicion.judge(OFFICE, SURVEY, LONG_AGO, "") is HoldReason.FLOOD
    assert suspicion.judge("198.51.100.0/24", SURVEY, LONG_AGO, "") is None
    assert suspicion.judge(OFFICE, OTHER, LONG_AGO, "") is None, "another survey"
    assert suspicion.judge("", SURVEY, LONG_AGO, "") is None, "a network nobody knows"


def test_what_is_held_anyway_uses_nothing_up() -> None:
    suspicion = Suspicion()
    for _ in range(BURST * 2):
        suspicion.judge(OFFICE, SURVEY, START, "")
        suspicion.judge(OFFICE, SURVEY, LONG_AGO, "trapped")
    assert suspicion.judge(OFFICE, SURVEY, LONG_AGO, "") is None


def test_an_answer_sent_again_counts_once() -> None:
    suspicion = Suspicion()
    for _ in range(BURST * 2):
        assert suspicion.judge(OFFICE, SURVEY, LONG_AGO, "") is None
        suspicion.take_back(OFFICE, SURVEY)


def test_the_key_is_thrown_away_every_hour_with_what_it_hid() -> None:
    flow = Flow(burst=1)
    assert flow.take("somewhere")
    first = flow._key
    with clock.fixed(after(3_599)):
        assert flow.take("somewhere")
        assert flow._key == first
        assert not flow.take("somewhere")
    with clock.fixed(after(3_600)):
        assert flow.take("somewhere")
        assert flow._key not in (first, b"")
        assert len(flow._key) == 32
        assert sum(moment > 0 for moment in flow._moments) == 2, "nothing of the hour before"


def test_nothing_of_a_network_can_be_found_in_memory() -> None:
    """Two processes hash alike only by their keys: the same name has other places in each."""
    places = {Flow()._places("a network", START.timestamp()) for _ in range(8)}
    assert len(places) == 8


def test_any_number_of_networks_fit_in_the_same_memory() -> None:
    flow = Flow()
    flow.take("warm")
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for number in range(20_000):
        flow.take(f"network {number}")
    gc.collect()
    grown = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert grown < 10_000, f"{grown} bytes more"
    assert len(flow._moments) * flow._moments.itemsize <= 2**20


def test_busy_networks_hold_few_others_up() -> None:
    """With 2,000 floods at once a stranger's two cells are both taken once in a thousand times."""
    flow = Flow(burst=1)
    for number in range(2_000):
        flow.take(f"flood {number}")
    held = sum(not flow.take(f"stranger {number}") for number in range(2_000))
    assert held < 40
