"""The terms of comments are kept in step with the comments, and say nothing about their order."""

import uuid
from datetime import date, timedelta

import psycopg
import pytest
from sqlalchemy.exc import IntegrityError

from app.foundation import clock
from app.foundation.database import Database
from app.reporting import indexing
from app.reporting.indexing import index_comments
from app.reporting.terms import RULES
from app.responses.erasure import erase_response
from app.responses.jobs import enforce_retention, expire_submission_keys
from app.responses.models import DeletionReason
from app.responses.schemas import NewAnswer
from app.responses.storing import store_answers
from app.surveys.models import Channel
from tests.factories import Cast
from tests.reporting.data import NOW, TODAY, Answer, make_survey
from tests.responses.scene import Scene

Terms = dict[str, dict[str, str]]


def kept_terms(owner: psycopg.Connection) -> Terms:
    rows = owner.execute(
        "SELECT comment, keys, written FROM comment_terms"
        " JOIN responses ON id = response_id ORDER BY comment"
    ).fetchall()
    return {str(comment): dict(zip(keys, written, strict=True)) for comment, keys, written in rows}


async def send(database: Database, scene: Scene, key: uuid.UUID, comment: str | None) -> uuid.UUID:
    answer = NewAnswer(
        scene.survey_id, scene.version_id, 9, comment, "en", Channel.LINK, TODAY,
        labels={}, submission_key=key,
    )  # fmt: skip
    async with database.transaction(scene.workspace_id) as session:
        [stored] = await store_answers(session, scene.workspace_id, [answer])
    return stored.id


async def test_every_comment_is_read_once_and_in_its_language(
    database: Database, cast: Cast, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "ANSWERS_AT_ONCE", 3)
    monkeypatch.setattr(indexing, "COMMENTS_AT_ONCE", 2)
    answers = [
        Answer(TODAY, 9, comment="The waiters were not friendly."),
        Answer(TODAY, 9, comment="店員が親切でした。", language="ja"),
        Answer(TODAY, 9, comment="!!!"),
        Answer(TODAY, 9),
        Answer(date(2026, 5, 1), 2, comment="Queues, queues"),
    ]
    await make_survey(database, cast.acme, answers)
    assert await index_comments(database) == 4
    assert kept_terms(owner) == {
        "!!!": {},
        "Queues, queues": {"queue": "queues"},
        "The waiters were not friendly.": {
            "waiter": "waiters",
            "¬friend": "not friendly",
            "waiter ¬friend": "waiters were not friendly",
        },
        "店員が親切でした。": {"店員": "店員", "親切": "親切", "店員 親切": "店員が親切"},
    }
    assert await index_comments(database) == 0


async def test_a_look_finds_so_many_answers_in_the_order_of_their_ids(
    database: Database, cast: Cast, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "ANSWERS_AT_ONCE", 3)
    await make_survey(database, cast.acme, [Answer(TODAY, 9, comment="Quick")] * 8)
    ids = [id_ for (id_,) in owner.execute("SELECT id FROM responses ORDER BY id")]
    looks = []
    last: uuid.UUID | None = uuid.UUID(int=0)
    while last is not None:
        unread, last = await indexing._find_unread(database, cast.acme, last)
        looks.append([row[0] for row in unread])
    assert looks == [ids[:3], ids[3:6], ids[6:]]


async def test_a_comment_that_was_changed_is_read_again(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    scene, key = await make_survey(database, cast.acme), uuid.uuid4()
    await send(database, scene, key, "Quick")
    assert await index_comments(database) == 1
    await send(database, scene, key, "Friendly")
    assert await index_comments(database) == 1
    assert kept_terms(owner) == {"Friendly": {"friend": "friendly"}}
    await send(database, scene, key, None)
    assert await index_comments(database) == 1
    assert kept_terms(owner) == {"None": {}}
    assert await index_comments(database) == 0


async def test_comments_are_read_again_once_the_rules_are_others(
    database: Database, cast: Cast, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_survey(database, cast.acme, [Answer(TODAY, 9, comment="Quick")])
    await index_comments(database)
    owner.execute("UPDATE comment_terms SET keys = '{old}', written = '{old}'")
    assert await index_comments(database) == 0
    monkeypatch.setattr(indexing, "RULES", RULES + 1)
    assert await index_comments(database) == 1
    assert kept_terms(owner) == {"Quick": {"quick": "quick"}}
    assert await index_comments(database) == 0


async def test_what_is_no_answer_that_went_is_an_error(
    database: Database, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    await make_survey(database, cast.acme, [Answer(TODAY, 9, comment="Quick")])
    monkeypatch.setattr(indexing, "RULES", None)
    with pytest.raises(IntegrityError):
        await index_comments(database)


async def test_terms_go_with_their_answer(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    answers = [Answer(TODAY, 9, comment="Quick"), Answer(date(2023, 1, 1), 9, comment="Ancient")]
    scene = await make_survey(database, cast.acme, answers)
    answer = await send(database, scene, uuid.uuid4(), "Friendly")
    await index_comments(database)
    assert list(kept_terms(owner)) == ["Ancient", "Friendly", "Quick"]
    async with database.transaction(cast.acme) as session:
        await erase_response(session, cast.acme, answer, DeletionReason.RECEIPT)
    await enforce_retention(database)
    assert owner.execute("SELECT keys FROM comment_terms").fetchall() == [(["quick"],)]


async def test_the_order_in_which_comments_were_read_is_forgotten(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    scene = await make_survey(database, cast.acme)
    for at in range(6):
        await send(database, scene, uuid.uuid4(), f"Comment {at}")
        await index_comments(database)
    rows = "SELECT response_id, xmin::text FROM comment_terms ORDER BY ctid"
    assert len({xmin for _id, xmin in owner.execute(rows)}) == 6
    before = kept_terms(owner)
    with clock.fixed(NOW + timedelta(days=2)):
        await expire_submission_keys(database)
    after = owner.execute(rows).fetchall()
    assert len({xmin for _id, xmin in after}) == 1
    assert [id_ for id_, _xmin in after] == sorted(id_ for id_, _xmin in after)
    assert kept_terms(owner) == before


def test_the_planner_samples_no_words(owner: psycopg.Connection) -> None:
    sampled = owner.execute(
        "SELECT attname FROM pg_attribute WHERE attrelid = 'comment_terms'::regclass"
        " AND attname IN ('keys', 'written', 'comment_hash') AND attstattarget <> 0"
    ).fetchall()
    assert not sampled
