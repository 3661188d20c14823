"""Statements that travel together do what they would do one by one."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import suppress
from functools import partial

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError, OperationalError, ProgrammingError

from app.foundation.database import Database
from app.foundation.line import Line
from app.foundation.questions import bind
from tests.factories import Cast

ECHO = text("SELECT CAST(:ids AS uuid[]), CAST(:words AS text[]), CAST(:number AS integer), :word")
ADD = text(
    "INSERT INTO api_keys (workspace_id, id, name, hint, token_hash, scopes, created_at)"
    " VALUES (:workspace_id, :id, 'line', '', decode(:hash, 'hex'), '[]', '2026-03-14T12:00Z')"
)
COUNT = text("SELECT count(*) FROM api_keys WHERE workspace_id = :workspace_id AND name = 'line'")
STORABLE = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]))


@pytest.fixture
async def line(database: Database) -> AsyncIterator[Line]:
    line = database.lines.take()
    yield line
    await line.close()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ids=st.lists(st.none() | st.uuids(), max_size=4),
    words=st.lists(st.none() | STORABLE | st.sampled_from(["NULL", "", "{}", '"\\', "a,b"])),
    number=st.none() | st.integers(-(2**31), 2**31 - 1),
    word=STORABLE,
)
async def test_parameters_arrive_as_they_are(
    database: Database,
    cast: Cast,
    ids: list[uuid.UUID | None],
    words: list[str | None],
    number: int | None,
    word: str,
) -> None:
    line = database.lines.take()
    given_values = {"ids": ids, "words": words, "number": number, "word": word}
    async with line.transaction(cast.acme):
        rows = await line.execute(ECHO, given_values)
    await line.close()
    assert [tuple(row) for row in rows] == [(ids, words, number, word)]


async def test_it_is_the_runtime_role_in_one_workspace(line: Line, cast: Cast) -> None:
    async with line.transaction(cast.acme):
        [row] = await line.execute(
            text("SELECT current_user, current_setting('app.workspace_id')"), {}
        )
        [(count,)] = await line.execute(
            text("SELECT count(*) FROM api_keys WHERE workspace_id = :other"),
            {"other": cast.globex},
        )
    assert tuple(row) == ("honne_runtime", str(cast.acme))
    assert count == 0
    async with line.transaction(cast.globex):
        [row] = await line.execute(text("SELECT current_setting('app.workspace_id')"), {})
    assert tuple(row) == (str(cast.globex),)


async def test_a_workspace_is_entered_by_its_uuid(line: Line) -> None:
    with pytest.raises(TypeError):
        async with line.transaction("x'; DROP TABLE responses; --"):  # type: ignore[arg-type]
            pass


def key_of(cast: Cast) -> dict[str, object]:
    id_ = uuid.uuid4()
    return {"workspace_id": cast.acme, "id": id_, "hash": id_.hex}


def count_keys(owner: psycopg.Connection) -> int:
    [(count,)] = owner.execute("SELECT count(*) FROM api_keys WHERE name = 'line'")
    assert isinstance(count, int)
    return count


async def test_leaving_commits(line: Line, cast: Cast, owner: psycopg.Connection) -> None:
    async with line.transaction(cast.acme):
        await line.execute(ADD, key_of(cast))
        await line.execute(ADD, key_of(cast))
        [(count,)] = await line.execute(COUNT, {"workspace_id": cast.acme})
        assert count_keys(owner) == 0
    assert count == count_keys(owner) == 2


async def test_raising_rolls_back(line: Line, cast: Cast, owner: psycopg.Connection) -> None:
    with suppress(ZeroDivisionError):
        async with line.transaction(cast.acme):
            await line.execute(ADD, key_of(cast))
            await line.flush()
            raise ZeroDivisionError
    assert count_keys(owner) == 0


async def add_all(line: Line, cast: Cast, *keys: dict[str, object]) -> None:
    async with line.transaction(cast.acme):
        for key in keys:
            await line.execute(ADD, key)


async def test_what_is_refused_is_raised_at_the_latest_on_leaving(
    line: Line, cast: Cast, owner: psycopg.Connection
) -> None:
    twice = key_of(cast)
    with pytest.raises(IntegrityError) as caught:
        await add_all(line, cast, twice, twice, key_of(cast))
    assert isinstance(caught.value.orig, psycopg.errors.UniqueViolation)
    assert count_keys(owner) == 0
    await add_all(line, cast, twice)  # on another connection
    assert count_keys(owner) == 1


@pytest.mark.parametrize("value", ["a\0b", ["a\0b"]])
async def test_a_nul_is_refused(line: Line, cast: Cast, value: object) -> None:
    with pytest.raises(DataError):
        await add_all(line, cast, {**key_of(cast), "hash": value})


async def test_a_connection_that_died_is_replaced(
    line: Line, cast: Cast, owner: psycopg.Connection
) -> None:
    async with line.transaction(cast.acme):
        [(pid,)] = await line.execute(text("SELECT pg_backend_pid()"), {})
    owner.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    with pytest.raises(OperationalError):
        await add_all(line, cast, key_of(cast))
    await add_all(line, cast, key_of(cast))
    assert count_keys(owner) == 1


async def store_each(
    line: Line, cast: Cast, *works: list[dict[str, object]]
) -> list[Exception | None]:
    async def write(keys: list[dict[str, object]], line: Line) -> None:
        for key in keys:
            await line.execute(ADD, key)

    return await line.store([(cast.acme, partial(write, keys)) for keys in works])


async def test_several_are_stored_and_what_is_refused_fails_alone(
    line: Line, cast: Cast, owner: psycopg.Connection
) -> None:
    twice = key_of(cast)
    found = await store_each(line, cast, [key_of(cast)], [twice, twice, key_of(cast)], [twice])
    assert [type(error) for error in found] == [type(None), IntegrityError, type(None)]
    assert count_keys(owner) == 2
    assert await store_each(line, cast, [key_of(cast)]) == [None]  # on another connection
    assert count_keys(owner) == 3


async def test_a_commit_that_is_refused_is_told_of_its_own_transaction(
    line: Line, cast: Cast, owner: psycopg.Connection
) -> None:
    """What came next had not begun: it is refused with it, and stored by nobody unseen."""
    owner.execute(
        "ALTER TABLE api_keys ADD CONSTRAINT late EXCLUDE USING btree"
        " (substring(token_hash FROM 1 FOR 1) WITH =) WHERE (name = 'line')"
        " DEFERRABLE INITIALLY DEFERRED"
    )
    one, same, following, last = (
        {**key_of(cast), "hash": first + uuid.uuid4().hex} for first in ("aa", "aa", "bb", "cc")
    )
    found = await store_each(line, cast, [one], [same], [following], [last])
    assert [type(error) for error in found] == [
        type(None), IntegrityError, IntegrityError, type(None),
    ]  # fmt: skip
    assert count_keys(owner) == 2


async def test_where_statements_vanish_nobody_is_told_of_anothers_success(
    line: Line, cast: Cast, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a pooler hands the connection to somebody else."""
    assert await store_each(line, cast, [key_of(cast)]) == [None]
    commit = Line._commit_alone

    def commit_and_forget(line: Line) -> None:
        commit(line)
        line._send("DEALLOCATE ALL")

    monkeypatch.setattr(Line, "_commit_alone", commit_and_forget)
    found = await store_each(line, cast, [key_of(cast)], [key_of(cast)])
    assert [type(error) for error in found] == [type(None), ProgrammingError]
    assert count_keys(owner) == 2


