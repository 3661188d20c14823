"""Verbs about API keys: making one, revoking it."""

import uuid
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.models import ApiKey, Scope
from app.accounts.people import NAME_MAX_LENGTH, check_all, clean_text, refused
from app.accounts.schemas import Actor
from app.foundation import clock
from app.foundation.errors import NotFound
from app.foundation.settings import Settings
from app.foundation.tokens import digest, mint, new_id
from app.foundation.translation import mark

API_KEY_PREFIX = "hn_live_"
HINT_LENGTH = 4
LIFETIMES_IN_DAYS = (30, 90, 365)
LONGEST_LIFE = timedelta(days=3_650)


async def create_api_key(
    session: AsyncSession,
    settings: Settings,
    workspace_id: uuid.UUID,
    actor: Actor,
    *,
    name: str,
    scopes: Sequence[str],
    lifetime: timedelta | None = None,
) -> tuple[ApiKey, str]:
    """A new key, and its token, which is shown once: only a hash and four characters are stored.

    Without `lifetime` the key works until it is revoked.
    """
    check_all(
        lambda: clean_text("name", name, NAME_MAX_LENGTH),
        lambda: clean_scopes(scopes),
        lambda: _check_lifetime(lifetime),
    )
    token = mint(API_KEY_PREFIX, workspace_id)
    now = clock.now()
    key = ApiKey(
        workspace_id=workspace_id,
        id=new_id(),
        name=name.strip(),
        hint=token[-HINT_LENGTH:],
        token_hash=digest(settings.secret_key, token),
        scopes=clean_scopes(scopes),
        created_at=now,
        expires_at=None if lifetime is None else now + lifetime,
    )
    session.add(key)
    details = {"name": key.name, "scopes": key.scopes}
    record_event(session, workspace_id, actor, "api_key.created", key.id, details)
    await session.flush()
    return key, token


async def revoke_api_key(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, key_id: uuid.UUID
) -> None:
    """Refuse a key from now on; NotFound where the workspace has no such living key."""
    name = await session.scalar(
        update(ApiKey)
        .where(
            ApiKey.workspace_id == workspace_id,
            ApiKey.id == key_id,
            ApiKey.revoked_at.is_(None),
        )
        .values(revoked_at=clock.now())
        .returning(ApiKey.name)
    )
    if name is None:
        raise NotFound
    record_event(session, workspace_id, actor, "api_key.revoked", key_id, {"name": name})
    await session.flush()


async def revoke_keys_named(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, name: str
) -> int:
    """Refuse every living key of that name from now on; returns how many there were."""
    revoked = await session.scalars(
        update(ApiKey)
        .where(
            ApiKey.workspace_id == workspace_id,
            ApiKey.name == name,
            ApiKey.revoked_at.is_(None),
        )
        .values(revoked_at=clock.now())
        .returning(ApiKey.id)
    )
    key_ids = sorted(revoked)
    for key_id in key_ids:
        record_event(session, workspace_id, actor, "api_key.revoked", key_id, {"name": name})
    await session.flush()
    return len(key_ids)


def clean_scopes(scopes: Sequence[str]) -> list[str]:
    """Known scopes in their order, each once; Invalid where one is unknown or none is chosen."""
    if not scopes or not set(scopes) <= {scope.value for scope in Scope}:
        raise refused("scopes", mark("Choose what the key may do."))
    return [scope.value for scope in Scope if scope.value in scopes]


def _check_lifetime(lifetime: timedelta | None) -> None:
    if lifetime is not None and not timedelta() < lifetime <= LONGEST_LIFE:
        raise refused("expires", mark("Choose one of the periods offered."))
