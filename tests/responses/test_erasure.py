"""Whoever answered can take the answer back with its receipt, and nothing else goes with it."""

import asyncio
import html
import json
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from app.foundation import clock
from app.foundation.database import Database
from app.foundation.settings import Settings
from app.foundation.tokens import new_id
from app.responses.erasure import erase_response
from app.responses.models import DeletionReason
from app.responses.receipts import SHOWN_FOR, write_receipt
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.surveys.models import Channel
from tests.factories import Cast
from tests.responses.scene import (
    Scene,
    make_scene,
    recount,
    stored_answers,
    stored_counts,
)
from tests.responses.serving import server_processes
from tests.responses.test_form import database_away, ticket_in

EXCLUDE = (
    "UPDATE responses SET standing = 'excluded', exclusion_reason = 'test';"
    "UPDATE daily_counts SET standing = 'excluded'"
)

pytestmark = pytest.mark.usefixtures("scene")


async def answer(client: httpx.AsyncClient, ticket: str = "", **fields: str) -> str:
    """Send the form and return the address of the thank-you page."""
    ticket = ticket or ticket_in(await client.get("/s/cafe"))
    sent = await client.post("/s/cafe/responses?lang=en", data={"ticket": ticket, **fields})
    assert sent.status_code == 303
    return sent.headers["location"]


def receipt_on(page: httpx.Response) -> str | None:
    found = re.search(r'<p class="receipt"[^>]*>([^<]+)</p>', page.text)
    return found[1] if found else None


async def answered(client: httpx.AsyncClient, ticket: str = "", **fields: str) -> str:
    """Send the form and return the receipt."""
    receipt = receipt_on(await client.get(await answer(client, ticket, **fields)))
    assert receipt
    return receipt


async def erase(client: httpx.AsyncClient, receipt: str, slug: str = "cafe") -> httpx.Response:
    return await client.post(f"/s/{slug}/erasure?lang=en", data={"receipt": receipt})


def deletions(owner: psycopg.Connection) -> list[tuple[str, int]]:
    rows = owner.execute("SELECT reason, responses FROM deletions ORDER BY reason").fetchall()
    return [(row[0], row[1]) for row in rows]


def everything(owner: psycopg.Connection) -> str:
    """Every row of every table, as text."""
    tables = owner.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
    ).fetchall()
    return "\n".join(
        f"{table}: {row[0]}"
        for (table,) in tables
        for row in owner.execute(
            sql.SQL("SELECT t::text FROM {} t").format(sql.Identifier(table))
        ).fetchall()
    )


async def test_the_receipt_is_shown_for_ten_minutes(client: httpx.AsyncClient) -> None:
    with clock.fixed(clock.now()):
        address = await answer(client, score="9")
        sent_at = clock.now()
    assert address.startswith("/s/cafe/thanks?lang=en&receipt=")
    shown = set()
    for age in (timedelta(), timedelta(minutes=5), SHOWN_FOR - timedelta(seconds=2)):
        with clock.fixed(sent_at + age):
            page = await client.get(address)
            shown.add(receipt_on(page))
            assert "http://127.0.0.1:8000/s/cafe/erasure" in page.text
            assert page.headers["referrer-policy"] == "no-referrer"
            assert page.headers["cache-control"] == "no-store"
            assert "set-cookie" not in page.headers
    assert len(shown) == 1
    assert None not in shown
    with clock.fixed(sent_at + SHOWN_FOR):
        page = await client.get(address)
        assert page.status_code == 200
        assert "Thank you" in page.text
        assert receipt_on(page) is None
    assert receipt_on(await client.get("/s/cafe/thanks?lang=en")) is None


