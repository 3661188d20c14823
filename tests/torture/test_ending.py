"""SIGTERM under load: not ready first, then every accepted request is finished, then the end."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from tests.torture.conftest import Say
from tests.torture.installation import Installation, serving
from tests.torture.ledger import Ledger

SENDERS = 12
BEFORE_S = 0.5
HELD_S = 1.5  # the database answers nobody for so long, so that requests are under way
ASKED_EVERY_S = 0.02


@dataclass
class Ending:
    """What clients saw; moments are monotonic and those of sending. A new connection opened at
    `open_at` still had an answer, and none opened later had one."""

    ledger: Ledger
    lost_at: list[float] = field(default_factory=list)
    refused_at: list[float] = field(default_factory=list)
    statuses: "Counter[int]" = field(default_factory=Counter)
    readiness: list[int] = field(default_factory=list)
    open_at: float = 0.0


async def _send_until_the_end(found: Installation, ending: Ending) -> None:
    url = f"/api/v1/surveys/{found.survey_id}/responses"
    async with httpx.AsyncClient(
        base_url=found.address, headers=found.authorization, timeout=60, trust_env=False
    ) as client:
        while not ending.refused_at:
            submission = ending.ledger.open()
            content = submission.write(5)
            answer = {"score": content.score, "comment": content.comment}
            sent_at = time.monotonic()
            try:
                reply = await client.post(url, json=answer)
            except httpx.ConnectError:
                ending.refused_at.append(sent_at)
                return
            except httpx.TransportError:
                ending.lost_at.append(sent_at)
                continue
            ending.statuses[reply.status_code] += 1
            if reply.status_code == httpx.codes.CREATED:
                submission.acknowledge()


async def _watch_readiness(found: Installation, ending: Ending) -> None:
    """Statuses of /health/ready on ever new connections, until there are none."""
    while True:
        asked_at = time.monotonic()
        try:
            async with httpx.AsyncClient(base_url=found.address, trust_env=False) as client:
                reply = await client.get("/health/ready", timeout=60)
        except httpx.TransportError:
            return
        ending.readiness.append(reply.status_code)
        ending.open_at = asked_at
        await asyncio.sleep(ASKED_EVERY_S)


async def _end(found: Installation, ending: Ending) -> float:
    """When the signal was sent (monotonic)."""
    async with asyncio.TaskGroup() as tasks:
        for _ in range(SENDERS):
            tasks.create_task(_send_until_the_end(found, ending))
        tasks.create_task(_watch_readiness(found, ending))
        await asyncio.sleep(BEFORE_S)
        holding = tasks.create_task(asyncio.to_thread(_hold, found))
        await asyncio.sleep(HELD_S / 2)
        signalled_at = time.monotonic()
        assert found.process is not None
        found.process.terminate()
        await holding
    return signalled_at


def _hold(found: Installation) -> None:
    with found.owner() as owner, owner.transaction():
        owner.execute("LOCK TABLE daily_counts IN EXCLUSIVE MODE")
        time.sleep(HELD_S)


def end_under_load(found: Installation, ledger: Ledger, say: Say) -> None:
    """End a running server by SIGTERM, start it again and hold what it stores against what it
    acknowledged."""
    ending = Ending(ledger)
    signalled_at = asyncio.run(_end(found, ending))
    assert found.process is not None
    assert found.process.wait(60) == 0
    took_s = time.monotonic() - signalled_at
    say("SIGTERM", dict(ending.statuses), f"{len(ending.lost_at)} lost at the door",
        f"over after {took_s:.1f} s")  # fmt: skip
    assert ending.readiness[0] == 200
    assert ending.readiness[-1] == 503, "nobody was told before the door closed"
    failed_at = [*ending.lost_at, *ending.refused_at]
    assert all(at > ending.open_at for at in failed_at), "sent while the door was open, and lost"
    assert set(ending.statuses) <= {201, 503}
    found.start()
    assert found.find_faults(ledger) == []


@pytest.mark.torture
def test_what_was_accepted_is_finished(tmp_path: Path, say: Say) -> None:
    with serving(tmp_path) as found:
        ledger = Ledger()
        for _round in range(5):
            end_under_load(found, ledger, say)


@pytest.mark.torture
def test_what_several_processes_accepted_is_finished(tmp_path: Path, say: Say) -> None:
    with serving(tmp_path, "--workers", "2") as found:
        ledger = Ledger()
        for _round in range(5):
            end_under_load(found, ledger, say)
