"""A body reaches the app as a whole or not at all."""

from collections.abc import Sequence

import pytest
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from app.foundation.translation import set_language
from app.foundation.web.edge import BodyCap

LEFT: Message = {"type": "http.disconnect"}
ROOM = 100


def part(body: bytes, more: bool = True) -> Message:
    return {"type": "http.request", "body": body, "more_body": more}


class Taking:
    """An app that notes each body it is given."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.cap = BodyCap(self._take, all_bodies=ROOM, for_respondents=0)

    async def _take(self, scope: Scope, receive: Receive, send: Send) -> None:
        message = await receive()
        assert (message["body"], message["more_body"]) == (scope["state"]["body"], False)
        self.bodies.append(message["body"])
        await Response()(scope, receive, send)

    async def statuses(
        self, *messages: Message, length: str = "", kind: str = "", path: str = "/api/v1/surveys"
    ) -> Sequence[int]:
        """What is answered to a request that comes as `messages` and declares a `length` and a
        `kind` of content."""
        received, sent = iter(messages), []

        async def receive() -> Message:
            return next(received)

        async def send(message: Message) -> None:
            sent.append(message.get("status"))

        scope = {
            "type": "http",
            "method": "POST",
            "path": path,
            "headers": [
                (name, value.encode())
                for name, value in ((b"content-length", length), (b"content-type", kind))
                if value
            ],
            "state": {"request_id": ""},
        }
        await self.cap(scope, receive, send)
        assert "body" not in scope["state"], "the server keeps it"
        return [status for status in sent if status]


@pytest.mark.parametrize(
    "parts",
    [
        [],
        [part(b"")],
        [part(b"score=9&comment=I would nev")],
        [part(b"score=9&"), part(b"comment=I"), part(b" would nev")],
        [part(b"x" * ROOM)],
    ],
)
async def test_a_body_that_breaks_off_reaches_nobody(parts: Sequence[Message]) -> None:
    taking = Taking()
    for _one in range(3):
        assert await taking.statuses(*parts, LEFT) == []
    assert taking.bodies == []
    whole = b"y" * ROOM
    assert await taking.statuses(part(whole, more=False)) == [200], "its room is given back"
    assert taking.bodies == [whole]


@pytest.mark.parametrize(
    "parts", [[part(b"score=9", more=False)], [part(b"score"), part(b"=9"), part(b"", more=False)]]
)
async def test_who_leaves_after_a_whole_body_has_sent_it(parts: Sequence[Message]) -> None:
    taking = Taking()
    assert await taking.statuses(*parts, LEFT) == [200]
    assert taking.bodies == [b"score=9"]


async def test_a_body_shorter_than_it_says_is_refused() -> None:
    set_language("en")
    taking = Taking()
    for text in (b"", b"score=9"):
        assert await taking.statuses(part(text, more=False), length="8") == [400]
    assert taking.bodies == []
    assert await taking.statuses(part(b"score=10", more=False), length="8") == [200]


PARTS = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n9 --b--\r\n--b--'


@pytest.mark.parametrize("boundary", ["b", '"b"', "b; charset=utf-8"])
async def test_a_form_in_parts_without_its_end_is_refused(boundary: str) -> None:
    set_language("en")
    taking, kind = Taking(), f"Multipart/Form-Data; Boundary={boundary}"
    for size in range(len(PARTS)):
        assert await taking.statuses(part(PARTS[:size], more=False), kind=kind) == [400]
    assert taking.bodies == []
    for whole in (PARTS, PARTS + b"\r\n", PARTS + b" \r\nmore", b"--b--\r\n", b"\r\n--b--"):
        assert await taking.statuses(part(whole, more=False), kind=kind) == [200]


@pytest.mark.parametrize("kind", ["multipart/mixed; boundary=b", "text/plain", ""])
async def test_what_is_no_form_is_left_to_who_reads_it(kind: str) -> None:
    assert await Taking().statuses(part(b"--b%", more=False), kind=kind) == [200]


@pytest.mark.parametrize(
    "kind",
    ["application/x-www-form-urlencoded", "Application/X-WWW-Form-UrlEncoded; charset=utf-8"],
)
async def test_a_form_that_ends_within_an_escape_is_refused(kind: str) -> None:
    set_language("en")
    taking = Taking()
    for cut in (b"a=9&b=%E3%81%8", b"a=9&b=%E3%81%", b"%"):
        assert await taking.statuses(part(cut, more=False), kind=kind) == [400]
    assert taking.bodies == []
    for whole in (b"", b"a", b"a=9&b=%E3%81%82", b"a=9&b=100%25", b"a=100% sure"):
        assert await taking.statuses(part(whole, more=False), kind=kind) == [200]


async def test_a_request_about_the_server_itself_has_a_cap_too() -> None:
    assert await Taking().statuses(part(b"x", more=False), path="*") == [200]
