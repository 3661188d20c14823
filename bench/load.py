"""A load of keep-alive HTTP/1.1 connections, lean enough not to be what is measured.

Run as a process of its own: `python -m bench.load HOST PORT PATH KEY CLIENTS SECONDS` posts answers
and prints how many were acknowledged with 201, a second.
"""

import asyncio
import json
import sys
import time
from itertools import count


async def main(host: str, port: int, path: str, key: str, clients: int, seconds: float) -> float:
    """Acknowledged answers a second over `seconds`, from `clients` connections at once."""
    requests = [_request(host, port, path, key, number) for number in range(220)]
    deadline = time.perf_counter() + seconds
    started = time.perf_counter()
    numbers = count()
    done = await asyncio.gather(
        *(_client(host, port, requests, numbers, deadline) for _client_number in range(clients))
    )
    return sum(done) / (time.perf_counter() - started)


async def _client(
    host: str, port: int, requests: list[bytes], numbers: "count[int]", deadline: float
) -> int:
    reader, writer = await asyncio.open_connection(host, port)
    acknowledged = 0
    while time.perf_counter() < deadline:
        writer.write(requests[next(numbers) % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 201"):
            raise RuntimeError(head.decode("latin-1"))
        await reader.readexactly(_content_length(head))
        acknowledged += 1
    writer.close()
    return acknowledged


def _content_length(head: bytes) -> int:
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line.partition(b":")[2])
    raise RuntimeError("an answer without its length")


def _request(host: str, port: int, path: str, key: str, number: int) -> bytes:
    answer = {
        "score": number % 11,
        "comment": f"Answer number {number}",
        "segments": {"plan": f"v{number % 20}"},
    }
    body = json.dumps(answer).encode()
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {host}:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


if __name__ == "__main__":
    _host, _port, _path, _key, _clients, _seconds = sys.argv[1:]
    print(asyncio.run(main(_host, int(_port), _path, _key, int(_clients), float(_seconds))))
