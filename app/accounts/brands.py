"""A workspace's brand: the name, colour and logo that respondents see."""

import asyncio
import uuid
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.audit import record_event
from app.accounts.colours import DEFAULT_ACCENT, is_colour
from app.accounts.logos import draw_logo
from app.accounts.models import LogoGround, LogoType, Workspace, WorkspaceBrand
from app.accounts.people import NAME_MAX_LENGTH, check_all, clean_text, refused
from app.accounts.schemas import Actor, Brand, Logo
from app.foundation.errors import NotFound
from app.foundation.translation import mark

NO_LOGO = dict.fromkeys(
    ("logo", "logo_type", "logo_hash", "logo_width", "logo_height", "logo_ground")
)


# What `brand_of` reads of a row, the brand joined from outside to its workspace.
BRAND_COLUMNS = (
    Workspace.name.label("workspace_name"),
    WorkspaceBrand.name.label("brand_name"),
    WorkspaceBrand.accent,
    WorkspaceBrand.logo_type,
    WorkspaceBrand.logo_hash,
    WorkspaceBrand.logo_width,
    WorkspaceBrand.logo_height,
    WorkspaceBrand.logo_ground,
)


def brand_of(row: Any) -> Brand:
    """The brand as it is shown; what was not chosen is the workspace's name and our colour."""
    return Brand(row.brand_name or row.workspace_name, row.accent, _logo_of(row))


def _logo_of(row: Any) -> Logo | None:
    # A constraint sees to it that all of them are there, or none.
    match (row.logo_type, row.logo_hash, row.logo_width, row.logo_height, row.logo_ground):
        case (str(kind), str(name), int(width), int(height), str(ground)):
            return Logo(LogoType(kind), name, width, height, LogoGround(ground))
    return None


async def get_brand(session: AsyncSession, workspace_id: uuid.UUID) -> Brand:
    """How the workspace looks to respondents; NotFound without the workspace."""
    row = (
        await session.execute(
            select(*BRAND_COLUMNS)
            .outerjoin(WorkspaceBrand, WorkspaceBrand.workspace_id == Workspace.id)
            .where(Workspace.id == workspace_id)
        )
    ).one_or_none()
    if row is None:
        raise NotFound
    return brand_of(row)


async def get_logo(
    session: AsyncSession, workspace_id: uuid.UUID, name: str | None = None
) -> tuple[bytes, LogoType]:
    """The logo's bytes and their type; NotFound where there is none (of that hash)."""
    asked = select(WorkspaceBrand.logo, WorkspaceBrand.logo_type).where(
        WorkspaceBrand.workspace_id == workspace_id, WorkspaceBrand.logo.is_not(None)
    )
    if name is not None:
        asked = asked.where(WorkspaceBrand.logo_hash == name)
    content, kind = (await session.execute(asked)).one_or_none() or (None, None)
    if content is None or kind is None:
        raise NotFound
    return content, LogoType(kind)


async def change_brand(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, *, name: str, accent: str
) -> None:
    """Another name and colour; empty ones are the workspace's name and our colour.

    The colour is kept as it was chosen; what it has to become is decided where it is shown.
    """
    check_all(lambda: _clean_name(name), lambda: _clean_accent(accent))
    values = {"name": _clean_name(name), "accent": _clean_accent(accent)}
    await _store(session, workspace_id, values)
    record_event(session, workspace_id, actor, "brand.changed", details=values)


async def change_logo(
    session: AsyncSession, workspace_id: uuid.UUID, actor: Actor, content: bytes
) -> None:
    """Another logo, drawn anew from the file `content`; Invalid says why a file is not taken."""
    drawn = await asyncio.to_thread(draw_logo, content)
    await _store(
        session,
        workspace_id,
        {
            "logo": drawn.content,
            "logo_type": drawn.type,
            "logo_hash": drawn.hash,
            "logo_width": drawn.width,
            "logo_height": drawn.height,
            "logo_ground": drawn.ground,
        },
    )
    record_event(session, workspace_id, actor, "brand.logo_changed")


async def remove_logo(session: AsyncSession, workspace_id: uuid.UUID, actor: Actor) -> None:
    """Show the name instead of a logo; nothing happens where there is no logo."""
    removed = await session.scalar(
        update(WorkspaceBrand)
        .where(WorkspaceBrand.workspace_id == workspace_id, WorkspaceBrand.logo.is_not(None))
        .values(NO_LOGO)
        .returning(WorkspaceBrand.workspace_id)
    )
    if removed is not None:
        record_event(session, workspace_id, actor, "brand.logo_removed")


async def _store(
    session: AsyncSession,
    workspace_id: uuid.UUID,
    values: dict[str, object] | dict[str, str | None],
) -> None:
    await session.execute(
        insert(WorkspaceBrand)
        .values(workspace_id=workspace_id, **values)
        .on_conflict_do_update(index_elements=[WorkspaceBrand.workspace_id], set_=dict(values))
    )


def _clean_name(name: str) -> str | None:
    return clean_text("name", name, NAME_MAX_LENGTH) if name.strip() else None


def _clean_accent(accent: str) -> str | None:
    colour = accent.strip().lower()
    if colour and not is_colour(colour):
        raise refused("accent", mark("Give the colour as # and six digits, such as #264a83."))
    return None if colour in ("", DEFAULT_ACCENT) else colour
