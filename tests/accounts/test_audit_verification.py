"""Whoever tampers with the table itself is found out by `honne audit verify`."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
import typer
from anyio import to_thread
from typer.testing import CliRunner, Result

from app.accounts import audit_verification
from app.accounts.audit import record_event
from app.accounts.audit_chain import GENESIS
from app.accounts.commands import register
from app.accounts.schemas import SYSTEM
from app.foundation.database import Database
from app.foundation.settings import Settings
from tests.factories import Cast

LINES = 7


@pytest.fixture
async def log(
    database: Database, cast: Cast, owner: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> Cast:
    """Seven lines in Acme's log, read three at a time."""
    monkeypatch.setattr(audit_verification, "LINES_AT_ONCE", 3)
    for number in range(1, LINES + 1):
        async with database.transaction(cast.acme) as session:
            record_event(session, cast.acme, SYSTEM, "act.done", None, {"turn": number})
    # Without its constraints a table can hold anything.
    owner.execute("ALTER TABLE audit_events DROP CONSTRAINT uq_audit_events_workspace_id_number")
    return cast


async def _verify(settings: Settings, *arguments: str) -> Result:
    """`honne audit verify` on this test's database."""

    @contextmanager
    def ready() -> Iterator[Settings]:
        yield settings

    cli = typer.Typer()
    register(cli, ready)
    return await to_thread.run_sync(
        lambda: CliRunner().invoke(cli, ["audit", "verify", *arguments])
    )


async def test_every_workspace_is_checked(
    settings: Settings, log: Cast, database: Database, owner: psycopg.Connection
) -> None:
    async with database.transaction(log.globex) as session:
        record_event(session, log.globex, SYSTEM, "act.done")
    result = await _verify(settings)
    assert result.exit_code == 0, result.output
    acme, globex = result.output.splitlines()
    assert re.fullmatch(rf"{log.acme} Acme: 7 lines intact; end 7:[0-9a-f]{{64}}", acme)
    assert re.fullmatch(rf"{log.globex} Globex: 1 line intact; end 1:[0-9a-f]{{64}}", globex)
    owner.execute(
        "UPDATE audit_events SET action = 'act.other' WHERE workspace_id = %s", [log.globex]
    )
    result = await _verify(settings)
    assert result.exit_code == 1
    assert result.output.splitlines()[0] == acme
    assert "Globex: BROKEN: line 1" in result.output
    assert (await _verify(settings, "--workspace", str(log.acme))).exit_code == 0


async def test_an_empty_log_is_intact(settings: Settings, cast: Cast) -> None:
    result = await _verify(settings, "--workspace", str(cast.globex))
    assert (result.exit_code, result.output) == (0, f"{cast.globex} Globex: 0 lines intact\n")


def _copy(taken: int, number: int) -> str:
    """SQL that puts a copy of a line in under another number."""
    return f"""
        INSERT INTO audit_events (workspace_id, id, happened_at, actor_kind, actor_id, action,
                                  subject_id, details, number, hash)
        SELECT workspace_id, 'ffffffff-ffff-4fff-bfff-ffffffffffff', happened_at, actor_kind,
               actor_id, action, subject_id, details, {number}, hash
        FROM audit_events WHERE number = {taken}
    """  # noqa: S608 (numbers of our own)


