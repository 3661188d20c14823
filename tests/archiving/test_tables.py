"""What goes along: everything that belongs to a workspace, but for what is argued."""

import re

import psycopg
import pytest

from app.archiving.tables import EXCLUDED, WORKSPACES, archived_tables, tenant_tables
from app.foundation.version import VERSION
from tests.test_architecture import ROOT

# Global look-ups: rebuilt from the archived links; members stay behind.
NOT_A_TENANTS = {"links", "memberships"}
# Columns that sound like secrets and are none: they recognise a file or a picture, and seal a line
# of the log.
HARMLESS_HASHES = {
    ("audit_events", "hash"),
    ("audit_heads", "hash"),
    ("brands", "logo_hash"),
    ("imports", "file_hash"),
}


def test_every_table_of_a_workspace_is_archived_or_excluded_for_a_reason(
    owner: psycopg.Connection,
) -> None:
    rows = owner.execute(
        "SELECT table_name FROM information_schema.columns "
        "WHERE table_schema = 'public' AND column_name = 'workspace_id'"
    ).fetchall()
    stored = {name for (name,) in rows} - NOT_A_TENANTS
    archived = {table.name for table in archived_tables()} - {WORKSPACES}
    assert archived | set(EXCLUDED) == stored, "archive it, or say in EXCLUDED why not"
    assert not archived & set(EXCLUDED)


@pytest.mark.parametrize("table", archived_tables(), ids=lambda table: table.name)
def test_no_secret_leaves_and_nothing_points_at_what_stays(table: object) -> None:
    found = next(kept for kept in archived_tables() if kept is table)
    for column in found.columns:
        if re.search(r"hash|secret|token|password", column.name):
            assert (found.name, column.name) in HARMLESS_HASHES, "may this secret leave?"
        targets = {key.column.table.name for key in column.foreign_keys}
        assert not targets & set(EXCLUDED), f"{found.name} could not be restored"


def test_tables_stand_after_those_they_refer_to() -> None:
    order = [table.name for table in archived_tables()]
    for table in tenant_tables():
        if table.name in EXCLUDED:
            continue
        for key in table.foreign_keys:
            assert order.index(key.column.table.name) <= order.index(table.name)


def test_the_version_is_that_of_the_project() -> None:
    assert f'version = "{VERSION}"' in (ROOT / "pyproject.toml").read_text()
