"""Links that stand in for a password, once: to sign in with, or to set a new password."""

import uuid
from datetime import timedelta
from urllib.parse import urlsplit

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import LinkPurpose, SignInLink, User
from app.accounts.people import clean_password, set_password
from app.accounts.queries import SPENT_LINK, unscoped_get_user_of_link
from app.accounts.schemas import SYSTEM
from app.accounts.sign_in import record_in_each_workspace
from app.foundation import clock
from app.foundation.errors import Gone
from app.foundation.settings import Settings
from app.foundation.tokens import digest, random_text

LINK_LIFE = timedelta(hours=1)
LINK_TOKEN_LENGTH = 43  # 256 bits
PATH_MAX_LENGTH = 2_000


async def make_sign_in_link(
    session: AsyncSession,
    settings: Settings,
    user: User,
    next_path: str = "/",
    purpose: LinkPurpose = LinkPurpose.SIGN_IN,
    lifetime: timedelta = LINK_LIFE,
) -> str:
    """The address of a link, good once, that signs `user` in or lets them set a password."""
    token = random_text(LINK_TOKEN_LENGTH)
    session.add(
        SignInLink(
            token_hash=digest(settings.secret_key, token),
            user_id=user.id,
            purpose=purpose,
            next_path=local_path(next_path),
            expires_at=clock.now() + lifetime,
        )
    )
    await session.flush()
    if purpose is LinkPurpose.RESET_PASSWORD:
        # Whoever runs the server could let themselves in by it: the owners should see that.
        await record_in_each_workspace(session, user.id, "password.link_made", actor=SYSTEM)
    return f"{settings.public_url}/sign-in/links/{token}"


async def revoke_sign_in_links(
    session: AsyncSession, user_id: uuid.UUID, purpose: LinkPurpose | None = None
) -> None:
    """Make a person's links useless, all of them or those of one purpose."""
    links = delete(SignInLink).where(SignInLink.user_id == user_id)
    if purpose is not None:
        links = links.where(SignInLink.purpose == purpose)
    await session.execute(links)


async def use_sign_in_link(
    session: AsyncSession, settings: Settings, token: str
) -> tuple[User, str]:
    """Use a link up: the person to sign in, and where to lead them; Gone for a spent one."""
    return await _use_link(session, settings, token, LinkPurpose.SIGN_IN)


async def reset_password(
    session: AsyncSession, settings: Settings, token: str, password: str
) -> User:
    """Set a new password through a link, which is then spent; Invalid leaves the link good."""
    user = await unscoped_get_user_of_link(
        session, digest(settings.secret_key, token), LinkPurpose.RESET_PASSWORD
    )
    clean_password(password, (user.name, user.email))
    await _use_link(session, settings, token, LinkPurpose.RESET_PASSWORD)
    await set_password(session, user, password)
    await record_in_each_workspace(session, user.id, "password.reset")
    return user


def local_path(path: str) -> str:
    """`path` where it leads to a page of ours; `/` for anything a browser could take elsewhere."""
    if len(path) > PATH_MAX_LENGTH or not path.startswith("/") or path.startswith("//"):
        return "/"
    # Browsers read a backslash as a slash and drop control characters and blanks.
    if "\\" in path or not path.isprintable() or " " in path:
        return "/"
    try:
        parts = urlsplit(path)
    except ValueError:
        return "/"
    return "/" if parts.scheme or parts.netloc else path


async def _use_link(
    session: AsyncSession, settings: Settings, token: str, purpose: LinkPurpose
) -> tuple[User, str]:
    # One statement decides a race between two clicks: only one of them deletes the row.
    used = (
        await session.execute(
            delete(SignInLink)
            .where(
                SignInLink.token_hash == digest(settings.secret_key, token),
                SignInLink.purpose == purpose,
                SignInLink.expires_at > clock.now(),
            )
            .returning(SignInLink.user_id, SignInLink.next_path)
        )
    ).one_or_none()
    if used is None:
        raise Gone(SPENT_LINK)
    return await session.get_one(User, used.user_id), used.next_path