async def test_an_answer_is_taken_back(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    kept = await answered(client, score="2", comment="stays")
    receipt = await answered(client, score="2", comment="goes")
    audited = owner.execute("SELECT count(*) FROM audit_events").fetchone()
    gone = await erase(client, receipt)
    assert (gone.status_code, gone.headers["location"]) == (303, "/s/cafe/erasure/done?lang=en")
    done = await client.get(gone.headers["location"])
    assert done.status_code == 200
    assert "Your answer is deleted" in done.text
    assert "at least 5 answers" in done.text
    assert stored_answers(owner) == [(2, "stays")]
    assert stored_counts(owner) == recount(owner)
    assert owner.execute("SELECT count(*) FROM submission_keys").fetchone() == (1,)
    assert deletions(owner) == [("receipt", 1)]
    assert owner.execute("SELECT count(*) FROM audit_events").fetchone() == audited
    assert "goes" not in everything(owner)
    assert (await erase(client, kept)).status_code == 303
    assert deletions(owner) == [("receipt", 2)]
    # Not even a row of zeros says that somebody with these labels had answered.
    assert owner.execute("SELECT count(*) FROM daily_counts").fetchone() == (0,)


async def test_a_second_time_there_is_nothing_left(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    await answered(client, score="7")
    receipt = await answered(client, score="9")
    await erase(client, receipt)
    for code in (receipt, write_receipt("x", new_id())):
        again = await erase(client, code)
        assert again.status_code in (404, 422)
    again = await erase(client, receipt)
    assert again.status_code == 404
    assert "There is no answer for this receipt" in again.text
    assert "kept for 24 months" in again.text
    assert stored_answers(owner) == [(7, None)]
    assert deletions(owner) == [("receipt", 1)]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
async def test_looking_deletes_nothing(
    client: httpx.AsyncClient, owner: psycopg.Connection, method: str
) -> None:
    receipt = await answered(client, score="9")
    for path in ("/s/cafe/erasure", "/s/cafe/erasure/done"):
        page = await client.request(method, path, params={"receipt": receipt, "lang": "ja"})
        assert page.status_code == 200
    assert stored_answers(owner) == [(9, None)]


async def test_another_site_cannot_send_the_form(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    receipt = await answered(client, score="9")
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}):
        sent = await client.post("/s/cafe/erasure", data={"receipt": receipt}, headers=headers)
        assert sent.status_code == 403
    assert stored_answers(owner) == [(9, None)]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Enter the receipt"),
        ("<b>12345", "45 letters and digits, and here are 6"),
        ("A" * 45, "at least one letter or digit is wrong"),
        ("\ud800", "Enter the receipt"),
        ("x" * 5_000, "45 letters and digits"),
    ],
)
async def test_a_wrong_receipt_is_shown_again(
    client: httpx.AsyncClient, typed: str, said: str
) -> None:
    body = b"receipt=" + typed.encode("utf-8", "surrogatepass")
    sent = await client.post(
        "/s/cafe/erasure?lang=en",
        content=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert sent.status_code == 422
    assert "<title>Error: " in sent.text
    assert 'href="#f-receipt"' in sent.text
    assert "autofocus" in sent.text
    assert said in sent.text
    kept = re.search(r"<textarea[^>]*>\n(.*?)</textarea>", sent.text, re.DOTALL)
    assert kept
    if typed.isprintable():
        assert html.unescape(kept[1]) == typed[:200]


async def test_japanese_readers_are_told_in_japanese(client: httpx.AsyncClient) -> None:
    headers = {"Accept-Language": "ja"}
    page = await client.get("/s/cafe/erasure", headers=headers)
    assert 'lang="ja"' in page.text
    sent = await client.post("/s/cafe/erasure", data={"receipt": "123"}, headers=headers)
    assert sent.status_code == 422
    assert "エラー" in sent.text
    assert "Receipt" not in sent.text


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE surveys SET state = 'closed'",
        "UPDATE survey_links SET revoked_at = now()",
        "UPDATE surveys SET held_since = '2026-01-01'",
        EXCLUDE,
    ],
    ids=["closed survey", "revoked link", "legal hold", "excluded answer"],
)
async def test_nothing_stands_in_the_way(
    client: httpx.AsyncClient, owner: psycopg.Connection, change: str
) -> None:
    receipt = await answered(client, score="9")
    for statement in change.split(";"):
        owner.execute(statement.encode())
    page = await client.get("/s/cafe")
    if page.status_code == 410:
        assert 'href="/s/cafe/erasure?lang=en"' in page.text
    assert (await client.get("/s/cafe/erasure")).status_code == 200
    assert (await erase(client, receipt)).status_code == 303
    assert stored_answers(owner) == []
    assert stored_counts(owner) == {}


async def test_any_link_of_the_workspace_will_do_and_no_other(
    client: httpx.AsyncClient, owner: psycopg.Connection, database: Database, cast: Cast
) -> None:
    """A link may have been pointed at another survey since."""
    async with database.transaction(cast.acme) as session:
        await make_scene(session, cast.acme, slug="other-survey")
    async with database.transaction(cast.globex) as session:
        await make_scene(session, cast.globex, slug="globex")
    receipt = await answered(client, score="9")
    assert (await erase(client, receipt, "globex")).status_code == 404
    assert stored_answers(owner) == [(9, None)]
    assert (await erase(client, receipt, "other-survey")).status_code == 303
    assert stored_answers(owner) == []
    assert (await erase(client, receipt, "unknown")).status_code == 404


