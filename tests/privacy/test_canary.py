"""A respondent's words stand in one column; the rest of what a request carries stands nowhere."""

import re
import subprocess

import psycopg
import pytest

from app.foundation.embedded import binary
from tests.privacy.canary import files_holding, found_in, rows_of_every_table
from tests.privacy.conftest import RESPONDENTS, Aftermath

# The rows of answers, and those that are written together with one.
ANSWER_TABLES = (
    "responses",
    "response_contacts",
    "submission_keys",
    "idempotency_records",
    "daily_counts",
    "segment_sets",
)


def _dump(aftermath: Aftermath) -> str:
    """The whole database in the format that people read; statistics and all."""
    done = subprocess.run(
        [binary("pg_dump"), "--statistics", "--dbname", aftermath.owner_url],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dump(aftermath: Aftermath) -> str:
    return _dump(aftermath)


def _copied(dump: str, table: str) -> str:
    """The rows of one table in a dump."""
    block = rf"^COPY public\.{table} \(.*?\) FROM stdin;\n(.*?)^\\\.$"
    found = re.search(block, dump, re.MULTILINE | re.DOTALL)
    assert found, f"{table} is not in the dump"
    return found[1]


def test_everybody_was_heard(aftermath: Aftermath, witness: psycopg.Connection) -> None:
    """Otherwise the searches below would find nothing for want of answers."""
    rows = witness.execute("SELECT score, comment FROM responses ORDER BY score").fetchall()
    kept, sent = aftermath.comments
    assert rows == [(3, sent)] + [(8, kept)] * RESPONDENTS


def test_comments_stand_in_one_column_and_traces_in_none(
    aftermath: Aftermath, witness: psycopg.Connection
) -> None:
    comments = {comment: comment for comment in aftermath.comments}
    first = {"first wording": aftermath.canary.comment}
    wanted = aftermath.canary.traces | comments | first
    for schema, table, row in rows_of_every_table(witness):
        found = found_in(row, wanted)
        assert not found - comments.keys(), f"{schema}.{table} holds {found}"
        assert not found or table == "responses", f"{schema}.{table} holds a comment"
    columns = witness.execute("SELECT to_jsonb(responses) - 'comment' FROM responses").fetchall()
    assert not any(found_in(str(row).encode(), wanted) for row in columns)


def test_an_address_left_stands_in_one_table(
    aftermath: Aftermath, witness: psycopg.Connection, dump: str
) -> None:
    wanted = {"address left": aftermath.canary.left, "its name": aftermath.canary.left[:20]}
    for schema, table, row in rows_of_every_table(witness):
        assert table == "response_contacts" or not found_in(row, wanted), f"{schema}.{table}"
    assert _copied(dump, "response_contacts").count(aftermath.canary.left) == RESPONDENTS
    assert dump.count(aftermath.canary.left) == RESPONDENTS


def test_no_log_holds_a_comment_or_a_trace(aftermath: Aftermath) -> None:
    canary = aftermath.canary
    written = {"comment": canary.comment, "amended": canary.amended, "api": aftermath.api_comment}
    written["address left"] = canary.left
    opened = {"address": "127.0.0.1", "respondent's page": f"/s/{aftermath.scene.slug}"}
    log = aftermath.log.read_bytes()
    assert b'"unexpected error"' in log, "the log of the application was not written"
    assert found_in(log, canary.traces | written | opened) == set()
    postgres_log = aftermath.postgres_log.read_bytes()
    assert b"INSERT INTO responses" in postgres_log, "Postgres did not log its statements"
    assert b'violates check constraint "no"' in postgres_log
    assert found_in(postgres_log, canary.traces | written) == set()


def test_a_dump_holds_the_comment_and_no_trace(aftermath: Aftermath, dump: str) -> None:
    assert dump.count(aftermath.canary.amended) == RESPONDENTS
    assert _copied(dump, "responses").count(aftermath.canary.amended) == RESPONDENTS
    assert found_in(dump.encode(), aftermath.canary.traces) == set()


@pytest.mark.parametrize("table", ANSWER_TABLES)
def test_nothing_in_a_dump_is_finer_than_the_day(dump: str, table: str) -> None:
    rows = _copied(dump, table)
    assert rows, f"{table} is empty"
    # Within a v4 id any digits may stand, and they tell nothing.
    rest = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\\\\x[0-9a-f]+", "", rows)
    assert not re.search(r"\d:\d\d", rest), "a time of day"
    assert not re.search(r"\d{9,}", rest), "a moment as a number"


@pytest.mark.parametrize("table", ANSWER_TABLES)
def test_ids_tell_no_time(dump: str, table: str) -> None:
    """Versions 1, 6 and 7 hold a moment; 4 is random, 5 is a hash of what the row says anyway."""
    ids = re.findall(
        r"\b[0-9a-f]{8}-[0-9a-f]{4}-([0-9a-f])[0-9a-f]{3}-([0-9a-f])[0-9a-f]{3}-[0-9a-f]{12}\b",
        _copied(dump, table),
    )
    assert ids
    allowed = {"4", "5"} if table in ("responses", "daily_counts", "segment_sets") else {"4"}
    assert {version for version, _variant in ids} <= allowed
    assert {variant for _version, variant in ids} <= set("89ab")


def test_every_answer_has_a_random_id(witness: psycopg.Connection) -> None:
    versions = witness.execute("SELECT DISTINCT uuid_extract_version(id) FROM responses").fetchall()
    assert versions == [(4,)]


def test_the_files_of_the_cluster_hold_no_trace(
    aftermath: Aftermath, witness: psycopg.Connection
) -> None:
    """Old versions of a row stay in its table's file until Postgres vacuums, and in the WAL until
    that is recycled: of these nothing is promised, of all other files it is."""
    cluster = aftermath.postgres / "cluster"
    row = witness.execute("SELECT pg_relation_filepath('responses')").fetchone()
    assert row
    for name, trace in aftermath.canary.traces.items():
        if name != "refused comment":
            assert files_holding(cluster, trace) == set(), name
    for comment in (aftermath.canary.amended, aftermath.canary.comment, aftermath.canary.refused):
        files = {path.as_posix() for path in files_holding(cluster, comment)}
        others = {path for path in files if not path.startswith("pg_wal/")} - {row[0]}
        assert not others
