"""Tables of people, workspaces, keys and the record of what they did."""

import enum
import uuid
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Text,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.foundation.database import Base, TenantRow, UtcMoment
from app.foundation.tokens import new_id


class Role(enum.StrEnum):
    """What a member may do: viewers read, managers run surveys, owners run the workspace."""

    VIEWER = "viewer"
    MANAGER = "manager"
    OWNER = "owner"


class Scope(enum.StrEnum):
    READ = "read"
    WRITE = "write"
    AUDIT = "audit"
    ADMIN = "admin"


class LogoType(enum.StrEnum):
    """What a logo is kept as, whatever it was uploaded as."""

    PNG = "image/png"
    WEBP = "image/webp"


class LogoGround(enum.StrEnum):
    """The pages that a logo can be seen on by itself; on others it needs a plate behind it."""

    ANY = "any"
    LIGHT = "light"
    DARK = "dark"


class LinkPurpose(enum.StrEnum):
    SIGN_IN = "sign_in"
    RESET_PASSWORD = "reset_password"


def one_of(column: str, choices: type[enum.StrEnum], name: str) -> CheckConstraint:
    """A CHECK that a text column holds a member of `choices`."""
    values = ", ".join(f"'{choice.value}'" for choice in choices)
    return CheckConstraint(f"{column} IN ({values})", name=name)


class User(Base):
    """A person who signs in; may belong to several workspaces."""

    __tablename__ = "users"
    __table_args__ = (CheckConstraint("email = lower(email)", name="email_lower"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    email: Mapped[str] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    password_hash: Mapped[str | None] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcMoment)


class Workspace(Base):
    """One customer's world. `time_zone` (IANA) decides what day an answer belongs to.

    Once `deleted_at` is set nobody can enter any more, and a job deletes what is left.
    """

    __tablename__ = "workspaces"

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(Text)
    time_zone: Mapped[str] = mapped_column(Text)
    locale: Mapped[str] = mapped_column(Text)
    is_demo: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcMoment)
    deleted_at: Mapped[datetime | None] = mapped_column(UtcMoment)


class Membership(Base):
    """A user's role in a workspace."""

    __tablename__ = "memberships"
    __table_args__ = (one_of("role", Role, "role"), Index(None, "user_id"))

    workspace_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("workspaces.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[uuid.UUID] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    role: Mapped[Role] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcMoment)


class UserSession(Base):
    """A signed-in browser. Holds no address and no agent."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    token_hash: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcMoment)
    last_seen_at: Mapped[datetime] = mapped_column(UtcMoment)
    expires_at: Mapped[datetime] = mapped_column(UtcMoment)


class SignInLink(Base):
    """A link, good once, that signs a known user in or lets them set a new password."""

    __tablename__ = "sign_in_links"
    __table_args__ = (one_of("purpose", LinkPurpose, "purpose"), Index(None, "user_id"))

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    user_id: Mapped[uuid.UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[LinkPurpose] = mapped_column(Text)
    next_path: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(UtcMoment)


LOGO_MAX_BYTES = 20_000


class WorkspaceBrand(TenantRow, Base):
    """How a workspace looks to respondents; where it says nothing, its name and Honne's colour.

    `accent` is `#rrggbb` as it was chosen. The logo's pixels come only to whoever asks for them;
    `logo_hash` is of these bytes, `logo_width` and `logo_height` are pixels.
    """

    __tablename__ = "brands"
    __table_args__ = (
        CheckConstraint("accent ~ '^#[0-9a-f]{6}$'", name="accent"),
        CheckConstraint(f"octet_length(logo) <= {LOGO_MAX_BYTES}", name="logo_size"),
        one_of("logo_type", LogoType, "logo_type"),
        one_of("logo_ground", LogoGround, "logo_ground"),
        CheckConstraint(
            "num_nulls(logo, logo_type, logo_hash, logo_width, logo_height, logo_ground) IN (0, 6)",
            name="logo_whole",
        ),
    )

    name: Mapped[str | None] = mapped_column(Text)
    accent: Mapped[str | None] = mapped_column(Text)
    logo: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True, deferred_raiseload=True)
    logo_type: Mapped[LogoType | None] = mapped_column(Text)
    logo_hash: Mapped[str | None] = mapped_column(Text)
    logo_width: Mapped[int | None] = mapped_column()
    logo_height: Mapped[int | None] = mapped_column()
    logo_ground: Mapped[LogoGround | None] = mapped_column(Text)


class MemberInvitation(TenantRow, Base):
    """An offer of membership, taken up by whoever opens the link first, until it expires."""

    __tablename__ = "member_invitations"
    __table_args__ = (
        one_of("role", Role, "role"),
        UniqueConstraint("workspace_id", "token_hash"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    role: Mapped[Role] = mapped_column(Text)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    invited_by: Mapped[uuid.UUID | None] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UtcMoment)
    expires_at: Mapped[datetime] = mapped_column(UtcMoment)
    accepted_at: Mapped[datetime | None] = mapped_column(UtcMoment)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcMoment)


class ApiKey(TenantRow, Base):
    """A key to the API. `hint` is its last four characters, to tell keys apart."""

    __tablename__ = "api_keys"
    __table_args__ = (UniqueConstraint("workspace_id", "token_hash"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(Text)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary)
    scopes: Mapped[list[str]] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(UtcMoment)
    expires_at: Mapped[datetime | None] = mapped_column(UtcMoment)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcMoment)
    last_used_on: Mapped[date | None] = mapped_column()


class IdempotencyRecord(TenantRow, Base):
    """The answer already given to a POST with an Idempotency-Key; kept until the next day ends.

    It holds a day and no moment: it may stand beside an anonymous answer.
    """

    __tablename__ = "idempotency_records"
    __table_args__ = (
        ForeignKeyConstraint(
            ["workspace_id", "api_key_id"],
            ["api_keys.workspace_id", "api_keys.id"],
            ondelete="CASCADE",
        ),
        UniqueConstraint("workspace_id", "api_key_id", "key_hash"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    api_key_id: Mapped[uuid.UUID] = mapped_column()
    key_hash: Mapped[bytes] = mapped_column(LargeBinary)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column()
    body: Mapped[str] = mapped_column(Text)
    created_on: Mapped[date] = mapped_column()


class AuditEvent(TenantRow, Base):
    """Who did what in the workspace; insert-only. Respondents never appear in it.

    Lines are numbered from 1 without a gap; `hash` seals the line and the one before it.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        UniqueConstraint("workspace_id", "number"),
        Index(None, "workspace_id", "happened_at", "id"),
    )

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True, default=new_id)
    happened_at: Mapped[datetime] = mapped_column(UtcMoment)
    actor_kind: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[uuid.UUID | None] = mapped_column()
    action: Mapped[str] = mapped_column(Text)
    subject_id: Mapped[uuid.UUID | None] = mapped_column()
    details: Mapped[dict[str, Any]] = mapped_column(default=dict)
    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)


class AuditHead(TenantRow, Base):
    """The number and the hash of the last line of a workspace's audit log.

    Whoever appends locks it; and a log whose last lines were taken away no longer fits it.
    """

    __tablename__ = "audit_heads"

    number: Mapped[int] = mapped_column(BigInteger)
    hash: Mapped[bytes] = mapped_column(LargeBinary)
