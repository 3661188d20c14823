"""What Citus would refuse, or spread over all shards, of a statement; each finding with its reason.

A workspace's rows lie together on one shard. A statement that says whose rows it wants goes there
and is as good as one on plain Postgres; any other is sent to every shard, or is an error.
"""

import re
from collections.abc import Iterator

import sqlglot
from sqlglot import exp

SCOPES = (exp.Select, exp.Update, exp.Delete)
STATEMENTS = (exp.Insert, *SCOPES)
# Others set something, or lock, or make a table of the session's own.
READ_HERE = ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH")
WRITING = (exp.Insert, exp.Update, exp.Delete)
# What a COPY reads is a query like any other; a table's name stands for the rows of all workspaces.
COPIED_QUERY = re.compile(r"COPY\s*\((.+)\)\s*TO\s+STDOUT\b.*", re.DOTALL)
COPIED_TABLE = re.compile(r'COPY\s+(?:"?public"?\.)?"?(\w+)"?[\s(].*', re.DOTALL)
# Functions that answer differently each time (Postgres: volatile), or in each transaction (stable).
VOLATILE = {
    "clock_timestamp", "gen_random_uuid", "nextval", "random", "statement_timestamp",
    "timeofday", "uuid_generate_v4", "uuidv4", "uuidv7",
}  # fmt: skip
STABLE = {
    "current_date", "current_setting", "current_time", "current_timestamp", "localtime",
    "localtimestamp", "now", "transaction_timestamp",
}  # fmt: skip


def find_misfits(statement: str, tenant_tables: frozenset[str]) -> list[str]:
    """Why a statement in Postgres' dialect does not fit a schema spread out by workspace."""
    if copied := COPIED_QUERY.fullmatch(statement):
        statement = copied[1]
    elif (copied := COPIED_TABLE.fullmatch(statement)) and copied[1] in tenant_tables:
        return [f"COPY of {copied[1]} names no workspace, and row-level security lets none fill it"]
    if not statement.lstrip(" (\n").upper().startswith(READ_HERE):
        return []
    tree = sqlglot.parse_one(statement.replace("%%", "%"), dialect="postgres")
    return [
        *_unnamed(tree, tenant_tables),
        *_changing_functions(tree, tenant_tables),
        *_feeding(tree),
    ]


def _unnamed(tree: exp.Expr, tenant_tables: frozenset[str]) -> Iterator[str]:
    for insert in tree.find_all(exp.Insert):
        table = insert.this.this if isinstance(insert.this, exp.Schema) else insert.this
        columns = [column.name for column in insert.this.expressions]
        # Without a list of columns all are given, as a restored table's are.
        if table.name in tenant_tables and columns and "workspace_id" not in columns:
            yield f"INSERT INTO {table.name} names no workspace_id: no shard is known for the row"
    for scope in tree.find_all(*SCOPES):
        own = {
            table.alias_or_name: table.name
            for table in _own_tables(scope)
            if table.name in tenant_tables and table.name not in _ctes(tree)
        }
        for alias in own.keys() - _named_workspaces(scope, set(own)):
            yield (
                f"{alias} has no `workspace_id =` of its own:"
                " Citus asks every shard, and refuses to lock, to join and to correlate"
            )


def _own_tables(scope: exp.Expr) -> Iterator[exp.Table]:
    """The tables that stand in a query itself, not in one inside it."""
    for table in scope.find_all(exp.Table):
        if table.find_ancestor(*STATEMENTS) is scope:
            yield table


def _named_workspaces(scope: exp.Expr, own: set[str]) -> set[str]:
    """The tables of `own` whose workspace a condition of the query says, or that of another table
    which has its workspace said, or stands outside the query and is judged there."""
    pairs = [_workspaces(equality) for equality in _conditions(scope)]
    named = {pair[0] for pair in pairs if len(pair) == 1}
    if len(own) == 1 and "" in named:
        named |= own
    for _ in own:
        named |= {
            table
            for pair in pairs
            for table in pair
            if any(other in named or other not in own for other in pair if other != table)
        }
    return named


def _conditions(scope: exp.Expr) -> Iterator[exp.EQ]:
    """The equalities that must hold for every row of the query."""
    for equality in scope.find_all(exp.EQ):
        if equality.find_ancestor(exp.Or, exp.Not, exp.Case, *STATEMENTS) is scope:
            yield equality


def _workspaces(equality: exp.EQ) -> list[str]:
    """The tables whose workspace stands on either side; none where nothing is said by it."""
    sides = [_unwrapped(equality.left), _unwrapped(equality.right)]
    tables = [side.text("table") for side in sides if _is_workspace(side)]
    is_of_itself = len(tables) == 2 and ("" in tables or tables[0] == tables[1])
    return [] if is_of_itself else tables


def _unwrapped(side: exp.Expr) -> exp.Expr:
    while isinstance(side, exp.Cast | exp.Paren):
        side = side.this
    return side


def _is_workspace(side: exp.Expr) -> bool:
    return isinstance(side, exp.Column) and side.name == "workspace_id"


def _ctes(tree: exp.Expr) -> set[str]:
    return {cte.alias for cte in tree.find_all(exp.CTE)}


def _changing_functions(tree: exp.Expr, tenant_tables: frozenset[str]) -> Iterator[str]:
    for part in tree.find_all(exp.OnConflict, exp.Returning):
        for name in _functions(part) & (VOLATILE | STABLE):
            yield f"{name}() in {part.key.upper()}: shards would each compute their own; bind it"
    for writing in tree.find_all(*WRITING):
        # What is inserted from elsewhere is computed before it is sent to any shard.
        source = writing.expression if isinstance(writing, exp.Insert) else writing
        tables = source.find_all(exp.Table) if source else ()
        if any(table.name in tenant_tables for table in tables):
            for name in _functions(writing) & VOLATILE:
                yield f"{name}() in {writing.key.upper()}: shards would each compute their own"


def _functions(tree: exp.Expr) -> set[str]:
    """The functions called, by Postgres' names."""
    calls = (call.sql(dialect="postgres") for call in tree.find_all(exp.Func))
    return {call.partition("(")[0].lower() for call in calls}


def _feeding(tree: exp.Expr) -> Iterator[str]:
    for cte in tree.find_all(exp.CTE):
        if isinstance(cte.this, WRITING) and any(
            isinstance(reader, exp.Insert) for reader in _readers(tree, cte)
        ):
            yield f"the writing CTE {cte.alias} feeds an INSERT: Citus refuses it; send two"


def _readers(tree: exp.Expr, cte: exp.CTE) -> Iterator[exp.Expr | None]:
    """The statements outside a CTE that read it."""
    for table in tree.find_all(exp.Table):
        if table.name == cte.alias and table.find_ancestor(exp.CTE) is not cte:
            yield table.find_ancestor(exp.Insert, exp.Update, exp.Delete)
