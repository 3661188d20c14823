"""The audit log becomes a chain: each line is numbered and carries a hash over the one before.

Lines that exist are numbered in the order of their moments. Processes of the version before cannot
write lines any more: stop them first.
"""

import hashlib
import json
import uuid
from collections.abc import Iterator
from datetime import UTC
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "3f0a6c1d7b21"
down_revision = "da1da422cb10"
branch_labels = None
depends_on = None

OWN_ROWS = "workspace_id = nullif(current_setting('app.workspace_id', true), '')::uuid"
LINES_AT_ONCE = 1_000
GENESIS = bytes(32)


def upgrade() -> None:
    op.add_column("audit_events", sa.Column("number", sa.BigInteger(), nullable=True))
    op.add_column("audit_events", sa.Column("hash", sa.LargeBinary(), nullable=True))
    create_heads()
    connection = op.get_bind()
    for (workspace_id,) in connection.execute(sa.text("SELECT id FROM workspaces")).all():
        # Row-level security binds the owner, too: without this no line would be found.
        connection.execute(sa.text(f"SET LOCAL app.workspace_id = '{workspace_id}'"))
        chain_lines(connection, workspace_id)
    connection.execute(sa.text("SET LOCAL app.workspace_id = ''"))
    op.alter_column("audit_events", "number", nullable=False)
    op.alter_column("audit_events", "hash", nullable=False)
    op.create_unique_constraint(
        op.f("uq_audit_events_workspace_id_number"), "audit_events", ["workspace_id", "number"]
    )


def create_heads() -> None:
    op.create_table(
        "audit_heads",
        sa.Column("workspace_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["workspace_id"],
            ["workspaces.id"],
            name=op.f("fk_audit_heads_workspace_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_audit_heads")),
    )
    op.execute("ALTER TABLE audit_heads ENABLE ROW LEVEL SECURITY")
    op.execute("ALTER TABLE audit_heads FORCE ROW LEVEL SECURITY")
    op.execute(
        f"CREATE POLICY own_workspace ON audit_heads USING ({OWN_ROWS}) WITH CHECK ({OWN_ROWS})"
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON audit_heads TO honne_runtime")


def chain_lines(connection: sa.Connection, workspace_id: uuid.UUID) -> None:
    number, previous = 0, GENESIS
    for lines in batches(connection, workspace_id):
        changes = []
        for line in lines:
            number += 1
            previous = seal(line, number, previous)
            changes.append(
                {"workspace_id": workspace_id, "id": line["id"], "number": number, "hash": previous}
            )
        connection.execute(
            sa.text(
                "UPDATE audit_events SET number = :number, hash = :hash "
                "WHERE workspace_id = :workspace_id AND id = :id"
            ),
            changes,
        )
    if number:
        connection.execute(
            sa.text("INSERT INTO audit_heads VALUES (:workspace_id, :number, :hash)"),
            {"workspace_id": workspace_id, "number": number, "hash": previous},
        )


def batches(connection: sa.Connection, workspace_id: uuid.UUID) -> Iterator[list[sa.RowMapping]]:
    """The lines by moment and id, some at a time: a log may be longer than memory."""
    after: dict[str, Any] = {"happened_at": "-infinity", "id": uuid.UUID(int=0)}
    query = sa.text(
        "SELECT * FROM audit_events WHERE workspace_id = :workspace_id "
        "AND (happened_at, id) > (CAST(:happened_at AS timestamptz), CAST(:id AS uuid)) "
        "ORDER BY happened_at, id LIMIT :limit"
    )
    while True:
        given = {"workspace_id": workspace_id, "limit": LINES_AT_ONCE, **after}
        lines = list(connection.execute(query, given).mappings())
        if not lines:
            return
        after = {name: lines[-1][name] for name in after}
        yield lines


def seal(line: sa.RowMapping, number: int, previous: bytes) -> bytes:
    """As this release seals a line; written out, since a migration stays what it was."""
    moment = line["happened_at"].astimezone(UTC).replace(tzinfo=None)
    sealed = {
        "workspace_id": str(line["workspace_id"]),
        "number": number,
        "previous_hash": previous.hex(),
        "id": str(line["id"]),
        "happened_at": moment.isoformat(timespec="microseconds") + "Z",
        "actor_kind": line["actor_kind"],
        "actor_id": None if line["actor_id"] is None else str(line["actor_id"]),
        "action": line["action"],
        "subject_id": None if line["subject_id"] is None else str(line["subject_id"]),
        "details": line["details"],
    }
    text = json.dumps(sealed, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(b"honne audit line 1\n" + text.encode()).digest()


def downgrade() -> None:
    op.drop_table("audit_heads")
    op.drop_constraint(op.f("uq_audit_events_workspace_id_number"), "audit_events")
    op.drop_column("audit_events", "hash")
    op.drop_column("audit_events", "number")
