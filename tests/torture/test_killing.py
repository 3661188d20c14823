"""Kill −9 under load: what was acknowledged is there once, and all starts again by itself."""

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import cycle, islice
from pathlib import Path

import pytest

from tests.torture.blows import BLOWS, kill_postmaster
from tests.torture.clients import Crowd
from tests.torture.conftest import Say
from tests.torture.installation import Installation, end_postgres, serving, unfurnished
from tests.torture.ledger import Ledger

FEW, CROWD = 6, 48  # clients


async def _round(
    found: Installation,
    ledger: Ledger,
    blow: str,
    chance: random.Random,
    tally: "Counter[str]",
    clients: int,
) -> float:
    """One blow under load; the seconds until everybody was served again."""
    crowd = Crowd(found, ledger, chance, clients)
    async with crowd:
        await asyncio.sleep(chance.uniform(0.05, 0.4))
        await asyncio.to_thread(BLOWS[blow], found, chance)
        struck_at = time.monotonic()
        if found.is_over():
            await asyncio.to_thread(found.start)
        seconds = await crowd.served_since(struck_at)
    tally.update(crowd.tally)
    return seconds


def torture(
    found: Installation,
    ledger: Ledger,
    blows: Iterable[str],
    seed: int,
    say: Say,
    clients: int = FEW,
) -> None:
    """A blow a round; after each everything must be as it was acknowledged."""
    tally = Counter[str]()
    seconds: dict[str, list[float]] = defaultdict(list)
    chance = random.Random(seed)
    for number, blow in enumerate(blows, start=1):
        seconds[blow].append(asyncio.run(_round(found, ledger, blow, chance, tally, clients)))
        faults = found.find_faults(ledger)
        assert not faults, (f"round {number}, {blow}, seed {seed}", faults)
    assert tally["connection lost"] + tally["503"], "no blow was felt"
    for blow, found_seconds in seconds.items():
        say(
            "kill",
            blow,
            f"{clients} clients",
            f"{len(found_seconds)} rounds",
            f"≤ {max(found_seconds):.1f} s",
        )
    say(
        "kills",
        sum(map(len, seconds.values())),
        f"{clients} clients",
        f"{ledger.acknowledged} answers kept",
        dict(tally),
    )


@pytest.mark.torture
def test_many_kills(tmp_path: Path, rounds: int, say: Say) -> None:
    with serving(tmp_path) as found:
        torture(found, Ledger(), islice(cycle(BLOWS), rounds), random.randrange(10**9), say)
        assert found.stop() == 0


@pytest.mark.torture
def test_kills_among_several_processes(tmp_path: Path, rounds: int, say: Say) -> None:
    """With so many clients that several writers store answers at once in each of them."""
    with serving(tmp_path, "--workers", "2") as found:
        blows = islice(cycle(BLOWS), max(len(BLOWS), rounds // 3))
        torture(found, Ledger(), blows, random.randrange(10**9), say, CROWD)
        assert found.stop() == 0


@pytest.mark.torture
def test_kills_in_the_first_start(tmp_path: Path, rounds: int, say: Say) -> None:
    """While Postgres is set up and the schema made: the next start does the rest."""
    chance = random.Random()
    for number in range(max(3, rounds // 12)):
        found = unfurnished(tmp_path / str(number))
        try:
            found.begin()
            time.sleep(chance.uniform(0.5, 6))
            if chance.random() < 0.5:
                kill_postmaster(found, chance)
            found.kill()
            found.start()
            assert found.stop() == 0
        finally:
            found.kill()
            end_postgres(found)
    say("kills in the first start", number + 1)
