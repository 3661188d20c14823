"""A respondent who leaves traces that cannot be mistaken, and the places where to look for them."""

import base64
import html
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import httpx
import psycopg
from psycopg import sql

from tests.responses.scene import Scene


def _mark(name: str) -> str:
    # Letters alone: a row of digits would look like a moment.
    return f"Canary{name}{''.join(secrets.choice('ghjkmnpqrstvwxyz') for _ in range(12))}"


@dataclass(frozen=True, slots=True)
class Canary:
    """What one respondent writes, and what a browser and its proxies add to that unasked."""

    comment: str = field(default_factory=lambda: _mark("Comment"))
    amended: str = field(default_factory=lambda: _mark("Amended"))
    refused: str = field(default_factory=lambda: _mark("Refused"))
    agent: str = field(default_factory=lambda: _mark("Agent"))
    cookie: str = field(default_factory=lambda: _mark("Cookie"))
    referer: str = field(default_factory=lambda: _mark("Referer"))
    language: str = field(default_factory=lambda: _mark("Tail").lower())
    undeclared: str = field(default_factory=lambda: _mark("Undeclared"))
    parameter: str = field(default_factory=lambda: _mark("Parameter"))
    extra: str = field(default_factory=lambda: _mark("Extra"))
    key: str = field(default_factory=lambda: _mark("Key"))
    request_id: str = field(default_factory=lambda: _mark("Request"))
    left: str = field(default_factory=lambda: f"{_mark('Left')}@customer.example")
    address: str = "203.0.113.77"
    network: str = "203.0.113."
    address_v6: str = "2001:db8:77:7700::77"
    network_v6: str = "2001:db8:77:"

    def headers(self) -> dict[str, str]:
        """As a browser behind a proxy that we trust would send them."""
        return {
            "User-Agent": f"Mozilla/5.0 {self.agent}",
            "X-Forwarded-For": f"{self.address_v6}, {self.address}",
            "X-Real-IP": self.address,
            "Forwarded": f'for="[{self.address_v6}]"',
            "Cookie": f"session={self.cookie}; honne={self.cookie}",
            "Referer": f"https://mail.example/{self.referer}",
            "Accept-Language": f"en, x-{self.language};q=0.1",
            "X-Request-Id": self.request_id,
            "Sec-Fetch-Site": "same-origin",
        }

    @property
    def traces(self) -> dict[str, str]:
        """All that no table, log, dump or file may hold, by what it is."""
        return {
            "agent": self.agent,
            "cookie": self.cookie,
            "referer": self.referer,
            "language tail": self.language,
            "undeclared value": self.undeclared,
            "undeclared parameter": self.parameter,
            "extra field": self.extra,
            "idempotency key": self.key,
            "request id": self.request_id,
            "refused comment": self.refused,
            "network": self.network,
            "IPv6 network": self.network_v6,
        }


def spellings(text: str) -> Iterator[bytes]:
    """The ways a text may be written down: plain, in hexadecimal, in base 64 at any offset."""
    plain = text.encode()
    yield plain
    yield plain.hex().encode()
    yield quote(text, safe="").encode()
    for shift in range(3):
        # Without the characters at both ends, which depend on what stands beside them.
        coded = base64.b64encode(b"\0" * shift + plain).rstrip(b"=")
        yield coded[4 if shift else 0 : -1]


def found_in(content: bytes, wanted: Mapping[str, str]) -> set[str]:
    """The names of what `content` holds, in whichever spelling or case."""
    lowered = content.lower()
    return {
        name
        for name, text in wanted.items()
        if any(spelling.lower() in lowered for spelling in spellings(text))
    }


async def answer_form(client: httpx.AsyncClient, scene: Scene, canary: Canary) -> None:
    """Open the form, send refused input, an answer, the answer amended; each with every trace."""
    query = {"plan": canary.undeclared, canary.parameter: canary.parameter}
    page = await client.get(f"/s/{scene.slug}", params=query)
    ticket = re.search(r'name="ticket" value="([^"]+)"', page.text)
    assert ticket, page.text
    for score, comment, status in (
        ("11", canary.refused, 422),
        ("9", canary.comment, 303),
        ("8", canary.amended, 303),
    ):
        sent = await client.post(
            f"/s/{scene.slug}/responses",
            params=query,
            data={
                "ticket": html.unescape(ticket[1]),
                "score": score,
                "comment": comment,
                "segment.age": canary.undeclared,
                "segment.plan": canary.undeclared,
                f"segment.{canary.parameter}": canary.undeclared,
                "email": canary.left,
                "mail": canary.extra,
                canary.extra: canary.extra,
            },
        )
        assert sent.status_code == status, sent.text
    assert (await client.get(f"/s/{scene.slug}/thanks", params=query)).status_code == 200
    assert (await client.get(f"/s/{canary.parameter}")).status_code == 404


async def answer_api(client: httpx.AsyncClient, scene: Scene, canary: Canary, comment: str) -> None:
    """Refused bodies of several kinds, then an answer under an Idempotency-Key, sent twice."""
    address = f"/api/v1/surveys/{scene.survey_id}/responses"
    refused: list[dict[str, object]] = [
        {"score": canary.refused},
        {"score": 9, "comment": canary.refused, canary.extra: canary.extra},
        {"score": 9, "comment": canary.refused, "segments": {"plan": canary.undeclared}},
        {"score": 9, "comment": canary.refused, "language": canary.undeclared},
        {"score": 9, "comment": f"{canary.refused}\0"},
    ]
    for body in refused:
        assert (await client.post(address, json=body)).status_code == 422, body
    broken = f'{{"score": 9, "comment": "{canary.refused}'.encode()
    json_type = {"Content-Type": "application/json"}
    assert (await client.post(address, content=broken, headers=json_type)).status_code == 400
    rows = {"responses": [{"score": 9, "comment": canary.refused}, {"score": canary.refused}]}
    assert (await client.post(f"{address}/batch", json=rows)).status_code == 422
    for _attempt in range(2):
        stored = await client.post(
            address,
            json={"score": 3, "comment": comment},
            headers={"Idempotency-Key": canary.key},
        )
        assert stored.status_code == 201, stored.text
        assert stored.json()["comment"] == comment


def rows_of_every_table(owner: psycopg.Connection) -> Iterator[tuple[str, str, bytes]]:
    """Schema, table and content as text of every table there is, Postgres's own included."""
    tables = owner.execute(
        "SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace"
        " WHERE relkind IN ('r', 'p', 'm') AND nspname <> 'pg_toast' ORDER BY 1, 2"
    ).fetchall()
    for schema, table in tables:
        whole = sql.SQL("SELECT row::text FROM {} AS row").format(sql.Identifier(schema, table))
        for (row,) in owner.execute(whole):
            yield schema, table, str(row).encode()


def files_holding(folder: Path, text: str) -> set[Path]:
    """The files below `folder` that hold `text`, as paths relative to it."""
    wanted = list(spellings(text))
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder) for path in files if _holds(path.read_bytes(), wanted)}


def _holds(content: bytes, wanted: Sequence[bytes]) -> bool:
    return any(spelling in content for spelling in wanted)
