"""Lines of the audit log get their numbers late and without gaps, whoever writes at once."""

import asyncio
import uuid
from contextlib import suppress

import psycopg
import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.audit_verification import verify_audit_log
from app.accounts.schemas import SYSTEM, Actor
from app.foundation.database import Database, before_commit
from app.foundation.tokens import new_id
from tests.factories import Cast

WRITERS = 20


async def _record(database: Database, workspace_id: uuid.UUID, *actions: str) -> None:
    async with database.transaction(workspace_id) as session:
        for action in actions:
            record_event(session, workspace_id, SYSTEM, action)


def _lines(owner: psycopg.Connection, workspace_id: uuid.UUID) -> list[tuple[int, str]]:
    return owner.execute(
        "SELECT number, action FROM audit_events WHERE workspace_id = %s ORDER BY number",
        [workspace_id],
    ).fetchall()


async def test_lines_are_numbered_from_one_in_each_workspace(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    await _record(database, cast.acme, "act.one", "act.two")
    await _record(database, cast.globex, "act.other")
    await _record(database, cast.acme, "act.three")
    assert _lines(owner, cast.acme) == [(1, "act.one"), (2, "act.two"), (3, "act.three")]
    assert _lines(owner, cast.globex) == [(1, "act.other")]


async def test_one_transaction_may_write_to_several_logs(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    async with database.transaction() as session:
        for workspace_id in (cast.globex, cast.acme, cast.globex):
            record_event(session, workspace_id, SYSTEM, "act.done")
    assert [number for number, _action in _lines(owner, cast.globex)] == [1, 2]
    assert (await verify_audit_log(database, cast.acme)).intact.number == 1
    assert (await verify_audit_log(database, cast.globex)).fault is None


async def test_many_who_write_at_once_get_numbers_in_a_row(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    acts = (("act.first", "act.second") for _ in range(WRITERS))
    await asyncio.gather(*(_record(database, cast.acme, *pair) for pair in acts))
    lines = _lines(owner, cast.acme)
    assert [number for number, _action in lines] == list(range(1, 2 * WRITERS + 1))
    # What one transaction did stands together.
    assert [action for _number, action in lines] == ["act.first", "act.second"] * WRITERS
    report = await verify_audit_log(database, cast.acme)
    assert (report.fault, report.intact.number) == (None, 2 * WRITERS)


async def test_those_who_write_to_the_same_logs_never_deadlock(
    database: Database, cast: Cast
) -> None:
    async def write(*workspaces: uuid.UUID) -> None:
        async with database.transaction() as session:
            for workspace_id in workspaces:
                record_event(session, workspace_id, SYSTEM, "session.started")

    orders = [(cast.acme, cast.globex), (cast.globex, cast.acme)] * (WRITERS // 2)
    await asyncio.gather(*(write(*order) for order in orders))
    for workspace_id in (cast.acme, cast.globex):
        report = await verify_audit_log(database, workspace_id)
        assert (report.fault, report.intact.number) == (None, WRITERS)


async def test_what_is_noted_at_the_very_end_is_written_too(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    async def note(session: AsyncSession) -> None:
        record_event(session, cast.acme, SYSTEM, "act.last")

    async with database.transaction(cast.acme) as session:
        record_event(session, cast.acme, SYSTEM, "act.first")
        before_commit(session, note)
    assert _lines(owner, cast.acme) == [(1, "act.first"), (2, "act.last")]


async def test_a_long_transaction_keeps_nobody_waiting(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    async with database.transaction(cast.acme) as session:
        record_event(session, cast.acme, SYSTEM, "import.stored")
        await session.flush()
        await asyncio.wait_for(_record(database, cast.acme, "session.started"), timeout=5)
    assert _lines(owner, cast.acme) == [(1, "session.started"), (2, "import.stored")]


async def test_what_was_rolled_back_leaves_no_gap(
    database: Database, cast: Cast, owner: psycopg.Connection
) -> None:
    with suppress(RuntimeError):
        async with database.transaction(cast.acme) as session:
            record_event(session, cast.acme, SYSTEM, "act.undone")
            raise RuntimeError
    await _record(database, cast.acme, "act.done")
    assert _lines(owner, cast.acme) == [(1, "act.done")]


async def test_whatever_details_hold_is_sealed_as_it_is_stored(
    database: Database, cast: Cast
) -> None:
    details = {
        "名前": '本音 😀 "quoted" \\ \u2028 \x7f',
        "big": 2**70,
        "list": (1, [None, True, {"b": 1, "a": []}]),
        "": "",
    }
    async with database.transaction(cast.acme) as session:
        record_event(session, cast.acme, Actor("user", new_id()), "act.done", new_id(), details)
        details["big"] = 0
    assert (await verify_audit_log(database, cast.acme)).fault is None


@pytest.mark.parametrize("value", [0.5, 1e30, float("nan"), float("inf")])
async def test_fractions_are_refused(database: Database, cast: Cast, value: float) -> None:
    async with database.transaction(cast.acme) as session:
        with pytest.raises(TypeError):
            record_event(session, cast.acme, SYSTEM, "act.done", None, {"value": [value]})
