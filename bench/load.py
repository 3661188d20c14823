"""A load of keep-alive HTTP/1.1 connections, lean enough not to be what is measured.

Run as a process of its own: `python -m bench.load HOST PORT STATUS CLIENTS SECONDS RATE FILE` sends
the requests that FILE holds (a pickled list of bytes), each once and from the start again only
where `CYCLE` is set, and prints a `Load` as JSON. RATE 0 is as fast as it goes; otherwise so many
requests fall due each second, evenly, whether or not earlier ones have been answered.
"""

import asyncio
import json
import os
import pickle
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import cycle
from pathlib import Path
from typing import cast

import uvloop

END_OF_HEAD = b"\r\n\r\n"
LENGTH = b"content-length:"
TICK_S = 0.001


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it: answers with the expected status a second, and milliseconds until one came,
    counted from when its request fell due."""

    rate: float
    p50_ms: float
    p99_ms: float


def load(
    address: tuple[str, int],
    requests: Sequence[bytes],
    status: int,
    *,
    clients: int,
    seconds: float,
    rate: float = 0.0,
    is_cyclic: bool = False,
) -> Load:
    """Put the load on from another process; raises where an answer has another status."""
    with tempfile.NamedTemporaryFile() as file:
        pickle.dump(requests, file)
        file.flush()
        os.sync()  # or the disk still writes what came before, and commits wait behind it
        words = [*address, status, clients, seconds, rate, file.name]
        done = subprocess.run(
            [sys.executable, "-m", "bench.load", *map(str, words)],
            check=False,
            capture_output=True,
            text=True,
            env={**os.environ, "CYCLE": "1" if is_cyclic else ""},
        )
    if done.returncode:
        raise RuntimeError(done.stderr)
    return Load(**json.loads(done.stdout))


class _Run:
    """Which request goes out when, and how long answers took."""

    def __init__(self, requests: Iterator[bytes], status: int, seconds: float, rate: float) -> None:
        self.requests = requests
        self.expected = f"HTTP/1.1 {status}".encode()
        self.rate = rate
        self.started = time.perf_counter()
        self.ends = self.started + seconds
        self.ended = self.started
        self.waits: list[float] = []
        self.idle: deque[_Connection] = deque()
        self.due = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.busy = 0

    def next_for(self, connection: "_Connection", now: float) -> None:
        """Give an idle connection its next request, or let it wait for one."""
        if now >= self.ends:
            self._finish(now)
        elif self.rate:
            self.idle.append(connection)
        else:
            self._send(connection, now)

    def tick(self) -> None:
        """Send what has fallen due; what finds no idle connection waits, and its wait counts."""
        now = time.perf_counter()
        while self.idle and (due := self.started + self.due / self.rate) <= min(now, self.ends):
            self.due += 1
            self._send(self.idle.popleft(), due)
        if now < self.ends:
            asyncio.get_running_loop().call_later(TICK_S, self.tick)
        else:
            self._finish(now)

    def answered(self, connection: "_Connection", head: bytes, sent_at: float) -> None:
        now = time.perf_counter()
        self.busy -= 1
        if not head.startswith(self.expected):
            self.fail(RuntimeError(head.decode("latin-1")))
            return
        self.waits.append(now - sent_at)
        self.ended = now
        self.next_for(connection, now)

    def fail(self, error: Exception) -> None:
        if not self.over.done():
            self.over.set_exception(error)

    def _send(self, connection: "_Connection", counted_from: float) -> None:
        request = next(self.requests, None)
        if request is None:
            self.ends = 0.0
            self._finish(self.ended)
            return
        self.busy += 1
        connection.send(request, counted_from)

    def _finish(self, now: float) -> None:
        self.ended = max(self.ended, now if not self.waits else self.ended)
        if not self.busy and not self.over.done():
            self.over.set_result(None)

    def result(self) -> Load:
        waits = sorted(self.waits)
        seconds = self.ended - self.started
        return Load(
            len(waits) / seconds,
            1000 * waits[len(waits) // 2],
            1000 * waits[len(waits) * 99 // 100],
        )


class _Connection(asyncio.Protocol):
    """One keep-alive connection, with one request under way at a time."""

    def __init__(self, run: _Run) -> None:
        self.run = run
        self.received = b""
        self.missing = 0
        self.sent_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass

    def send(self, request: bytes, counted_from: float) -> None:
        self.sent_at = counted_from
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.received = received = self.received + data if self.received else data
        end = received.find(END_OF_HEAD)
        if end < 0 or len(received) < end + len(END_OF_HEAD) + _content_length(received[:end]):
            return
        self.received = b""
        self.run.answered(self, received, self.sent_at)

    def connection_lost(self, error: Exception | None) -> None:
        self.run.fail(error or RuntimeError("the server closed a connection"))


def _content_length(head: bytes) -> int:
    found = head.lower().partition(LENGTH)[2]
    if not found:
        raise RuntimeError("an answer without its length")
    return int(found.partition(b"\r\n")[0])


async def main(
    address: tuple[str, int],
    requests: Sequence[bytes],
    status: int,
    clients: int,
    seconds: float,
    rate: float,
) -> Load:
    """Put the load on from this process."""
    event_loop = asyncio.get_running_loop()
    source = cycle(requests) if os.environ.get("CYCLE") else iter(requests)
    run = _Run(source, status, seconds, rate)
    connections = [
        (await event_loop.create_connection(lambda: _Connection(run), *address))[1]
        for _client in range(clients)
    ]
    run.started = time.perf_counter()
    run.ends = run.started + seconds
    for connection in connections:
        run.next_for(connection, run.started)
    if rate:
        run.tick()
    await run.over
    return run.result()


if __name__ == "__main__":
    _host, _port, _status, _clients, _seconds, _rate, _file = sys.argv[1:]
    _requests = pickle.loads(Path(_file).read_bytes())  # noqa: S301 - our own, from `load`
    print(
        json.dumps(
            asdict(
                uvloop.run(
                    main(
                        (_host, int(_port)), _requests, int(_status), int(_clients),
                        float(_seconds), float(_rate),
                    )
                )
            )
        )
    )  # fmt: skip
