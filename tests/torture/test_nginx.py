"""The proxy configuration that is shipped, in front of Honne, with a real nginx."""

import asyncio
import html
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest

from app.foundation.database import Database
from app.foundation.settings import Settings
from tests.factories import Cast
from tests.processes import free_port
from tests.responses.scene import make_scene, stored_answers
from tests.responses.serving import server_processes

pytestmark = pytest.mark.torture

ROOT = Path(__file__).resolve().parents[2]
HEADER_TIMEOUT_S = 10  # as in the file
SLOW_CLIENTS = 200


@dataclass(frozen=True, slots=True)
class Proxy:
    """An nginx that runs; `folder` has its logs."""

    port: int
    certificate: Path
    folder: Path

    @property
    def url(self) -> str:
        return f"https://localhost:{self.port}"

    def context(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=str(self.certificate))

    def client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(
            base_url=self.url, verify=self.context(), trust_env=False, timeout=60
        )

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("localhost", self.port, ssl=self.context())


@contextmanager
def nginx(folder: Path, upstream: str) -> Iterator[Proxy]:
    """nginx with deploy/nginx.conf, but for names, ports and places."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        pytest.fail("no nginx on this machine: apt-get install nginx-light")
    proxy = Proxy(free_port(), _make_certificate(folder), folder)
    (folder / "nginx.conf").write_text(_configuration(proxy, upstream))
    command = [program, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    subprocess.run([*command, "-t"], check=True, capture_output=True)
    process = subprocess.Popen([*command, "-g", "daemon off;"])
    try:
        _wait_for(proxy.port)
        yield proxy
    finally:
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait(timeout=20)


def _make_certificate(folder: Path) -> Path:
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
            "-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem"),
        ],
        check=True,
        capture_output=True,
    )  # fmt: skip
    return folder / "cert.pem"


def _configuration(proxy: Proxy, upstream: str) -> str:
    text = (ROOT / "deploy" / "nginx.conf").read_text()
    changes = {
        "server 127.0.0.1:8000;": f"server {upstream};",
        "survey.example;  # CHANGE": "localhost;",
        "https://survey.example$": "https://localhost$",
        "/etc/ssl/survey.example/fullchain.pem": str(proxy.certificate),
        "/etc/ssl/survey.example/privkey.pem": str(proxy.folder / "key.pem"),
        "/var/log/nginx/": f"{proxy.folder}/",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "listen 443 ssl http2;": f"listen 127.0.0.1:{proxy.port} ssl http2;",
    }
    for there, here in changes.items():
        assert there in text, there
        text = text.replace(there, here)
    text = re.sub(r" *listen \[::\].*\n", "", text)
    temporary = "\n".join(
        f"{kind}_temp_path {proxy.folder}/{kind};"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    account = f"user {pwd.getpwuid(os.getuid()).pw_name};" if os.getuid() == 0 else ""
    return (
        f"{account}\npid {proxy.folder}/nginx.pid;\nerror_log stderr;\nworker_processes 1;\n"
        f"events {{ worker_connections 1024; }}\nhttp {{\n{temporary}\n"
        f"types {{ text/css css; text/javascript js; }}\n{text}\n}}\n"
    )


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(port)


@pytest.fixture
async def proxy(
    settings: Settings, database: Database, cast: Cast, tmp_path: Path
) -> AsyncIterator[Proxy]:
    """nginx in front of a server process with a survey at /s/cafe."""
    async with database.transaction(cast.acme) as session:
        await make_scene(session, cast.acme)
    with server_processes(settings, 1) as [address], nginx(tmp_path, address[7:]) as found:
        yield found


async def _answer(client: httpx.AsyncClient, score: int) -> int:
    page = await client.get("/s/cafe?plan=pro")
    found = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert found
    sent = await client.post(
        "/s/cafe/responses",
        data={"ticket": html.unescape(found[1]), "score": str(score), "comment": "canary"},
        headers={"Origin": str(client.base_url).rstrip("/"), "Sec-Fetch-Site": "same-origin"},
    )
    return sent.status_code


async def test_answers_pass_and_nothing_of_them_is_written_down(
    proxy: Proxy, cast: Cast, owner: psycopg.Connection
) -> None:
    async with proxy.client() as client:
        assert await _answer(client, 9) == 303
        headers = {"Authorization": f"Bearer {cast.acme_key}"}
        [survey] = (await client.get("/api/v1/surveys", headers=headers)).json()["data"]
        path = f"/api/v1/surveys/{survey['id']}/responses"
        for url, body in ((path, {"score": 8}), (f"{path}/batch", {"responses": [{"score": 7}]})):
            assert (await client.post(url, json=body, headers=headers)).status_code == 201
        assert (await client.get("/sign-in?next=/canary")).status_code == 200
        assert (await client.get("/health/ready")).status_code == 200
        large = await client.post("/s/cafe/responses", content=b"x" * 70_000)
        assert large.status_code == 413
        assert "<title>文章が長すぎます / Your answer is too long</title>" in large.text
        for words in ("<h1>文章が長すぎます</h1>", "<h1>Your answer is too long</h1>"):
            assert words in large.text
    assert sorted(score for score, _comment in stored_answers(owner)) == [7, 8, 9]
    written = "".join(
        path.read_text(errors="replace") for path in proxy.folder.glob("*.log") if path.is_file()
    )
    assert "GET /sign-in 200" in written
    assert "GET /api/v1/surveys 200" in written
    for secret in ("/s/", "/responses", "canary", "127.0.0.1", "plan"):
        assert secret not in written


async def test_only_what_holds_no_secret_is_compressed(proxy: Proxy) -> None:
    async with proxy.client() as client:
        form = await client.get("/s/cafe")
        style = await client.get("/static/app.css")
        page = await client.get("/sign-in")
    assert form.headers.get("content-encoding") == "gzip"
    assert style.headers.get("content-encoding") == "gzip"
    assert "content-encoding" not in page.headers


async def test_what_a_client_claims_about_its_address_ends_here(tmp_path: Path) -> None:
    heads: list[bytes] = []

    async def note(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
        writer.close()

    upstream = await asyncio.start_server(note, "127.0.0.1", 0)
    port = upstream.sockets[0].getsockname()[1]
    async with upstream:
        with nginx(tmp_path, f"127.0.0.1:{port}") as proxy:
            async with proxy.client() as client:
                await client.get("/", headers={"X-Forwarded-For": "203.0.113.9"})
    [head] = heads
    assert re.findall(rb"(?i)x-forwarded-for: ?([^\r]*)", head) == [b"127.0.0.1"]


async def test_slow_clients_are_cut_off_and_keep_nobody_waiting(proxy: Proxy) -> None:
    """Half-sent headers, half-sent bodies, and in between everybody else answers."""
    heads = [await proxy.connect() for _ in range(SLOW_CLIENTS // 2)]
    bodies = [await proxy.connect() for _ in range(SLOW_CLIENTS // 2)]
    started = time.monotonic()
    for _reader, writer in heads:
        writer.write(b"GET /s/cafe HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")
    for _reader, writer in bodies:
        writer.write(
            b"POST /s/cafe/responses HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\nscore="
        )
    async with proxy.client() as client:
        for score in range(3):
            assert await _answer(client, score) == 303
    assert time.monotonic() - started < HEADER_TIMEOUT_S, "the others were not slowed down"
    for reader, writer in (*heads, *bodies):
        async with asyncio.timeout(3 * HEADER_TIMEOUT_S):
            with suppress(ConnectionError, ssl.SSLError):  # reset, as the configuration says
                assert b"200 OK" not in await reader.read()
        writer.transport.abort()
    for log in proxy.folder.glob("*.log"):
        assert "/s/" not in log.read_text()


SECRET = ("/s/canary", "/s/canary/a.csv", "/shared/canary", "/shared/canary/export")
LETS_IN = (
    "/sign-in/links/canary", "/sign-in/links/canary/export", "/join/canary", "/join/canary/export",
)  # fmt: skip


@pytest.mark.parametrize("path", [*SECRET, *LETS_IN])
async def test_no_log_holds_a_secret_address_whatever_becomes_of_it(
    tmp_path: Path, path: str
) -> None:
    """Neither where no location is looked for, nor where a path ends like that of a file."""
    large = "".join(f"X-{number}: {'y' * 8_000}\r\n" for number in range(6))
    requests = (
        ("GET", f"Host: localhost\r\n{large}", b" 400 "),
        ("GET", "", b" 400 "),
        ("TRACE", "Host: localhost\r\n", b" 405 "),
        ("GET", "Host: localhost\r\nConnection: close\r\n", b" 50"),
    )
    with nginx(tmp_path, f"127.0.0.1:{free_port()}") as proxy:
        for method, lines, status in requests:
            for asked in (path, "/told"):
                reader, writer = await proxy.connect()
                with suppress(ConnectionError, ssl.SSLError):  # it does not wait for all of a head
                    writer.write(f"{method} {asked} HTTP/1.1\r\n{lines}\r\n".encode())
                    assert status in await reader.readline()
                writer.transport.abort()
    written = "".join(log.read_text() for log in proxy.folder.glob("*.log"))
    assert "canary" not in written
    assert re.findall(r"(\S+) /told (\d+)", written) == [
        ("GET", "400"), ("GET", "400"), ("TRACE", "405"), ("GET", "502"),
    ]  # fmt: skip


async def test_while_honne_is_stopped_respondents_are_told_what_to_do(tmp_path: Path) -> None:
    address = f"127.0.0.1:{free_port()}"
    with nginx(tmp_path, address) as proxy:
        async with proxy.client() as client:
            form = await client.get("/s/cafe?plan=canary")
            answer = await client.post("/s/cafe/responses", data={"comment": "canary"})
            saved = await client.put("/s/cafe/score", data={"score": "9"})
            assert (await client.get("/sign-in")).status_code == 502
    for said in (form, answer, saved):
        assert said.status_code == 503
        assert said.headers["retry-after"] == "30"
        assert said.headers["cache-control"] == "no-store"
        assert said.headers["content-type"] == "text/html; charset=utf-8"
        assert "再読み込み" in said.text
        assert "load this page again" in said.text
    for log in proxy.folder.glob("*.log"):
        assert "canary" not in log.read_text(), "what was sent in vain is written down nowhere"
        assert "/s/" not in log.read_text()


async def test_what_honne_itself_says_passes_as_it_is(tmp_path: Path) -> None:
    """Its page for 503 holds what was written, and its 404 says what is not there."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\nContent-Length: 9\r\n"
            b"Connection: close\r\n\r\nmy words\n"
        )
        writer.close()

    upstream = await asyncio.start_server(refuse, "127.0.0.1", 0)
    port = upstream.sockets[0].getsockname()[1]
    async with upstream:
        with nginx(tmp_path, f"127.0.0.1:{port}") as proxy:
            async with proxy.client() as client:
                for path in ("/s/cafe", "/s/cafe/responses"):
                    said = await client.get(path)
                    assert (said.status_code, said.text) == (503, "my words\n")
                    assert said.headers["retry-after"] == "7"
