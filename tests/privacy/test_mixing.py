"""Of answers that stand, the database does not know in which order they came, or between what."""

import uuid
from dataclasses import replace
from datetime import timedelta

import psycopg
import pytest

from app.accounts.schemas import SYSTEM
from app.foundation import clock
from app.foundation.database import Database
from app.responses import mixing
from app.responses.erasure import erase_response
from app.responses.jobs import expire_submission_keys
from app.responses.marking import Marks, mark_responses
from app.responses.models import DeletionReason
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.responses.tags import create_tag
from app.surveys.models import Channel
from tests.factories import Cast
from tests.responses.scene import Scene, make_scene, recount, stored_answers, stored_counts

ANSWERS = 300  # several pages of the table


@pytest.fixture
async def scene(database: Database, cast: Cast) -> Scene:
    async with database.transaction(cast.acme) as session:
        return await make_scene(session, cast.acme)


async def _answer(database: Database, scene: Scene, number: int, times: int = 1) -> list[uuid.UUID]:
    """Answers sent so many times, each time a transaction; the ids in the order they came."""
    ids = []
    for at in range(number):
        answer = NewAnswer(
            scene.survey_id, scene.version_id, at % 11, f"No. {at} " + "x" * 80, "en",
            Channel.LINK, clock.today("Asia/Tokyo"), labels={"plan": ("free", "pro")[at % 2]},
            submission_key=uuid.uuid4(), address=f"r{at}@customer.example",
        )  # fmt: skip
        first: list[uuid.UUID] = []
        for _time in range(times):
            answer = replace(answer, id=uuid.uuid4(), comment=f"{answer.comment}.")
            async with database.transaction(scene.workspace_id) as session:
                [stored] = await store_answers(session, scene.workspace_id, [answer])
            first.append(stored.id)
        ids.append(first[-1])
    return ids


def _rows(owner: psycopg.Connection) -> list[tuple[uuid.UUID, int]]:
    """Id and transaction of each answer, by their places in the table's file."""
    return owner.execute("SELECT id, xmin::text::bigint FROM responses ORDER BY ctid").fetchall()


def _agreement(order: list[uuid.UUID], other: list[uuid.UUID]) -> float:
    """Kendall's rank correlation: 1 for the same order, about 0 for two that have nothing to do
    with one another."""
    rank = {id_: at for at, id_ in enumerate(other)}
    ranks = [rank[id_] for id_ in order]
    pairs = [(a, b) for at, a in enumerate(ranks) for b in ranks[at + 1 :]]
    return sum(1 if a < b else -1 for a, b in pairs) / len(pairs)


async def _let_two_days_pass(database: Database) -> int:
    with clock.fixed(clock.now() + timedelta(days=2)):
        return await expire_submission_keys(database)


@pytest.mark.parametrize("times", [1, 2], ids=["sent", "amended"])
async def test_answers_of_past_days_have_no_order(
    database: Database, scene: Scene, owner: psycopg.Connection, times: int
) -> None:
    came = await _answer(database, scene, ANSWERS, times)
    before = _rows(owner)
    assert _agreement([id_ for id_, _xmin in before], came) > 0.9, "else nothing is to be mixed"
    answers, counts = sorted(stored_answers(owner)), stored_counts(owner)
    assert await _let_two_days_pass(database) == ANSWERS
    after = _rows(owner)
    assert len({xmin for _id, xmin in after}) == 1
    assert abs(_agreement([id_ for id_, _xmin in after], came)) < 0.25
    beside = owner.execute(
        "SELECT response_id, xmin::text::bigint FROM response_contacts ORDER BY ctid"
    ).fetchall()
    assert {xmin for _id, xmin in beside} == {xmin for _id, xmin in after}
    assert abs(_agreement([id_ for id_, _xmin in beside], came)) < 0.25
    assert sorted(stored_answers(owner)) == answers
    assert stored_counts(owner) == counts == recount(owner)


async def test_no_row_beside_an_answer_tells_when_it_came(
    database: Database, scene: Scene, cast: Cast, owner: psycopg.Connection
) -> None:
    """A lone answer with labels of its own, between two acts whose moments are known: whatever
    was written with it is now younger than both."""
    [first, _second] = await _answer(database, scene, 2)
    async with database.transaction(cast.acme) as session:
        where = (session, cast.acme, SYSTEM, scene.survey_id)
        tag = await create_tag(*where, "Staff")
        marks = Marks(add=[tag.id], is_starred=True)
        await mark_responses(*where, [first], marks)
    owner.execute("UPDATE workspaces SET name = name WHERE id = %s", [cast.acme])
    mark = owner.execute("SELECT max(xmin::text::bigint) FROM workspaces").fetchone()
    await _let_two_days_pass(database)
    for table in (
        "responses", "response_contacts", "response_tags", "daily_counts", "segment_sets",
    ):  # fmt: skip
        oldest = owner.execute(f"SELECT min(xmin::text::bigint) FROM {table}").fetchone()  # noqa: S608
        assert oldest
        assert mark
        assert oldest[0] > mark[0], table
    assert owner.execute("SELECT count(*) FROM submission_keys").fetchone() == (0,)


async def test_what_may_still_be_amended_stays(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    await _answer(database, scene, 3)
    before = _rows(owner)
    with clock.fixed(clock.now() + timedelta(days=1)):
        assert await expire_submission_keys(database) == 0
    assert _rows(owner) == before


async def test_many_go_in_parts_that_are_random_too(
    database: Database, scene: Scene, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mixing, "MIXED_AT_ONCE", 10)
    await _answer(database, scene, 25)
    assert await _let_two_days_pass(database) == 25
    parts: dict[int, list[uuid.UUID]] = {}
    for id_, xmin in _rows(owner):
        parts.setdefault(xmin, []).append(id_)
    assert sorted(map(len, parts.values())) == [5, 10, 10]
    ordered = [
        max(parts[xmin]) < min(parts[other]) for xmin in parts for other in parts if other > xmin
    ]
    assert all(ordered), "each part is a range of random ids"


async def test_an_answer_can_be_taken_back_while_others_are_mixed(
    database: Database, scene: Scene, owner: psycopg.Connection
) -> None:
    first, *_others = await _answer(database, scene, 4)
    with clock.fixed(clock.now() + timedelta(days=2)):
        async with database.transaction(scene.workspace_id) as mixer:
            before = clock.today("Asia/Tokyo") - timedelta(days=1)
            assert await mixing.mix_answers(mixer, scene.workspace_id, before) == 4
            assert len(stored_answers(owner)) == 4
        async with database.transaction(scene.workspace_id) as session:
            await erase_response(session, scene.workspace_id, first, DeletionReason.RECEIPT)
    assert len(stored_answers(owner)) == 3
    assert stored_counts(owner) == recount(owner)
