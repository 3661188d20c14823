"""Guessing gets slower, nobody is locked out, and nothing readable is remembered."""

from datetime import UTC, datetime, timedelta

from app.accounts.delays import (
    FORGET_AFTER,
    LONGEST_SECONDS,
    MAX_REMEMBERED,
    AttemptDelays,
    SignInDelays,
)
from app.foundation import clock

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


async def test_waits_grow_and_stop_growing() -> None:
    delays = AttemptDelays(free=3)
    waits = [delays.begin("alice") for _ in range(20)]
    assert waits[:4] == [0, 0, 0, 0.25]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_SECONDS


async def test_one_account_does_not_slow_another() -> None:
    delays = AttemptDelays(free=3)
    for _ in range(10):
        delays.begin("alice")
    assert delays.begin("bob") == 0


async def test_success_forgives_the_account() -> None:
    delays = AttemptDelays(free=3)
    for _ in range(10):
        delays.begin("alice")
    delays.forgive("alice")
    assert delays.begin("alice") == 0


async def test_success_does_not_forgive_the_network() -> None:
    delays = SignInDelays()
    for number in range(40):
        delays.begin(f"victim{number}@acme.example", "192.0.2.0/24")
    assert delays.begin("mallory@acme.example", "192.0.2.0/24") > 0
    delays.succeed("mallory@acme.example", "192.0.2.0/24")
    assert delays.begin("next@acme.example", "192.0.2.0/24") > 0
    assert delays.begin("alice@acme.example", "198.51.100.0/24") == 0


async def test_failures_are_forgotten_with_time() -> None:
    delays = AttemptDelays(free=1)
    with clock.fixed(NOON):
        delays.begin("alice")
        assert delays.begin("alice") > 0
    with clock.fixed(NOON + FORGET_AFTER + timedelta(seconds=1)):
        assert delays.begin("alice") == 0


async def test_memory_is_bounded_and_holds_no_names() -> None:
    delays = AttemptDelays(free=1)
    for number in range(MAX_REMEMBERED + 50):
        delays.begin(f"{number}@acme.example")
    assert len(delays._attempts) == MAX_REMEMBERED
    assert not any(b"acme" in key for key in delays._attempts)
