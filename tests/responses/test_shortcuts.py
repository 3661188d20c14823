"""Who is let through a shortcut gets the very answer that the route would have given."""

import gzip
import json
import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import httpx
import psycopg
import pytest
from fastapi import FastAPI

from app import main
from app.accounts.models import Scope
from app.foundation import clock
from app.foundation.database import Database
from app.foundation.settings import Settings
from app.foundation.tokens import digest
from app.main import SHORTCUTS, create_app
from app.responses.tickets import Ticket, sign_ticket
from app.surveys.models import SurveyState
from tests.conftest import BASE_URL, browser, share_routes
from tests.factories import Cast, make_api_key
from tests.responses.scene import Scene, add_link, make_scene, recount, stored_counts
from tests.routes import routes_of

JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
MIB = 1024 * 1024
# What differs between two answers that are alike.
OWN = re.compile(
    r"[0-9a-f]{8}-[0-9a-f-]{27}"  # an id
    r"|(?:[0-9A-Z]{5} ){8}[0-9A-Z]{5}"  # a receipt
    r"|[0-9a-f]{32}"  # a request's id
    r"|(?<=receipt=)[\w-]+"
    r'|(?<=name="ticket" value=")[^"]+'
    r"|[0-9A-Za-z_-]{80,}"  # a ticket where a script keeps it
)


@dataclass(frozen=True, slots=True)
class Sent:
    """A request; `<survey>`, `<ticket>` and the like stand for what the scene has."""

    path: str = "/api/v1/surveys/<survey>/responses"
    body: bytes | str = b""
    headers: dict[str, str] = field(default_factory=dict)
    method: str = "POST"
    key: str = "acme"


def api(body: Any, key: str = "acme", **headers: str) -> Sent:
    text = body if isinstance(body, bytes | str) else json.dumps(body)
    return Sent(body=text, headers={**JSON, **headers}, key=key)


def at(path: str, method: str = "POST") -> Sent:
    return Sent(path, '{"score": 3}', JSON, method)


def form(body: bytes | str, path: str = "/s/cafe/responses?lang=en", **headers: str) -> Sent:
    return Sent(path, body, {**FORM, **headers}, key="")


def page(path: str, method: str = "GET", **headers: str) -> Sent:
    return Sent(path, b"", headers, method, key="")