CHANGED = "line {} is not what was written"
TAMPERINGS = [
    pytest.param(
        "UPDATE audit_events SET details = '{\"turn\": 70}' WHERE number = 4",
        CHANGED.format(4), 3, id="a changed detail",
    ),
    pytest.param(
        "UPDATE audit_events SET happened_at = happened_at + interval '1 us' WHERE number = 1",
        CHANGED.format(1), 0, id="a changed moment",
    ),
    pytest.param(
        "UPDATE audit_events SET actor_id = gen_random_uuid() WHERE number = 7",
        CHANGED.format(7), 6, id="another actor",
    ),
    pytest.param(
        "UPDATE audit_events SET id = gen_random_uuid() WHERE number = 2",
        CHANGED.format(2), 1, id="another id",
    ),
    pytest.param(
        "DELETE FROM audit_events WHERE number = 4",
        "line 4 is missing;", 3, id="a line of the middle taken away",
    ),
    pytest.param(
        "DELETE FROM audit_events WHERE number IN (1, 2)",
        "lines 1 to 2 are missing;", 0, id="the first lines taken away",
    ),
    pytest.param(
        "DELETE FROM audit_events WHERE number = 4;"
        "UPDATE audit_events SET number = number - 1 WHERE number > 4",
        CHANGED.format(4), 3, id="a gap that was closed",
    ),
    pytest.param(
        "DELETE FROM audit_events WHERE number > 5",
        "lines 6 to 7 are missing at the end;", 5, id="the end taken away",
    ),
    pytest.param(
        "DELETE FROM audit_events",
        "lines 1 to 7 are missing at the end;", 0, id="everything taken away",
    ),
    pytest.param(
        "UPDATE audit_events SET number = 8 - number WHERE number IN (3, 5)",
        CHANGED.format(3), 2, id="two that changed places",
    ),
    pytest.param(
        "UPDATE audit_events AS one SET details = two.details, hash = two.hash "
        "FROM audit_events AS two WHERE one.number + two.number = 9 AND one.number IN (4, 5)",
        CHANGED.format(4), 3, id="two whose content changed places",
    ),
    pytest.param(_copy(4, 4), "line 4 is there twice;", 4, id="a line put in beside another"),
    pytest.param(_copy(4, 0), "line 0 was put in before the first;", 0, id="a line put in first"),
    pytest.param(_copy(7, 8), CHANGED.format(8), 7, id="a line put in at the end"),
    pytest.param(
        "UPDATE audit_events SET number = number + 1 WHERE number > 3;" + _copy(3, 4),  # noqa: S608 (numbers of our own)
        CHANGED.format(4), 3, id="a line put in between",
    ),
    pytest.param(
        "DELETE FROM audit_events WHERE number = 7;"
        "UPDATE audit_heads SET number = 6 WHERE number = 7",
        "the recorded end is another than line 6;", 6, id="the end moved back with the lines",
    ),
    pytest.param(
        "UPDATE audit_heads SET number = 6 WHERE number = 7",
        "line 7 is beyond the recorded end;", 7, id="the end moved back",
    ),
    pytest.param(
        "DELETE FROM audit_heads",
        "lines 1 to 7 are beyond the recorded end;", 7, id="the recorded end taken away",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("statements", "fault", "intact"), TAMPERINGS)
async def test_tampering_is_found(
    settings: Settings,
    log: Cast,
    owner: psycopg.Connection,
    statements: str,
    fault: str,
    intact: int,
) -> None:
    # As the owner and superuser: no grant and no policy is in the way.
    owner.execute(statements.encode())
    result = await _verify(settings, "--workspace", str(log.acme))
    assert result.exit_code == 1, result.output
    assert f"BROKEN: {fault}" in result.output
    assert f"before it {intact} line" in result.output


async def test_a_rewritten_log_is_found_by_an_end_that_was_kept(
    settings: Settings, log: Cast, database: Database, owner: psycopg.Connection
) -> None:
    """Whoever owns the database can write a whole log that is in itself without fault."""
    acme = ["--workspace", str(log.acme)]
    kept = (await _verify(settings, *acme)).output.rpartition("end ")[2].strip()
    assert (await _verify(settings, *acme, "--expect", kept)).exit_code == 0
    owner.execute("DELETE FROM audit_events WHERE workspace_id = %s", [log.acme])
    owner.execute("DELETE FROM audit_heads WHERE workspace_id = %s", [log.acme])
    for turn in range(LINES - 1):
        async with database.transaction(log.acme) as session:
            record_event(session, log.acme, SYSTEM, "act.done", None, {"turn": turn})
    assert (await _verify(settings, *acme)).exit_code == 0
    short = await _verify(settings, *acme, "--expect", kept)
    assert (short.exit_code, "line 7, which was kept, is missing" in short.output) == (1, True)
    async with database.transaction(log.acme) as session:
        record_event(session, log.acme, SYSTEM, "act.done", None, {"turn": LINES})
    other = await _verify(settings, *acme, "--expect", kept)
    assert (other.exit_code, "line 7 is another" in other.output) == (1, True)


async def test_a_kept_end_stays_good_while_the_log_grows(
    settings: Settings, log: Cast, database: Database
) -> None:
    acme = ["--workspace", str(log.acme)]
    kept = (await _verify(settings, *acme)).output.rpartition("end ")[2].strip()
    async with database.transaction(log.acme) as session:
        record_event(session, log.acme, SYSTEM, "act.done")
    result = await _verify(settings, *acme, "--expect", kept)
    assert (result.exit_code, "8 lines intact" in result.output) == (0, True)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--expect", f"1:{GENESIS.hex()}"],
        ["--workspace", "0", "--expect", "1:ab"],
        ["--workspace", "0", "--expect", "x"],
        ["--workspace", "nowhere"],
        ["--workspace", "00000000-0000-4000-8000-000000000000"],
    ],
)
async def test_what_cannot_be_checked_is_refused(settings: Settings, arguments: list[str]) -> None:
    result = await _verify(settings, *arguments)
    assert result.exit_code != 0
    assert "intact" not in result.output
