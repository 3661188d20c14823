"""Statements as they travel on a line: prepared under a name, their parameters as text."""

import re
import uuid
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Dialect, Executable, Select, TextClause
from sqlalchemy.dialects.postgresql.base import PGDialect

from app.foundation.parameters import encode

_NUMBERED: Dialect = PGDialect(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_RETURNS = re.compile(r"\bRETURNING\b|^\s*SELECT\b")
PREPARED = r"SELECT name FROM pg_prepared_statements WHERE name LIKE 'line\_%'"


class Executor(Protocol):
    """What executes statements with named parameters: a session, or a `Line` in a transaction."""

    async def execute(
        self, statement: Executable, parameters: Mapping[str, Any], /
    ) -> Iterable[Any]: ...


@dataclass(frozen=True, slots=True)
class _Statement:
    name: bytes
    sql: bytes
    parameters: tuple[str, ...]
    returns_rows: bool
    make_row: Callable[[Sequence[Any]], Any]


@lru_cache
def _statement(given: TextClause | Select[Any]) -> _Statement:
    """With numbers in place of its `:names`; a SELECT's rows are named tuples."""
    compiled = given.compile(dialect=_NUMBERED)
    sql = str(compiled)
    make_row: Callable[[Sequence[Any]], Any] = tuple
    if isinstance(given, Select):
        row: Any = namedtuple("Row", list(given.selected_columns.keys()))  # type: ignore[misc]
        make_row = row._make
    names = tuple(compiled.positiontup or ())
    return _Statement(_name(sql), sql.encode(), names, bool(_RETURNS.search(sql)), make_row)


def _name(sql: str) -> bytes:
    """Of its text, so that each name means the same to all processes."""
    return f"line_{blake2b(sql.encode(), digest_size=16).hexdigest()}".encode()


class Question(NamedTuple):
    """A statement ready to be sent, with its parameters as text."""

    statement: _Statement
    values: list[bytes | None]


@lru_cache
def command(sql: str) -> Question:
    """A statement without parameters: it is prepared like all others."""
    statement = _Statement(_name(sql), sql.encode(), (), returns_rows=False, make_row=tuple)
    return Question(statement, [])


BEGIN = command("BEGIN")
COMMIT = command("COMMIT")
BE_IMPATIENT = command("SET LOCAL lock_timeout = 100")  # milliseconds


def bind(given: Executable, parameters: Mapping[str, Any]) -> Question:
    """`given` is a text or a SELECT without values of its own, the same object each time."""
    assert isinstance(given, TextClause | Select)
    statement = _statement(given)
    return Question(statement, [encode(parameters[name]) for name in statement.parameters])


def entering(workspace_id: uuid.UUID) -> str:
    """`SET LOCAL` takes no parameter, hence nothing but a UUID is let through."""
    if not isinstance(workspace_id, uuid.UUID):
        raise TypeError("a workspace is entered by its UUID")
    return f"SET LOCAL app.workspace_id = '{workspace_id}'"