async def test_an_amended_answer_keeps_its_receipt(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    ticket = ticket_in(await client.get("/s/cafe"))
    first = await answered(client, ticket, score="2", comment="first words")
    second = await answered(client, ticket, score="8", comment="second words")
    assert first == second
    assert (await erase(client, first)).status_code == 303
    assert stored_counts(owner) == {}
    assert "words" not in everything(owner)


async def test_sending_the_form_again_is_a_new_answer(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    """Only a person can do that, with the form still open; they get a receipt of its own."""
    ticket = ticket_in(await client.get("/s/cafe"))
    old = await answered(client, ticket, score="2")
    await erase(client, old)
    new = await answered(client, ticket, score="3")
    assert new != old
    assert stored_answers(owner) == [(3, None)]
    assert (await erase(client, old)).status_code == 404
    assert stored_answers(owner) == [(3, None)]
    assert stored_counts(owner) == recount(owner)


async def test_what_was_published_stays(
    client: httpx.AsyncClient, owner: psycopg.Connection, scene: Scene
) -> None:
    receipt = await answered(client, score="9", **{"segment.age": "old"})
    month = clock.today("Asia/Tokyo").replace(day=1)
    edition = new_id()
    owner.execute(
        "INSERT INTO editions (workspace_id, id, survey_id, closed_through)"
        " VALUES (%s, %s, %s, %s)",
        [scene.workspace_id, edition, scene.survey_id, month],
    )
    scores = ", ".join(f"score_{score}" for score in range(11))
    owner.execute(
        f"INSERT INTO closed_counts (workspace_id, edition_id, month, segment_set_id, language,"  # noqa: S608
        f" channel, {scores}) SELECT workspace_id, %s, %s, segment_set_id, language, channel,"
        f" {scores} FROM daily_counts".encode(),
        [edition, month],
    )
    owner.execute(
        "INSERT INTO published_figures (workspace_id, id, edition_id, survey_id, first_month,"
        " last_month, width, labels, promoters, passives, detractors)"
        " VALUES (%s, %s, %s, %s, %s, %s, 1, %s, 5, 0, 0)",
        [scene.workspace_id, new_id(), edition, scene.survey_id, month, month,
         json.dumps({"segment.age": "old"})],
    )  # fmt: skip

    def frozen() -> list[object]:
        return [
            owner.execute(f"SELECT * FROM {table}".encode()).fetchall()  # noqa: S608
            for table in ("closed_counts", "published_figures", "editions")
        ]

    before = frozen()
    assert all(before)
    assert (await erase(client, receipt)).status_code == 303
    assert frozen() == before
    assert stored_counts(owner) == {}


async def test_a_database_that_is_away_costs_no_receipt(
    client: httpx.AsyncClient, owner: psycopg.Connection
) -> None:
    receipt = await answered(client, score="9")
    with database_away(owner):
        sent = await erase(client, receipt)
    assert sent.status_code == 503
    assert sent.headers["retry-after"] == "5"
    assert receipt in sent.text
    assert (await erase(client, receipt)).status_code == 303


async def test_erasing_and_amending_at_once(
    database: Database, owner: psycopg.Connection, scene: Scene
) -> None:
    """Either the amendment is erased with the answer, or it came too late and is a new answer."""
    for _ in range(15):
        key, first = new_id(), new_id()

        def version(score: int, id_: object = None, key: object = key) -> NewAnswer:
            given = {"id": id_} if id_ else {}
            return NewAnswer(
                scene.survey_id, scene.version_id, score, None, "en", Channel.LINK,
                clock.today("Asia/Tokyo"), submission_key=key, **given,  # type: ignore[arg-type]
            )  # fmt: skip

        async def store(new: NewAnswer) -> None:
            async with database.transaction(scene.workspace_id) as session:
                await store_answers(session, scene.workspace_id, [new])

        async def take_back(response_id: object = first) -> None:
            async with database.transaction(scene.workspace_id) as session:
                await erase_response(
                    session, scene.workspace_id, response_id, DeletionReason.RECEIPT  # type: ignore[arg-type]
                )  # fmt: skip

        await store(version(1, first))
        await asyncio.gather(take_back(), store(version(2)), store(version(3)))
        assert owner.execute("SELECT id FROM responses WHERE id = %s", [first]).fetchone() is None
        assert stored_counts(owner) == recount(owner)


def recorded(sent: httpx.Response) -> str:
    assert sent.status_code == 201, sent.text
    receipt: str = sent.json()["receipt"]
    return receipt


async def test_answers_of_the_api_have_receipts(
    acme_api: httpx.AsyncClient, owner: psycopg.Connection, scene: Scene, client: httpx.AsyncClient
) -> None:
    path = f"/api/v1/surveys/{scene.survey_id}"
    one = recorded(await acme_api.post(f"{path}/responses", json={"score": 1}))
    batch = await acme_api.post(
        f"{path}/responses/batch", json={"responses": [{"score": 2}, {"score": 3}, {"score": 4}]}
    )
    two, three, _four = [row["receipt"] for row in batch.json()["data"]]
    for receipt in (one, two.lower().replace(" ", "")):
        gone = await acme_api.post(f"{path}/erasures", json={"receipt": receipt})
        assert (gone.status_code, gone.content) == (204, b"")
    again = await acme_api.post(f"{path}/erasures", json={"receipt": one})
    assert again.status_code == 404
    wrong = await acme_api.post(f"{path}/erasures", json={"receipt": one[:-1] + "?"})
    assert wrong.status_code == 422
    assert [param["name"] for param in wrong.json()["invalid_params"]] == ["receipt"]
    assert (await erase(client, three)).status_code == 303
    assert stored_answers(owner) == [(4, None)]
    assert stored_counts(owner) == recount(owner)
    assert deletions(owner) == [("api", 2), ("receipt", 1)]


async def test_a_program_erases_only_within_its_survey(
    acme_api: httpx.AsyncClient, acme_reader: httpx.AsyncClient, globex_api: httpx.AsyncClient,
    database: Database, cast: Cast, owner: psycopg.Connection, scene: Scene,
) -> None:  # fmt: skip
    async with database.transaction(cast.acme) as session:
        other = await make_scene(session, cast.acme, slug="other-survey")
    path = "/api/v1/surveys/{}/erasures"
    sent = await acme_api.post(f"/api/v1/surveys/{scene.survey_id}/responses", json={"score": 1})
    body = {"receipt": recorded(sent)}
    for program, survey_id, status in (
        (acme_reader, scene.survey_id, 403),
        (globex_api, scene.survey_id, 404),
        (acme_api, other.survey_id, 404),
        (acme_api, new_id(), 404),
    ):
        assert (await program.post(path.format(survey_id), json=body)).status_code == status
    assert stored_answers(owner) == [(1, None)]
    assert owner.execute("SELECT count(*) FROM audit_events").fetchone() == (0,)


async def test_a_retry_does_not_bring_an_answer_back(
    acme_api: httpx.AsyncClient, owner: psycopg.Connection, scene: Scene
) -> None:
    path = f"/api/v1/surveys/{scene.survey_id}"
    call = {
        "url": f"{path}/responses",
        "json": {"score": 6, "comment": "once"},
        "headers": {"Idempotency-Key": "order 4711"},
    }
    receipt = recorded(await acme_api.post(**call))  # type: ignore[arg-type]
    assert recorded(await acme_api.post(**call)) == receipt  # type: ignore[arg-type]
    assert "receipt" not in json.dumps(
        owner.execute("SELECT body FROM idempotency_records").fetchall()
    )
    await acme_api.post(f"{path}/erasures", json={"receipt": receipt})
    assert (await acme_api.post(**call)).status_code == 404  # type: ignore[arg-type]
    assert stored_answers(owner) == []
    assert "once" not in everything(owner)


def _spellings(receipt: str) -> Iterator[str]:
    plain = receipt.replace(" ", "")
    for spelled in (
        receipt,
        plain,
        receipt.replace(" ", "-"),
        receipt.replace(" ", "+"),
        plain[:25],
    ):
        yield spelled
        yield spelled.lower()


async def test_a_receipt_is_kept_nowhere(
    settings: Settings, cast: Cast, scene: Scene, owner: psycopg.Connection, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    with server_processes(settings, 1, "DEBUG", log) as [address]:
        async with httpx.AsyncClient(base_url=address, timeout=60, trust_env=False) as client:
            thanks = await answer(client, score="3", comment="kept")
            receipt = receipt_on(await client.get(thanks))
            assert receipt
            bearer = {"Authorization": f"Bearer {cast.acme_key}"}
            api = f"/api/v1/surveys/{scene.survey_id}"
            sent = await client.post(
                f"{api}/responses", json={"score": 7},
                headers={**bearer, "Idempotency-Key": "one"},
            )  # fmt: skip
            by_api = recorded(sent)
            stored = everything(owner)
            for code, path in (
                (receipt[:-1], "erasure"),
                (receipt, "erasure"),
                (receipt, "erasure"),
            ):
                await client.post(f"/s/cafe/{path}", data={"receipt": code})
            gone = await client.post(f"{api}/erasures", json={"receipt": by_api}, headers=bearer)
            assert gone.status_code == 204
    assert stored_answers(owner) == []
    shown = thanks.partition("receipt=")[2]
    everywhere = stored + everything(owner) + log.read_text()
    for secret in [shown, *_spellings(receipt), *_spellings(by_api)]:
        assert secret not in everywhere
    assert "/s/" not in log.read_text()
