"""How a line of the audit log is sealed: a hash over the line and over the hash before it.

The encoding is a promise to whoever keeps or checks a copy: docs/decisions/0009-audit-chain.md.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.accounts.models import AuditEvent

# What stands before the first line of every workspace.
GENESIS = bytes(32)
# Keeps the hash of a line from being the hash of anything else; a new encoding gets a new number.
DOMAIN = b"honne audit line 1\n"


def seal(event: AuditEvent, previous_hash: bytes) -> bytes:
    """The SHA-256 of a numbered line that follows the one with `previous_hash`."""
    return seal_of(line_of(event, previous_hash))


def line_of(event: AuditEvent, previous_hash: bytes) -> dict[str, Any]:
    """All that the hash of a line covers, as JSON values: every column but the hash itself."""
    return {
        "workspace_id": str(event.workspace_id),
        "number": event.number,
        "previous_hash": previous_hash.hex(),
        "id": str(event.id),
        "happened_at": moment_text(event.happened_at),
        "actor_kind": event.actor_kind,
        "actor_id": None if event.actor_id is None else str(event.actor_id),
        "action": event.action,
        "subject_id": None if event.subject_id is None else str(event.subject_id),
        "details": event.details,
    }


def seal_of(line: Mapping[str, Any]) -> bytes:
    """SHA-256 over the domain and the line as canonical JSON: keys sorted, no blanks, UTF-8."""
    text = json.dumps(
        line, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(DOMAIN + text.encode()).digest()


def moment_text(moment: datetime) -> str:
    """UTC with six digits of a second, always: `2026-01-05T09:00:00.000000Z`."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
