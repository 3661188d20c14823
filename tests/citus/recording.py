"""Every statement that the app sends in any test is judged, once for each text."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

from app.foundation.database import Base, TenantRow
from tests.citus.statements import find_misfits

_judged: set[str] = set()
_found: list[str] = []


def tenant_tables() -> frozenset[str]:
    """The names of the tables whose rows belong to a workspace."""
    mappers = Base.registry.mappers
    return frozenset(
        mapper.local_table.name  # type: ignore[attr-defined]  # no mapper of ours maps a join
        for mapper in mappers
        if issubclass(mapper.class_, TenantRow)
    )


@event.listens_for(Engine, "before_cursor_execute")
def _judge(connection: Connection, _cursor: Any, statement: str, *_rest: Any, **_more: Any) -> None:
    # Migrations and the operator's start open a connection of their own, as the owner.
    if statement in _judged or isinstance(connection.engine.pool, NullPool):
        return
    _judged.add(statement)
    _found.extend(f"{why}:\n{statement}" for why in find_misfits(statement, tenant_tables()))


def recorded() -> frozenset[str]:
    """The texts that were judged so far in this process."""
    return frozenset(_judged)


def take_misfits() -> list[str]:
    """What was found since the last call."""
    found = _found.copy()
    _found.clear()
    return found


@pytest.fixture(autouse=True)
def statements_fit_citus() -> Iterator[None]:
    """Fails a test in which the app sent what a database spread by workspace would refuse."""
    yield
    found = take_misfits()
    assert not found, "\n\n".join(found)
