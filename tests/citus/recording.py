"""Every statement that the app sends in any test is judged, once for each text, whichever way it
is sent: by a session, on a line, or as COPY."""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

import pytest
from psycopg import AsyncCursor, sql
from sqlalchemy import Connection, event
from sqlalchemy.engine import Engine
from sqlalchemy.pool import NullPool

from app.foundation.database import Base, TenantRow
from app.foundation.line import Line
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


def _judge(statement: str) -> None:
    if statement not in _judged:
        _judged.add(statement)
        _found.extend(f"{why}:\n{statement}" for why in find_misfits(statement, tenant_tables()))


@event.listens_for(Engine, "before_cursor_execute")
def _judge_executed(
    connection: Connection, _cursor: Any, statement: str, *_rest: Any, **_more: Any
) -> None:
    # Migrations and the operator's start open a connection of their own, as the owner.
    if not isinstance(connection.engine.pool, NullPool):
        _judge(statement)


def _judge_given(owner: type, method: str, text_of: Callable[[Any], str]) -> None:
    """Judge what this method of `owner` is given, and go on with it."""
    original = getattr(owner, method)

    @wraps(original)
    def judged(self: Any, given: Any, *rest: Any, **more: Any) -> Any:
        _judge(text_of(given))
        return original(self, given, *rest, **more)

    setattr(owner, method, judged)


def _copied(query: bytes | sql.Composed) -> str:
    return query.decode() if isinstance(query, bytes) else query.as_string()


# Lines and COPY speak to the driver themselves.
_judge_given(Line, "_put", lambda question: question.statement.sql.decode())
_judge_given(Line, "_send", str)
_judge_given(AsyncCursor, "copy", _copied)


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
