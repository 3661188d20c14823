"""Postgres slow, away, out of connections, its disk full, or TMPDIR: nobody's words are lost, the
server stays small, and everything goes on by itself."""

import asyncio
import random
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.processes import free_port
from tests.torture.clients import Crowd
from tests.torture.conftest import Say
from tests.torture.installation import Installation, serving
from tests.torture.ledger import Ledger
from tests.torture.shortage import (
    Shortage,
    away,
    full_disk,
    full_tmpdir,
    locked,
    out_of_connections,
    slow,
    small_disk,
    stopped,
)

AWAY_S = 30.0
ALL_SERVED = {"acknowledged"}
TAKEN = 'honne_answers_total{outcome="taken"}'
ANSWERED_WITHIN_S = 28.0  # the intake waits for 20 s, and this machine may be busy
MEMORY_GROWTH_MB = 150
SHORTAGES: dict[str, Shortage] = {
    "stopped": stopped,
    "away": away,
    "out of connections": out_of_connections,
}


async def starve(
    found: Installation, ledger: Ledger, shortage: Shortage, seconds: float, say: Say, name: str
) -> Counter[str]:
    """A shortage under load; afterwards everybody is served and nothing is lost. What all were
    told, by how often."""
    crowd = Crowd(found, ledger, random.Random(7), size=8)
    before_mb = memory_mb(found)
    async with crowd:
        await crowd.served_since(time.monotonic())
        with ExitStack() as stack:
            await asyncio.to_thread(stack.enter_context, shortage(found))
            await asyncio.sleep(seconds)
            grown_mb = memory_mb(found) - before_mb
            await asyncio.to_thread(stack.close)
        back_s = await crowd.served_since(time.monotonic())
    say("shortage", name, f"{seconds} s", f"back after {back_s:.1f} s", f"{grown_mb:+.0f} MB",
        f"slowest form {crowd.slowest_s:.1f} s", dict(crowd.tally))  # fmt: skip
    assert grown_mb < MEMORY_GROWTH_MB
    assert crowd.slowest_s < ANSWERED_WITHIN_S
    return crowd.tally


def memory_mb(found: Installation) -> float:
    """What all of the server's processes hold, in MB; what they share counts for each."""
    return sum(map(_resident_mb, found.processes()))


def _resident_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    [line] = [line for line in lines if line.startswith("VmRSS")]
    return int(line.split()[1]) / 1024


@pytest.mark.torture
def test_long_shortages(tmp_path: Path, say: Say) -> None:
    ledger = Ledger()
    with serving(tmp_path) as found:
        for name, shortage in SHORTAGES.items():
            told = asyncio.run(starve(found, ledger, shortage, AWAY_S, say, name))
            assert told["503"], "nobody was told"
            assert found.find_faults(ledger) == [], name


@pytest.mark.torture
def test_a_slow_disk(tmp_path: Path, say: Say) -> None:
    """Everybody waits a little longer, and nobody is sent away."""
    ledger = Ledger()
    with serving(tmp_path) as found:
        told = asyncio.run(starve(found, ledger, slow, AWAY_S, say, "slow"))
        assert set(told) == ALL_SERVED
        assert found.find_faults(ledger) == []


@pytest.mark.torture
def test_a_full_tmpdir(tmp_path: Path, say: Say) -> None:
    """The numbers stand still, exports fail, and nobody who answers notices."""
    ledger = Ledger()
    with small_disk(tmp_path / "tmp", megabytes=16) as tmpdir:
        variables = {"METRICS_PORT": str(free_port()), "TMPDIR": str(tmpdir)}
        with serving(tmp_path / "served", "--workers", "2", **variables) as found:
            processes = found.processes()
            starving = starve(found, ledger, full_tmpdir, AWAY_S / 2, say, "TMPDIR full")
            assert set(asyncio.run(starving)) == ALL_SERVED
            with full_tmpdir(found):
                assert not _can_export(found)
            assert _can_export(found)
            time.sleep(2)  # the numbers are a second old
            assert _taken(found) > 0
            assert found.processes() == processes, "none died"
            assert found.find_faults(ledger) == []
            assert found.stop() == 0
            assert not list(tmpdir.iterdir()), "nothing is left"


