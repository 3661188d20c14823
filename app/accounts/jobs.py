"""Daily work: sessions and links that can no longer be used are forgotten."""

from typing import Any

from sqlalchemy import CursorResult, delete, or_

from app.accounts.access import SESSION_IDLE
from app.accounts.models import SignInLink, UserSession
from app.foundation import clock
from app.foundation.database import Database


async def expire_sign_ins(database: Database) -> int:
    """Delete ended or idle sessions and links past their time; returns how many rows went."""
    now = clock.now()
    ended = or_(UserSession.expires_at <= now, UserSession.last_seen_at <= now - SESSION_IDLE)
    statements = (
        delete(UserSession).where(ended),
        delete(SignInLink).where(SignInLink.expires_at <= now),
    )
    deleted = 0
    async with database.transaction() as session:
        for statement in statements:
            result: CursorResult[Any] = await session.execute(statement)  # type: ignore[assignment]
            deleted += result.rowcount
    return deleted