API = {
    "plain": api({"score": 9}),
    "full": api({"score": 0, "comment": "é\r\n", "language": "ja", "segments": {"plan": "pro"}}),
    "a past day": api({"score": 0, "answered_on": "2024-02-29"}),
    "null members": api({"score": 5, "comment": None, "language": None, "answered_on": None}),
    "a charset": api({"score": 9}, **{"Content-Type": "application/json; charset=utf-8"}),
    "another case": api({"score": 9}, **{"Content-Type": "Application/JSON"}),
    "another charset": api('{"score": 9}'.encode("utf-16")),
    "a byte order mark": api('\ufeff{"score": 9}'),
    "duplicate members": api('{"score": 1, "score": 8}'),
    "unknown member": api({"score": 9, "email": "a@b.example"}),
    "text for a score": api({"score": "9"}),
    "a float": api('{"score": 9.0}'),
    "truth": api({"score": True}),
    "eleven": api({"score": 11}),
    "not a number": api('{"score": NaN}'),
    "a huge number": api('{"score": 1' + "0" * 5_000 + "}"),
    "no score": api({}),
    "a list": api([{"score": 9}]),
    "a number": api("9"),
    "nothing": api(""),
    "broken": api('{"score": 9'),
    "not UTF-8": api(b'{"score": 9, "comment": "\xff"}'),
    "too deep": api("[" * 100_000),
    "half a pair": api('{"score": 9, "comment": "\\ud800"}'),
    "NUL": api({"score": 9, "comment": "\0"}),
    "a long comment": api({"score": 9, "comment": "x" * 4_001}),
    "the longest comment": api({"score": 9, "comment": "😀" * 4_000}),
    "a foreign language": api({"score": 9, "language": "xx"}),
    "an unknown segment": api({"score": 9, "segments": {"plan": "gold", "shoe": "42"}}),
    "other": api({"score": 9, "segments": {"plan": "other"}}),
    "a number as segment": api({"score": 9, "segments": {"plan": 1}}),
    "tomorrow": api({"score": 9, "answered_on": "9999-12-31"}),
    "a moment": api({"score": 9, "answered_on": 1}),
    "too much": api(b" " * (MIB + 1)),
    "no content type": Sent(body='{"score": 9}'),
    "text": api('{"score": 9}', **{"Content-Type": "text/plain"}),
    "a kind of JSON": api({"score": 9}, **{"Content-Type": "application/vnd.api+json"}),
    "a form": api("score=9", **{"Content-Type": FORM["Content-Type"]}),
    "compressed": api(gzip.compress(b'{"score": 9}'), **{"Content-Encoding": "gzip"}),
    "no key": api({"score": 9}, key=""),
    "no key and broken": api("{", key=""),
    "a wrong key": api({"score": 9}, key="hn_live_wrong"),
    "a revoked key": api({"score": 9}, key="revoked"),
    "a key that only reads": api({"score": 9}, key="reader"),
    "a key of others": api({"score": 9}, key="globex"),
    "a small bearer": api({"score": 9}, key="", Authorization="bearer <acme>"),
    "basic": api({"score": 9}, key="", Authorization="Basic <acme>"),
    "a cookie": api({"score": 9}, key="", Cookie="honne=<alice>"),
    "idempotent": api({"score": 9}, **{"Idempotency-Key": "one"}),
    "idempotent again": api({"score": 9}, **{"Idempotency-Key": "one"}),
    "idempotent but other": api({"score": 8}, **{"Idempotency-Key": "one"}),
    "idempotent and refused": api({"score": 9, "language": "xx"}, **{"Idempotency-Key": "two"}),
    "a bad idempotency key": api({"score": 9}, **{"Idempotency-Key": "é" * 300}),
    "a query": at("/api/v1/surveys/<survey>/responses?limit=3"),
    "an empty query": at("/api/v1/surveys/<survey>/responses?"),
    "a closed survey": at("/api/v1/surveys/<closed>/responses"),
    "a draft": at("/api/v1/surveys/<draft>/responses"),
    "an unknown survey": at("/api/v1/surveys/00000000-0000-0000-0000-000000000007/responses"),
    "no survey": at("/api/v1/surveys/none/responses"),
    "no name": at("/api/v1/surveys//responses"),
    "a slash": at("/api/v1/surveys/<survey>/responses/"),
    "an encoded slash": at("/api/v1/surveys/<survey>%2Fx/responses"),
    "braces": at("/api/v1/surveys/{<survey>}/responses"),
    "a list of them": at("/api/v1/surveys/<survey>/responses", "GET"),
    "no such method": at("/api/v1/surveys/<survey>/responses", "PUT"),
    "options": at("/api/v1/surveys/<survey>/responses", "OPTIONS"),
    "upper case": at("/api/v1/surveys/<SURVEY>/responses"),
    "without hyphens": at("/api/v1/surveys/<hex>/responses"),
}
PAGES = {
    "a score": form("ticket=<ticket>&score=9&comment=a%0D%0Ab&segment.age=young"),
    "the same again": form("ticket=<ticket>&score=8"),
    "another language": form("ticket=<ticket>&score=9", "/s/cafe/responses?lang=ja"),
    "no language": form("ticket=<ticket>&score=9", "/s/cafe/responses"),
    "a browser's language": form(
        "ticket=<ticket>&score=9", "/s/cafe/responses", **{"Accept-Language": "ja;q=0.9,en;q=0.1"}
    ),
    "in a frame": form("ticket=<ticket>&score=9", "/s/cafe/responses?embed=https://acme.example"),
    "no score": form("ticket=<ticket>&comment=kept"),
    "no ticket": form("score=9&comment=kept"),
    "a forged ticket": form("ticket=<ticket>x&score=9"),
    "trapped": form("ticket=<ticket>&score=9&subject=x"),
    "not UTF-8": form(b"ticket=<ticket>&score=9&comment=%FF\xff"),
    "NUL": form("ticket=<ticket>&score=9&comment=%00"),
    "a long comment": form("ticket=<ticket>&score=9&comment=" + "x" * 4_001),
    "too many fields": form("&".join(f"a{n}=1" for n in range(60))),
    "too much": form("a=" + "x" * 64 * 1024),
    "nothing": form(""),
    "JSON": form("{}", **{"Content-Type": "application/json"}),
    "no content type": Sent("/s/cafe/responses", "score=9", {}, key=""),
    "parts": form(
        '--b\r\nContent-Disposition: form-data; name="score"\r\n\r\n9\r\n--b--\r\n',
        **{"Content-Type": "multipart/form-data; boundary=b"},
    ),
    "broken parts": form("--", **{"Content-Type": "multipart/form-data; boundary=b"}),
    "another site": form("ticket=<ticket>&score=9", **{"Sec-Fetch-Site": "cross-site"}),
    "another origin": Sent(
        "/s/cafe/responses", "score=9", {**FORM, "Sec-Fetch-Site": "", "Origin": "https://x.y"}
    ),
    "an unknown link": form("ticket=<ticket>&score=9", "/s/nowhere/responses"),
    "a strange link": form("ticket=<ticket>&score=9", "/s/%00%C3%A9/responses"),
    "a link that has ended": form("ticket=<ticket>&score=9", "/s/revoked/responses"),
    "a survey that has ended": form("ticket=<ticket>&score=9", "/s/closed/responses"),
    "a slash": form("score=9", "/s/cafe/responses/"),
    "no link": form("score=9", "/s//responses"),
    "to the form": form("score=9", "/s/cafe"),
    "the form": page("/s/cafe"),
    "its head": page("/s/cafe", "HEAD"),
    "its options": page("/s/cafe", "OPTIONS"),
    "the form in Japanese": page("/s/cafe?lang=ja"),
    "the form with values": page("/s/cafe?plan=pro&age=young&x=1"),
    "the form in a frame": page("/s/cafe?embed=https://acme.example"),
    "the form by taste": page("/s/cafe", **{"Accept-Language": "xx,ja"}),
    "no form": page("/s/nowhere"),
    "no form any more": page("/s/closed"),
    "no form by this link": page("/s/revoked"),
    "no name": page("/s/"),
    "a longer address": page("/s/cafe/x"),
    "an address with an end": page("/s/cafe/"),
}


