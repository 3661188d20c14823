"""Held answers as managers see them."""

import re
from collections.abc import Mapping

import httpx
import psycopg
import pytest

from app.foundation.database import Database
from app.responses.models import HoldReason
from tests.factories import Cast
from tests.reporting.data import TODAY
from tests.reporting.test_pages import dashboard, page
from tests.responses.scene import Scene, recount, stored_counts
from tests.responses.test_reviewing import an_answer, hold_answers, standings

SEVERAL: Mapping[HoldReason | None, int] = {HoldReason.TOO_FAST: 3, HoldReason.TRAP: 1}


@pytest.fixture
async def held(database: Database, scene: Scene) -> str:
    """Four answers wait beside the 39 that count; the address of the survey's pages."""
    await hold_answers(database, scene, TODAY, SEVERAL)
    return dashboard(scene)


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


async def test_the_list_says_how_many_and_why(as_mona: httpx.AsyncClient, held: str) -> None:
    everybody = await page(as_mona, f"{held}/responses")
    assert "4 answers are held for review and not counted" in everybody
    assert f'href="{held}/responses?standing=held"' in everybody
    text = words(await page(as_mona, f"{held}/responses", standing="held"))
    assert "All held answers: 4 answers" in text
    assert "Sent within a second: 3 answers" in text
    assert "A hidden field was filled in: 1 answer" in text
    assert "Very many from one network" not in text
    assert text.count("Held for review Sent within a second") == 3, "on each of the rows"
    assert "figures of subgroups never change" in text
    assert "4 held for review" in words(await page(as_mona, held, period="all"))


async def test_nothing_is_said_where_nothing_waits(
    as_mona: httpx.AsyncClient, scene: Scene
) -> None:
    for query in ({}, {"standing": "held"}):
        html = await page(as_mona, f"{dashboard(scene)}/responses", **query)
        assert "held-responses" not in html
        assert "held for review and not counted" not in html


async def test_one_reason_alone_is_one_group(
    as_mona: httpx.AsyncClient, database: Database, scene: Scene
) -> None:
    await hold_answers(database, scene, TODAY, {HoldReason.FLOOD: 2})
    html = await page(as_mona, f"{dashboard(scene)}/responses", standing="held")
    assert html.count("held-responses/release") == 1
    assert "Count all 2" in html


async def test_subgroups_say_nothing_of_what_is_held(as_mona: httpx.AsyncClient, held: str) -> None:
    query = {"segment.plan": "free", "standing": "held"}
    assert "held-responses" not in await page(as_mona, f"{held}/responses", **query)


async def test_a_manager_counts_one(
    as_mona: httpx.AsyncClient, held: str, owner: psycopg.Connection
) -> None:
    address = f"{held}/responses/{an_answer(owner, 'trap')}/release?standing=held"
    assert f'action="{address}"' in await page(as_mona, f"{held}/responses", standing="held")
    sent = await as_mona.post(address)
    assert (sent.status_code, sent.headers["location"]) == (
        303,
        f"{held}/responses?standing=held",
    )
    assert "NPS from 40 answers" in await page(as_mona, held, period="all")


async def test_a_manager_counts_all_of_a_reason_and_leaves_out_the_rest(
    as_mona: httpx.AsyncClient, held: str, owner: psycopg.Connection
) -> None:
    back = f"{held}/responses?standing=held"
    sent = await as_mona.post(
        f"{held}/held-responses/release?standing=held", data={"held_for": "too_fast"}
    )
    assert (sent.status_code, sent.headers["location"]) == (303, back)
    sent = await as_mona.post(
        f"{held}/held-responses/exclusion?standing=held",
        data={"held_for": "", "reason": "a spammer"},
    )
    assert (sent.status_code, sent.headers["location"]) == (303, back)
    assert standings(owner)["counted", None] == 42
    assert standings(owner)["excluded", None] == 1
    assert stored_counts(owner) == recount(owner)
    assert "NPS from 42 answers" in await page(as_mona, held, period="all")


async def test_the_log_tells_what_was_decided_in_words(
    as_alice: httpx.AsyncClient, held: str, cast: Cast
) -> None:
    await as_alice.post(f"{held}/held-responses/release", data={"held_for": "too_fast"})
    await as_alice.post(f"{held}/held-responses/exclusion", data={"reason": "a spammer"})
    text = words(await page(as_alice, f"/w/{cast.acme}/audit"))
    assert "Counted held answers" in text
    assert "Held because: Sent within a second" in text
    assert "Excluded held answers" in text


async def test_leaving_out_needs_a_reason(
    as_mona: httpx.AsyncClient, held: str, owner: psycopg.Connection
) -> None:
    refused = await as_mona.post(
        f"{held}/held-responses/exclusion?standing=held",
        data={"held_for": "trap", "reason": " "},
    )
    assert refused.status_code == 422
    assert "<title>Error:" in refused.text
    assert 'href="#f-reason-held-trap"' in refused.text
    assert 'id="f-reason-held-trap"' in refused.text
    assert standings(owner)["held", "trap"] == 1


async def test_a_viewer_sees_and_decides_nothing(
    as_bob: httpx.AsyncClient, held: str, owner: psycopg.Connection
) -> None:
    html = await page(as_bob, f"{held}/responses", standing="held")
    assert "Sent within a second" in html
    assert "<form" in html, "the filters"
    assert "held-responses" not in html
    assert "/release" not in html
    for ending in ("held-responses/release", "held-responses/exclusion"):
        assert (await as_bob.post(f"{held}/{ending}", data={"reason": "x"})).status_code == 403
    assert standings(owner)["held", "too_fast"] == 3


async def test_it_reads_in_japanese(
    as_alice: httpx.AsyncClient, held: str, owner: psycopg.Connection
) -> None:
    owner.execute("UPDATE users SET locale = 'ja'")
    text = words(await page(as_alice, f"{held}/responses", standing="held"))
    for english in ("Held", "Sent within", "hidden field", "Count", "subgroups"):
        assert english not in text.replace("Hidden", "")
