"""Verbs about people: making an account, its name, address, language and password."""

import unicodedata
import uuid
from collections.abc import Callable

from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from app.accounts.models import SignInLink, User, UserSession
from app.accounts.passwords import find_password_fault, hash_password
from app.foundation import clock
from app.foundation.errors import Invalid, InvalidParam
from app.foundation.tokens import new_id
from app.foundation.translation import INTERFACE_LANGUAGES, mark

NAME_MAX_LENGTH = 100
EMAIL_MAX_LENGTH = 254


async def create_user(
    session: AsyncSession, *, name: str, email: str, password: str | None, locale: str
) -> User:
    """A new person; Invalid names what is refused. Without a password they sign in by link only."""
    name, email = clean_person(name, email, password)
    user_id = await session.scalar(
        insert(User)
        .values(
            id=new_id(),
            email=email,
            name=name,
            password_hash=None if password is None else await hash_password(password),
            locale=clean_locale(locale),
            created_at=clock.now(),
        )
        .on_conflict_do_nothing(index_elements=[User.email])
        .returning(User.id)
    )
    if user_id is None:
        raise refused(
            "email", mark("This address has an account already; sign in with it instead.")
        )
    return await session.get_one(User, user_id)


async def set_password(
    session: AsyncSession, user: User, password: str, keep_session: uuid.UUID | None = None
) -> None:
    """Give a person a new password; every other browser of theirs is signed out, links expire."""
    hashed = await hash_password(clean_password(password, (user.name, user.email)))
    await session.execute(update(User).where(User.id == user.id).values(password_hash=hashed))
    await session.execute(delete(SignInLink).where(SignInLink.user_id == user.id))
    others = delete(UserSession).where(UserSession.user_id == user.id)
    if keep_session is not None:
        others = others.where(UserSession.id != keep_session)
    await session.execute(others)


async def set_language_of(session: AsyncSession, user: User, locale: str) -> None:
    """The language a person reads Honne in."""
    await session.execute(
        update(User).where(User.id == user.id).values(locale=clean_locale(locale))
    )


def clean_person(name: str, email: str, password: str | None) -> tuple[str, str]:
    """Name and address as they are stored; one Invalid names all that is wrong."""
    check_all(
        lambda: clean_text("name", name, NAME_MAX_LENGTH),
        lambda: clean_email(email),
        lambda: None if password is None else clean_password(password, (name, email)),
    )
    return clean_text("name", name, NAME_MAX_LENGTH), clean_email(email)


def clean_password(password: str, known: tuple[str, ...]) -> str:
    """A password that may be set; Invalid says what is wrong with another."""
    fault = find_password_fault(password, known)
    if fault is not None:
        raise refused("password", fault)
    return password


def check_all(*checks: Callable[[], object]) -> None:
    """Run every check, then raise one Invalid with all that they refused."""
    faults: list[InvalidParam] = []
    for check in checks:
        try:
            check()
        except Invalid as error:
            faults += error.invalid_params
    if faults:
        raise Invalid(mark("See which inputs were refused."), invalid_params=faults)


def clean_email(email: str) -> str:
    """The address in lower case, its domain in ASCII, as accounts are known by."""
    from email_validator import (  # noqa: PLC0415 (slow to import)
        EmailNotValidError,
        validate_email,
    )

    if len(email) > EMAIL_MAX_LENGTH:
        raise refused("email", mark("This address is too long."))
    try:
        found = validate_email(email.strip(), check_deliverability=False, allow_smtputf8=False)
    except EmailNotValidError:
        raise refused("email", mark("Enter an e-mail address like name@company.com.")) from None
    return (found.ascii_email or found.normalized).lower()


def clean_text(field: str, text: str, longest: int) -> str:
    """One line of text without surrounding blanks; Invalid where empty, too long or unreadable."""
    text = text.strip()
    if all(unicodedata.category(character) in ("Cf", "Zs") for character in text):
        raise refused(field, mark("Fill this in."))  # nothing of it is seen
    if len(text) > longest:
        raise refused(
            field, mark("This is too long; use at most %(number)s characters."), number=longest
        )
    if any(unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp") for character in text):
        raise refused(field, mark("This contains characters that cannot be shown."))
    return text


def clean_locale(locale: str) -> str:
    if locale not in INTERFACE_LANGUAGES:
        raise refused("locale", mark("Choose one of the languages offered."))
    return locale


def refused(field: str, reason: str, **values: object) -> Invalid:
    """The error for one refused input."""
    return Invalid(
        mark("See which inputs were refused."),
        invalid_params=[InvalidParam(field, reason, values)],
    )
