"""What Citus asks of a schema that is spread by workspace, asked of ours; each with its reason."""

import psycopg
import pytest
from sqlalchemy import (
    ForeignKeyConstraint,
    Identity,
    Integer,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
)

import app.main  # noqa: F401  # so that every model is known
from app.foundation.database import Base
from app.foundation.distribution import BY, is_by_workspace

TABLES = Base.metadata.tables
TENANT_TABLES = sorted(name for name, table in TABLES.items() if is_by_workspace(table))
GLOBAL_TABLES = sorted(TABLES.keys() - TENANT_TABLES)


@pytest.mark.parametrize("name", TENANT_TABLES)
def test_keys_can_be_checked_on_one_machine(name: str) -> None:
    table = TABLES[name]
    assert next(iter(table.primary_key.columns)).name == BY, "rows of a workspace lie together"
    for constraint in table.constraints:
        if isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint):
            assert BY in constraint.columns, f"{constraint.name}: no machine sees all rows"
    for index in table.indexes:
        assert not index.unique or BY in index.columns, f"{index.name}: no machine sees all rows"


@pytest.mark.parametrize("name", TENANT_TABLES)
def test_references_stay_on_one_machine(name: str) -> None:
    for key in TABLES[name].foreign_key_constraints:
        pairs = [(element.parent.name, element.column.name) for element in key.elements]
        referred = key.referred_table
        if is_by_workspace(referred):
            assert (BY, BY) in pairs, f"{key.name} leads to rows of another machine"
        assert key.ondelete in (None, "CASCADE"), f"{key.name} would set {BY} itself null"
        assert key.onupdate is None, f"{key.name} would move rows between machines"


@pytest.mark.parametrize("name", GLOBAL_TABLES)
def test_tables_on_every_machine_refer_to_no_others(name: str) -> None:
    for key in TABLES[name].foreign_key_constraints:
        assert key.referred_table.name in GLOBAL_TABLES, f"{key.name}: those rows are not here"


@pytest.mark.parametrize("name", sorted(TABLES))
def test_ids_are_made_without_a_counter(name: str) -> None:
    for column in _columns_with_counters(TABLES[name]):
        raise AssertionError(f"{name}.{column}: machines would have to agree on the next number")


def _columns_with_counters(table: Table) -> list[str]:
    return [
        column.name
        for column in table.columns
        if isinstance(column.server_default, Identity)
        or "nextval" in str(getattr(column.server_default, "arg", ""))
        or (table.autoincrement_column is column and isinstance(column.type, Integer))
    ]


def test_the_database_itself_holds_no_logic(owner: psycopg.Connection) -> None:
    """Triggers, rules, functions and sequences would live on one machine and not on the others."""
    found = owner.execute(
        """
        SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
        UNION ALL SELECT 'rule ' || rulename FROM pg_rules WHERE schemaname = 'public'
        UNION ALL SELECT 'function ' || proname FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace
        UNION ALL SELECT 'relation ' || relname FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind NOT IN ('r', 'i')
        """
    ).fetchall()
    assert found == []


def test_policies_look_at_nothing_but_the_row(owner: psycopg.Connection) -> None:
    policies = owner.execute("SELECT polname, pg_get_expr(polqual, polrelid) FROM pg_policy")
    for name, condition in policies.fetchall():
        assert "SELECT" not in condition, f"{name}: Citus takes no policy with a query inside"


def test_no_constraint_is_known_to_the_database_alone(owner: psycopg.Connection) -> None:
    """What the metadata does not know, the rules above have not seen."""
    stored = owner.execute(
        """
        SELECT conrelid::regclass::text, conname FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace AND contype IN ('p', 'u', 'f', 'x')
        """
    ).fetchall()
    known = {
        (table.name, str(constraint.name))
        for table in TABLES.values()
        for constraint in table.constraints
        if isinstance(constraint, UniqueConstraint | PrimaryKeyConstraint | ForeignKeyConstraint)
    }
    ours = {(table, name) for table, name in stored if table != "alembic_version"}
    assert {table for table, _name in ours} == set(TABLES)
    assert len(ours) == len(known)