async def test_what_cannot_be_sent_stops_all_of_them(
    line: Line, cast: Cast, owner: psycopg.Connection
) -> None:
    with pytest.raises(DataError):
        await store_each(line, cast, [key_of(cast)], [{**key_of(cast), "hash": "a\0b"}])
    assert count_keys(owner) == 0


async def test_megabytes_arrive_both_ways(database: Database, cast: Cast) -> None:
    """More than the buffers on the way hold, so both ends must read while they write."""
    line = database.lines.take()
    words = ["ほんね" * 30_000]
    echo = bind(ECHO, {"ids": [], "words": words, "number": 1, "word": ""})
    refused = bind(ECHO, {"ids": [], "words": words, "number": "one", "word": ""})
    async with asyncio.timeout(20):
        found = await line.ask([(cast.acme, refused if n == 7 else echo) for n in range(20)])
    await line.close()
    [(number, error)] = [(n, one) for n, one in enumerate(found) if isinstance(one, Exception)]
    assert (number, type(error)) == (7, DataError)
    assert [len(one) for n, one in enumerate(found) if n != number] == [1] * 19  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "column",
    [
        [],
        [5, 5, 5],
        [5, 6, None],
        ["a", "a"],
        ["a", "b", "a"],
        [None, None],
        [uuid.UUID(int=1), uuid.UUID(int=2**127)],
        [uuid.UUID(int=3)] * 3,
    ],
)
async def test_a_column_arrives_as_it_is(line: Line, cast: Cast, column: list[object]) -> None:
    kind = {int: "integer", uuid.UUID: "uuid"}.get(type(column[0]) if column else str, "text")
    async with line.transaction(cast.acme):
        [(found,)] = await line.execute(
            text(f"SELECT CAST(:column AS {kind}[])"), {"column": column}
        )
    assert found == column


async def test_an_error_that_was_caught_is_no_commit(line: Line, cast: Cast) -> None:
    async def go_on() -> None:
        async with line.transaction(cast.acme):
            with suppress(DataError):
                await line.execute(text("SELECT 1 / 0"), {})

    with pytest.raises(OperationalError, match="not committed"):
        await go_on()


def test_a_name_means_the_same_to_all_processes() -> None:
    """They may come to share a connection."""
    names = [bind(text(f"SELECT {n}"), {}).statement.name for n in (1, 2, 1)]
    assert names[0] == names[2] != names[1]