def _can_export(found: Installation) -> bool:
    """Whether all of it arrives, or else who asked is told: what breaks off may not look whole."""
    url = f"{found.address}/api/v1/surveys/{found.survey_id}/responses.csv"
    try:
        answer = httpx.get(url, headers=found.authorization, timeout=60, trust_env=False)
    except httpx.TransportError:
        return False
    if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
        assert int(answer.headers["Retry-After"]) > 0
        return False
    assert answer.status_code == httpx.codes.OK, answer.text
    return True


def _taken(found: Installation) -> float:
    """How many answers the metrics tell."""
    url = f"http://127.0.0.1:{found.variables['METRICS_PORT']}/metrics"
    text = httpx.get(url, timeout=30, trust_env=False).text
    [line] = [line for line in text.splitlines() if line.startswith(TAKEN)]
    return float(line.split()[1])


@pytest.mark.torture
def test_a_full_disk(tmp_path: Path, say: Say) -> None:
    ledger = Ledger()
    with small_disk(tmp_path / "disk", megabytes=320) as disk, serving(disk) as found:
        for name in ("disk full", "disk full again"):
            told = asyncio.run(starve(found, ledger, full_disk, AWAY_S / 2, say, name))
            assert told["503"], "nobody was told"
            assert found.find_faults(ledger) == [], name


ROWS = 100
POSTS = 160  # 16,000 answers: more than may wait
REFUSED = 40  # those beyond 10,000 that wait and some that are being written


@pytest.mark.torture
def test_a_flood_while_nothing_can_be_written(tmp_path: Path, say: Say) -> None:
    """What fits waits, the rest is told at once to come again; memory stays bounded."""
    ledger = Ledger()
    with serving(tmp_path) as found:
        before_mb = memory_mb(found)
        with ExitStack() as stack:
            stack.enter_context(locked(found))
            tally, grown_mb = asyncio.run(_flood(found, ledger, stack, before_mb))
        say("flood", f"{POSTS * ROWS} answers", f"{grown_mb:+.0f} MB", dict(tally))
        found.wait_until_ready()
        assert found.find_faults(ledger) == []
    assert set(tally) == {"201", "503"}
    assert grown_mb < MEMORY_GROWTH_MB


async def _flood(
    found: Installation, ledger: Ledger, stack: ExitStack, before_mb: float
) -> tuple["Counter[str]", float]:
    tally: Counter[str] = Counter()
    async with (
        httpx.AsyncClient(
            base_url=found.address,
            headers=found.authorization,
            timeout=120,
            trust_env=False,
            limits=httpx.Limits(max_connections=None),
        ) as client,
        asyncio.TaskGroup() as posts,
    ):
        for _ in range(POSTS):
            posts.create_task(_post(found, ledger, client, tally))
        deadline = time.monotonic() + 60
        while tally["503"] < REFUSED:
            assert time.monotonic() < deadline, f"not sent away in time: {tally}"
            await asyncio.sleep(0.1)
        assert not tally["201"]
        grown_mb = memory_mb(found) - before_mb
        stack.close()
    return tally, grown_mb


async def _post(
    found: Installation, ledger: Ledger, client: httpx.AsyncClient, tally: "Counter[str]"
) -> None:
    submissions = [ledger.open() for _ in range(ROWS)]
    contents = [submission.write(7) for submission in submissions]
    rows = [{"score": content.score, "comment": content.comment} for content in contents]
    url = f"/api/v1/surveys/{found.survey_id}/responses/batch"
    answer = await client.post(url, json={"responses": rows})
    tally[str(answer.status_code)] += 1
    if answer.status_code == httpx.codes.CREATED:
        for submission in submissions:
            submission.acknowledge()
    else:
        assert answer.headers["Retry-After"].isdigit()
