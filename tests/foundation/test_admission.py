"""Too much at once: files are sent away first, then figures, answers last."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from app.foundation.translation import set_language
from app.foundation.web import admission
from app.foundation.web.admission import Admission, Kind, Room, divide, kind_of
from app.foundation.web.edge import BodyCap
from tests.conftest import BASE_URL

FIGURES = "/w/acme/surveys/1"
FILE = "/api/v1/export"
ANSWER = "/s/cafe/responses"


class Slow:
    """An app in which every request waits until it is let go."""

    def __init__(self) -> None:
        self.release = asyncio.Event()
        self.inside = 0

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.inside += 1
        await self.release.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[httpx.AsyncClient]:
    set_language("en")
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
        yield client


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():  # noqa: ASYNC110 (it is not an event that is waited for)
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("method", "path", "kind"),
    [
        ("GET", "/s/cafe", Kind.ANSWER),
        ("POST", "/s/cafe/responses", Kind.ANSWER),
        ("POST", "/api/v1/surveys/1/responses", Kind.ANSWER),
        ("POST", "/api/v1/surveys/1/responses/batch", Kind.ANSWER),
        ("GET", "/api/v1/surveys/1/responses", Kind.FIGURES),
        ("GET", "/api/v1/surveys/1/responses.csv", Kind.FILE),
        ("GET", "/w/1/surveys/1/responses.csv", Kind.FILE),
        ("POST", "/w/1/export", Kind.FILE),
        ("GET", "/api/v1/metrics", Kind.FIGURES),
        ("GET", "/health/ready", Kind.FREE),
        ("GET", "/static/app.css", Kind.FREE),
    ],
)
def test_every_request_has_its_place(method: str, path: str, kind: Kind) -> None:
    assert kind_of({"type": "http", "method": method, "path": path}) is kind


@pytest.mark.parametrize("connections", [5, 7, 17, 37, 200])
def test_connections_are_left_for_the_look_ups_of_answers(connections: int) -> None:
    room = divide(connections)
    assert room.files >= 1
    assert room.figures >= 1
    assert room.files + room.figures < connections


async def test_files_go_before_figures_and_these_wait_for_their_turn() -> None:
    slow = Slow()
    shed = Admission(slow, Room(figures=1, files=1), patience_s=0.2)
    async with client_of(shed) as client:
        first = asyncio.create_task(client.get(FIGURES))
        await until(lambda: slow.inside == 1)
        second = asyncio.create_task(client.get(FIGURES))
        await until(lambda: shed.figures.waiting == 1)
        file = await client.get(FILE)
        assert (file.status_code, file.headers["retry-after"]) == (503, "60")
        assert file.headers["content-type"] == "application/problem+json"
        sent_away = await second
        assert (sent_away.status_code, sent_away.headers["retry-after"]) == (503, "10")
        assert "text/html" in sent_away.headers["content-type"]
        answer = asyncio.create_task(client.post(ANSWER))
        await until(lambda: slow.inside == 2)
        slow.release.set()
        assert [(await one).status_code for one in (first, answer)] == [200, 200]
        assert (await client.get(FILE)).status_code == 200, "there is room again"


async def test_answers_that_pile_up_send_the_others_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "FILES_YIELD_AT", 2)
    monkeypatch.setattr(admission, "FIGURES_YIELD_AT", 3)
    monkeypatch.setattr(admission, "ANSWERS", 4)
    slow = Slow()
    async with client_of(Admission(slow, Room(figures=5, files=5))) as client:
        running: list[asyncio.Task[Any]] = []

        async def answer() -> None:
            running.append(asyncio.create_task(client.post(ANSWER)))
            await until(lambda: slow.inside == len(running))

        await answer()
        await answer()
        assert (await client.get(FILE)).status_code == 503
        await answer()
        assert (await client.get(FIGURES)).status_code == 503
        await answer()
        assert (await client.post(ANSWER)).status_code == 503, "even answers have an end"
        slow.release.set()
        assert {one.status_code for one in await asyncio.gather(*running)} == {200}


async def test_a_slow_reader_of_figures_takes_nobodys_place() -> None:
    gone_on = asyncio.Event()
    shed = Admission(Slow(), Room(figures=1, files=1))

    async def page(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        assert shed.figures.running == 0
        gone_on.set()

    shed.app = page

    async def receive() -> Any:
        raise AssertionError

    async def send(_message: Any) -> None:
        assert shed.figures.running == 0

    await shed({"type": "http", "method": "GET", "path": FIGURES}, receive, send)
    assert gone_on.is_set()
    assert shed.figures.running == 0


async def test_a_file_that_nobody_fetches_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "STALLED_AFTER_S", 0.05)

    async def file(_scope: Scope, _receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    shed = Admission(file, Room(figures=1, files=1))

    async def never(_message: Any) -> None:
        await asyncio.sleep(60)

    async def receive() -> Any:
        raise AssertionError

    async with asyncio.timeout(10):
        await shed({"type": "http", "method": "GET", "path": FILE}, receive, never)
    assert shed.files.running == 0


async def test_a_body_that_trickles_in_is_not_waited_for() -> None:
    slow = Slow()
    slow.release.set()

    async def trickle() -> AsyncIterator[bytes]:
        yield b"score="
        await asyncio.sleep(60)

    async with client_of(BodyCap(slow, within_s=0.05)) as client:
        answer = await client.post("/api/v1/surveys", content=trickle())
    assert (answer.status_code, answer.json()["code"]) == (408, "request_timeout")
    assert slow.inside == 0


async def test_nobody_holds_a_body_once_it_is_answered() -> None:
    """The server keeps the scope of a connection's last request."""
    scopes: list[Scope] = []

    async def note(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        assert scope["state"]["body"] == b"secret"
        await Response()(scope, receive, send)

    async with client_of(BodyCap(note)) as client:
        await client.post("/api/v1/surveys", content=b"secret")
    assert "body" not in scopes[0]["state"]


async def test_all_bodies_together_have_a_limit() -> None:
    slow = Slow()
    async with client_of(BodyCap(slow, all_bodies=1_000, for_respondents=0)) as client:
        first = asyncio.create_task(client.post("/api/v1/surveys", content=b"x" * 900))
        await until(lambda: slow.inside == 1)
        full = await client.post("/api/v1/surveys", content=b"x" * 200)
        assert (full.status_code, full.headers["retry-after"]) == (503, "5")
        slow.release.set()
        assert (await first).status_code == 200
        again = await client.post("/api/v1/surveys", content=b"x" * 900)
        assert again.status_code == 200


async def test_respondents_have_room_where_programs_take_all_they_can() -> None:
    slow = Slow()
    async with client_of(BodyCap(slow, all_bodies=1_000, for_respondents=200)) as client:
        first = asyncio.create_task(client.post("/api/v1/surveys", content=b"x" * 800))
        await until(lambda: slow.inside == 1)
        for path in ("/api/v1/surveys", "/w/x/surveys"):
            assert (await client.post(path, content=b"x")).status_code == 503
        respondent = asyncio.create_task(client.post("/s/cafe/responses", content=b"x" * 200))
        await until(lambda: slow.inside == 2)
        assert (await client.post("/s/cafe/responses", content=b"x")).status_code == 503
        slow.release.set()
        assert [(await one).status_code for one in (first, respondent)] == [200, 200]