@pytest.fixture
async def long_way(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FastAPI]:
    """The same product with all its routes and no shortcut to any."""
    app = share_routes(create_app(settings, memory_seconds=0, open_at_least=timedelta(0)))
    with monkeypatch.context() as without:
        without.setattr(main, "SHORTCUTS", ())
        app.middleware_stack = app.build_middleware_stack()
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def names(
    database: Database, cast: Cast, scene: Scene, settings: Settings, owner: psycopg.Connection
) -> dict[str, str]:
    """What the names in angle brackets stand for."""
    async with database.transaction(cast.acme) as session:
        closed = await make_scene(session, cast.acme, "closed", state=SurveyState.CLOSED)
        draft = await make_scene(session, cast.acme, "draft", state=SurveyState.DRAFT)
        await add_link(session, scene, "revoked", revoked_at=clock.now())
        revoked_key = await make_api_key(session, settings, cast.acme, list(Scope))
    owner.execute(
        "UPDATE api_keys SET revoked_at = now() WHERE token_hash = %s",
        [digest(settings.secret_key, revoked_key)],
    )
    return {
        "survey": str(scene.survey_id),
        "SURVEY": str(scene.survey_id).upper(),
        "hex": scene.survey_id.hex,
        "closed": str(closed.survey_id),
        "draft": str(draft.survey_id),
        "acme": cast.acme_key,
        "reader": cast.acme_read_key,
        "globex": cast.globex_key,
        "revoked": revoked_key,
        "alice": cast.alice.session_token,
    }


@dataclass
class Caller:
    """Sends what is `Sent` to one app."""

    app: FastAPI
    names: dict[str, str]

    async def send(self, sent: Sent) -> tuple[int, list[tuple[str, str]], str]:
        """Status, headers and body, with what differs between answers that are alike left out."""
        headers = {name: self._fill(value) for name, value in sent.headers.items() if value}
        if sent.key:
            headers["Authorization"] = f"Bearer {self.names.get(sent.key, sent.key)}"
        body = sent.body if isinstance(sent.body, bytes) else self._fill(sent.body).encode()
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=BASE_URL) as client:
            answer = await client.request(
                sent.method,
                self._fill(sent.path),
                content=body,
                headers=[(name.encode(), value.encode()) for name, value in headers.items()],
            )
        shown = [(name, OWN.sub("…", value)) for name, value in answer.headers.multi_items()]
        alike = [(name, value) for name, value in shown if name != "content-length"]
        return answer.status_code, sorted(alike), OWN.sub("…", answer.text)

    def _fill(self, text: str) -> str:
        for name, value in self.names.items():
            text = text.replace(f"<{name}>", value)
        return text


