"""Nothing typed is lost, and what cannot be stored is shown again."""

import html
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote_from_bytes

import httpx
import psycopg
import pytest

from tests.responses.scene import stored_answers
from tests.responses.test_form import FORM, database_away, fill_in, labels, ticket_in

pytestmark = pytest.mark.usefixtures("scene")


@pytest.mark.parametrize(
    ("fields", "control"),
    [
        ({}, "score"),
        ({"score": ""}, "score"),
        ({"score": "11"}, "score"),
        ({"score": "-1"}, "score"),
        ({"score": "7.5"}, "score"),
        ({"score": "９"}, "score"),
        ({"score": "07"}, "score"),
        ({"score": "9\0"}, "score"),
        ({"score": "5", "comment": "x" * 4_001}, "comment"),
        ({"score": "5", "comment": "a\0b"}, "comment"),
    ],
)
async def test_what_cannot_be_stored_is_shown_again(
    client: httpx.AsyncClient,
    owner: psycopg.Connection,
    fields: dict[str, str],
    control: str,
) -> None:
    sent = await fill_in(client, **{"comment": "keep <me>", **fields})
    assert sent.status_code == 422
    assert "<title>Error: " in sent.text
    assert f'href="#f-{control}"' in sent.text
    assert f'id="f-{control}"' in sent.text
    assert "autofocus" in sent.text
    if "comment" not in fields:
        assert "keep &lt;me&gt;</textarea>" in sent.text
    assert ticket_in(sent)
    assert stored_answers(owner) == []


@pytest.mark.parametrize("raw", [b"\xed\xa0\x80", b"\xff", b"\xe3\x81"])
async def test_bytes_that_are_no_text_are_refused(
    client: httpx.AsyncClient, owner: psycopg.Connection, raw: bytes
) -> None:
    ticket = ticket_in(await client.get("/s/cafe")).encode()
    for comment in (raw, quote_from_bytes(raw).encode()):
        body = b"ticket=" + ticket + b"&score=5&comment=" + comment
        sent = await client.post("/s/cafe/responses", content=body, headers={"Content-Type": FORM})
        assert sent.status_code == 422
        assert 'href="#f-comment"' in sent.text
    assert stored_answers(owner) == []


async def test_four_thousand_characters_fit_whatever_they_are(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    comment = "😀" * 3_999 + "\r\n"
    assert (await fill_in(client, score="5", comment=comment)).status_code == 303
    assert stored_answers(owner) == [(5, "😀" * 3_999 + "\n")]


async def test_a_70_kb_body_and_other_content_types_are_refused(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    too_much = await client.post("/s/cafe/responses", data={"comment": "x" * 70_000})
    assert too_much.status_code == 413
    assert "Your answer is too long" in too_much.text
    assert "It has not been saved. Go back, make it shorter, then send it again." in too_much.text
    for kind in ("application/json", "text/plain", ""):
        sent = await client.post(
            "/s/cafe/responses", content=b"score=5", headers={"Content-Type": kind}
        )
        assert sent.status_code == 415
    many = await client.post("/s/cafe/responses", data={f"f{n}": "x" for n in range(60)})
    assert many.status_code == 400
    assert stored_answers(owner) == []


async def test_a_database_that_is_away_costs_no_text(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    fields = {"ticket": ticket_in(await client.get("/s/cafe")), "score": "3", "segment.age": "old"}
    with database_away(owner):
        sent = await client.post(
            "/s/cafe/responses?lang=en", data={**fields, "comment": '<b>"mine'}
        )
        assert (await client.get("/s/cafe")).status_code == 503
    assert sent.status_code == 503
    assert sent.headers["retry-after"] == "5"
    assert "Try again" in sent.text
    assert "&lt;b&gt;&#34;mine</textarea>" in sent.text
    hidden = re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', sent.text)
    kept = {html.unescape(name): html.unescape(value) for name, value in hidden}
    assert kept == fields
    again = await client.post("/s/cafe/responses", data={**kept, "comment": '<b>"mine'})
    assert again.status_code == 303
    with psycopg.connect(
        host=owner.info.host, user=owner.info.user, dbname=owner.info.dbname
    ) as fresh:
        assert stored_answers(fresh) == [(3, '<b>"mine')]
        assert labels(fresh) == [{"age": "old"}]


def in_comments(lines: Iterable[str]) -> Iterator[str]:
    """All lines, several to a comment, each comment of a length that fits."""
    comment = ""
    for line in lines:
        if len(comment) + len(line) >= 3_000:
            yield comment
            comment = ""
        comment += f"{line}\n"
    yield comment


async def test_every_naughty_string_comes_back_unchanged(
    client: httpx.AsyncClient, owner: psycopg.Connection, sample_data: Path
) -> None:
    lines = (sample_data / "blns.txt").read_bytes().decode().replace("\r", "").split("\n")
    ticket = ticket_in(await client.get("/s/cafe"))
    for comment in in_comments(lines):
        sent = await client.post(
            "/s/cafe/responses", data={"ticket": ticket, "score": "5", "comment": comment}
        )
        assert sent.status_code == 303
        assert stored_answers(owner) == [(5, comment)]
        shown = await client.post("/s/cafe/responses", data={"ticket": ticket, "comment": comment})
        assert shown.status_code == 422
        kept = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", shown.text, re.DOTALL)
        assert kept
        assert "<" not in kept[1]
        assert html.unescape(kept[1]) == comment
