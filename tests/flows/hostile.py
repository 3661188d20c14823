"""What nobody's browser would send to a form, and how every form must take it."""

import html
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote_from_bytes

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import strategies as st

from app.foundation.database import Database
from tests.factories import Cast
from tests.flows.test_outsiders import Acme, acme
from tests.responses.scene import make_scene
from tests.routes import Route, routes_of

__all__ = ["Forms", "Sent", "acme", "forms", "requests", "send"]

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
# These end what the others need: the session, the membership, the workspace.
LAST = {"/w/{workspace}/departure", "/sessions/current/end", "/account/other-sessions/end"}
BOUNDARY = "b"
TICKETS = (b"TICKET-1", b"TICKET-2", b"TICKET-3")  # stand for those of forms that were opened
URL_ENCODED = "application/x-www-form-urlencoded"
KINDS = (
    URL_ENCODED,
    f"{URL_ENCODED}; charset=utf-16",
    f"{URL_ENCODED}; charset=rot13",
    f"multipart/form-data; boundary={BOUNDARY}",
    "multipart/form-data",
    "multipart/form-data; boundary=",
    "application/json",
    "text/plain; charset=\x80",
    "",
)
HOSTILE = (
    b"", b"\x00", b"\xff\xfe", b"\xed\xa0\x80", b"%", b"%00", b"+" * 70, b"9" * 5_000, b"-1",
    "\u202e\u2066\ufeff\U0010ffff".encode(), "é".encode("latin-1"), "𝟗".encode(), "９".encode(),
    b"{{7*7}}${7*7}", b"';--", b"<script>", b"\r\nSet-Cookie: a=b", b"a" * 4_001,
    b"\xf0\x9f\x98\x80" * 1_100,
)  # fmt: skip


def field_names() -> list[str]:
    """The fields that any of our forms has."""
    texts = (path.read_text() for path in sorted(TEMPLATES.rglob("*.html")))
    return sorted({name for text in texts for name in re.findall(r'name="([\w.-]+)"', text)})


@dataclass(frozen=True, slots=True)
class Sent:
    """A request to a form: to one of respondents or to any, as what, and the body's bytes."""

    place: int
    is_respondent: bool
    kind: str
    body: bytes


def form_routes(app: FastAPI) -> list[Route]:
    """Everything a page's form may be sent to."""
    return [
        route
        for route in routes_of(app)
        if route.method in ("POST", "PUT")
        and not route.path.startswith("/api/")
        and route.path not in LAST
    ]


def requests() -> st.SearchStrategy[Sent]:
    """Requests to forms: fields that these have, with values that nobody can type."""
    known = [*TICKETS, b"9", b"2026-01-01", b"en", b"on"]
    values = st.sampled_from([*HOSTILE, *known, *known]) | st.binary(max_size=40)
    names = st.sampled_from(field_names()) | st.just("segment.plan") | st.text(max_size=8)
    fields = st.lists(st.tuples(names, values), max_size=8)
    filled_in = st.tuples(st.sampled_from(TICKETS), values, values).map(
        lambda given: list(zip(("ticket", "score", "comment"), given, strict=True))
    )
    bodies = st.binary(max_size=200) | fields.map(_urlencoded) | fields.map(_multipart)
    likely = st.tuples(st.just(URL_ENCODED), (fields | filled_in).map(_urlencoded))
    pairs = likely | likely | st.tuples(st.sampled_from(KINDS), bodies)
    places = st.tuples(st.integers(0, 1_000), st.booleans())
    return st.builds(lambda place, pair: Sent(*place, *pair), places, pairs)


def _urlencoded(fields: list[tuple[str, bytes]]) -> bytes:
    coded = (
        f"{quote_from_bytes(name.encode(errors='surrogatepass'))}={quote_from_bytes(value)}"
        for name, value in fields
    )
    return "&".join(coded).encode()


def _multipart(fields: list[tuple[str, bytes]]) -> bytes:
    parts = (
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'.encode(
            errors="surrogatepass"
        )
        + value
        + b"\r\n"
        for name, value in fields
    )
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


@dataclass(frozen=True, slots=True)
class Forms:
    """The forms of Acme and of its respondents, and tickets of forms that were opened."""

    routes: Sequence[Route]
    tickets: Sequence[str]
    acme: Acme

    def route_of(self, sent: Sent) -> Route:
        routes = [
            route for route in self.routes if route.path.startswith("/s/") or not sent.is_respondent
        ]
        return routes[sent.place % len(routes)]

    def body_of(self, sent: Sent) -> bytes:
        body = sent.body
        for blank, ticket in zip(TICKETS, self.tickets, strict=True):
            body = body.replace(blank, ticket.encode())
        return body


@pytest.fixture
async def forms(
    app: FastAPI, database: Database, cast: Cast, acme: Acme, as_alice: httpx.AsyncClient
) -> Forms:
    async with database.transaction(cast.acme) as session:
        await make_scene(session, cast.acme, "cafe")
    return Forms(form_routes(app), [await ticket_of(as_alice, "cafe") for _ in range(3)], acme)


async def send(client: httpx.AsyncClient, forms: Forms, sent: Sent) -> None:
    """Every form answers with a page or leads to one, whatever it is sent."""
    route, things = forms.route_of(sent), forms.acme.things
    answer = await client.request(
        route.method,
        forms.acme.fill(route.path, slug="cafe", token="x", session_id=things["user_id"]),
        content=forms.body_of(sent),
        headers=[(b"content-type", sent.kind.encode("latin-1"))] if sent.kind else [],
    )
    what = f"{route.method} {route.path}: {answer.status_code}"
    assert answer.status_code < 500, what
    if 200 <= answer.status_code < 300 and answer.content:
        assert not answer.headers["content-type"].startswith("text/plain"), what
    if answer.status_code >= 400 and answer.content:
        assert answer.headers["content-type"] == "text/html; charset=utf-8", what
    assert "set-cookie" not in answer.headers or "a=b" not in answer.headers["set-cookie"]


async def ticket_of(client: httpx.AsyncClient, slug: str) -> str:
    """The signed ticket of a form as it was opened."""
    found = re.search(r'name="ticket" value="([^"]+)"', (await client.get(f"/s/{slug}")).text)
    assert found
    return html.unescape(found[1])