def with_ticket(names: dict[str, str], settings: Settings, scene: Scene) -> dict[str, str]:
    """The names and a ticket for one answer."""
    ticket = Ticket("cafe", scene.survey_id, scene.version_id, {"plan": "pro"})
    return {**names, "ticket": sign_ticket(settings.secret_key, ticket)}


@pytest.mark.parametrize("requests", [API, PAGES], ids=["api", "pages"])
async def test_every_answer_is_the_same_as_by_the_route(
    app: FastAPI,
    long_way: FastAPI,
    names: dict[str, str],
    requests: dict[str, Sent],
    settings: Settings,
    scene: Scene,
    owner: psycopg.Connection,
) -> None:
    short = Caller(app, with_ticket(names, settings, scene))
    long = Caller(long_way, with_ticket(names, settings, scene))
    # Under a key of its own each, as it would otherwise be the other's answer that is repeated.
    statuses = set()
    for name, sent in requests.items():
        expected = await long.send(_idempotent(sent, "long"))
        assert await short.send(_idempotent(sent, "short")) == expected, name
        statuses.add(expected[0])
    assert {404, 405, 413, 415, 422} < statuses
    assert 500 not in statuses
    assert stored_counts(owner) == recount(owner)
    stored = owner.execute("SELECT score, comment, answered_on FROM responses").fetchall()
    assert len(stored) % 2 == 0
    assert all(stored.count(row) % 2 == 0 for row in stored)


def _idempotent(sent: Sent, whose: str) -> Sent:
    key = sent.headers.get("Idempotency-Key")
    headers = {**sent.headers, "Idempotency-Key": f"{key} {whose}"} if key else sent.headers
    return replace(sent, headers=headers)


async def test_no_answer_leaves_a_line_in_the_log_whatever_becomes_of_it(
    app: FastAPI, long_way: FastAPI, names: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    answers = [sent for sent in API.values() if (sent.method, sent.path) == ("POST", Sent().path)]
    others = (API["an unknown survey"], API["no survey"], at(f"{Sent().path}/batch"))
    with caplog.at_level(logging.INFO, "honne.requests"):
        for product in (app, long_way):
            for sent in (*answers, *others, PAGES["the form"], API["a list of them"]):
                await Caller(product, names).send(sent)
    told = [(record.__dict__["method"], record.__dict__["route"]) for record in caplog.records]
    assert told == [("GET", "/api/v1/surveys/{survey_id}/responses")] * 2


async def test_where_the_database_is_away_the_log_tells_nobodys_moment(
    settings: Settings, names: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = f"{settings.database_url}_that_is_away"
    away = share_routes(create_app(replace(settings, database_url=nowhere)))
    async with away.router.lifespan_context(away):
        with caplog.at_level(logging.INFO):
            statuses = [
                (await Caller(away, names).send(sent))[0]
                for sent in (API["plain"], at(f"{Sent().path}/batch"))
            ]
    assert statuses == [503, 503]
    told = [record for record in caplog.records if record.name.startswith("honne.")]
    assert [record.message for record in told] == ["database", "database"]
    assert not [record for record in told if hasattr(record, "request_id")]


async def test_every_shortcut_leads_to_a_route(app: FastAPI) -> None:
    routes = {(route.method, route.path) for route in routes_of(app)}
    assert {(shortcut.method, shortcut.path) for shortcut in SHORTCUTS} <= routes


async def test_a_form_that_was_drawn_before_is_the_same_but_for_its_ticket(
    app: FastAPI, names: dict[str, str], settings: Settings, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE surveys SET embed_origins = '[\"https://acme.example\"]'")
    remembering = share_routes(create_app(settings, memory_seconds=60, open_at_least=timedelta(0)))
    forms = [sent for sent in PAGES.values() if sent.method in ("GET", "HEAD")]
    async with remembering.router.lifespan_context(remembering):
        for sent in [*forms, *forms, *forms]:
            expected = await Caller(app, names).send(sent)
            assert await Caller(remembering, names).send(sent) == expected, sent
        async with browser(remembering) as client:
            pages = [(await client.get("/s/cafe")).text for _time in range(3)]
    tickets = {re.search(r'name="ticket" value="([^"]+)"', page) for page in pages}
    assert len({ticket[1] for ticket in tickets if ticket}) == 3
