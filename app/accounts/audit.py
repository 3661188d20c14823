"""The record of who did what: one insert-only row per act, in the act's own transaction."""

import uuid
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import AuditEvent
from app.accounts.schemas import Actor
from app.foundation import clock


def record_event(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    actor: Actor,
    action: str,
    subject_id: uuid.UUID | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Add an audit row. `action` is noun.verb in the past (`survey.published`); `details` hold
    no personal data of respondents and no secrets."""
    session.add(
        AuditEvent(
            workspace_id=workspace_id,
            happened_at=clock.now(),
            actor_kind=actor.kind,
            actor_id=actor.id,
            action=action,
            subject_id=subject_id,
            details=details or {},
        )
    )
